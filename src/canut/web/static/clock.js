// Time at work: from event to event, as long as no gap is longer than the idle limit. What is sent
// ends at the last event; what is shown runs on until the limit, and says when it pauses.

const EVENTS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "input", "touchstart"];

export function startClock(idleMs, offsetMs, show) {
  let spans = [];
  let from = 0;
  let last = 0;
  let earlier = 0;

  const length = (all) => all.reduce((sum, [a, b]) => sum + b - a, 0);
  const now = () => Math.round(Date.now() + offsetMs);

  function close() {
    if (last > from) spans.push([from, last]);
    from = last = 0;
  }

  function see(event) {
    const at = now();
    // a move of the pointer every few milliseconds says nothing new
    if (event?.type === "pointermove" && at - last < 250) return;
    if (last && at - last > idleMs) close();
    from ||= at;
    last = at;
  }

  function paint() {
    const at = now();
    const counts = last > 0 && at - last <= idleMs && !document.hidden;
    show(earlier + length(spans) + (last ? (counts ? at : last) - from : 0), counts);
  }

  for (const name of EVENTS) addEventListener(name, see, { passive: true, capture: true });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      see();
      close();
    } else see();
    paint();
  });
  see();
  setInterval(paint, 1000);
  paint();

  return {
    // the times of the task that ends now; the next begins
    take() {
      see();
      close();
      const taken = spans;
      earlier += length(taken);
      spans = [];
      see();
      return taken.map(([a, b]) => `${a}-${b}`).join(",");
    },
    now,
  };
}
