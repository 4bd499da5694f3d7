"""The client's pages of proof and of stories, as they look after audits and a dispute."""

import os
from typing import Any

import pytest

from canut.db.pool import connect
from canut.people.store import COMMAND_LINE
from canut.quality.audits import disputes
from canut.quality.audits.rounds import settle_disputes
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make
from tests.browser.conftest import Visit
from tests.browser.test_every_page import LOOKS, check
from tests.factories import NOW
from tests.house import House
from tests.quality.test_audits import Auditors, run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def proved(house: House) -> int:
    """A batch of the client's: delivered, audited, one decision overturned, one under dispute."""
    with connect(house.database) as conn:
        # whoever audits here is to find nothing else to do
        conn.execute("update batch_step set open = false")
        step = make.step(min_answers=2, max_answers=7, target_confidence=0.95)
        work = make.work(conn, step, items=40, client_id=house.accounts["belvoie"])
        conn.execute(
            "update batch_step set error_max = 0.1, delta = 0.05, audits_max = 40,"
            " audit_share = 1, panel = 2 where id = %s",
            work.batch_steps,
        )
        conn.execute(
            "update batch set priority = 5, name = 'Scarves of spring' where id = %s",
            [work.batch_id],
        )
        for n in range(7):
            who = make.contributor(conn)
            for _ in range(2):
                held = make.claim(conn, who, 50, work.batch_id, NOW + n)
                said = {t: "green" if n == t % 9 or t == work.tasks[0] else "red" for t in held}
                if said:
                    make.submit(conn, who, work.batch_steps[0], said, NOW + n)
            decide_fresh(conn, Steps(), NOW + n, 10_000)
        conn.execute(
            "update batch set state = 'delivered', delivered_ms = %s where id = %s",
            [NOW + 9, work.batch_id],
        )
        conn.execute("update batch_step set open = false where id = %s", work.batch_steps)
        others = Auditors(conn, make.contributor(conn), make.contributor(conn))
        disputes.contest(conn, COMMAND_LINE, work.batch_id, "1", "colour", "It is red.", NOW)
        others.answer("red")
        settle_disputes(conn, work.batch_steps[0], NOW)
        run(conn, others)
        disputes.contest(conn, COMMAND_LINE, work.batch_id, "2", "colour", "Look again.", NOW)
        conn.commit()
    return work.batch_id


@pytest.mark.slow
@pytest.mark.parametrize(("lang", "width", "scheme", "rules"), LOOKS)
def test_pages_of_proof(
    visit: Visit,
    house: House,
    proved: int,
    lang: str,
    width: int,
    scheme: str,
    rules: list[str],
) -> None:
    """Nothing wrong in any of them, and what they tell is there."""
    context: dict[str, Any] = {"viewport": {"width": width, "height": 740}, "color_scheme": scheme}
    pages = {
        f"/batches/{proved}/certificates": ".chart .line",
        f"/batches/{proved}/disputes": "tbody tr",
        f"/batches/{proved}/items?key=1": ".verdict",
        f"/batches/{proved}/items?key=2": ".state.running",
        f"/batches/{proved}/items?key=9": ".chart .mark",
        f"/batches/{house.batches['images-tag']}/certificates": ".empty",
        f"/batches/{house.batches['images-tag']}/disputes": ".empty",
    }
    page = visit("client", "/batches", **context)
    for n, (path, there) in enumerate(pages.items()):
        page.goto(f"{house.url}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.locator(there).count(), path
        check(page, rules)
        if shots := os.environ.get("SHOTS"):
            page.screenshot(path=f"{shots}/{n}-{lang}-{width}-{scheme}.png", full_page=True)


@pytest.mark.slow
def test_a_client_contests_in_two_steps(visit: Visit, house: House, proved: int) -> None:
    """From the batch by a search to the story; the keyboard alone opens and sends the form."""
    page = visit("client", f"/batches/{proved}?lang=en")
    page.fill("#f-q", "5")
    page.press("#f-q", "Enter")
    page.click("tbody th a")
    page.locator("details.contest summary").focus()
    page.keyboard.press("Enter")
    page.fill("textarea", "It is blue.")
    page.press("textarea", "Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".state.running")
    assert page.locator("text=It is blue.").count() == 1
    assert page.locator("details.contest").count() == 0, "one dispute at a time"
    with page.expect_download() as made:
        page.goto(f"{house.url}/batches/{proved}/certificates")
        page.locator("a:has-text('PDF')").first.click()
    assert made.value.path().read_bytes().startswith(b"%PDF-1.7")
