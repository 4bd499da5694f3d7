"""Every page, as every role, in both languages, wide and narrow, light and dark: no fault that axe
finds, no error in the console (see conftest), nothing wider than the screen."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from canut.config import Settings
from canut.db.pool import connect
from canut.pay.hours import Hours, state_hours
from canut.people.model import Principal
from canut.processes.library import load_shipped
from canut.processes.load import Loaded
from canut.quality.exams import sitting as exams
from canut.quality.gold import pool as gold_pool
from canut.quality.licences.licensing import begin_earning
from canut.quality.model import LicencePlace
from canut.web.app import create_app
from canut.work.model import TaskRef
from canut.work.names import TaskNames
from tests.browser.conftest import Visit, Windows, start
from tests.house import House, now_ms
from tests.pay.paid import paid_batches
from tests.pay.payees import two_runs
from tests.pay.week import lately, paid_week

pytestmark = pytest.mark.browser

#: who, and where; what stands in braces is in `places`
PAGES = {
    "": [
        *("/", "/login", "/join", "/design", "/nowhere", "/setup/x", "/invite/x", "/licences"),
        *("/work/offline", "/open-accounts"),
    ],
    "contributor": [
        *("/work", "/answers", "/answers/{answer}", "/account", "/work/{large}"),
        "/work/steps/{large_step}/options?q=ket",
        *("/work/{categorise}", "/work/{enrich}", "/work/{tag}", "/work/{moderate}"),
        "/work/{relevance}",
        *("/pay", "/pay/tasks", "/pay/tasks/{task}", "/pay/slips", "/pay/slips/{slip}"),
        *("/pay/hours", "/pay/payouts", "/pay/account", "/pay/account?way=mobile"),
    ],
    "newcomer": [
        *("/work", "/work/999999", "/exams", "/exams/{exam}"),
        *("/pay", "/pay/tasks", "/pay/hours", "/pay/slips", "/pay/payouts"),
    ],
    "client": [
        *("/batches", "/processes", "/processes/{process}", "/webhooks", "/gold"),
        *("/batches/{categorise}", "/batches/{moderate}", "/batches/{categorise}/remarks"),
        *("/batches/{categorise}/agents", "/batches/{categorise}/certificates"),
        *("/batches/{categorise}/disputes", "/batches/{categorise}/items?key={item}"),
        "/batches/{categorise}/items?q=a&state=open",
        *("/batches/new", "/batches/new/{draft}/file", "/batches/new/{draft}/columns"),
        *("/batches/new/{draft}/question", "/batches/new/{draft}/target"),
        *("/batches/new/{draft}/launch", "/batches/{categorise}/add"),
        *("/money", "/money/movements", "/money/invoices", "/money/billing"),
        *("/money/payments?payment={payment}", "/batches/{funded}/money"),
        *("/batches/{waiting}/money", "/batches/{categorise}/money"),
    ],
    "operator": [
        *("/operator", "/operator/batches/{categorise}", "/operator/queue", "/operator/audit"),
        *("/operator/contributors", "/operator/contributors/{contributor}", "/operator/exams"),
        *("/operator/agents", "/operator/agents/{agent}", "/operator/quality"),
        *("/operator/quality/{process}/{step}", "/operator/licences/{licence}"),
        *("/gold/{process}/{step}", "/search?q=sal"),
        *("/operator/money", "/operator/money/{belvoie}"),
        *("/operator/pay", "/operator/pay/payouts", "/operator/pay/payouts/{sent}"),
        *("/operator/pay/payouts/{run}", "/operator/pay/times", "/operator/pay/prices"),
        *("/operator/pay/prices/{priced}/colour", "/operator/pay/periods", "/operator/pay/slips"),
        *("/operator/pay/slips/{slip}", "/operator/pay/rules", "/operator/pay/books"),
        *("/operator/pay/books/{bank}", "/operator/pay/hours", "/operator/pay/hours?decided=1"),
    ],
}
#: what is opened but is no page: files, streams, lists for scripts, what only sends elsewhere
NO_PAGES = re.compile(
    r"/alive|/worker\.js|/work/here|.*\.(json|csv|pdf)|.*/events|.*/results/.*|.*/options/find"
    r"|/(private-)?pictures/.*|/certificates/.*|/batches/new/[^/]*"
    # the page of a step's options, for an exam; an invoice as PDF or XML; the file of a run
    r"|/exams/[^/]*/options|/money/invoices/[^/]*/[^/]*|/operator/pay/payouts/[^/]*/file"
)
#: open accounts of two months
OPEN_MONTHS = """
insert into open_month (from_ms, until_ms, published_ms, shares)
select 2678400000 * n, 2678400000 * (n + 1), %s, '[{"currency": "EUR", "figures": {
    "contributors": 9, "simulated": 9, "hourly_minor": 1543, "pay_minor": 80000, "coop_minor": 500,
    "topup_minor": 2000, "social_minor": 4000, "ai_minor": 6000, "fee_minor": 10000}},
    {"currency": "KES", "figures": null}]'
