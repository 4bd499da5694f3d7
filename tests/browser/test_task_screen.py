"""The task screen, by the keyboard, without a script, and when things go wrong."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from canut.work.names import TaskNames
from tests.browser.conftest import Visit, start
from tests.browser.test_every_page import check
from tests.house import House

pytestmark = pytest.mark.browser
HOUSE = "shared"

Ask = Callable[..., list[Any]]
MINE = """
select a.value from answer a join assignment g using (task_id, contributor_id)
join batch_step s on s.id = g.batch_step_id
where a.contributor_id = %s and s.batch_id = %s order by a.submitted_ms"""


def held(ask: Ask, house: House, key: str) -> int:
    """Tasks of this batch in the contributor's hands."""
    [[count]] = ask(
        """select count(*) from assignment a join batch_step s on s.id = a.batch_step_id
        where a.contributor_id = %s and a.state = 'claimed' and s.batch_id = %s""",
        house.accounts["contributor id"],
        house.batches[key],
    )
    return int(count)


def task(page: Page) -> str:
    return page.locator(".task").get_attribute("data-task") or ""


def test_digits_pick_enter_submits_and_the_next_task_is_there(
    visit: Visit, house: House, ask: Ask
) -> None:
    """A contributor answers with the keyboard alone; every answer reaches the database once."""
    page = visit("contributor", "/work")
    start(page, house, "catalogue-categorise")
    seen = []
    for digits in ("3", "12", "7"):
        seen.append(task(page))
        for digit in digits:
            page.keyboard.press(digit)
        page.keyboard.press("Enter")
        expect(page.locator(".task")).not_to_have_attribute("data-task", seen[-1])
    expect(page.locator("#saved")).to_contain_text("3 answered in this sitting")
    assert len(set(seen)) == 3
    given = ask(MINE, house.accounts["contributor id"], house.batches["catalogue-categorise"])
    options = ask(
        """select definition #> '{question,options}'
        from step s join batch_step b on b.step_id = s.id where b.batch_id = %s""",
        house.batches["catalogue-categorise"],
    )[0][0]
    parents = {option.get("parent") for option in options}
    leaves = [option["value"] for option in options if option["value"] not in parents]
    assert [value for (value,) in given] == [leaves[2], leaves[11], leaves[6]]


def test_a_packet_is_claimed_while_the_first_is_answered(
    visit: Visit, house: House, ask: Ask
) -> None:
    """A packet is held: the one shown and those to come, no more."""
    page = visit("contributor", "/work")
    start(page, house, "images-tag")
    expect(page.locator("#place")).to_have_text("Task 1 of 5 in hand")
    assert held(ask, house, "images-tag") == 5


def test_pictures_of_the_process_are_shown(visit: Visit, house: House) -> None:
    """`asset:NAME` is served from our own origin and drawn."""
    page = visit("contributor", "/work")
    start(page, house, "images-tag")
    picture = page.locator(".item img")
    expect(picture).to_have_attribute("src", re.compile(r"^/pictures/images/tag/.+\.svg$"))
    picture.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.item img').naturalWidth > 0")


def test_escape_gives_the_task_back(visit: Visit, house: House, ask: Ask) -> None:
    """Esc returns the task: it is open for others, and another one is on the screen."""
    page = visit("contributor", "/work")
    start(page, house, "search-relevance")
    before = task(page)
    page.keyboard.press("Escape")
    expect(page.locator("#saved")).to_contain_text("Given back")
    assert task(page) != before
    [[key]] = ask("select value from secret where name = 'task_names'")
    state = ask(
        "select state from assignment where task_id = %s and contributor_id = %s",
        TaskNames(bytes(key)).read(before).task_id,
        house.accounts["contributor id"],
    )
    assert state == [("returned",)]


def test_nothing_is_sent_without_an_answer(visit: Visit, house: House) -> None:
    """Enter on an empty form says so and stays."""
    page = visit("contributor", "/work")
    start(page, house, "search-relevance")
    before = task(page)
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("Choose or write an answer first")
    assert task(page) == before


def test_a_refused_answer_comes_back_with_the_problem(visit: Visit, house: House) -> None:
    """The server's judgement arrives after the next task is painted: the refused one returns as
    it was left, the problem stands beside its field, and the focus is there."""
    page = visit("contributor", "/work")
    start(page, house, "catalogue-enrich")
    before = task(page)
    page.fill("[name='answer.brand']", "Kelmoor")
    page.fill("[name='answer.units']", "many")
    page.press("[name='answer.units']", "Enter")
    expect(page.locator(".wrong").first).to_be_visible()
    assert task(page) == before
    expect(page.locator("[name='answer.brand']")).to_have_value("Kelmoor")
    expect(page.locator("[name='answer.units']")).to_be_focused()
    expect(page.locator("[name='answer.units']")).to_have_attribute("aria-invalid", "true")


