// One of thousands of options: a combobox (ARIA 1.2, list autocomplete with manual selection) over
// a list that is fetched once. The plain field stays in the form and holds the value.

import { fold } from "./fold.js";

const SHOWN = 12;
const lists = new Map();
let made = 0;

export function growCombos(root) {
  root.querySelectorAll("[data-combo]").forEach(grow);
}

// Options as { value, label, hint, path, words, all }: folded once, searched at every key.
export async function fetchOptions(address) {
  if (!lists.has(address)) {
    const list = (async () => {
      const reply = await fetch(address, { headers: { accept: "application/json" } });
      if (!reply.ok) throw new Error(`status ${reply.status}`);
      const { paths, options } = await reply.json();
      const folded = paths.map(fold);
      return options.map(([value, label, hint, place, synonyms]) => ({
        value,
        label,
        hint,
        path: paths[place],
        start: fold(label),
        all: `${fold(label)} ${fold(synonyms.join(" "))} ${folded[place]} ${fold(value)}`,
      }));
    })();
    list.catch(() => lists.delete(address));
    lists.set(address, list);
  }
  return lists.get(address);
}

// Every word must occur. Labels that begin with the text come first, then labels in which a word
// begins with it, then those where it occurs in path, synonyms or value.
export function search(options, text, limit = SHOWN) {
  const asked = fold(text).trim();
  if (!asked) return { found: options.slice(0, limit), count: options.length };
  const words = asked.split(/\s+/);
  const ranks = [[], [], [], []];
  for (const option of options) {
    if (!words.every((word) => option.all.includes(word))) continue;
    if (option.start.startsWith(asked)) ranks[0].push(option);
    else if (` ${option.start}`.includes(` ${words[0]}`)) ranks[1].push(option);
    else if (words.every((word) => option.start.includes(word))) ranks[2].push(option);
    else ranks[3].push(option);
  }
  const count = ranks.reduce((sum, rank) => sum + rank.length, 0);
  return { found: ranks.flat().slice(0, limit), count };
}

function grow(combo) {
  const plain = combo.querySelector("input:not([type=hidden]), textarea");
  const several = Boolean(combo.dataset.several);
  const id = `combo-${++made}`;
  const input = document.createElement("input");
  const list = document.createElement("ul");
  const status = document.createElement("p");
  const chosen = document.createElement(several ? "ul" : "p");
  const values = several
    ? plain.value.split("\n").map((one) => one.trim()).filter(Boolean)
    : [plain.value].filter(Boolean);
  let options = [];
  let found = [];
  let active = -1;

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

  const byValue = (value) => options.find((option) => option.value === value);
  const inWords = (value) => {
    const option = byValue(value);
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
      remove.type = "button";
      remove.className = "plain";
      remove.textContent = `${inWords(value)} ×`;
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
    if (!several) values.length = 0;
    if (!values.includes(option.value)) values.push(option.value);
    input.value = several ? "" : option.label;
    keep();
    close();
  }

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function paint() {
    const result = search(options, input.value);
    found = result.found;
    active = found.length && input.value.trim() ? 0 : -1;
    list.replaceChildren(
      ...found.map((option, place) => {
        const row = document.createElement("li");
        row.id = `${id}-${place}`;
        row.setAttribute("role", "option");
        const small = document.createElement("small");
        small.textContent = [option.path, option.hint].filter(Boolean).join(" · ");
        row.append(option.label, small);
        row.addEventListener("mousedown", (event) => {
          event.preventDefault();
          pick(option);
        });
        return row;
      }),
    );
    status.textContent = found.length ? `${result.count} ${combo.dataset.sayFound}` : combo.dataset.sayNone;
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    mark();
  }

  function mark() {
    [...list.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === active)));
    if (active >= 0) {
      input.setAttribute("aria-activedescendant", `${id}-${active}`);
      list.children[active].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  }

  function move(step) {
    if (list.hidden) return paint();
    active = (active + step + found.length) % found.length;
    mark();
  }

  input.addEventListener("input", () => {
    if (!several && values.length) {
      values.length = 0;
      keep();
    }
    paint();
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !list.hidden && active >= 0) {
      event.preventDefault();
      pick(found[active]);
    } else if (event.key === "Escape" && (!list.hidden || input.value)) {
      event.preventDefault();
      if (list.hidden) input.value = "";
      close();
    } else if (event.key === "Backspace" && several && !input.value && values.length) {
      values.pop();
      keep();
    }
  });

  fetchOptions(combo.dataset.options).then(
    (all) => {
      options = all;
      if (!several && values.length) input.value = byValue(values[0])?.label ?? values[0];
      keep();
      combo.dataset.ready = "yes";
      if (document.activeElement === input && input.value && !values.length) paint();
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
