// One window at a time: two would show the same tasks, and count the same minutes.
export function workAlone(me, loom) {
  const lock = `canut-screen-${me}`;
  const by = (id) => document.getElementById(id);
  const hold = () => new Promise(() => {});
  const lost = () => {
    loom.inert = true;
    by("elsewhere").hidden = false;
  };
  if (!navigator.locks) return;
  // a page that is just going leaves its lock a moment later
  navigator.locks.request(lock, { signal: AbortSignal.timeout(600) }, hold).catch(lost);
  by("take-over").addEventListener("click", () => {
    navigator.locks.request(lock, { steal: true }, hold).catch(lost);
    location.reload();
  });
}
