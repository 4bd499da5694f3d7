// The task screen, quicker than the plain form it grows out of: the next task is claimed while
// this one is answered, painted at once, and answers are sent in the background until they arrive.

import { growCombos } from "./combobox.js";
import { pick } from "./digits.js";
import { growOptions } from "./options.js";

const AHEAD = 1;
const RETRY_MS = [1000, 2000, 5000, 10000, 30000];

const loom = document.getElementById("loom");
const saved = document.getElementById("saved");
const keys = document.getElementById("keys");
const say = (name) => loom.dataset["say" + name];
const ahead = [];
const leaving = [];
let answered = 0;
let sending = false;
let claiming = null;
let exhausted = false;

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const task = () => loom.querySelector(".task");
const form = () => loom.querySelector("form");

// problems are short phrases for programs, and sentences for people
function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + (".!?…:".includes(text.at(-1)) ? "" : ".");
}

function tell(text, bad = false) {
  saved.textContent = text;
  saved.classList.toggle("bad", bad);
}

async function ask(path, body) {
  const token = form()?.elements._csrf_token.value ?? body.get("_csrf_token");
  const reply = await fetch(path, {
    method: "POST",
    body,
    headers: { accept: "application/json", "x-csrf-token": token },
    redirect: "error",
  });
  let said = {};
  try {
    said = await reply.json();
  } catch {
    // an error without a body says all by its status
  }
  return { status: reply.status, after: Number(reply.headers.get("retry-after")) * 1000, said };
}

// -- the tasks to come --

function fromHtml(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.querySelector(".task");
}

async function claimAhead() {
  if (claiming || exhausted || ahead.length >= AHEAD) return claiming;
  claiming = (async () => {
    try {
      const body = new URLSearchParams({ _csrf_token: form().elements._csrf_token.value });
      const { status, said } = await ask(`/work/${loom.dataset.batch}/claim`, body);
      if (status === 200) {
        for (const one of said.tasks) ahead.push(fromHtml(one.html));
        exhausted = said.tasks.length === 0;
      }
    } catch {
      // without a connection the next answer tries again
    } finally {
      claiming = null;
    }
  })();
  return claiming;
}

// -- one task on the screen --

function grow() {
  const here = task();
  here.querySelectorAll(".guide").forEach((guide) => {
    guide.open = localStorage.getItem("canut-guide") !== "closed" && innerWidth > 960;
    guide.addEventListener("toggle", () => {
      if (innerWidth > 960) localStorage.setItem("canut-guide", guide.open ? "open" : "closed");
    });
  });
  if (!here.dataset.grown) {
    growOptions(here);
    growCombos(here);
    here.dataset.grown = "yes";
  }
  focusTask();
  tick();
}

function focusTask() {
  const wrong = task().querySelector("[aria-invalid=true], .wrong");
  if (wrong) {
    const field = wrong.matches("input, textarea") ? wrong : wrong.closest(".question")?.querySelector("input, textarea");
    (field ?? wrong).focus();
    return;
  }
  const first = task().querySelector(".ask .question:not(.record) input:not([type=hidden], [hidden], [data-filter]), .ask .question:not(.record) textarea:not([hidden])");
  // options are picked by digits from anywhere: there the reader starts at the item
  if (first && !["radio", "checkbox"].includes(first.type)) first.focus({ preventScroll: true });
  else {
    const item = task().querySelector(".item");
    item.tabIndex = -1;
    item.focus({ preventScroll: true });
  }
  if (innerWidth < 960) scrollTo({ top: 0 });
}

async function next() {
  if (!ahead.length) {
    tell(say("Waiting"));
    await claimAhead();
    if (!ahead.length) await claimAhead();
  }
  if (!ahead.length) {
    await settle();
    if (!leaving.length) location.assign(`/work/${loom.dataset.batch}?said=none`);
    return;
  }
  task().replaceWith(ahead.shift());
  grow();
  claimAhead();
}

// -- answers on their way --

function complete(here) {
  // an empty answer is never worth the way; all else is for the server to judge
  const data = new FormData(here);
  const fields = [...here.elements].filter((one) => one.name.startsWith("answer"));
  const several = here.querySelector("[data-several]:not(.record *)");
  return several || !fields.length || fields.some((one) => String(data.get(one.name) ?? "").trim());
}

