"""The pictures of README and docs, made from real pages of a running server with sample data.

    python scripts/screenshots.py             # writes docs/images/*.png

Needs Chromium (apt install chromium). Pictures are never drawn or retouched: run this again when
pages change, and they cannot age.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from canut.config import hand_down  # noqa: E402
from canut.db.migrate import migrate  # noqa: E402
from canut.db.server import EmbeddedServer  # noqa: E402
from canut.engine.schema import job_scripts  # noqa: E402
from canut.processes.library import load_shipped  # noqa: E402
from canut.quality.gold.pool import publish_shipped  # noqa: E402
from tests.browser.conftest import ARGS, chromium, start  # noqa: E402
from tests.house import PASSWORD, PEOPLE, House, now_ms, running  # noqa: E402
from tests.pay.paid import paid_batches  # noqa: E402

IMAGES = ROOT / "docs" / "images"
#: of a batch in the making
ROWS = """sku\tTitle\tBrand\tPrice
A-101\tStainless kettle, 1.7 l\tKelmoor\t34.90
A-102\tDesk lamp with a clamp\tOndelaine\t49.00
A-103\tCopper saucepan, 16 cm\tBrasquet\t89.50
A-104\tGarden lantern, set of two\tOndelaine\t27.00
"""


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
            with running(url, Path(folder)) as house, deciding(house), sync_playwright() as play:
                browser = play.chromium.launch(executable_path=path, args=ARGS)
                take_all(browser, house)
                browser.close()
        finally:
            server.stop()
    return 0


@contextmanager
def deciding(house: House) -> Iterator[None]:
    """An engine at work, and the gold of the library in its pools."""
    with psycopg.connect(house.database) as conn:
        publish_shipped(conn, now_ms())
    engine = subprocess.Popen(
        [sys.executable, "-m", "canut.engine"],
        env={**os.environ, **hand_down(house.settings)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        engine.terminate()
        engine.wait(30)


def take_all(browser: Browser, house: House) -> None:
    """Each picture, with what it shows."""
    batch = house.batches
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
    answer_some(page, house)
    show(page, house, "/work", "home")
    show(page, house, "/answers", "answers")
    page = enter(browser, house, "contributor", 390, 800, scheme="dark", lang="fr")
    start(page, house, "images-tag")
    keep(page, "task-narrow")
    show(page, house, "/work", "home-narrow")
    page = enter(browser, house, "client", 1280, 1000)
    show(page, house, f"/batches/{batch['catalogue-categorise']}", "batch")
    show(page, house, story_of(house, batch["catalogue-categorise"]), "story")
    make_draft(page, house)
    with psycopg.connect(house.database) as conn:
        paid_batches(conn, house.accounts["belvoie"])
    make_priced(page, house)
    show(page, house, "/processes", "processes")
    page = enter(browser, house, "client", 390, 800, scheme="dark", lang="fr")
    show(page, house, f"/batches/{batch['catalogue-categorise']}", "batch-narrow")
    page = enter(browser, house, "operator", 1280, 1000)
    show(page, house, "/operator", "operator")
    show(page, house, "/operator/quality", "quality")
    page = enter(browser, house, "operator", 1280, 1600)
    show(page, house, "/design", "design")


def answer_some(page: Page, house: House) -> None:
    """A few marks, as somebody gives them who has just begun."""
    start(page, house, "search-relevance")
    for key in "312":
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_timeout(800)


def show(page: Page, house: House, path: str, name: str) -> None:
    """The picture of an address."""
    page.goto(house.url + path)
    keep(page, name)


def story_of(house: House, batch: int) -> str:
    """Where the story of an item is that took the most answers."""
    with psycopg.connect(house.database) as conn:
        row = conn.execute(
            """select i.key from decision d join item i on i.id = d.item_id
            where i.batch_id = %s order by d.n_answers desc, i.id limit 1""",
            [batch],
        ).fetchone()
    assert row is not None
    return f"/batches/{batch}/items?key={quote(row[0])}"


def make_draft(page: Page, house: House) -> None:
    """A batch in the making: its columns, then a question that is made here."""
    page.goto(f"{house.url}/batches/new")
    page.fill("[name=text]", ROWS)
    page.click("main form .submit button")
    page.wait_for_url("**/columns")
    keep(page, "new-columns")
    page.click(".submit button.main")
    page.wait_for_url("**/question")
    page.check("[name=pick][value=made]")
    page.click(".submit button.main")
    page.fill("[name=title]", "Which shelf does it belong on?")
    page.fill("[name=options]", "Kitchen\nLighting\nGarden\nOn no shelf of ours")
    page.wait_for_timeout(1200)
    page.evaluate("scrollTo(0, 0)")
    keep(page, "new-question")


def make_priced(page: Page, house: House) -> None:
    """The price of a batch, before it is launched."""
    page.set_viewport_size({"width": 1280, "height": 1860})
    page.goto(f"{house.url}/batches/new")
    rows = "".join(f"Q{n}\toak lamp {n}\tOndelaine bedside lamp\n" for n in range(120))
    page.fill("[name=text]", f"id\tquery\tproduct\n{rows}")
    page.click("main form .submit button")
    page.wait_for_url("**/columns")
    page.click(".submit button.main")
    page.wait_for_url("**/question")
    page.locator("label.option", has_text="Judge search results").locator("input").check()
    page.click(".submit button.main")
    page.locator("[name=mapped]").wait_for(state="attached")
    page.click(".submit button.main")
    page.wait_for_url("**/target")
    page.fill("[name=deadline]", "2027-01-29")
    page.click(".submit button.main")
    page.wait_for_url("**/launch")
    page.fill("[name=name]", "Lamps of the winter range")
    keep(page, "new-price")
    page.set_viewport_size({"width": 1280, "height": 1000})


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
