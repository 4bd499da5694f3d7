"""Where clients watch their batches: the list, one batch live, its results, its course."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import ServerSentEvent, ServerSentEventMessage, Stream
from msgspec import Struct

from canut.channels.drafts import drafting
from canut.channels.export import FORMATS, MEDIA_TYPES, Format
from canut.db.pool import connect
from canut.errors import CanutError, Invalid, NotFound, Problem
from canut.insight.overview import read_shares
from canut.people.model import Principal
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.exports import open_export
from canut.web.live import Sight
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, pool, show, told
from canut.web.pages.work import read_form
from canut.work import batches, store
from canut.work.model import Batch, BatchState, StepProgress
from canut.work.results import Result, Sheet, read_page, read_sheet

CLIENTS = requires("client", "operator")
#: batches on a page of the list
PAGE = 30
#: results shown beside a batch
GLANCE = 12


class Line(Struct, frozen=True):
    """One result, in words."""

    key: str
    item: str
    #: per step: the decision in words, its confidence, its answers; None where it is not made
    cells: list[tuple[str, float, int] | None]


@get("/batches", opt=CLIENTS, include_in_schema=False)
async def list_batches(
    request: WebRequest, before: FromQuery[int] = batches.NEWEST
) -> Response[str]:
    """The batches of one's clients, newest first."""
    who = principal(request)
    found = await batches.list_batches(pool(request), who, before=before, limit=PAGE + 1)
    shares = await read_shares(pool(request), [batch.id for batch in found[:PAGE]])
    older = found[PAGE - 1].id if len(found) > PAGE else None
    values: dict[str, Any] = {"batches": found[:PAGE], "shares": shares, "older": older}
    first = before == batches.NEWEST
    values["drafts"] = await drafting.listed(pool(request), who, now_ms()) if first else []
    return show(request, "client/batches.html", first=first, **values)


@get("/batches/{batch_id:int}", opt=CLIENTS, include_in_schema=False)
async def show_batch(request: WebRequest, batch_id: FromPath[int]) -> Response[str]:
    """One batch."""
    return await _page(request, batch_id)


@get("/batches/{batch_id:int}/events", opt=CLIENTS, include_in_schema=False)
async def events(request: WebRequest, batch_id: FromPath[int]) -> ServerSentEvent:
    """Its progress, as server-sent events: `progress` with JSON, and `over` at the end."""
    who, connections = principal(request), pool(request)
    await batches.read_batch(connections, who, batch_id)

    async def look() -> Sight:
        batch = await batches.read_batch(connections, who, batch_id)
        steps = await batches.read_progress(connections, batch_id)
        return Sight(_figures(batch, steps), batch.state in ("delivered", "cancelled"))

    async def messages() -> AsyncIterator[ServerSentEventMessage]:
        async for sight in house(request).live.follow(batch_id, look):
            yield ServerSentEventMessage(event="progress", data=sight.body)
            if sight.over:
                yield ServerSentEventMessage(event="over", data="{}")

    # a browser that lost the stream asks again after two seconds
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return ServerSentEvent(messages(), retry_duration=2000, headers=headers)


@get("/batches/{batch_id:int}/results/{form:str}", opt=CLIENTS, include_in_schema=False)
async def results(request: WebRequest, batch_id: FromPath[int], form: FromPath[str]) -> Stream:
    """What is decided so far, as a file."""
    batch = await batches.read_batch(pool(request), principal(request), batch_id)
    if form not in FORMATS:
        raise NotFound("There are no results in this format.", mend="ask for csv, jsonl or parquet")
    chosen: Format = form
    name = "".join(sign if sign.isalnum() or sign in "-_." else "-" for sign in batch.key)
    headers = {
        "content-disposition": f'attachment; filename="{name.encode("ascii", "replace").decode()}'
        f'.{form}"'.replace("?", "-"),
        "cache-control": "no-store",
    }
    pieces = await open_export(house(request), batch, chosen)
    return Stream(pieces, media_type=MEDIA_TYPES[chosen], headers=headers)


@post("/batches/{batch_id:int}/state", opt=CLIENTS, include_in_schema=False)
async def set_state(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Pause, resume or cancel."""
    state = next(iter((await read_form(request)).get("state", [])), "")
    if state not in batches.CHANGES:
        raise Invalid("A batch can be paused, resumed or cancelled.")
    wanted: BatchState = state
    try:
        await batches.set_state(pool(request), principal(request), batch_id, wanted)
    except CanutError as error:
        return await _page(request, batch_id, error)
    return go(f"/batches/{batch_id}")


@post("/batches/{batch_id:int}/priority", opt=CLIENTS, include_in_schema=False)
async def set_priority(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Give the batch another share of the work."""
    written = next(iter((await read_form(request)).get("priority", [])), "")
    try:
        priority = int(written)
    except ValueError:
        priority = 99  # outside the bounds: refused with the bounds
    try:
        await batches.set_priority(pool(request), principal(request), batch_id, priority)
    except Invalid as error:
        return await _page(request, batch_id, error)
    return go(f"/batches/{batch_id}")


async def _page(
    request: WebRequest, batch_id: int, error: CanutError | None = None
) -> Response[str]:
    who: Principal = principal(request)
    batch = await batches.read_batch(pool(request), who, batch_id)
    steps = await batches.read_progress(pool(request), batch_id)
    url, locale = house(request).settings.database_url, locale_of(request)
    sheet, lines = await asyncio.to_thread(_glance, url, batch_id, locale)
    answers = sum(step.n_answers for step in steps)
    values: dict[str, Any] = {
        "batch": batch,
        "steps": steps,
        "answers": answers,
        "escalated": sum(step.n_escalated for step in steps),
        "sheet": sheet,
        "lines": lines,
        "formats": FORMATS,
        "problems": told(request, error.problems or [Problem(error.message, error.mend)])
        if error
        else [],
    }
    return show(request, "client/batch.html", status=422 if error else 200, **values)


def _figures(batch: Batch, steps: Sequence[StepProgress]) -> str:
    figures = {
        "state": batch.state,
        "items": batch.n_items,
        "answers": sum(step.n_answers for step in steps),
        "escalated": sum(step.n_escalated for step in steps),
        "steps": [
            {"id": step.batch_step_id, "decided": step.n_decided, "answers": step.n_answers}
            for step in steps
        ],
    }
    return msgspec.json.encode(figures).decode()


def _glance(url: str, batch_id: int, locale: str) -> tuple[Sheet, list[Line]]:
    """The first results that are done, else the first items."""
    with connect(url, autocommit=True) as conn:
        sheet = read_sheet(conn, batch_id)
        page = read_page(conn, sheet, limit=200)
        loaded = [store.read_step_sync(conn, step.batch_step_id) for step in sheet.steps]
    questions = {step.definition.slug: step.question for step in loaded if step}
    best = sorted(page, key=lambda result: not result.decisions)

    def line(result: Result) -> Line:
        cells: list[tuple[str, float, int] | None] = []
        for step in sheet.steps:
            found = result.decisions.get(step.slug)
            said = found and questions[step.slug].describe(found.value, locale)
            cells.append((said, found.confidence, found.n_answers) if found and said else None)
        return Line(result.key, _first_text(sheet, result), cells)

    return sheet, [line(result) for result in islice(best, GLANCE)]


def _first_text(sheet: Sheet, result: Result) -> str:
    values = (result.item.get(name) for name in sheet.columns)
    return next((str(value) for value in values if value not in (None, "")), "")


ROUTES: list[Any] = [list_batches, show_batch, events, results, set_state, set_priority]
