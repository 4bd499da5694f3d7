"""The pictures of README and docs, made from real pages of a running server with sample data.

    python scripts/screenshots.py             # writes docs/images/*.png

Needs Chromium (apt install chromium). Pictures are never drawn or retouched: run this again when
pages change, and they cannot age.
"""

import sys
import tempfile
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from canut.db.migrate import migrate  # noqa: E402
from canut.db.server import EmbeddedServer  # noqa: E402
from canut.engine.jobs import job_scripts  # noqa: E402
from canut.processes.library import load_shipped  # noqa: E402
from tests.browser.conftest import ARGS, chromium, start  # noqa: E402
from tests.house import PASSWORD, PEOPLE, House, running  # noqa: E402

IMAGES = ROOT / "docs" / "images"


def main() -> int:
    """Make every picture."""
    path = chromium()
    if path is None:
        print("needs Chromium (apt install chromium)", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "postgres")
        url = server.start()
        try:
            with psycopg.connect(url) as conn:
                migrate(conn, job_scripts())
            with running(url, Path(folder)) as house, sync_playwright() as play:
                browser = play.chromium.launch(executable_path=path, args=ARGS)
                take_all(browser, house)
                browser.close()
        finally:
            server.stop()
    return 0


def take_all(browser: Browser, house: House) -> None:
    """Each picture, with what it shows."""
    page = enter(browser, house, "contributor", 1280, 1500)
    start(page, house, "catalogue-categorise")
    pick_what_is_right(page)
    page.evaluate("scrollTo(0, 0)")
    keep(page, "task")
    start(page, house, "reviews-moderate")
    page.keyboard.press("2")
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.evaluate("scrollTo(0, 0)")
    keep(page, "task-record")
    page = enter(browser, house, "contributor", 390, 800, scheme="dark", lang="fr")
    start(page, house, "images-tag")
    keep(page, "task-narrow")
    page = enter(browser, house, "client", 1280, 1000)
    page.goto(f"{house.url}/batches/{house.batches['catalogue-categorise']}")
    keep(page, "batch")
    page = enter(browser, house, "operator", 1280, 800)
    page.goto(f"{house.url}/operator")
    keep(page, "operator")


def pick_what_is_right(page: Page) -> None:
    """Give tasks back until the item is a gold one, and choose its right category."""
    gold = load_shipped("catalogue/categorise").gold
    right = {str(one.payload["title"]): next(iter(one.answers.values())) for one in gold}
    while (title := page.locator(".item dd").first.inner_text()) not in right:
        before = page.locator(".task").get_attribute("data-task")
        page.keyboard.press("Escape")
        page.wait_for_selector(f".task:not([data-task='{before}'])")
    page.check(f"[name=answer][value='{right[title]}']")


def enter(
    browser: Browser,
    house: House,
    who: str,
    width: int,
    height: int,
    scheme: str = "light",
    lang: str = "en",
) -> Page:
    """A page, logged in."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        device_scale_factor=1.5,
    )
    page = context.new_page()
    page.goto(f"{house.url}/login?lang={lang}")
    page.fill("[name=email]", PEOPLE[who][0])
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def keep(page: Page, name: str) -> None:
    """Write the picture when everything is drawn."""
    page.wait_for_load_state("load")
    page.wait_for_timeout(400)
    page.screenshot(path=IMAGES / f"{name}.png")
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    sys.exit(main())
