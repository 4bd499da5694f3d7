// A batch being watched: the part that tells how far it is follows the server's events.

const progress = document.getElementById("progress");
const now = document.getElementById("now");
const live = document.getElementById("live");
const lang = document.documentElement.lang;
// English as the server writes it: the day first, 24 hours
const region = lang === "en" ? "en-GB" : lang;
const time = { hour: "2-digit", minute: "2-digit", second: "2-digit" };

function paint(seen) {
  if (seen.state !== progress.dataset.state) {
    location.reload();
    return;
  }
  now.innerHTML = seen.html;
  live.textContent = new Date().toLocaleTimeString(region, time);
}

document.documentElement.classList.add("js");
if (progress.dataset.events) {
  const events = new EventSource(progress.dataset.events);
  events.addEventListener("progress", (event) => paint(JSON.parse(event.data)));
  events.addEventListener("over", () => events.close());
  addEventListener("pagehide", () => events.close());
}
