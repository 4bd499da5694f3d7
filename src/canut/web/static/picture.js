// Pictures of an item: larger and smaller, moved by hand, wheel with Ctrl, or keys.

const STEP = 1.4;
const SCALE_MAX = 12;

export function growPictures(root, say) {
  root.querySelectorAll(".item img").forEach((image) => grow(image, say));
}

function grow(image, say) {
  const frame = document.createElement("div");
  const tools = document.createElement("p");
  let scale = 1;
  let x = 0;
  let y = 0;

  frame.className = "picture";
  tools.className = "picture-tools";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", say("Picture"));
  image.draggable = false;
  image.replaceWith(frame);
  frame.append(image);
  frame.after(tools);

  function paint() {
    const room = [frame.clientWidth, frame.clientHeight].map((side) => (side * (scale - 1)) / 2);
    x = Math.max(-room[0], Math.min(room[0], x));
    y = Math.max(-room[1], Math.min(room[1], y));
    image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    frame.classList.toggle("large", scale > 1);
  }

  function zoom(by) {
    scale = by ? Math.max(1, Math.min(SCALE_MAX, scale * by)) : 1;
    paint();
  }

  function move(dx, dy) {
    x += dx;
    y += dy;
    paint();
  }

  for (const [name, sign, by] of [["ZoomIn", "+", STEP], ["ZoomOut", "−", 1 / STEP], ["ZoomFit", "1:1", 0]]) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "plain", textContent: sign });
    button.setAttribute("aria-label", say(name));
    button.title = say(name);
    button.addEventListener("click", () => zoom(by));
    tools.append(button);
  }

  frame.addEventListener("keydown", (event) => {
    const shift = 40;
    const moves = { ArrowLeft: [shift, 0], ArrowRight: [-shift, 0], ArrowUp: [0, shift], ArrowDown: [0, -shift] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "0") zoom(0);
    else if (moves[event.key] && scale > 1) move(...moves[event.key]);
    else return;
    event.preventDefault();
  });
  frame.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(event.deltaY < 0 ? STEP : 1 / STEP);
    },
    { passive: false },
  );
  frame.addEventListener("dblclick", () => zoom(scale > 1 ? 0 : STEP * STEP));
  frame.addEventListener("pointerdown", (event) => {
    if (scale > 1) frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    if (frame.hasPointerCapture(event.pointerId)) move(event.movementX, event.movementY);
  });
}