function hand(act) {
  const here = form();
  if (act === "answer" && !complete(here)) {
    tell(say("Missing"), true);
    here.querySelector(".question input:not([type=hidden], [hidden], [data-filter]), .question textarea:not([hidden])")?.focus();
    return;
  }
  const body = new URLSearchParams(new FormData(here));
  body.set("act", act);
  leaving.push({ body, path: here.getAttribute("action"), shown: task(), act });
  tell(say("Saving"));
  next().then(send);
  send();
}

async function send() {
  if (sending) return;
  sending = true;
  let tries = 0;
  while (leaving.length) {
    const { body, path, shown, act } = leaving[0];
    try {
      const { status, after, said } = await ask(path, body);
      if (status === 429 || status >= 500) throw new Error("later", { cause: after });
      if (status === 401 || status === 403) {
        tell(say("Login"), true);
        await wait(5000);
        continue;
      }
      leaving.shift();
      tries = 0;
      settled(status, said, shown, act);
    } catch (error) {
      tell(say("Retry"), true);
      await wait(error.cause || RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
    }
  }
  sending = false;
}

async function settle() {
  while (leaving.length || sending) {
    send();
    await wait(50);
  }
}

function settled(status, said, shown, act) {
  if (status === 422) {
    bringBack(shown, said.problems ?? []);
  } else if (status !== 200) {
    tell(say("Refused"));
  } else if (act === "skip") {
    tell(say("Back"));
  } else {
    answered += 1;
    tell(`${say("Saved")} ${answered} ${say("Count")}`);
  }
}

// The server refused an answer after its task had left the screen: it comes back as it was left.
function bringBack(shown, problems) {
  if (task() !== shown) {
    ahead.unshift(task());
    task().replaceWith(shown);
  }
  for (const old of shown.querySelectorAll(".wrong")) old.remove();
  for (const problem of problems) {
    const name = ["answer", problem.field].filter(Boolean).join(".");
    const question = shown.querySelector(`[data-question="${CSS.escape(name)}"]`) ?? shown.querySelector(".question");
    const note = document.createElement("p");
    note.className = "wrong";
    note.id = `wrong-${name.replaceAll(".", "-")}`;
    note.textContent = [problem.message, problem.mend].filter(Boolean).map(sentence).join(" ");
    question.querySelector("legend, .legend").after(note);
    const field = question.querySelector("input:not([type=hidden], [type=radio], [type=checkbox]), textarea");
    field?.setAttribute("aria-invalid", "true");
    (field ?? question).setAttribute("aria-describedby", note.id);
  }
  tell(say("Wrong"), true);
  focusTask();
}

// -- the clock --

function tick() {
  const timer = document.querySelector("[data-timer]");
  const left = Math.round((Number(task().dataset.deadline) - Date.now()) / 1000);
  timer.classList.toggle("soon", left < 60);
  const minutes = Math.floor(Math.abs(left) / 60);
  const seconds = String(Math.abs(left) % 60).padStart(2, "0");
  timer.textContent = left > 0 ? `${minutes}:${seconds} ${say("Left")}` : say("Late");
}

// -- keys --

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey || keys.open) return;
  const at = event.target;
  const writes = at.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
  if (event.key === "Escape") {
    event.preventDefault();
    hand("skip");
  } else if (event.key === "Enter") {
    const own = at.closest?.("a, button, summary");
    if (own || (at.matches?.("textarea") && !event.ctrlKey)) return;
    event.preventDefault();
    hand("answer");
  } else if (event.ctrlKey || writes) {
    return;
  } else if (event.key === "?") {
    keys.showModal();
  } else if (event.key === "/") {
    const search = task().querySelector("[data-filter]");
    if (search) event.preventDefault();
    search?.focus();
  } else if (/^\d$/.test(event.key)) {
    pick(event, task());
  }
}

loom.addEventListener("submit", (event) => {
  event.preventDefault();
  hand(event.submitter?.value ?? "answer");
});
document.addEventListener("keydown", onKey);
document.querySelector("[data-keys]").addEventListener("click", () => keys.showModal());
addEventListener("beforeunload", (event) => {
  if (leaving.length) event.preventDefault();
});
for (const later of document.querySelectorAll("template[data-later]")) {
  ahead.push(later.content.querySelector(".task").cloneNode(true));
}
document.documentElement.classList.add("js");
setInterval(tick, 1000);
grow();
claimAhead();
