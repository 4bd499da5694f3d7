"""What a page costs whoever opens it: bytes over the wire, requests, time to the first paint, in a
real Chromium with the latency of a line simulated."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PAINTED = """() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null"""
#: notes when a key was pressed, and when what `watched()` says has changed and was painted
WATCH = """(watched) => {
  const now = new Function("return " + watched);
  let before = now(), pressed = null;
  window.benchTook = [];
  addEventListener("keydown", (event) => {
    if (event.key === "Enter") { pressed = event.timeStamp; before = now(); }
  }, true);
  const look = () => {
    const seen = now();
    if (pressed !== null && seen && seen !== before) {
      const began = pressed;
      pressed = null;
      // what runs after this frame was painted
      const port = new MessageChannel();
      port.port1.onmessage = () => window.benchTook.push(performance.now() - began);
      port.port2.postMessage(0);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


@dataclass
class Wire:
    """What went over the wire since the last look."""

    bytes: int = 0
    requests: int = 0
    urls: dict[str, str] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget what there was."""
        self.bytes = self.requests = 0


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = next((path for path in found if path), None)
    if path is None:
        raise SystemExit("needs Chromium (apt install chromium)")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=path, args=ARGS)
        yield launched
        launched.close()


def opened(context: BrowserContext, latency_ms: int) -> tuple[Page, Wire]:
    """An empty window whose every request takes `latency_ms` longer, and what goes over its wire
    (not what its service worker fetches)."""
    page, wire = context.new_page(), Wire()
    page.set_default_timeout(60_000)
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    conditions = {"offline": False, "latency": latency_ms}
    line.send(
        "Network.emulateNetworkConditions",
        {**conditions, "downloadThroughput": -1, "uploadThroughput": -1},
    )

    def finished(event: dict[str, float]) -> None:
        wire.bytes += int(event["encodedDataLength"])

    def received(event: dict[str, dict[str, object]]) -> None:
        if not event["response"].get("fromDiskCache"):
            wire.requests += 1

    line.on("Network.loadingFinished", finished)
    line.on("Network.responseReceived", received)
    return page, wire


def visit(page: Page, wire: Wire, url: str) -> dict[str, float | None]:
    """Bytes, requests and milliseconds to the first paint of a page."""
    wire.clear()
    page.goto(url, wait_until="networkidle")
    page.wait_for_function(PAINTED)
    return {"bytes": wire.bytes, "requests": wire.requests, "paint_ms": page.evaluate(PAINTED)}


def weigh(
    browser: Browser, state: StorageState | None, url: str, latency_ms: int
) -> dict[str, float | None]:
    """A page as whoever was never there gets it, and again."""
    context = browser.new_context(storage_state=state, service_workers="block")
    page, wire = opened(context, latency_ms)
    first = visit(page, wire, url)
    again = visit(page, wire, url)
    context.close()
    return {
        "bytes_first": first["bytes"],
        "requests_first": first["requests"],
        "bytes_next": again["bytes"],
        "first_paint_ms": _rounded(first["paint_ms"]),
        "next_paint_ms": _rounded(again["paint_ms"]),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
