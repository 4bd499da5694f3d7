// Options are picked by their numbers: the keys beside them.

const typed = { digits: "", at: -1e9, task: null, picked: null };

// Digits typed soon after each other are one number, where the list is long enough for it.
function number(key, at, highest, task) {
  const goes = at - typed.at < 700 && typed.task === task && Number(typed.digits + key) <= highest;
  if (!goes) typed.picked = null;
  typed.digits = goes ? typed.digits + key : key;
  Object.assign(typed, { at, task });
  return typed.digits;
}

// Picks in the question that has the focus, else in the first that has options.
export function pick(event, task) {
  const within = document.activeElement?.closest?.(".question:not(.record)");
  const question = within ?? task.querySelector(".question:not(.record):has(.option)");
  const options = [...(question?.querySelectorAll(".option") ?? [])];
  if (!options.length) return;
  const points = options[0].dataset.key !== undefined;
  const highest = points ? Number(options.at(-1).dataset.key) : options.length;
  const digits = number(event.key, event.timeStamp, highest, task);
  const option = points
    ? options.find((one) => one.dataset.key === digits)
    : options[(Number(digits) || 10) - 1];
  const input = option?.querySelector("input");
  if (!input) return;
  // "12" ticked the first box on its way to the twelfth
  if (input.type === "checkbox" && typed.picked) typed.picked.click();
  input.focus();
  input.click();
  typed.picked = input;
  event.preventDefault();
}
