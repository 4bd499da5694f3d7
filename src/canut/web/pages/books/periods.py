"""Pay periods, what each came to, and the pay slips that were written."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, Problem
from canut.pay.ledger import closed_until
from canut.pay.reading import EVER
from canut.pay.settlement import (
    Period,
    Settled,
    grouped,
    list_periods,
    list_slips,
    next_period,
    read_slip,
    settle_until,
    sums_of,
    waits_for_count,
)
from canut.pay.settlement.slip_sum import steps
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.pages.books.shared import KEEPERS, PAGE, committing, page
from canut.web.pages.books.words import BASES, spoken
from canut.web.pages.forms import day_ms, read_form
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms


class Sight(Struct, frozen=True):
    """What the page of periods shows."""

    periods: list[Period]
    sums: dict[int, list[Settled]]
    next: tuple[int, int] | None
    uncounted: int
    closed_ms: int


@get("/operator/pay/periods", opt=KEEPERS, include_in_schema=False)
async def show_periods(request: WebRequest, before: FromQuery[int] = EVER) -> Response[str]:
    """Periods, newest first, and the one that runs."""
    return await _page(request, before=before)


@post("/operator/pay/periods", opt=KEEPERS, include_in_schema=False)
async def settle(request: WebRequest) -> Response[Any]:
    """Settle what is over; with `until`, a day, also the period that runs, up to that day."""
    form, who = await read_form(request), principal(request)
    text = form.get("until", "")
    try:
        until = day_ms(text) if text else None
        if text and until is None:
            problem = Problem(f"{text!r} is no day", "write it as 2026-11-01", field="until")
            raise Invalid("Nothing can be settled.", problems=[problem])
        await committing(request, lambda conn: settle_until(conn, who, now_ms(), until))
    except CanutError as error:
        return await _page(request, error)
    return go("/operator/pay/periods")


@get("/operator/pay/slips", opt=KEEPERS, include_in_schema=False)
async def show_slips(
    request: WebRequest,
    period: FromQuery[int | None] = None,
    contributor: FromQuery[int | None] = None,
    before: FromQuery[int] = EVER,
) -> Response[str]:
    """Pay slips, newest first: of a period, of a contributor, or all."""
    found = await in_thread(
        request,
        lambda conn: list_slips(
            conn, contributor_id=contributor, period_id=period, before=before, limit=PAGE + 1
        ),
    )
    values: dict[str, Any] = {
        "slips": found[:PAGE],
        "older": found[PAGE - 1].id if len(found) > PAGE else None,
        "first": before == EVER,
        "period": period,
        "contributor": contributor,
    }
    return page(request, "slips.html", **values)


@get("/operator/pay/slips/{slip_id:int}", opt=KEEPERS, include_in_schema=False)
async def show_slip(request: WebRequest, slip_id: FromPath[int]) -> Response[str]:
    """A pay slip: the sum, and the work in groups."""
    slip = await in_thread(request, lambda conn: read_slip(conn, slip_id))
    values: dict[str, Any] = {
        "slip": slip.summary,
        "hours": slip.hours,
        "work": grouped(slip.lines),
        "steps": steps(slip, "fr" if locale_of(request) == "fr" else "en"),
        "bases": spoken(request, BASES),
    }
    return page(request, "slip.html", **values)


async def _page(
    request: WebRequest, error: CanutError | None = None, *, before: int = EVER
) -> Response[str]:
    at_ms = now_ms()
    sight = await in_thread(request, lambda conn: _sight(conn, before, at_ms))
    values: dict[str, Any] = {
        "sight": sight,
        "periods": sight.periods[:PAGE],
        "older": sight.periods[PAGE - 1].id if len(sight.periods) > PAGE else None,
        "first": before == EVER,
        "at_ms": at_ms,
    }
    return page(request, "periods.html", error, **values)


def _sight(conn: SyncConn, before: int, at_ms: int) -> Sight:
    found = list_periods(conn, before=before, limit=PAGE + 1)
    span = next_period(conn)
    over = span is not None and span[1] <= at_ms
    return Sight(
        periods=found,
        sums=sums_of(conn, found[:PAGE]),
        next=span,
        uncounted=waits_for_count(conn, span[1]) if span and over else 0,
        closed_ms=closed_until(conn),
    )


ROUTES: list[Any] = [show_periods, settle, show_slips, show_slip]
