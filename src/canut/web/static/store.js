// What a device keeps for one contributor: answers that wait, tasks in hand, tasks that were ended.
// In IndexedDB; in memory where a browser gives none (private windows).

const STORES = { leaving: { keyPath: "id", autoIncrement: true }, ahead: { keyPath: "task" }, done: { keyPath: "task" } };
export const nameOf = (who) => `canut-work-${who}`;

const settled = (request) =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });

export async function openStore(who) {
  try {
    const request = indexedDB.open(nameOf(who), 1);
    request.onupgradeneeded = () => {
      for (const [name, shape] of Object.entries(STORES)) request.result.createObjectStore(name, shape);
    };
    const db = await settled(request);
    // logging out deletes it, from whatever page
    db.onversionchange = () => db.close();
    const on = (name, mode = "readwrite") => db.transaction(name, mode).objectStore(name);
    return {
      put: (name, value) => settled(on(name).put(value)),
      remove: (name, key) => settled(on(name).delete(key)),
      all: (name) => settled(on(name, "readonly").getAll()),
      clear: (name) => settled(on(name).clear()),
    };
  } catch {
    return inMemory();
  }
}

function inMemory() {
  const kept = Object.fromEntries(Object.keys(STORES).map((name) => [name, new Map()]));
  let last = 0;
  return {
    async put(name, value) {
      const path = STORES[name].keyPath;
      if (path === "id") value.id ??= ++last;
      kept[name].set(value[path], value);
      return value[path];
    },
    remove: async (name, key) => void kept[name].delete(key),
    all: async (name) => [...kept[name].values()],
    clear: async (name) => kept[name].clear(),
  };
}
