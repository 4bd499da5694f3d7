// The task screen, quicker than the plain form it grows out of: tasks are taken in packets, the
// next one is painted at once, and what was done is kept on the device and sent after.

import { workAlone } from "./alone.js";
import { say, showActive, showDeadline, showPlace, showUnsent, tell } from "./bar.js";
import { startClock } from "./clock.js";
import { pick } from "./digits.js";
import { complete, FIELD, focusIn } from "./fields.js";
import { fetchParts, fromHtml, growParts, guided, knownGuides } from "./fragment.js";
import { actOf, nameKeys, openKeys } from "./keys.js";
import { growOptions } from "./options.js";
import { openOutbox, post } from "./outbox.js";
import { showProblems } from "./problems.js";
import { openStore } from "./store.js";

const by = (id) => document.getElementById(id);
const loom = by("loom");
const keys = by("keys");
const { me, batch } = loom.dataset;
const task = () => loom.querySelector(".task");
const form = () => loom.querySelector("form");
const name = (shown) => shown.dataset.task;
const ahead = [];
let answered = 0;
let ended = 0;
let claiming = null;
let exhausted = false;
let undoable = null;
let undoEnds = null;
let store;
let outbox;
let clock;

// -- the tasks to come --

const packet = () => Number(localStorage.getItem("canut-packet")) || Number(loom.dataset.packet);

function place() {
  showPlace(ended + 1, ahead.length + (task()?.dataset.task ? 1 : 0));
}

async function claimAhead() {
  const missing = packet() - 1 - ahead.length;
  // a packet is filled up when half of it is gone: fewer requests, each with less of the same
  if (claiming || exhausted || missing <= Math.floor((packet() - 1) / 2)) return claiming;
  claiming = (async () => {
    try {
      const body = new URLSearchParams({ count: missing });
      for (const id of knownGuides()) body.append("guide", id);
      const { status, said } = await post(`/work/${batch}/claim`, body, outbox.token);
      if (status !== 200) return;
      for (const one of said.tasks) {
        const shown = guided(fromHtml(one.html));
        await fetchParts(shown);
        ahead.push(shown);
        store.put("ahead", { ...one, batch });
      }
      exhausted = said.tasks.length === 0;
      fetchPictures();
      place();
    } catch {
      // without a connection what is in hand goes on; the next answer tries again
    } finally {
      claiming = null;
    }
  })();
  return claiming;
}

// Our own pictures go into the cache of the service worker, for when there is no connection.
function fetchPictures() {
  for (const shown of ahead) {
    for (const image of shown.querySelectorAll(".item img")) {
      if (image.getAttribute("src").startsWith("/")) new Image().src = image.getAttribute("src");
    }
  }
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

// Tasks whose time ended while they waited are others' now.
function dropExpired() {
  const gone = ahead.filter((one) => Number(one.dataset.deadline) <= clock.now());
  for (const one of gone) {
    ahead.splice(ahead.indexOf(one), 1);
    store.remove("ahead", name(one));
  }
  if (gone.length) tell(say("Gone").replace("{0}", gone.length), true);
}

async function next() {
  dropExpired();
  if (!ahead.length) {
    tell(say("Waiting"));
    await claimAhead();
    if (!ahead.length) await claimAhead();
  }
  if (ahead.length) {
    show(ahead.shift());
    claimAhead();
    return;
  }
  noneLeft();
}

// Nothing more in hand: to the door of the batch, once all is sent.
function noneLeft() {
  if (exhausted && !outbox.unsent) return location.assign(`/work/${batch}?said=none`);
  const empty = by("none-left").content.querySelector(".task").cloneNode(true);
  task().replaceWith(empty);
  place();
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
  if (here?.dataset.task) ahead.unshift(here);
  left.delete(name(shown));
  ended -= 1;
  show(shown);
}

function settled(entry, status, said) {
  const shown = left.get(entry.task);
  // what waited for a connection can be taken back for as long as anything else
  if (entry.task === undoable) offerUndo(status === 200 ? undoable : null);
  if (status === 422) {
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
  if (!task()?.dataset.task) next();
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

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey || keys.open || loom.inert) return;
  const at = event.target;
  const writes = at.matches?.("textarea, select, input:not([type=radio], [type=checkbox])");
  const act = actOf(event);
  if (event.key === "Enter" && (at.closest?.("a, button, summary") || (at.matches?.("textarea") && !event.ctrlKey))) return;
  if (event.key === "Escape" && at.closest?.(".remark")) {
    at.closest(".remark").open = false;
    focusIn(task());
  } else if (event.key === "Enter" && event.ctrlKey) hand("answer");
  else if (act && !event.ctrlKey && !(writes && event.key.length === 1)) {
    // a reason is sent by the key that submits
    if (act === "answer" && at.closest?.(".remark")) hand("remark");
    else ACTS[act]();
  } else {
    if (!event.ctrlKey && !writes && /^\d$/.test(event.key)) pick(event, task());
    return;
  }
  event.preventDefault();
}

// -- beginning --

// The tasks in hand: those the page came with, less those that were ended on this device. A page
// out of the cache is an old one: what the device knows of later is added.
async function gather() {
  const waits = new Set((await store.all("leaving")).map((one) => one.task));
  const fresh = localStorage.getItem("canut-page") !== loom.dataset.now;
  localStorage.setItem("canut-page", loom.dataset.now);
  let kept = [];
  if (fresh) {
    await Promise.all([store.clear("done"), store.clear("ahead")]);
  } else {
    for (const one of await store.all("done")) waits.add(one.task);
    kept = (await store.all("ahead")).filter((one) => one.batch === batch);
  }
  guided(task());
  for (const later of document.querySelectorAll("template[data-later]")) {
    ahead.push(guided(later.content.querySelector(".task").cloneNode(true)));
    if (fresh) store.put("ahead", { task: name(ahead.at(-1)), batch, html: later.innerHTML });
  }
  for (const shown of [task(), ...ahead]) await fetchParts(shown);
  const here = new Set([task(), ...ahead].map(name));
  for (const one of kept) if (!here.has(one.task)) ahead.push(guided(fromHtml(one.html)));
  for (const one of [...ahead]) if (waits.has(name(one))) ahead.splice(ahead.indexOf(one), 1);
  return !waits.has(name(task()));
}

function listen() {
  loom.addEventListener("submit", (event) => {
    event.preventDefault();
    hand(event.submitter?.value ?? "answer");
  });
  document.addEventListener("keydown", onKey);
  document.querySelector("[data-keys]").addEventListener("click", ACTS.keys);
  by("undo").addEventListener("click", undo);
  by("packet").value = packet();
  by("packet").addEventListener("change", (event) => {
    if (!event.target.checkValidity()) return;
    localStorage.setItem("canut-packet", event.target.value);
    claimAhead();
  });
  addEventListener("online", claimAhead);
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
  document.documentElement.classList.add("js");
  nameKeys();
  listen();
  workAlone(me, loom);
  if (await gather()) grow();
  else await next();
  setInterval(tick, 1000);
  outbox.send();
  claimAhead();
  fetchPictures();
  // for when there is no connection, and for the next visit: after all that matters now
  navigator.serviceWorker?.register("/worker.js", { scope: "/work" }).catch(() => {});
}

begin();
