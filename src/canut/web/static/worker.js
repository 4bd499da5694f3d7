// The service worker of the task screen: pages, scripts and pictures that were there once are there
// without a connection. It never touches what is sent; that is outbox.js's.

const STATIC = "/static/STATIC_VERSION/";
const SHELL = "canut-shell-STATIC_VERSION";
const KEPT = "canut-kept";
const PICTURES_MAX = 200;
const PATIENCE_MS = 6000;
const FILES = [
  "canut.css", "mark.svg", "manifest.json", "task.js", "alone.js", "bar.js", "clock.js", "combobox.js", "digits.js", "fields.js", "fold.js",
  "fragment.js", "keyboard.js", "keys.js", "options.js", "outbox.js", "packet.js", "picture.js", "problems.js", "sources.js", "store.js", "waiting.js",
].map((name) => STATIC + name);

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELL)
      .then((cache) => cache.addAll([...FILES, "/work/offline"]))
      .then(() => self.skipWaiting()),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => ![SHELL, KEPT].includes(name)).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith(STATIC)) event.respondWith(kept(request, SHELL));
  else if (pathname.startsWith("/pictures/")) event.respondWith(kept(request, KEPT));
  else if (/^\/work\/steps\/\d+\/options/.test(pathname)) event.respondWith(fresh(request));
  else if (request.mode === "navigate" && /^\/work(\/\d+)?$/.test(pathname)) event.respondWith(fresh(request, pathname));
});

// Files and pictures never change under their address.
async function kept(request, name) {
  const cache = await caches.open(name);
  const there = await cache.match(request);
  if (there) return there;
  const reply = await fetch(request);
  if (reply.ok) {
    cache.put(request, reply.clone());
    if (name === KEPT) trim(cache);
  }
  return reply;
}

// Pages are as they are now, or where there is no connection, as they were.
async function fresh(request, key) {
  const cache = await caches.open(KEPT);
  const address = request.mode === "navigate" ? key : request;
  try {
    const reply = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (reply.ok && !reply.redirected) cache.put(address, reply.clone());
    return reply;
  } catch (error) {
    const there = await cache.match(address);
    if (there) return there;
    if (request.mode !== "navigate") throw error;
    return caches.match("/work/offline");
  }
}

async function trim(cache) {
  const names = await cache.keys();
  for (const old of names.slice(0, Math.max(0, names.length - PICTURES_MAX))) await cache.delete(old);
}
