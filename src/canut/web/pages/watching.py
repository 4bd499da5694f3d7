"""A batch being watched: one look a second for all who watch it, told to each in their language."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromPath
from litestar.response import ServerSentEvent, ServerSentEventMessage

from canut.insight.pace import Pace
from canut.insight.progress import read_now
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.live import Sight
from canut.web.pages.view import fragment, now_ms, pool
from canut.work import batches

#: milliseconds for which a rate is told before it is measured again
PACE_MS = 20_000


@get(
    "/batches/{batch_id:int}/events",
    opt=requires("client", "operator"),
    include_in_schema=False,
)
async def events(request: WebRequest, batch_id: FromPath[int]) -> ServerSentEvent:
    """Its progress, as server-sent events: `progress` with JSON (the state, and the part of the
    page that has changed), and `over` at the end."""
    who, connections = principal(request), pool(request)
    await batches.read_batch(connections, who, batch_id)
    paced: tuple[int, Pace | None] = (0, None)

    async def look() -> Sight:
        nonlocal paced
        batch = await batches.read_batch(connections, who, batch_id)
        at_ms = now_ms()
        fresh = at_ms - paced[0] < PACE_MS
        async with connections.connection() as conn:
            now = await read_now(conn, batch, at_ms, paced[1] if fresh else None)
        if not fresh:
            paced = (at_ms, now.pace)
        return Sight(now, batch.state in ("delivered", "cancelled"))

    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        async for sight in house(request).live.follow(batch_id, look):
            yield ServerSentEventMessage(event="progress", data=_told(request, sight))
            if sight.over:
                yield ServerSentEventMessage(event="over", data="{}")

    # a browser that lost the stream asks again after two seconds
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return ServerSentEvent(messages(), retry_duration=2000, headers=headers)


def _told(request: WebRequest, sight: Sight) -> str:
    now = sight.body
    html = fragment(request, "client/now.html", batch=now.batch, now=now, at_ms=now_ms())
    return msgspec.json.encode({"state": now.batch.state, "html": html}).decode()


ROUTES: list[Any] = [events]
