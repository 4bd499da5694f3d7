"""Where clients watch their batches: the list, one batch, its results, its course."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Stream
from msgspec import Struct

from canut.channels.drafts import drafting
from canut.channels.export import FORMATS, MEDIA_TYPES, Format
from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, NotFound, Problem
from canut.insight.browse import Asked, Place, browse
from canut.insight.overview import read_shares
from canut.insight.progress import (
    Certified,
    Cost,
    Measured,
    read_certified,
    read_cost,
    read_measured,
    read_now,
)
from canut.pay.money.purse_model import BatchPurse
from canut.pay.money.purses import read_batch_purse
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.exports import open_export
from canut.web.pages.listing import Listed, listed, step_of
from canut.web.pages.measured import Drawn, drawn
from canut.web.pages.render import go, locale_of
from canut.web.pages.story import METHODS
from canut.web.pages.view import now_ms, pool, say, show, told
from canut.web.pages.work import read_form
from canut.work import batches
from canut.work.model import Batch, BatchState, StepProgress

CLIENTS = requires("client", "operator")
#: batches on a page of the list
PAGE = 30
#: items shown with a batch
GLANCE = 8


class Extent(Struct, frozen=True):
    """What a page of a batch reads once, besides how far it is."""

    measured: list[Measured]
    cost: list[Cost]
    purse: BatchPurse | None
    certified: list[Certified]
    rows: list[Listed]


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
    who, locale = principal(request), locale_of(request)
    batch = await batches.read_batch(pool(request), who, batch_id)
    async with pool(request).connection() as conn:
        now = await read_now(conn, batch, now_ms())
    steps = [one.step for one in now.steps]
    found = await in_thread(request, lambda conn: _extent(conn, who, batch, steps, locale))
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    values: dict[str, Any] = {
        "batch": batch,
        "now": now,
        "at_ms": now_ms(),
        "found": found,
        "methods": METHODS,
        "charts_of": [
            (one.step, measured, _drawn(request, measured, one.target))
            for one, measured in zip(now.steps, found.measured, strict=True)
            if measured.read
        ],
        "contested": [
            one.contested for one, read in zip(now.steps, found.measured, strict=True) if read.read
        ],
        "formats": FORMATS,
        "problems": told(request, problems),
    }
    return show(request, "client/batch.html", status=422 if error else 200, **values)


def _drawn(request: WebRequest, measured: Measured, target: float) -> Drawn:
    return drawn(measured, target, lambda text: say(request, text), METHODS)


def _extent(
    conn: SyncConn, who: Principal, batch: Batch, steps: list[StepProgress], locale: str
) -> Extent:
    rows: list[Listed] = []
    if steps:
        step = steps[0].batch_step_id
        page = browse(conn, batch.id, Asked(step), Place())
        rows = listed(page.rows[:GLANCE], step_of(conn, step), locale)
    return Extent(
        measured=[read_measured(conn, step) for step in steps],
        cost=read_cost(conn, batch.id),
        purse=read_batch_purse(conn, who, batch.id),
        certified=read_certified(conn, batch.id),
        rows=rows,
    )


ROUTES: list[Any] = [list_batches, show_batch, results, set_state, set_priority]
