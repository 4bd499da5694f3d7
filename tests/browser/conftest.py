"""A real Chromium against a real server. Whatever a page writes to the console as an error, or
throws, fails the test that saw it.

A window costs more than most tests: each is opened once, and kept for the next test that asks for
the same person and the same screen.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from psycopg import sql

from tests.conftest import TEMPLATE, _at, _clone, _OneAtATime
from tests.house import PASSWORD, PEOPLE, House, Sample, fill, running

ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: a status that a test provokes is told by the browser as an error of the page
EXPECTED = re.compile(r"status of (4\d\d|503)|net::ERR_(INTERNET_DISCONNECTED|FAILED)")

#: the database that every house is a clone of
SAMPLE = "canut_sample"

Visit = Callable[..., Page]


def chromium() -> str | None:
    """Where Chromium is, on this machine."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@pytest.fixture(scope="session")
def sample(server_url: str) -> Sample:
    """What is in the database SAMPLE, which the first worker fills for all."""
    described = "select shobj_description(oid, 'pg_database') from pg_database where datname = %s"
    with (
        _OneAtATime(),
        psycopg.connect(_at(server_url, "postgres"), autocommit=True) as conn,
    ):
        there = conn.execute(described, [SAMPLE]).fetchone()
        if there is None or there[0] is None:
            conn.execute(f"drop database if exists {SAMPLE} (force)")
            conn.execute(f"create database {SAMPLE} template {TEMPLATE} strategy wal_log")
            made = msgspec.json.encode(fill(_at(server_url, SAMPLE))).decode()
            conn.execute(sql.SQL("comment on database canut_sample is {}").format(made))
            there = [made]
    return msgspec.json.decode(there[0], type=Sample)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed after the last of these tests: while it is open, no other event loop may run."""
    path = chromium()
    if path is None:
        pytest.skip("needs Chromium (apt install chromium)")
    with sync_playwright() as play:
        launched = play.chromium.launch(executable_path=path, args=ARGS)
        yield launched
        launched.close()


class Windows:
    """The windows of a house, by who looks and at what screen."""

    def __init__(self, browser: Browser, house: House):
        self._browser, self._house = browser, house
        self._open: dict[str, Page] = {}
        self._cookies: dict[str, Any] = {}
        self.faults: list[str] = []

    def visit(self, who: str, path: str, **context: Any) -> Page:
        """A page, logged in as one of `PEOPLE` (or "" for nobody)."""
        screen = repr((who, sorted(context.items())))
        page = self._open.get(screen)
        if page is None:
            known = {"storage_state": self._cookies[who]} if who in self._cookies else {}
            made = self._browser.new_context(
                **{"viewport": {"width": 1280, "height": 800}} | known | context
            )
            page = self._open[screen] = self._page(made)
            if who and not known:
                self._log_in(page, who)
        page.goto(self._house.url + path)
        return page

    def leave(self) -> None:
        """Nothing of a test stays but its cookies."""
        for page in self._open.values():
            page.context.set_offline(False)
            if page.url.startswith(self._house.url):
                page.evaluate("localStorage.clear()")

    def close(self) -> None:
        """All of them."""
        for page in self._open.values():
            page.context.close()

    def _log_in(self, page: Page, who: str) -> None:
        """Once for all windows of one of `PEOPLE`."""
        page.goto(f"{self._house.url}/login")
        page.fill("[name=email]", PEOPLE[who][0])
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        self._cookies[who] = page.context.storage_state()

    def _page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("console", lambda said: _note(self.faults, page, said))
        return page


class Opened(msgspec.Struct):
    """A house, and who looks at it."""

    house: House
    windows: Windows


class Houses:
    """One house at a time: a server is slow to start, so files that say the same `HOUSE` share one,
    with its windows. All others have one of their own."""

    def __init__(self, start: Callable[[ExitStack], Opened]):
        self._start = start
        self._name = ""
        self._stack = ExitStack()
        self._opened: Opened | None = None

    def enter(self, name: str) -> Opened:
        """The house of this name, opened if the one before was another."""
        if self._opened is None or name != self._name:
            self.leave()
            self._name, self._opened = name, self._start(self._stack)
        return self._opened

    def leave(self) -> None:
        """Stop its server."""
        self._opened = None
        self._stack.close()


@pytest.fixture(scope="package")
def houses(
    browser: Browser, server_url: str, sample: Sample, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Houses]:
    """Running servers with the sample."""

    def start(stack: ExitStack) -> Opened:
        url = stack.enter_context(contextmanager(_clone)(server_url, SAMPLE))
        # closed after the server has stopped: it must not wait for who is looking
        windows = stack.enter_context(ExitStack())
        house = stack.enter_context(running(url, tmp_path_factory.mktemp("house"), sample))
        opened = Opened(house, Windows(browser, house))
        windows.callback(opened.windows.close)
        return opened

    made = Houses(start)
    yield made
    made.leave()


@pytest.fixture(scope="module")
def opened(houses: Houses, request: pytest.FixtureRequest) -> Opened:
    return houses.enter(getattr(request.module, "HOUSE", request.module.__name__))


@pytest.fixture(scope="module")
def house(opened: Opened) -> House:
    """A running server with the sample."""
    return opened.house


@pytest.fixture(scope="module")
def windows(opened: Opened) -> Windows:
    """The windows of the house."""
    return opened.windows


@pytest.fixture
def visit(windows: Windows) -> Iterator[Visit]:
    """`visit("contributor", "/work")`: a page, logged in as one of `PEOPLE` (or "" for nobody)."""
    windows.faults.clear()
    yield windows.visit
    windows.leave()
    assert windows.faults == []


def _note(faults: list[str], page: Page, said: Any) -> None:
    if said.type == "error" and not EXPECTED.search(said.text):
        faults.append(f"{page.url}: {said.text}")


@pytest.fixture
def ask(house: House) -> Callable[..., list[Any]]:
    """Rows of a statement, to see what really happened."""

    def rows(sql: str, *values: Any) -> list[Any]:
        with psycopg.connect(house.database) as conn:
            return conn.execute(sql, values).fetchall()

    return rows


def start(page: Page, house: House, key: str) -> None:
    """Open a batch and take its first task, or go on with the one in hand."""
    page.goto(f"{house.url}/work/{house.batches[key]}")
    if page.locator(".task").count() == 0:
        page.click("main button.main")
    page.wait_for_selector(".task[data-grown]")