from generate_series(0, 1) n"""
KEYS = {
    "categorise": "catalogue-categorise",
    "enrich": "catalogue-enrich",
    "tag": "images-tag",
    "moderate": "reviews-moderate",
    "relevance": "search-relevance",
    "large": "large-taxonomy",
}
#: what axe found right is not collected, which takes most of its time
ONLY_WRONG = {"resultTypes": ["violations"], "preload": False}
#: what depends on the language, the width or the colours; the rest of axe is asked in one look
LOOKED_AT = ["color-contrast", "target-size", "html-has-lang", "html-lang-valid", "valid-lang"]
#: language, width, colours, and what of axe is asked: all of it, or what another look can change
LOOKS = [("fr", 360, "dark", []), ("en", 1280, "light", LOOKED_AT)]


def test_no_page_is_left_out() -> None:
    """Each address that the application serves is walked below, or is no page."""
    app = create_app(Settings(database_url="postgresql://nobody"))
    walked = {
        re.sub(r"{\w+}", "1", path.partition("?")[0]) for one in PAGES.values() for path in one
    }
    left = []
    for route in app.routes:
        if "GET" not in getattr(route, "methods", ()) or route.path.startswith(("/api", "/static")):
            continue
        place = re.compile(re.sub(r"{\w+:\w+}", "[^/]+", route.path))
        if not NO_PAGES.fullmatch(route.path) and not any(map(place.fullmatch, walked)):
            left.append(route.path)
    assert left == []


@pytest.fixture(scope="module")
def places(house: House, windows: Windows) -> dict[str, Any]:
    """What the addresses of `PAGES` leave open."""
    found: dict[str, Any] = {name: house.batches[key] for name, key in KEYS.items()}
    found |= {"agent": house.accounts["agent"], "contributor": house.accounts["contributor id"]}
    with connect(house.database) as conn:

        def one(sql: str, *values: Any) -> Any:
            row = conn.execute(sql, values).fetchone()
            assert row is not None, sql
            return row[0]

        step = "select id from batch_step where batch_id = %s"
        found["large_step"] = one(step, found["large"])
        found["item"] = one("select key from item where batch_id = %s limit 1", found["categorise"])
        of = "select {} from batch_step where batch_id = %s order by position limit 1"
        found["process"] = one(of.format("process_id"), found["categorise"])
        found["step"] = one(of.format("slug"), found["categorise"])
        place = LicencePlace(house.accounts["agent"], found["process"], found["step"])
        found["licence"] = begin_earning(conn, place, "rules", "7" * 64, now_ms()).id
        newcomer, seed = house.accounts["newcomer id"], 7
        gold_pool.publish_loaded(conn, None, _examined(), now_ms())
        open_ = exams.list_open(conn, newcomer)[0]
        exam = exams.start(conn, newcomer, open_.process_id, open_.step_slug, seed, now_ms())
        found["exam"] = exam.id
        week = paid_week(conn, house.accounts["contributor id"], lately())
        names = TaskNames(one("select value from secret where name = 'task_names'"))
        found["task"] = names.name(TaskRef(week.one.batch_step, week.tasks[0]))
        found["slip"] = week.slip
        me, at = Principal(contributor_id=house.accounts["contributor id"]), week.after_ms
        waited = Hours("waiting", at, at + 600_000, 540_000, "It was down.")
        state_hours(conn, me, waited, now_ms())
        conn.execute(OPEN_MONTHS, [now_ms()])
        found["priced"] = week.one.work.process_id
        found["bank"] = one("select min(id) from ledger_account where kind = 'bank'")
        payee = one("select min(contributor_id) from pay_slip where id <> %s", week.slip)
        keeper = house.accounts["operator"]
        found["sent"], found["run"] = two_runs(conn, payee, keeper, week.after_ms)
        found["belvoie"] = house.accounts["belvoie"]
        found |= paid_batches(conn, found["belvoie"])
    page = windows.visit("client", "/batches/new?lang=en")
    page.fill("[name=text]", "sku\ttitle\nA1\tCopper kettle\nA2\tDesk lamp\n")
    page.click("main form .submit button")
    page.wait_for_url("**/columns")
    found["draft"] = page.url.split("/")[-2]
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("lang", "width", "scheme", "rules"), LOOKS)
@pytest.mark.parametrize("who", PAGES)
def test_page(
    visit: Visit,
    house: House,
    places: dict[str, Any],
    who: str,
    lang: str,
    width: int,
    scheme: str,
    rules: list[str],
) -> None:
    """No page keeps anybody out, and none overflows the screen."""
    context: dict[str, Any] = {
        "viewport": {"width": width, "height": 740},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
    }
    page = visit(who, "/login", **context)
    for path in PAGES[who]:
        if "{answer}" in path:
            places["answer"] = _answered(page, house)
        place = path.format(**places)
        page.goto(f"{house.url}{place}{'&' if '?' in place else '?'}lang={lang}")
        if page.locator("form[action$='/claim'] button.main").count() and path != "/work":
            page.locator("form[action$='/claim'] button.main").first.click()
            page.wait_for_selector(".task[data-grown]")
        check(page, rules)
        assert page.locator("html").get_attribute("lang") == lang


@pytest.mark.slow
def test_the_reference_of_the_api(visit: Visit) -> None:
    """It is one long page, the only one under /api."""
    check(visit("", "/api/v1/docs", viewport={"width": 360, "height": 740}))


def _examined() -> Loaded:
    """A process of the library, with an exam before its first step."""
    shipped = load_shipped("search/relevance")
    step = msgspec.structs.replace(shipped.definition.steps[0], licence=True, skills=())
    definition = msgspec.structs.replace(
        shipped.definition, slug="search/examined", steps=(step, *shipped.definition.steps[1:])
    )
    return msgspec.structs.replace(shipped, definition=definition)


def _answered(page: Page, house: House) -> str:
    """The name of a task that was just answered."""
    start(page, house, KEYS["relevance"])
    task = page.locator(".task").get_attribute("data-task")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#saved")).to_contain_text(re.compile(r"Saved|Enregistré"))
    assert task is not None
    return task


def check(page: Page, rules: Sequence[str] = ()) -> None:
    """Nothing that axe calls a violation, by these of its rules or all, and the page fits."""
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    results = Axe().run(page, options={**ONLY_WRONG, **only})
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
    fits(page)


def fits(page: Page) -> None:
    """Nothing wider than the screen, one first heading."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen, f"{page.url} is {wide} px wide on a screen of {screen}"
    assert page.locator("h1").count() == 1, page.url
