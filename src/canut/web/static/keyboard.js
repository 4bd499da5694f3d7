// What a key does on the task screen; which key does what is keys.js's.

import { pick } from "./digits.js";
import { actOf } from "./keys.js";

// `acts` by name; `back` leads from a remark to the answer; nothing is heard while `busy`.
export function onKeys({ task, acts, hand, back, busy }) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey || busy()) return;
    const at = event.target;
    const writes = at.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
    const act = actOf(event);
    if (event.key === "Enter" && (at.closest?.("a, button, summary") || (at.matches?.("textarea") && !event.ctrlKey))) return;
    if (event.key === "Escape" && at.closest?.(".remark")) {
      at.closest(".remark").open = false;
      back();
    } else if (event.key === "Enter" && event.ctrlKey) hand("answer");
    else if (act && !event.ctrlKey && !(writes && event.key.length === 1)) {
      // a reason is sent by the key that submits
      if (act === "answer" && at.closest?.(".remark")) hand("remark");
      else acts[act]();
    } else {
      if (!event.ctrlKey && !writes && /^\d$/.test(event.key)) pick(event, task());
      return;
    }
    event.preventDefault();
  });
}
