"""How pages look: colours that can be read, a remembered choice, files that come pressed."""

import gzip
import re
from itertools import product

import httpx

from canut.db.pool import connect_async
from canut.web.static_files import hold
from canut.web.templating import STATIC
from tests.web.conftest import CSRF, Browser, Serving

SHEET = (STATIC / "canut.css").read_text("utf-8")
#: what is written in, and on what
INKS = ["ink", "quiet", "mulberry", "mulberry-deep", "wrong", "well", "notice", "woad", "weld"]
GROUNDS = ["silk", "sheet"]
WASHED = [
    ("mulberry-deep", "mulberry-wash"),
    ("on-mulberry", "mulberry"),
    ("on-mulberry", "mulberry-deep"),
    *product(["ink", "wrong"], ["wrong-wash"]),
    *product(["ink", "well"], ["well-wash"]),
    *product(["ink", "notice"], ["notice-wash"]),
    ("ink", "mulberry-wash"),
]


def tokens(selector: str) -> dict[str, str]:
    """The colours that a rule of the stylesheet sets."""
    rule = SHEET[SHEET.index(selector + " {") :]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rule[: rule.index("}")]))


def test_dark_is_the_same_for_the_system_and_by_choice() -> None:
    """The dark colours stand twice in the stylesheet; they never drift apart, and no colour is
    light only."""
    asked, chosen = tokens(':root:not([data-theme="light"])'), tokens(':root[data-theme="dark"]')
    assert asked == chosen
    assert set(asked) == set(tokens(":root"))


def test_everything_written_can_be_read() -> None:
    """WCAG 2.2, AA: text 4.5 to 1 on every ground it stands on, in light and in dark; threads that
    bound a control, and the ring of the focus, 3 to 1."""
    for colours in (tokens(":root"), tokens(':root[data-theme="dark"]')):
        for ink, ground in [*product(INKS, GROUNDS), *WASHED]:
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground, colours[ink])
        for thread, ground in product(["thread-strong", "focus"], GROUNDS):
            assert contrast(colours[thread], colours[ground]) >= 3, (thread, ground)


def contrast(one: str, other: str) -> float:
    """Of two colours, 1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    bent = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * bent[0] + 0.7152 * bent[1] + 0.0722 * bent[2]


def test_the_stylesheet_is_small() -> None:
    """Whoever comes first over a poor connection waits for it: at most 9 kB over the wire."""
    pressed = hold(STATIC)["canut.css"].pressed
    assert pressed is not None
    assert len(pressed) <= 9_000
    served = gzip.decompress(pressed).decode()
    assert "/*" not in served
    assert served.count("{") == re.sub(r"/\*.*?\*/", "", SHEET, flags=re.DOTALL).count("{")


async def look(browser: Browser, **fields: str) -> httpx.Response:
    return await browser.submit("/login", "/look", **fields)


async def test_the_look_is_remembered(serving: Serving, people: dict[str, int]) -> None:
    """A choice leads back to where it was made, with what was asked there, and holds on the next
    page; nobody is led elsewhere; what we do not know changes nothing."""
    async with serving() as browser:
        one = browser()
        assert "data-theme" not in (await one.get("/login")).text
        here = (await one.get("/login?next=%2Fwork&lang=fr")).text
        assert 'name="next" value="/login?next=%2Fwork"' in here
        sent = await look(one, theme="dark", lang="fr", next="/login?next=%2Fwork")
        assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Fwork")
        page = (await one.get("/login")).text
        assert '<html lang="fr" data-theme="dark">' in page
        assert '<meta name="color-scheme" content="dark">' in page
        sent = await look(one, theme="<b>", lang="de", next="https://elsewhere.example/")
        assert sent.headers["location"] == "/"
        assert 'data-theme="dark"' in (await one.get("/login")).text
        await look(one, theme="", next="/")
        assert "data-theme" not in (await one.get("/login")).text
        refused = await one.http.post("/look", data={"theme": "dark"})
        assert refused.status_code == 403


async def test_a_form_that_comes_back_keeps_its_page(
    serving: Serving, people: dict[str, int]
) -> None:
    """The page that answers a form stands where the form was: its switch leads there, and never to
    what another site says it was."""
    async with serving() as browser:
        one = browser()
        token = CSRF.search((await one.get("/login")).text)
        assert token is not None
        wrong = {"_csrf_token": token[1], "email": "x", "password": "x"}
        for before, leads in [
            ("http://canut.test/login?next=%2Fwork&lang=fr", "/login?next=%2Fwork"),
            ("https://elsewhere.example/login", "/"),
        ]:
            shown = await one.http.post("/login", data=wrong, headers={"referer": before})
            assert f'name="next" value="{leads}"' in shown.text


async def test_a_language_is_the_accounts_too(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Who is logged in and changes the language gets messages in it; the change is in the audit
    log, once."""
    async with serving() as browser:
        one = browser()
        await one.log_in("worker@example.org")
        for _ in range(2):
            await one.submit("/account", "/look", lang="fr", next="/account")
        assert "Votre compte" in (await one.get("/account")).text
    async with connect_async(fresh_url) as conn:
        found = await conn.execute(
            "select locale, (select count(*) from audit_log where action = 'change.profile')"
            " from account where id = %s",
            [people["worker"]],
        )
        assert await found.fetchone() == ("fr", 1)


async def test_files_come_pressed_and_stay(serving: Serving) -> None:
    """The stylesheet comes as the browser can take it, to be kept for ever; no other version and
    no path out of the folder is served."""
    async with serving() as browser:
        one = browser()
        page = (await one.get("/login")).text
        found = re.search(r'href="(/static/\w+/)canut.css"', page)
        assert found is not None
        pressed = await one.get(found[1] + "canut.css")
        assert pressed.headers["content-encoding"] == "gzip"
        assert pressed.headers["vary"] == "accept-encoding"
        assert pressed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert pressed.headers["content-type"].startswith("text/css")
        assert pressed.headers["content-type"].count("charset") == 1
        asked = await one.http.head(found[1] + "canut.css")
        assert (asked.status_code, asked.content) == (200, b"")
        for said in ("identity", "gzip;q=0, br", ""):
            plain = await one.get(found[1] + "canut.css", headers={"accept-encoding": said})
            assert "content-encoding" not in plain.headers
            assert plain.text == pressed.text
        for gone in (found[1] + "none.css", found[1] + "..%2fapp.py", "/static/x/canut.css"):
            assert (await one.get(gone)).status_code == 404


async def test_the_design_is_shown_to_anybody_but_search_engines(serving: Serving) -> None:
    """Every part, in both languages, with hostile text as text; not to be indexed."""
    async with serving() as browser:
        for lang, words in (("en", "The cloth of Canut"), ("fr", "L’étoffe de Canut")):
            shown = await browser().get(f"/design?lang={lang}")
            assert shown.status_code == 200
            assert words in shown.text
            assert shown.headers["x-robots-tag"] == "noindex, nofollow"
            assert "<script>alert" not in shown.text
            assert "style=" not in shown.text
