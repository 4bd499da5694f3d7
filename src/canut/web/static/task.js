// The task screen, quicker than the plain form it grows out of: tasks are taken in packets, the
// next one is painted at once, and what was done is kept on the device and sent after.

import { workAlone } from "./alone.js";
import { say, showActive, showDeadline, showPlace, showUnsent, tell } from "./bar.js";
import { startClock } from "./clock.js";
import { complete, FIELD, focusIn } from "./fields.js";
import { growParts } from "./fragment.js";
import { onKeys } from "./keyboard.js";
import { nameKeys, openKeys } from "./keys.js";
import { growOptions } from "./options.js";
import { openOutbox, post } from "./outbox.js";
import { openPacket } from "./packet.js";
import { showProblems } from "./problems.js";
import { openStore } from "./store.js";

const by = (id) => document.getElementById(id);
const loom = by("loom");
const keys = by("keys");
const { me, batch } = loom.dataset;
const task = () => loom.querySelector(".task");
const form = () => loom.querySelector("form");
const name = (shown) => shown.dataset.task;
let answered = 0;
let ended = 0;
let undoable = null;
let undoEnds = null;
let store;
let outbox;
let clock;
let packet;

function place() {
  showPlace(ended + 1, packet.ahead.length + (task()?.dataset.task ? 1 : 0));
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
    growParts(here, say);
    nameKeys(here);
    here.dataset.grown = "yes";
  }
  focusIn(task());
  place();
  tick();
}

function show(next) {
  const here = task();
  if (here) here.replaceWith(next);
  else loom.append(next);
  grow();
}

// One at a time, whoever asks: two would each take a task, and show only the second.
let turning = null;

function next() {
  turning ??= turn().finally(() => (turning = null));
  return turning;
}

const nextIfNone = () => task()?.dataset.task || next();

async function turn() {
  const gone = packet.dropExpired();
  if (gone) tell(say("Gone").replace("{0}", gone), true);
  if (!packet.ahead.length) {
    tell(say("Waiting"));
    await packet.claim();
    if (!packet.ahead.length) await packet.claim();
  }
  if (packet.ahead.length) {
    show(packet.ahead.shift());
    packet.claim();
    return;
  }
  noneLeft();
}

// Nothing more in hand: to the door of the batch, once all is sent.
function noneLeft() {
  if (packet.exhausted && !outbox.unsent) return location.assign(`/work/${batch}?said=none`);
  const empty = by("none-left").content.querySelector(".task").cloneNode(true);
  task().replaceWith(empty);
  place();
  packet.outlast(nextIfNone);
  return undefined;
}

// -- what was done, on its way --

function stay(words, field) {
  tell(say(words), true);
  field?.focus();
}

function hand(act) {
  const here = form();
  if (!here || loom.inert) return;
  if (act === "answer" && !complete(here)) return stay("Missing", here.querySelector(`.question :is(${FIELD})`));
  if (act === "remark" && !new FormData(here).get("remark")) return stay("Reason", here.querySelector("[name=remark]"));
  const shown = task();
  const body = new URLSearchParams(new FormData(here));
  body.delete("_csrf_token");
  body.set("act", act);
  body.set("acted_ms", clock.now());
  body.set("spans", clock.take());
  const entry = { task: name(shown), batch, act, path: here.getAttribute("action"), body: body.toString() };
  leave(shown, act);
  tell(say("Saving"));
  store.put("done", { task: entry.task });
  store.remove("ahead", entry.task);
  outbox.add(entry);
  next();
}

// What was left can be brought back: by its contributor, or by the server when it is wrong.
const left = new Map();

function leave(shown, act) {
  left.set(name(shown), shown);
  ended += 1;
  // the engine has long counted those before
  for (const old of [...left.keys()].slice(0, -20)) left.delete(old);
  offerUndo(act === "answer" ? name(shown) : null);
}

function offerUndo(of) {
  undoable = of;
  by("undo-way").hidden = !of;
  clearTimeout(undoEnds);
  // what is not sent yet can be taken back for as long as it is not
  undoEnds = setTimeout(() => outbox.unsent || offerUndo(null), Number(loom.dataset.undo));
}

