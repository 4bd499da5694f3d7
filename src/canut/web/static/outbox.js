// Answers on their way: kept on the device before anything else, sent one after the other in the
// order they were given, by one window at a time, again and again until the server has said what
// became of each.

const RETRY_MS = [1000, 2000, 5000, 10000, 30000];
const PATIENCE_MS = 20000;

// Locks keep two windows from sending the same; a browser without them relies on the server, to
// which the same answer twice is one.
const alone = (name, work) => (navigator.locks ? navigator.locks.request(name, work) : work());

export async function post(path, body, token) {
  const reply = await fetch(path, {
    method: "POST",
    body,
    headers: { accept: "application/json", "x-csrf-token": token },
    redirect: "error",
    signal: AbortSignal.timeout?.(PATIENCE_MS),
  });
  let said = {};
  try {
    said = await reply.json();
  } catch {
    // an error without a body says all by its status
  }
  return { status: reply.status, after: Number(reply.headers.get("retry-after")) * 1000, said };
}

// `tell` gets: waiting(n), retry(), login(), other(), settled(entry, status, said).
export function openOutbox(store, who, token, tell) {
  const lock = `canut-send-${who}`;
  const box = { token, unsent: 0 };
  let running = false;
  let rouse = () => {};

  async function count() {
    box.unsent = (await store.all("leaving")).length;
    tell.waiting(box.unsent);
    return box.unsent;
  }

  const first = async () => (await store.all("leaving"))[0];

  // The token may be of a session that has ended, and another person may have begun one.
  async function renew() {
    const reply = await fetch("/work/here", { headers: { accept: "application/json" } });
    if (!reply.ok) return tell.login();
    const { me, token: fresh } = await reply.json();
    if (String(me) !== String(who)) return tell.other();
    box.token = fresh;
    return "renewed";
  }

  // Sends the oldest. Returns how long to wait before the next, or nothing when all is sent.
  async function attempt(tries) {
    const entry = await first();
    if (!entry) return undefined;
    try {
      const { status, after, said } = await post(entry.path, new URLSearchParams(entry.body), box.token);
      if (status === 429 || status >= 500) {
        tell.retry();
        return after || RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
      }
      if (status === 401 || status === 403) return (await renew()) === "renewed" && !tries ? 0 : 5000;
      await store.remove("leaving", entry.id);
      tell.settled(entry, status, said);
      return -1;
    } catch {
      // it may have arrived all the same: what was tried is not taken back without the server
      entry.tried = true;
      await store.put("leaving", entry);
      tell.retry();
      return RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
    }
  }

  box.send = async () => {
    rouse();
    if (running) return;
    running = true;
    let tries = 0;
    try {
      while (await count()) {
        if (!navigator.onLine) {
          tell.retry();
          await new Promise((done) => (rouse = done));
          continue;
        }
        const wait = await alone(lock, () => attempt(tries));
        tries = wait === -1 ? 0 : tries + 1;
        if (wait > 0) {
          await new Promise((done) => {
            rouse = done;
            setTimeout(done, wait);
          });
        }
      }
    } finally {
      running = false;
    }
  };

  box.add = async (entry) => {
    entry.id = await store.put("leaving", entry);
    box.unsent += 1;
    box.send();
    return entry;
  };

  // Takes an answer back that never left: "gone", "tried" (only the server knows) or "sent".
  box.cancel = (task) =>
    alone(lock, async () => {
      const entry = (await store.all("leaving")).findLast((one) => one.task === task);
      if (!entry) return "sent";
      if (entry.tried) return "tried";
      await store.remove("leaving", entry.id);
      count();
      return "gone";
    });

  addEventListener("online", () => box.send());
  return box;
}
