"""Hours beside tasks, for those who decide: what waits, what tasks pay of it, and recording some
of somebody."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.errors import CanutError, Invalid, Problem
from canut.pay.deciding import REASON_CHARS_MAX
from canut.pay.hours import decide_hours, list_hours, record_hours
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.i18n import N_
from canut.web.pages.books.shared import KEEPERS, page
from canut.web.pages.forms import read_form
from canut.web.pages.hours_form import minutes_ms, read_hours, today, written_minutes
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, say

#: statements on a page: each is read
PAGE = 20
SAID: dict[str, str] = {
    "decided": N_("Decided. What was agreed is paid with the next pay slip."),
    "recorded": N_("Recorded. It is paid with the next pay slip."),
}


@get("/operator/pay/hours", opt=KEEPERS, include_in_schema=False)
async def show_hours(
    request: WebRequest,
    after: FromQuery[int] = 0,
    decided: FromQuery[int] = 0,
    contributor: FromQuery[str] = "",
    said: FromQuery[str] = "",
) -> Response[str]:
    """Those that wait, oldest first; with `decided`, all. `contributor` is in the form to record
    some."""
    notice = say(request, SAID[said]) if said in SAID else ""
    form = {"contributor": contributor}
    return await _page(request, form=form, after=after, decided=bool(decided), notice=notice)


@post("/operator/pay/hours", opt=KEEPERS, include_in_schema=False)
async def record(request: WebRequest) -> Response[Any]:
    """Record hours of a `contributor` (a number), which are agreed at once."""
    form, who = await read_form(request), principal(request)
    try:
        number = form.get("contributor", "").strip()
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            problem = Problem("this is no number of a contributor", field="contributor")
            raise Invalid("These hours cannot be recorded.", problems=[problem])
        hours = read_hours(form)
        await in_thread(request, lambda conn: record_hours(conn, who, int(number), hours, now_ms()))
    except CanutError as error:
        return await _page(request, error, form)
    return go("/operator/pay/hours?said=recorded")


@post("/operator/pay/hours/{hours_id:int}", opt=KEEPERS, include_in_schema=False)
async def decide(request: WebRequest, hours_id: FromPath[int]) -> Response[Any]:
    """Agree on a `time` in minutes, and say `why`."""
    form, who = await read_form(request), principal(request)
    try:
        agreed = minutes_ms(form.get("time", ""))
        if agreed is None:
            problem = Problem("this is no time", "write minutes, such as 95", field="time")
            raise Invalid("This cannot be decided so.", problems=[problem])
        await in_thread(
            request,
            lambda conn: decide_hours(conn, who, hours_id, agreed, form.get("why", ""), now_ms()),
        )
    except CanutError as error:
        return await _page(request, error, form | {"hours": str(hours_id)}, after=hours_id - 1)
    return go("/operator/pay/hours?said=decided")


async def _page(
    request: WebRequest,
    error: CanutError | None = None,
    form: dict[str, str] | None = None,
    *,
    after: int = 0,
    decided: bool = False,
    notice: str = "",
) -> Response[str]:
    at_ms = now_ms()
    found = await in_thread(
        request,
        lambda conn: list_hours(conn, at_ms, open_only=not decided, after=after, limit=PAGE + 1),
    )
    values: dict[str, Any] = {
        "asked": found[:PAGE],
        "most": {one.hours.id: written_minutes(one.most_ms) for one in found},
        "more": found[PAGE - 1].hours.id if len(found) > PAGE else None,
        "first": not after,
        "decided": decided,
        "notice": notice,
        "form": {"hours": "", "kind": "training", "day": today(at_ms)} | (form or {}),
        "reason_max": REASON_CHARS_MAX,
    }
    return page(request, "hours.html", error, **values)


ROUTES: list[Any] = [show_hours, record, decide]
