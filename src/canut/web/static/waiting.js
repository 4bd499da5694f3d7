// On the other pages of work: sends what the task screen left behind, and leaves nothing on the
// device of somebody who logs out.

import { openOutbox } from "./outbox.js";
import { nameOf, openStore } from "./store.js";

const here = document.body;
const me = here.dataset.contributor;
const said = document.getElementById("waiting");

async function begin() {
  const store = await openStore(me);
  const silent = () => {};
  const outbox = openOutbox(store, me, document.querySelector("[name=_csrf_token]").value, {
    waiting: (count) => {
      said.hidden = !count;
      said.textContent = here.dataset.sayUnsent.replace("{0}", count);
    },
    retry: silent,
    login: silent,
    other: silent,
    settled: silent,
  });
  outbox.send();
}

// Leaving: first what waits is sent, else the person says whether it may be lost.
function watchLogOut(who, words) {
  for (const form of document.querySelectorAll("form[action='/logout']")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const store = await openStore(who);
      const { length } = await store.all("leaving");
      if (length && !confirm(words.replace("{0}", length))) return;
      await forget(who);
      form.submit();
    });
  }
}

async function forget(who) {
  indexedDB.deleteDatabase(nameOf(who));
  for (const name of ["canut-page", "canut-offset"]) localStorage.removeItem(name);
  for (const name of Object.keys(localStorage)) if (name.startsWith("canut-recent")) localStorage.removeItem(name);
  for (const name of await caches.keys()) if (name.startsWith("canut-")) await caches.delete(name);
  for (const one of (await navigator.serviceWorker?.getRegistrations()) ?? []) await one.unregister();
}

watchLogOut(me, here.dataset.sayLose);
if (said) begin();
