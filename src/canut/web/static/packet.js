// The tasks to come: taken in packets, kept on the device until they are done.

import { fetchParts, fromHtml, guided, knownGuides } from "./fragment.js";
import { post } from "./outbox.js";

const RETRY_MS = 10000;
// What is shorter is not noted; what is longer between two looks, the device slept.
const NOTED_MS = 60000;
const name = (shown) => shown.dataset.task;

// `task` is the one on the screen; `changed` is called when there are more.
export function openPacket(loom, task, store, outbox, clock, changed) {
  const { batch } = loom.dataset;
  const ahead = [];
  let claiming = null;
  let exhausted = false;
  let failed = false;
  let outlasting = false;

  const size = () => Number(localStorage.getItem("canut-packet")) || Number(loom.dataset.packet);

  async function claim() {
    const most = Math.max(size() - 1, 1);
    const missing = most - ahead.length;
    // a packet is filled up when half of it is gone: fewer requests, each with less of the same
    if (claiming || exhausted || missing <= Math.floor(most / 2)) return claiming;
    claiming = (async () => {
      try {
        const body = new URLSearchParams({ count: missing });
        for (const id of knownGuides()) body.append("guide", id);
        failed = navigator.onLine;
        const { status, said } = await post(`/work/${batch}/claim`, body, outbox.token);
        failed = status === 429 || status >= 500;
        if (status !== 200) return;
        for (const one of said.tasks) {
          const shown = guided(fromHtml(one.html));
          await fetchParts(shown);
          ahead.push(shown);
          store.put("ahead", { ...one, batch });
        }
        exhausted = said.tasks.length === 0;
        fetchPictures();
        changed();
      } catch {
        // without a connection what is in hand goes on; the next answer tries again
      } finally {
        claiming = null;
      }
    })();
    return claiming;
  }

  // Nothing to show, because the server fails: asks again until it does not, and notes how long
  // somebody has waited before this page for that.
  async function outlast(over) {
    if (outlasting || !failed) return;
    outlasting = true;
    let from = clock.now();
    let last = from;
    const note = () => {
      const body = new URLSearchParams({ batch, from, until: last }).toString();
      if (last - from >= NOTED_MS) outbox.add({ batch, act: "wait", path: "/pay/hours/waited", body });
    };
    while (failed) {
      const away = document.hidden || !navigator.onLine;
      await new Promise((done) => setTimeout(done, RETRY_MS));
      await claim();
      const at = clock.now();
      if (away || document.hidden || at - last > NOTED_MS) {
        note();
        from = at;
      }
      last = at;
    }
    note();
    outlasting = false;
    over();
  }

  // Our own pictures go into the cache of the service worker, for when there is no connection.
  function fetchPictures() {
    for (const shown of ahead) {
      for (const image of shown.querySelectorAll(".item img")) {
        if (image.getAttribute("src").startsWith("/")) new Image().src = image.getAttribute("src");
      }
    }
  }

  // Tasks whose time ended while they waited are others' now: how many there were.
  function dropExpired() {
    const gone = ahead.filter((one) => Number(one.dataset.deadline) <= clock.now());
    for (const one of gone) {
      ahead.splice(ahead.indexOf(one), 1);
      store.remove("ahead", name(one));
    }
    return gone.length;
  }

  // The tasks in hand: those the page came with, less those that were ended on this device. A page
  // out of the cache is an old one: what the device knows of later is added. Whether the task on the
  // screen is still to be done.
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

  return {
    ahead,
    claim,
    dropExpired,
    fetchPictures,
    gather,
    outlast,
    size,
    get exhausted() {
      return exhausted;
    },
  };
}
