"""The whole application over ASGI, on a database of its own per test."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import httpx
import pytest
from litestar import Litestar

from canut.config import Settings
from canut.db.pool import connect_async
from canut.pay.money.payments import Provider
from canut.people import store
from canut.people.model import SignUp
from canut.web import api
from canut.web.app import create_app
from canut.web.house import House
from canut.web.templating import Templates

PASSWORD = "seven silver bobbins"
CSRF = re.compile(r'name="_csrf_token" value="([^"]+)"')


class Browser:
    """A client that fills in forms as a browser does: it sends the token that the page holds."""

    def __init__(self, http: httpx.AsyncClient):
        self.http = http

    async def get(self, path: str, **more: object) -> httpx.Response:
        return await self.http.get(path, **more)

    async def submit(self, page: str, path: str, **fields: object) -> httpx.Response:
        """Load the page, then send its form to the path."""
        found = CSRF.search((await self.http.get(page)).text)
        assert found is not None, f"{page} holds no form"
        return await self.http.post(path, data={"_csrf_token": found[1], **fields})

    async def log_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return await self.submit("/login", "/login", email=email, password=password)


Serving = Callable[..., AbstractAsyncContextManager[Callable[[], Browser]]]


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Read and compiled once for all tests: that takes longer than most of them."""
    return Templates()


class Applications:
    """Applications that no test is using: its routes are half a second's work, and the same for
    all. What a process remembers is in its `House`, and each test has one of its own."""

    def __init__(self, templates: Templates):
        self._templates = templates
        self._free: dict[object, list[Litestar]] = {}

    @contextmanager
    def lent(self, settings: Settings) -> Iterator[Litestar]:
        """One with these settings and nothing remembered."""
        # what is settled when the routes are made
        kind = (settings.url, settings.upload_bytes_max, api.routes)
        free = self._free.setdefault(kind, [])
        app = free.pop() if free else create_app(settings, self._templates)
        vars(app.state["house"]).update(vars(House(settings, self._templates)))
        yield app
        free.append(app)


@pytest.fixture(scope="session")
def applications(templates: Templates) -> Applications:
    """Those of this worker."""
    return Applications(templates)


@pytest.fixture
def serving(fresh_url: str, applications: Applications) -> Serving:
    """`async with serving() as browser:` starts the application; `browser()` is a new one."""

    @asynccontextmanager
    async def start(
        payments: Provider | None = None, **settings: object
    ) -> AsyncIterator[Callable[[], Browser]]:
        given = Settings(database_url=fresh_url, pool_size=4, **settings)
        clients: list[httpx.AsyncClient] = []

        def browser() -> Browser:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            clients.append(httpx.AsyncClient(transport=transport, base_url="http://canut.test"))
            return Browser(clients[-1])

        with applications.lent(given) as app:
            app.state["house"].payments = payments
            async with app.lifespan():
                yield browser
                for client in clients:
                    await client.aclose()

    return start


@pytest.fixture
async def people(fresh_url: str) -> dict[str, int]:
    """An operator, a contributor and a member of a client, with `PASSWORD`; ids by name."""
    by = store.COMMAND_LINE
    async with connect_async(fresh_url) as conn:
        made = {"client": await store.create_client(conn, by, "soierie", "La Soierie")}
        for name in ("operator", "worker", "member"):
            sign_up = SignUp(f"{name}@example.org", name.title(), PASSWORD)
            roles = ("operator",) if name == "operator" else ()
            made[name] = await store.create_account(conn, by, sign_up, roles=roles)
        made["contributor"] = await store.create_contributor(conn, by, made["worker"])
        await store.add_member(conn, by, made["client"], made["member"])
    return made