async function undo() {
  const of = undoable;
  if (!of || !left.has(of)) return;
  offerUndo(null);
  const state = await outbox.cancel(of);
  if (state === "gone") return again(of);
  if (state === "tried") {
    offerUndo(of);
    return tell(say("UndoLater"), true);
  }
  try {
    const body = new URLSearchParams({ task: of, acted_ms: clock.now() });
    const { status, said } = await post(`/work/${batch}/undo`, body, outbox.token);
    if (status !== 200) return tell(say("Stands"), true);
    left.get(of).dataset.deadline = said.deadline_ms;
    return again(of);
  } catch {
    offerUndo(of);
    return tell(say("UndoLater"), true);
  }
}

function again(of) {
  const shown = left.get(of);
  store.remove("done", of);
  putBack(shown);
  if (answered && shown.dataset.counted) answered -= 1;
  delete shown.dataset.counted;
  tell(say("Again"));
  place();
}

function putBack(shown) {
  const here = task();
  if (here === shown) return;
  if (here?.dataset.task) packet.ahead.unshift(here);
  left.delete(name(shown));
  ended -= 1;
  show(shown);
}

function settled(entry, status, said) {
  const shown = left.get(entry.task);
  // what waited for a connection can be taken back for as long as anything else
  if (entry.task === undoable) offerUndo(status === 200 ? undoable : null);
  if (entry.act === "wait") tell(said.said ?? "");
  else if (status === 422) {
    store.remove("done", entry.task);
    // from before this page was loaded: the server still holds the task, and shows it again
    if (shown) bringBack(shown, said.problems ?? []);
    else tell(say("Wrong"), true);
  } else if (status !== 200) tell(say("Refused"), true);
  else if (entry.act === "skip") tell(say("Back"));
  else if (entry.act === "remark") tell(say("Noted"));
  else {
    answered += 1;
    if (shown) shown.dataset.counted = "yes";
    tell(`${say("Saved")} ${answered} ${say("Count")}`);
  }
  place();
  nextIfNone();
}

// The server refused an answer after its task had left the screen: it comes back as it was left.
function bringBack(shown, problems) {
  putBack(shown);
  showProblems(shown, problems);
  tell(say("Wrong"), true);
  focusIn(task());
}

// -- the clocks --

const tick = () => showDeadline(Number(task()?.dataset.deadline) || 0, clock.now());

// -- keys --

const ACTS = {
  answer: () => hand("answer"),
  skip: () => hand("skip"),
  undo,
  remark() {
    const part = task().querySelector(".remark");
    part.open = true;
    part.querySelector("input").focus();
  },
  search: () => task().querySelector("[data-filter], [role=combobox]")?.focus(),
  guide() {
    const guide = task().querySelector(".guide");
    if (guide) guide.open = !guide.open;
  },
  picture: () => task().querySelector(".picture")?.focus(),
  keys: () => keys.showModal(),
};

// -- beginning --

function listen() {
  loom.addEventListener("submit", (event) => {
    event.preventDefault();
    hand(event.submitter?.value ?? "answer");
  });
  onKeys({ task, acts: ACTS, hand, back: () => focusIn(task()), busy: () => keys.open || loom.inert });
  document.querySelector("[data-keys]").addEventListener("click", ACTS.keys);
  by("undo").addEventListener("click", undo);
  by("packet").value = packet.size();
  by("packet").addEventListener("change", (event) => {
    if (!event.target.checkValidity()) return;
    localStorage.setItem("canut-packet", event.target.value);
    packet.claim();
  });
  addEventListener("online", () => packet.claim().then(nextIfNone));
  openKeys(keys, say);
}

async function begin() {
  const offset = Number(loom.dataset.now) - Date.now();
  const fresh = localStorage.getItem("canut-page") !== loom.dataset.now;
  // clocks of devices are wrong, and a page out of the cache is no clock
  if (fresh) localStorage.setItem("canut-offset", offset);
  clock = startClock(Number(loom.dataset.idle), Number(localStorage.getItem("canut-offset")), showActive);
  store = await openStore(me);
  outbox = openOutbox(store, me, form().elements._csrf_token.value, {
    waiting: showUnsent,
    retry: () => tell(say("Retry"), true),
    login: () => tell(say("Login"), true),
    other: () => tell(say("Other"), true),
    settled,
  });
  packet = openPacket(loom, task, store, outbox, clock, place);
  document.documentElement.classList.add("js");
  nameKeys();
  listen();
  workAlone(me, loom);
  if (await packet.gather()) grow();
  else await next();
  setInterval(tick, 1000);
  outbox.send();
  packet.claim();
  packet.fetchPictures();
  // for when there is no connection, and for the next visit: after all that matters now
  navigator.serviceWorker?.register("/worker.js", { scope: "/work" }).catch(() => {});
}

begin();
