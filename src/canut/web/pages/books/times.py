"""Times that contributors state: what was measured, what is stated, what speaks for which."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.errors import CanutError, Invalid, Problem
from canut.insight.books import read_asked
from canut.insight.store_operations import titles
from canut.pay.deciding import REASON_CHARS_MAX
from canut.pay.time import decide_review
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.pages.books.shared import KEEPERS, page
from canut.web.pages.forms import read_form
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, pool

#: statements on a page: each is read
PAGE = 10


@get("/operator/pay/times", opt=KEEPERS, include_in_schema=False)
async def show_times(
    request: WebRequest, after: FromQuery[int] = 0, decided: FromQuery[int] = 0
) -> Response[str]:
    """Those that wait, oldest first; with `decided`, all."""
    return await _page(request, after=after, decided=bool(decided))


@post("/operator/pay/times/{review_id:int}", opt=KEEPERS, include_in_schema=False)
async def decide(request: WebRequest, review_id: FromPath[int]) -> Response[Any]:
    """Agree on a `time` in seconds, and say `why`."""
    form, who = await read_form(request), principal(request)
    try:
        time = _milliseconds(form.get("time", ""))
        await in_thread(
            request,
            lambda conn: decide_review(conn, who, review_id, time, form.get("why", ""), now_ms()),
        )
    except CanutError as error:
        return await _page(request, error, form | {"review": str(review_id)}, after=review_id - 1)
    return go("/operator/pay/times")


def _milliseconds(text: str) -> int:
    try:
        return round(float(text.strip().replace(",", ".")) * 1000)
    except (ValueError, OverflowError):
        problem = Problem(f"{text!r} is no number", "write seconds, such as 95", field="time")
        raise Invalid("This cannot be decided so.", problems=[problem]) from None


async def _page(
    request: WebRequest,
    error: CanutError | None = None,
    form: dict[str, str] | None = None,
    *,
    after: int = 0,
    decided: bool = False,
) -> Response[str]:
    found = await in_thread(
        request,
        lambda conn: read_asked(
            conn, open_only=not decided, after=after, limit=PAGE + 1, now_ms=now_ms()
        ),
    )
    places = sorted({(one.evidence.process_id, one.evidence.slug) for one in found})
    async with pool(request).connection() as conn:
        named = await titles(conn, places)
    values: dict[str, Any] = {
        "asked": found[:PAGE],
        "titles": named,
        "more": found[PAGE - 1].review.id if len(found) > PAGE else None,
        "first": not after,
        "decided": decided,
        "form": {"review": "", "time": "", "why": ""} | (form or {}),
        "reason_max": REASON_CHARS_MAX,
    }
    return page(request, "times.html", error, **values)


ROUTES: list[Any] = [show_times, decide]
