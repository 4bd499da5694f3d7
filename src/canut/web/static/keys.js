// Which key does what: ours, until somebody chooses others. Remembered on the device.

const OURS = { answer: "Enter", skip: "Escape", undo: "z", remark: "u", search: "/", guide: "i", picture: "p", keys: "?" };
const NAMES = { Escape: "Esc", " ": "␣", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const KEPT = "canut-keys";
// what fields, lists and digits need
const TAKEN = /^(\d|Tab|Shift|Control|Alt|AltGraph|Meta|CapsLock|Dead|Unidentified|F\d+)$/;

let chosen = read();

function read() {
  try {
    return { ...OURS, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return { ...OURS };
  }
}

export const actOf = (event) =>
  Object.keys(OURS).find((act) => chosen[act] === (event.key.length === 1 ? event.key.toLowerCase() : event.key));

export function nameKeys(root = document) {
  for (const shown of root.querySelectorAll("[data-key-of]")) {
    const key = chosen[shown.dataset.keyOf];
    shown.textContent = NAMES[key] ?? key;
  }
}

export function openKeys(dialog, say) {
  const said = dialog.querySelector("#keys-said");
  let waiting = null;

  function keep(next) {
    chosen = next;
    localStorage.setItem(KEPT, JSON.stringify(next));
    nameKeys();
  }

  dialog.addEventListener("click", (event) => {
    waiting = event.target.dataset?.change ?? null;
    said.textContent = waiting ? say("Press") : "";
    if (event.target.id === "keys-reset") keep({ ...OURS });
  });
  dialog.addEventListener("keydown", (event) => {
    if (!waiting || TAKEN.test(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const other = Object.keys(OURS).find((act) => chosen[act] === key);
    // two acts never share a key: they change places
    keep({ ...chosen, ...(other ? { [other]: chosen[waiting] } : {}), [waiting]: key });
    waiting = null;
    said.textContent = "";
  });
}
