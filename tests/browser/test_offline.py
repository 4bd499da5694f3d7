"""The task screen on a poor line and on a device of its own: nothing lost, nothing twice, told
plainly; and what it weighs."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visit, start
from tests.browser.test_task_screen import MINE, Ask, task
from tests.house import House

pytestmark = pytest.mark.browser
#: of those that share it, these are the tests of whom they call the traveller
HOUSE = "shared"

#: bytes over the wire: all of a first visit, and a further task
FIRST_BYTES_MAX = 40_000
NEXT_BYTES_MAX = 5_000
#: the time from the next key to the end of the frame that follows it, in milliseconds
PAINTED = """() => {
    window.painted = new Promise((done) => addEventListener("keydown", () => {
        const begun = performance.now();
        requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
    }, { capture: true, once: true }));
}"""
READY = "navigator.serviceWorker.ready.then(() => true)"


def given(ask: Ask, house: House, key: str) -> list[Any]:
    return ask(MINE, house.accounts["traveller id"], house.batches[key])


def answer(page: Page, digit: str) -> str:
    """Answers the task on the screen by keys, and waits until another is there."""
    was = task(page)
    page.keyboard.press(digit)
    page.keyboard.press("Enter")
    page.wait_for_function("was => document.querySelector('.task')?.dataset.task !== was", arg=was)
    return was


def counted(page: Page) -> tuple[Callable[[], int], Any]:
    """What came over the wire so far, by the browser's own count."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda told: sizes.append(int(told["encodedDataLength"])))
    return (lambda: sum(sizes)), session


def test_a_packet_is_answered_without_a_network(visit: Visit, house: House, ask: Ask) -> None:
    """Offline: every task in hand is answered, also after loading the page again; then all of it
    arrives, in order, each once."""
    page = visit("traveller", "/work")
    start(page, house, "search-relevance")
    assert page.evaluate(READY)
    page.reload()
    page.wait_for_selector(".task[data-grown]")
    expect(page.locator("#place")).to_contain_text("of 5")
    before = len(given(ask, house, "search-relevance"))
    page.context.set_offline(True)
    answer(page, "1")
    answer(page, "2")
    expect(page.locator("#unsent")).to_have_text("Not sent yet: 2")
    page.reload()
    page.wait_for_selector(".task[data-grown]")
    for digit in ("3", "1", "2"):
        answer(page, digit)
    expect(page.get_by_role("heading", name="You have answered all that is here")).to_be_visible()
    expect(page.locator("#unsent")).to_have_text("Not sent yet: 5")
    assert len(given(ask, house, "search-relevance")) == before
    page.context.set_offline(False)
    expect(page.locator("#unsent")).to_have_text("")
    values = [value for (value,) in given(ask, house, "search-relevance")[before:]]
    points = page.evaluate(
        "[...document.querySelectorAll('.ask .options')][0].querySelectorAll('input').length"
    )
    assert points >= 3
    assert len(values) == 5
    assert values[0] == values[3]
    assert values[1] == values[4]
    assert len(set(values)) == 3


def test_an_answer_whose_receipt_is_lost_counts_once(visit: Visit, house: House, ask: Ask) -> None:
    """The server has it and the page does not know: it is sent again, and is one answer."""
    page = visit("traveller", "/work", service_workers="block")
    start(page, house, "search-relevance")
    before = len(given(ask, house, "search-relevance"))
    lost: list[str] = []

    def lose(route: Route) -> None:
        if lost:
            return route.continue_()
        route.fetch()
        lost.append(route.request.url)
        return route.abort()

    page.route("**/answer", lose)
    answer(page, "1")
    expect(page.locator("#saved")).to_contain_text("No connection")
    expect(page.locator("#saved")).to_contain_text("Saved.")
    page.unroute("**/answer")
    assert lost
    assert len(given(ask, house, "search-relevance")) == before + 1


