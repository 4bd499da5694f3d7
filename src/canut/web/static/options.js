// Lists of options on the page: a search above long ones, and fields of a record that are only
// asked for where an earlier answer says so.

import { fold } from "./fold.js";

export function growOptions(root) {
  root.querySelectorAll("[data-filter]").forEach(growFilter);
  root.querySelectorAll("[data-when]").forEach((part) => growWhen(root, part));
}

function growFilter(filter) {
  const question = filter.closest(".question");
  const options = [...question.querySelectorAll(".option")].map((label) => ({
    label,
    text: fold(label.dataset.search),
  }));
  const apply = () => {
    const words = fold(filter.value).split(/\s+/).filter(Boolean);
    for (const { label, text } of options) label.hidden = !words.every((word) => text.includes(word));
    for (const group of question.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".option:not([hidden])");
    }
  };
  filter.addEventListener("input", apply);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && filter.value) {
      event.preventDefault();
      const input = options.find(({ label }) => !label.hidden)?.label.querySelector("input");
      if (!input) return;
      if (!input.checked) input.click();
      filter.value = "";
      apply();
      input.focus();
    } else if (event.key === "Escape" && filter.value) {
      event.preventDefault();
      filter.value = "";
      apply();
    }
  });
}

function growWhen(root, part) {
  const name = part.dataset.when;
  const wanted = JSON.parse(part.dataset.in).map(String);
  const form = root.querySelector("form");
  const apply = () => {
    const values = new FormData(form).getAll(name);
    const asked = values.some((value) => wanted.includes(value));
    part.hidden = !asked;
    for (const field of part.querySelectorAll("input, textarea")) field.disabled = !asked;
  };
  form.addEventListener("change", apply);
  form.addEventListener("input", apply);
  apply();
}