def test_digits_act_in_the_field_with_the_focus(visit: Visit, house: House) -> None:
    """In a record, digits pick in the question that has the focus; a condition shows its field."""
    page = visit("contributor", "/work")
    start(page, house, "reviews-moderate")
    expect(page.locator("[name='answer.reasons']").first).to_be_hidden()
    page.keyboard.press("2")
    expect(page.locator("[name='answer.verdict'][value=reject]")).to_be_checked()
    reasons = page.locator("[name='answer.reasons']")
    expect(reasons.first).to_be_visible()
    reasons.first.focus()
    page.keyboard.press("2")
    page.keyboard.press("4")
    assert [reasons.nth(n).is_checked() for n in range(5)] == [False, True, False, True, False]


def test_answers_wait_for_the_connection(visit: Visit, house: House, ask: Ask) -> None:
    """While there is no network the answer is kept and told; then it arrives, once."""
    page = visit("contributor", "/work")
    start(page, house, "search-relevance")
    page.wait_for_load_state("networkidle")
    batch, me = house.batches["search-relevance"], house.accounts["contributor id"]
    count = len(ask(MINE, me, batch))
    page.context.set_offline(True)
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text("No connection")
    assert len(ask(MINE, me, batch)) == count
    page.context.set_offline(False)
    expect(page.locator("#saved")).to_contain_text("Saved.")
    assert len(ask(MINE, me, batch)) == count + 1


def test_a_class_of_ten_thousand_is_found_by_typing(visit: Visit, house: House, ask: Ask) -> None:
    """The combobox finds by label, place and synonym, without accents, fast, by keyboard."""
    page = visit("contributor", "/work")
    start(page, house, "large-taxonomy")
    page.wait_for_selector("[data-combo][data-ready]")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    box.press_sequentially("echarpe 9001")
    expect(page.get_by_role("option").first).to_contain_text("Écharpe 9001")
    box.fill("oeuvre department 4")
    expect(page.get_by_role("option").first).to_contain_text("Œuvre")
    box.fill("bouilloire department 8")
    expect(page.get_by_role("option").first).to_contain_text("Kettle")
    box.fill("echarpe 9001")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator(".chosen")).to_contain_text("Écharpe 9001")
    before = task(page)
    page.keyboard.press("Enter")
    expect(page.locator(".task")).not_to_have_attribute("data-task", before)
    expect(page.locator("#saved")).to_contain_text("Saved.")
    given = ask(MINE, house.accounts["contributor id"], house.batches["large-taxonomy"])
    assert given[-1] == ("c9001",)


def test_a_search_of_ten_thousand_takes_a_frame(visit: Visit, house: House) -> None:
    """Typing stays smooth: a search over 10,000 classes takes under 50 ms on a busy machine."""
    page = visit("contributor", "/work")
    start(page, house, "large-taxonomy")
    page.wait_for_selector("[data-combo][data-ready]")
    spent = page.evaluate(
        """async () => {
            const script = document.querySelector('script[src$="task.js"]').src;
            const { fetchOptions, search } = await import(
                script.replace('task.js', 'sources.js'));
            const all = await fetchOptions(document.querySelector('[data-combo]').dataset.options);
            search(all, 'warm up');
            const begun = performance.now();
            for (let n = 0; n < 10; n++) search(all, `kettle department ${n}`);
            return [(performance.now() - begun) / 10, all.length];
        }"""
    )
    assert spent[1] >= 10_000
    assert spent[0] < 50


def test_without_a_script_the_forms_do_it_all(visit: Visit, house: House, ask: Ask) -> None:
    """Start, a mistake told beside the field, an answer, giving back: plain forms."""
    page = visit("newcomer", "/work", java_script_enabled=False, locale="en-GB")
    page.goto(f"{house.url}/work?lang=en")
    page.goto(f"{house.url}/work/{house.batches['catalogue-enrich']}")
    page.click("main button.main")
    first = task(page)
    page.fill("[name='answer.units']", "many")
    page.fill("[name='answer.brand']", "Ondine")
    page.click("button[value=answer]")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("[name='answer.brand']")).to_have_value("Ondine")
    expect(page.locator("[name='answer.units']")).to_have_attribute("aria-invalid", "true")
    assert task(page) == first
    page.fill("[name='answer.units']", "2")
    page.click("button[value=answer]")
    expect(page.locator("#saved")).to_contain_text("Saved.")
    assert task(page) != first
    page.get_by_role("button", name="Take it back").click()
    expect(page.locator("#saved")).to_contain_text("Taken back.")
    assert task(page) == first
    page.fill("[name='answer.brand']", "Ondine")
    page.fill("[name='answer.units']", "2")
    page.click("button[value=answer]")
    expect(page.locator("#saved")).to_contain_text("Saved.")
    page.locator(".remark > summary").click()
    page.click("button[value=remark]")
    expect(page.get_by_role("alert")).to_contain_text("No reason is given.")
    page.get_by_label("it cannot be read or does not load").check()
    page.click("button[value=remark]")
    expect(page.locator("#saved")).to_contain_text("Noted, thank you.")
    page.click("button[value=skip]")
    expect(page.locator("#saved")).to_contain_text("Given back.")
    given = ask(MINE, house.accounts["newcomer id"], house.batches["catalogue-enrich"])
    assert given == [({"brand": "Ondine", "units": 2},)]