def test_an_answer_is_taken_back(visit: Visit, house: House, ask: Ask) -> None:
    """The key brings the last task back as it was left, once the server has let it go; offline,
    what never left is simply not sent. Then another answer is given."""
    page = visit("traveller", "/work")
    start(page, house, "search-relevance")
    before = len(given(ask, house, "search-relevance"))
    was = answer(page, "1")
    expect(page.locator("#saved")).to_contain_text("Saved.")
    page.keyboard.press("z")
    expect(page.locator("#saved")).to_contain_text("Taken back.")
    assert task(page) == was
    assert len(given(ask, house, "search-relevance")) == before
    answer(page, "2")
    expect(page.locator("#saved")).to_contain_text("Saved.")
    page.context.set_offline(True)
    other = answer(page, "3")
    page.keyboard.press("z")
    expect(page.locator("#saved")).to_contain_text("Taken back.")
    assert task(page) == other
    page.context.set_offline(False)
    assert len(given(ask, house, "search-relevance")) == before + 1


def test_a_remark_instead_of_an_answer(visit: Visit, house: House, ask: Ask) -> None:
    """By keys alone: open, pick a reason, send; it is recorded, and another task is there."""
    page = visit("traveller", "/work")
    start(page, house, "images-tag")
    was = task(page)
    page.keyboard.press("u")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("Noted, thank you.")
    assert task(page) != was
    me = house.accounts["traveller id"]
    remarks = ask("select kind, reason from remark where contributor_id = %s", me)
    assert remarks == [("unsure", "several")]
    [[active]] = ask("select sum(active_ms) from activity where contributor_id = %s", me)
    assert active > 0


def test_keys_are_chosen(visit: Visit, house: House) -> None:
    """Another key for an act, told everywhere, remembered by the device; two never share one."""
    page = visit("traveller", "/work")
    start(page, house, "images-tag")
    page.keyboard.press("?")
    page.get_by_role("button", name="Change the key: give the task back").click()
    page.keyboard.press("z")
    expect(page.locator("#keys [data-key-of=skip]")).to_have_text("z")
    expect(page.locator("#keys [data-key-of=undo]")).to_have_text("Esc")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_selector(".task[data-grown]")
    expect(page.locator(".submit [data-key-of=skip]")).to_have_text("z")
    was = task(page)
    page.keyboard.press("z")
    expect(page.locator("#saved")).to_contain_text("Given back")
    assert task(page) != was


def test_the_next_task_is_painted_at_once(visit: Visit, house: House, ask: Ask) -> None:
    """With 80 ms to the server and back, from the key to the next task's frame; and its weight:
    the first visit, and a further task without its pictures."""
    # what a service worker fetches is not counted as the page's
    page = visit("traveller", "/account", service_workers="block")
    wire, session = counted(page)
    start(page, house, "search-relevance")
    page.wait_for_load_state("networkidle")
    at = wire()
    page.reload()
    page.wait_for_load_state("networkidle")
    first = wire() - at
    slow = {"offline": False, "latency": 80, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", slow)
    spent, at = [], wire()
    for digit in "1212":
        page.keyboard.press(digit)
        page.evaluate(PAINTED)
        page.keyboard.press("Enter")
        spent.append(page.evaluate("() => window.painted"))
        expect(page.locator("#saved")).to_contain_text("Saved.")
    page.wait_for_load_state("networkidle")
    further = (wire() - at) / 4
    session.detach()
    print(f"first {first} B, further {further:.0f} B, next task {min(spent):.0f} ms, {spent}")
    assert first <= FIRST_BYTES_MAX
    assert further <= NEXT_BYTES_MAX
    assert min(spent) < 50


def test_two_windows_do_not_work_at_once(visit: Visit, house: House) -> None:
    """The second says so, and can take over; the first then stands still."""
    page = visit("traveller", "/work")
    start(page, house, "images-tag")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#elsewhere")).to_be_visible()
    other.get_by_role("button", name="Work here instead").click()
    expect(other.locator("#elsewhere")).to_be_hidden()
    expect(page.locator("#elsewhere")).to_be_visible()
    other.close()


def test_logging_out_leaves_nothing_on_the_device(visit: Visit, house: House) -> None:
    """Databases, caches and the service worker are gone."""
    page = visit("traveller", "/work", color_scheme="dark")
    start(page, house, "images-tag")
    assert page.evaluate(READY)
    page.goto(f"{house.url}/work")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile("/login"))
    left = page.evaluate(
        """async () => [
            (await indexedDB.databases()).length, (await caches.keys()).length,
            (await navigator.serviceWorker.getRegistrations()).length]"""
    )
    assert left == [0, 0, 0]
