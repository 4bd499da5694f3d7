// A batch being watched: figures and cloth follow the server's events.

const progress = document.getElementById("progress");
const live = document.getElementById("live");
const lang = document.documentElement.lang;
// English as the server writes it: the day first, 24 hours
const region = lang === "en" ? "en-GB" : lang;
const whole = new Intl.NumberFormat(lang);
const tenth = new Intl.NumberFormat(lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

function figure(name, text) {
  progress.querySelector(`[data-figure="${name}"]`).textContent = text;
}

function paint(seen) {
  if (seen.state !== progress.dataset.state) {
    location.reload();
    return;
  }
  figure("items", whole.format(seen.items));
  figure("answers", whole.format(seen.answers));
  figure("escalated", whole.format(seen.escalated));
  if (seen.items) figure("each", tenth.format(seen.answers / seen.items));
  for (const step of seen.steps) {
    const row = progress.querySelector(`[data-step="${step.id}"]`);
    row.querySelector("[data-decided]").textContent = whole.format(step.decided);
    const cloth = row.querySelector("progress");
    cloth.max = Math.max(seen.items, 1);
    cloth.value = step.decided;
  }
  const now = new Date().toLocaleTimeString(region, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  live.textContent = now;
}

document.documentElement.classList.add("js");
if (progress.dataset.events) {
  const events = new EventSource(progress.dataset.events);
  events.addEventListener("progress", (event) => paint(JSON.parse(event.data)));
  events.addEventListener("over", () => events.close());
  addEventListener("pagehide", () => events.close());
}