def test_without_a_script_a_class_is_found_on_a_page(visit: Visit, house: House) -> None:
    """The long list has a page to search, and the field takes the code found there."""
    page = visit("newcomer", "/work", java_script_enabled=False, locale="en-GB")
    page.goto(f"{house.url}/work/{house.batches['large-taxonomy']}?lang=en")
    page.click("main button.main")
    link = page.get_by_role("link", name="Find it in the list").get_attribute("href")
    page.goto(f"{house.url}{link}&q=echarpe+9001")
    expect(page.locator("tbody code")).to_have_text(["c9001"])


def test_the_keys_are_told(visit: Visit, house: House) -> None:
    """ "?" opens the list of keys, Esc closes it and gives nothing back."""
    page = visit("contributor", "/work")
    start(page, house, "images-tag")
    before = task(page)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    assert task(page) == before


def test_waiting_for_a_server_that_fails_is_noted_once(
    visit: Visit, house: House, ask: Ask
) -> None:
    """With nothing to show, the screen asks again by itself; when the server is back it says how
    long somebody has waited, and goes on. The same again is the same hours."""
    page = visit("contributor", "/work", service_workers="block", timezone_id="Europe/Paris")
    page.clock.install()
    batch, me = house.batches["search-relevance"], house.accounts["contributor id"]
    ask(
        "insert into batch_pay (batch_id, currency, funded_ms) values (%s, 'EUR', 0) returning 1",
        batch,
    )
    start(page, house, "search-relevance")
    sent: list[dict[str, str]] = []

    def earlier(route: Route) -> None:
        """The clock of the page runs ahead of the server's: told as if it did not."""
        form = dict(parse_qsl(route.request.post_data or ""))
        moved = {name: str(int(form[name]) - 200_000) for name in ("from", "until")}
        sent.append(form | moved)
        route.continue_(post_data=urlencode(sent[0]))

    page.route("**/pay/hours/waited", earlier)

    def ten_seconds(heard: str) -> None:
        """Pass, and something is sent. A timer that was not set yet when they did rings ten real
        seconds later."""
        with page.expect_response(heard, timeout=25_000):
            page.clock.run_for(10_000)

    page.route("**/claim", lambda route: route.fulfill(status=503))
    while task(page):
        was = task(page)
        page.keyboard.press("1")
        page.keyboard.press("Enter")
        expect(page.locator(".task")).not_to_have_attribute("data-task", was)
    for _ in range(7):
        ten_seconds("**/claim")
    page.unroute("**/claim")
    ten_seconds("**/pay/hours/waited")
    expect(page.locator("#saved")).to_contain_text("how long is noted for your pay")
    page.wait_for_selector(".task[data-grown]")
    again = page.request.post(
        f"{house.url}/pay/hours/waited",
        form=sent[0],
        headers={"x-csrf-token": page.input_value("[name=_csrf_token] >> nth=0")},
    )
    assert "noted" in again.json()["said"]
    hours = "select kind, noted, stated_ms from paid_hours where contributor_id = %s"
    [[kind, by_itself, stated]] = ask(hours, me)
    assert (kind, by_itself) == ("waiting", True)
    assert 60_000 <= stated <= 160_000
    ask("delete from paid_hours where contributor_id = %s returning 1", me)
    ask("delete from batch_pay where batch_id = %s returning 1", batch)


def test_the_dialog_and_the_list_of_classes_are_accessible(visit: Visit, house: House) -> None:
    """What a script opens is held to the same: the keys, and the list of the combobox."""
    page = visit("contributor", f"/work/{house.batches['large-taxonomy']}?lang=en")
    if page.locator(".task").count() == 0:
        page.click("main button.main")
    page.wait_for_selector("[data-combo][data-ready]")
    page.get_by_role("combobox").fill("kettle")
    expect(page.get_by_role("option").first).to_be_visible()
    check(page)
    page.click("[data-keys]")
    check(page)


def test_a_language_is_chosen_and_kept(visit: Visit, house: House) -> None:
    """The link in the head changes the language, and the next page keeps it."""
    page = visit("", "/?lang=en")
    page.click("text=Français")
    expect(page.locator("h1")).to_contain_text("Confiez le travail")
    page.goto(f"{house.url}/login")
    assert page.locator("html").get_attribute("lang") == "fr"
