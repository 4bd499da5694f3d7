// The fields of a task: where to begin, and whether anything stands in them.

export const FIELD = "input:not([type=hidden], [hidden], [data-filter]), textarea:not([hidden])";

// What is wrong comes first, then what is written in.
export function focusIn(task) {
  const wrong = task.querySelector("[aria-invalid=true], .wrong");
  if (wrong) {
    const field = wrong.matches("input, textarea") ? wrong : wrong.closest(".question")?.querySelector("input, textarea");
    (field ?? wrong).focus();
    return;
  }
  const first = [...task.querySelectorAll(".ask .question:not(.record, .remark *)")]
    .map((question) => question.querySelector(FIELD))
    .find(Boolean);
  // options are picked by digits from anywhere: there the reader starts at the item
  if (first && !["radio", "checkbox"].includes(first.type)) first.focus({ preventScroll: true });
  else {
    const item = task.querySelector(".item");
    item.tabIndex = -1;
    item.focus({ preventScroll: true });
  }
  if (innerWidth < 960) scrollTo({ top: 0 });
}

export function complete(here) {
  // an empty answer is never worth the way; all else is for the server to judge
  const data = new FormData(here);
  const fields = [...here.elements].filter((one) => one.name.startsWith("answer"));
  const several = here.querySelector("[data-several]:not(.record *)");
  return several || !fields.length || fields.some((one) => String(data.get(one.name) ?? "").trim());
}
