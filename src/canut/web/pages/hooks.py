"""Where clients say which addresses to tell when a batch is delivered, and see how that went."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from litestar import Response, get, post
from litestar.params import FromPath

from canut.channels import webhooks
from canut.channels.store import Conn, audit
from canut.channels.webhooks import NewWebhook
from canut.db.pool import connect
from canut.errors import CanutError, Problem
from canut.insight.overview import read_deliveries
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.forms import whole_number
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, pool, show, told
from canut.web.pages.work import read_form

CLIENTS = requires("client")
T = TypeVar("T")


@get("/webhooks", opt=CLIENTS, include_in_schema=False)
async def list_webhooks(request: WebRequest) -> Response[str]:
    """The addresses of one's clients, and the last deliveries."""
    return await _page(request)


@post("/webhooks", opt=CLIENTS, include_in_schema=False)
async def add(request: WebRequest) -> Response[str]:
    """Add an address; its secret is shown this once."""
    form = await read_form(request)
    url = next(iter(form.get("url", [])), "").strip()
    asked = next(iter(form.get("client", [])), "")
    private = house(request).settings.webhooks_private
    try:
        client = principal(request).client(whole_number(asked))

        def make(conn: Conn) -> NewWebhook:
            made = webhooks.create(conn, client, url, now_ms(), private=private)
            _note(conn, request, "create.webhook", made.id, client)
            return made

        made = await _in_thread(request, make)
    except CanutError as error:
        return await _page(request, error=error, url=url)
    return await _page(request, made=made)


@post("/webhooks/{webhook_id:int}", opt=CLIENTS, include_in_schema=False)
async def change(request: WebRequest, webhook_id: FromPath[int]) -> Response[Any]:
    """`act`: remove it, or send it a test."""
    form = await read_form(request)
    act, asked = (next(iter(form.get(name, [])), "") for name in ("act", "client"))
    client = principal(request).client(whole_number(asked))

    def do(conn: Conn) -> None:
        if act == "remove":
            webhooks.disable(conn, client, webhook_id, now_ms())
            _note(conn, request, "disable.webhook", webhook_id, client)
        else:
            webhooks.send_test(conn, client, webhook_id, now_ms())
            _note(conn, request, "test.webhook", webhook_id, client)

    await _in_thread(request, do)
    return go("/webhooks")


async def _page(
    request: WebRequest,
    *,
    made: NewWebhook | None = None,
    error: CanutError | None = None,
    url: str = "",
) -> Response[str]:
    clients = list(principal(request).client_ids)
    hooks = await _in_thread(
        request,
        lambda conn: [
            hook
            for client in clients
            for hook in webhooks.webhooks(conn, client)
            if hook.disabled_ms is None
        ],
    )
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    values = {
        "hooks": hooks,
        "deliveries": await read_deliveries(pool(request), clients),
        "made": made,
        "url": url,
        "clients": clients,
        "problems": told(request, problems),
    }
    return show(request, "client/webhooks.html", status=422 if error else 200, **values)


def _note(conn: Conn, request: WebRequest, action: str, webhook_id: int, client: int) -> None:
    audit(conn, principal(request), action, "webhook", webhook_id, {}, client)


async def _in_thread(request: WebRequest, work: Callable[[Conn], T]) -> T:
    url = house(request).settings.database_url

    def run() -> T:
        with connect(url) as conn:
            return work(conn)

    return await asyncio.to_thread(run)


ROUTES: list[Any] = [list_webhooks, add, change]
