"""Every page, as every role, in both languages, wide and narrow, light and dark: no fault that axe
finds, no error in the console (see conftest), nothing wider than the screen."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.house import House

pytestmark = pytest.mark.browser

#: who, and where; {key} is the number of a batch
PAGES = {
    "": ["/", "/login", "/join", "/design", "/nowhere"],
    "contributor": [
        *("/work", "/exams", "/answers", "/account"),
        *(f"/work/{{{n}}}" for n in range(6)),
    ],
    "newcomer": ["/work", "/work/999999"],
    "client": [
        "/batches",
        "/batches/new",
        "/processes",
        "/processes/1",
        "/batches/{0}",
        "/batches/{3}",
        "/webhooks",
        "/gold",
        "/batches/{0}/remarks",
        "/batches/{0}/agents",
    ],
    "operator": [
        "/operator",
        "/operator/agents",
        "/operator/agents/{agent}",
        "/operator/contributors",
        "/operator/audit",
        "/operator/exams",
        "/batches",
        "/gold",
    ],
}
KEYS = [
    "catalogue-categorise",
    "catalogue-enrich",
    "images-tag",
    "reviews-moderate",
    "search-relevance",
    "large-taxonomy",
]
#: what axe found right is not collected, which takes most of its time
ONLY_WRONG = {"resultTypes": ["violations"], "preload": False}
#: the harder look is the quick one
LOOKS = [
    ("fr", 360, "dark"),
    pytest.param("en", 1280, "light", marks=pytest.mark.slow),
]
#: what depends on the language, the width or the colours; the rest of axe is asked in one look
LOOKED_AT = ["color-contrast", "target-size", "html-has-lang", "html-lang-valid", "valid-lang"]


@pytest.mark.parametrize(("lang", "width", "scheme"), LOOKS)
@pytest.mark.parametrize("who", PAGES)
def test_page(visit: Visit, house: House, who: str, lang: str, width: int, scheme: str) -> None:
    """No page keeps anybody out, and none overflows the screen."""
    numbers = [house.batches[key] for key in KEYS]
    context: dict[str, Any] = {
        "viewport": {"width": width, "height": 740},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
    }
    agent = house.accounts["agent"]
    page = visit(who, PAGES[who][0].format(*numbers), **context)
    for path in PAGES[who]:
        page.goto(f"{house.url}{path.format(*numbers, agent=agent)}?lang={lang}")
        if page.locator("form[action$='/claim'] button.main").count() and path != "/work":
            page.locator("form[action$='/claim'] button.main").first.click()
            page.wait_for_selector(".task[data-grown]")
        check(page, look=scheme == "light")
        assert page.locator("html").get_attribute("lang") == lang


def check(page: Page, *, look: bool = False) -> None:
    """Nothing that axe calls a violation, nothing wider than the screen, one first heading; with
    `look`, of axe only what another look can change."""
    rules = {"runOnly": {"type": "rule", "values": LOOKED_AT}} if look else {}
    results = Axe().run(page, options={**ONLY_WRONG, **rules})
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= screen, f"{page.url} is {wide} px wide on a screen of {screen}"
    assert page.locator("h1").count() == 1, page.url


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
