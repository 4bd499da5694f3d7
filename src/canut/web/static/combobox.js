// One of thousands of options: a combobox (ARIA 1.2, list autocomplete with manual selection).
// Before anything is typed it offers what the item's words suggest, what was chosen before, and the
// levels of the list to walk down. The plain field stays in the form and holds the value.

import { recent, remember, sourceOf } from "./sources.js";

const SHOWN = 12;
let made = 0;

export function growCombos(root) {
  root.querySelectorAll("[data-combo]").forEach(grow);
}

function grow(combo) {
  const plain = combo.querySelector("input:not([type=hidden]), textarea");
  const several = Boolean(combo.dataset.several);
  const source = sourceOf(combo, SHOWN);
  const parts = build(combo, plain, several);
  const { input, list, status, chosen, id } = parts;
  const known = new Map();
  const values = several
    ? plain.value.split("\n").map((one) => one.trim()).filter(Boolean)
    : [plain.value].filter(Boolean);
  let rows = [];
  let active = -1;
  let asked = 0;

  const inWords = (value) => {
    const option = known.get(value);
    return option ? [option.path, option.label].filter(Boolean).join(" › ") : value;
  };

  function keep() {
    plain.value = values.join("\n");
    plain.dispatchEvent(new Event("change", { bubbles: true }));
    chosen.replaceChildren();
    if (!several) {
      if (values.length) {
        const strong = document.createElement("strong");
        strong.textContent = inWords(values[0]);
        chosen.append(`${combo.dataset.sayChosen} `, strong);
      }
      return;
    }
    for (const value of values) {
      const row = document.createElement("li");
      const remove = document.createElement("button");
      Object.assign(remove, { type: "button", className: "plain", textContent: `${inWords(value)} ×` });
      remove.setAttribute("aria-label", `${combo.dataset.sayRemove} ${inWords(value)}`);
      remove.addEventListener("click", () => {
        values.splice(values.indexOf(value), 1);
        keep();
        input.focus();
      });
      row.append(remove);
      chosen.append(row);
    }
  }

  function pick(option) {
    known.set(option.value, option);
    remember(combo, option);
    if (!several) values.length = 0;
    if (!values.includes(option.value)) values.push(option.value);
    input.value = several ? "" : option.label;
    keep();
    close();
  }

  // a row is an option, or the way to a level
  const take = (row) => (row.at === undefined ? pick(row) : browse(row.at));

  function close() {
    asked += 1;
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function paint(found, count, first) {
    rows = found;
    active = found.length && first ? 0 : -1;
    list.replaceChildren(...found.map((row, place) => rowOf(row, place)));
    status.textContent = found.length ? `${count} ${combo.dataset.sayFound}` : combo.dataset.sayNone;
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    mark();
  }

  function rowOf(row, place) {
    const shown = document.createElement("li");
    const small = document.createElement("small");
    shown.id = `${id}-${place}`;
    shown.setAttribute("role", "option");
    small.textContent = [row.why, row.path, row.hint].filter(Boolean).join(" · ");
    shown.append(row.label, small);
    if (row.at !== undefined) shown.className = "level";
    shown.addEventListener("mousedown", (event) => {
      event.preventDefault();
      take(row);
    });
    return shown;
  }

  // the last question asked is the one whose answer is shown
  async function answer(question, first) {
    const mine = ++asked;
    try {
      const { found, count } = await question;
      if (mine === asked) paint(found, count, first);
    } catch {
      if (mine === asked) status.textContent = combo.dataset.sayLoad;
    }
  }

  function open() {
    if (input.value.trim() && !values.length) answer(source.search(input.value), true);
    else answer(suggested(), false);
  }

  async function suggested() {
    const say = combo.dataset;
    const before = recent(combo).map((one) => ({ ...one, why: say.sayRecent }));
    const likely = source.likely.map((one) => ({ ...one, why: say.sayLikely }));
    const seen = new Set();
    const own = [...likely, ...before].filter(({ value }) => !seen.has(value) && seen.add(value));
    const { levels, found } = await source.below("");
    return { found: [...own, ...steps(levels, ""), ...found.slice(0, SHOWN)], count: own.length + levels.length + found.length };
  }

  const steps = (levels, above) =>
    levels.map(([label, count]) => ({ label: `${label} ›`, hint: String(count), at: above ? `${above} › ${label}` : label }));

  function browse(at) {
    if (at === null) return answer(suggested(), false);
    const up = at.includes(" › ") ? at.slice(0, at.lastIndexOf(" › ")) : null;
    const back = { label: `‹ ${at}`, at: up };
    const question = source.below(at).then(({ levels, found }) => {
      const here = [back, ...steps(levels, at), ...found];
      return { found: here, count: here.length - 1 };
    });
    return answer(question, true);
  }

  function mark() {
    [...list.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === active)));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", `${id}-${active}`);
      list.children[active].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function move(step) {
    if (list.hidden) return open();
    active = (active + step + rows.length) % rows.length;
    return mark();
  }

  input.addEventListener("input", () => {
    if (!several && values.length) {
      values.length = 0;
      keep();
    }
    open();
  });
  input.addEventListener("blur", close);
  input.addEventListener("click", () => list.hidden && open());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !list.hidden && active >= 0) {
      event.preventDefault();
      take(rows[active]);
    } else if (event.key === "Enter" && input.value.trim() && !values.length) {
      // typed faster than the answer came: the first of it is what is meant
      event.preventDefault();
      source.search(input.value).then(({ found }) => found.length && pick(found[0]), () => {});
    } else if (event.key === "Escape" && (!list.hidden || input.value)) {
      event.preventDefault();
      if (list.hidden) input.value = "";
      close();
    } else if (event.key === "Backspace" && several && !input.value && values.length) {
      values.pop();
      keep();
    }
  });

  Promise.all([source.ready, ...values.map(source.byValue)]).then(
    ([, ...options]) => {
      for (const option of options) if (option) known.set(option.value, option);
      if (!several && values.length) input.value = known.get(values[0])?.label ?? values[0];
      if (values.length) keep();
      combo.dataset.ready = "yes";
      if (document.activeElement === input && input.value && !values.length) open();
    },
    () => {
      // the plain field still takes the code of an option
      input.remove();
      plain.hidden = false;
      status.className = "wrong";
      status.textContent = combo.dataset.sayLoad;
    },
  );
}

function build(combo, plain, several) {
  const id = `combo-${++made}`;
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const status = document.createElement("p");
  const chosen = document.createElement(several ? "ul" : "p");
  Object.assign(input, { type: "text", autocomplete: "off", spellcheck: false, id: `${id}-input` });
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-expanded", "false");
  input.setAttribute("aria-controls", `${id}-list`);
  for (const name of ["aria-invalid", "aria-describedby"]) {
    if (plain.hasAttribute(name)) input.setAttribute(name, plain.getAttribute(name));
  }
  const label = combo.closest(".question").querySelector("label.legend");
  if (label) {
    label.htmlFor = input.id;
    label.id ||= `${id}-label`;
    list.setAttribute("aria-labelledby", label.id);
  }
  Object.assign(list, { className: "combo-list", id: `${id}-list`, hidden: true });
  list.setAttribute("role", "listbox");
  status.className = "unseen";
  status.setAttribute("role", "status");
  chosen.className = several ? "picked" : "chosen";
  plain.hidden = true;
  combo.append(input, list, status, chosen);
  return { input, list, status, chosen, id };
}
