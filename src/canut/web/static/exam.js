// A question of an exam: the form works by itself; here are only the keys and the longer lists.

import { growCombos } from "./combobox.js";
import { pick } from "./digits.js";
import { growOptions } from "./options.js";

const task = document.querySelector(".task");
const form = task.querySelector("form");

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey) return;
  const at = event.target;
  const writes = at.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
  if (event.key === "Enter") {
    const own = at.closest?.("a, button, summary");
    if (own || (at.matches?.("textarea") && !event.ctrlKey)) return;
    event.preventDefault();
    form.requestSubmit();
  } else if (!event.ctrlKey && !writes && /^\d$/.test(event.key)) {
    pick(event, task);
  }
}

document.documentElement.classList.add("js");
task.querySelectorAll(".guide").forEach((guide) => {
  guide.open = innerWidth > 960;
});
growOptions(task);
growCombos(task);
task.dataset.grown = "yes";
document.addEventListener("keydown", onKey);
