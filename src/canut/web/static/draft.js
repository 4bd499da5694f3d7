// A step of a new batch: what is typed is saved while it is typed, and the question shown as it is made.

const form = document.querySelector("form[data-draft]");
const PAUSE_MS = 700;

if (form) {
  document.documentElement.classList.add("js");
  const revision = form.elements.revision;
  const saved = form.querySelector("[data-saved]");
  const preview = document.getElementById("preview");
  const elsewhere = document.getElementById("elsewhere");
  let timer = 0;
  let dirty = false;
  let busy = false;
  let leaving = false;

  const content = () => {
    const data = new FormData(form);
    data.delete("taxonomy");
    data.set("act", "keep");
    return data;
  };

  async function save(more = {}) {
    if (busy || leaving || !dirty) return;
    busy = true;
    dirty = false;
    try {
      const answer = await fetch(location.pathname, { method: "POST", body: content(), headers: { accept: "application/json" }, ...more });
      if (answer.status === 409) {
        elsewhere.hidden = false;
        leaving = true;
      } else if (answer.ok) {
        const kept = await answer.json();
        revision.value = kept.revision;
        saved.textContent = saved.dataset.sayOn;
        if (preview && kept.preview) preview.innerHTML = kept.preview;
      }
    } catch {
      dirty = true;
      saved.textContent = saved.dataset.sayOff;
    }
    busy = false;
    if (dirty && !leaving) soon();
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(save, PAUSE_MS);
  }

  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    dirty = true;
    saved.textContent = "";
    soon();
  });
  // what is sent whole need not be saved before: its revision would be out of date
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (busy) {
      // the answer brings the revision that this form must send
      event.preventDefault();
      const by = event.submitter;
      const wait = () => (busy ? setTimeout(wait, 30) : form.requestSubmit(by));
      wait();
      return;
    }
    leaving = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save({ keepalive: true });
  });
  window.addEventListener("pageshow", (event) => {
    // a page that comes back from memory has an old revision
    if (event.persisted) location.reload();
  });
}
