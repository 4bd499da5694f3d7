// The line above the task: what became of what was done, where one is, and the clocks.

const by = (id) => document.getElementById(id);
const loom = by("loom");
let late = null;

export const say = (name) => loom.dataset["say" + name];

export function tell(text, bad = false) {
  by("saved").textContent = text;
  by("saved").classList.toggle("bad", bad);
}

export function showPlace(number, held) {
  const words = [number, number + held - 1];
  by("place").textContent = held ? say("Place").replace(/\{(\d)\}/g, (_, n) => words[n]) : "";
}

// told when it lasts: what is sent in a blink is not worth a word
export function showUnsent(count) {
  clearTimeout(late);
  const words = count ? say("Unsent").replace("{0}", count) : "";
  if (!count || by("unsent").textContent) by("unsent").textContent = words;
  else late = setTimeout(() => (by("unsent").textContent = words), 500);
}

export function showDeadline(deadline, now) {
  const timer = document.querySelector("[data-timer]");
  const until = Math.round((deadline - now) / 1000);
  timer.classList.toggle("soon", until < 60);
  if (!deadline) timer.textContent = "";
  else timer.textContent = until > 0 ? `${minutes(until)} ${say("Left")}` : say("Late");
}

export function showActive(ms, counts) {
  by("clock-time").textContent = minutes(Math.floor(ms / 1000));
  by("clock-state").textContent = counts ? "" : say("Pause");
  by("clock").classList.toggle("paused", !counts);
}

function minutes(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
