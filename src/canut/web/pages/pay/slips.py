"""My pay slips: the list, one with its whole sum, and the same as PDF and CSV."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from canut.pay.reading import EVER
from canut.pay.settlement import grouped, list_slips
from canut.pay.settlement.slip_sum import steps
from canut.pay.settlement.slip_texts import Locale
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.render import locale_of
from canut.web.pages.view import show
from canut.web.slips import own_slip, slip_to_read, slip_to_reckon

CONTRIBUTORS = requires("contributor")
#: slips, and tasks of a slip, on a page
PAGE, TASKS = 50, 200


@get("/pay/slips", opt=CONTRIBUTORS, include_in_schema=False)
async def show_slips(request: WebRequest, before: FromQuery[int] = EVER) -> Response[str]:
    """Pay slips, newest first."""
    who = principal(request).contributor()
    found = await in_thread(
        request,
        lambda conn: list_slips(conn, contributor_id=who, before=before, limit=PAGE + 1),
    )
    older = found[PAGE - 1].id if len(found) > PAGE else None
    values: dict[str, Any] = {"slips": found[:PAGE], "older": older, "first": before == EVER}
    return show(request, "pay/slips.html", **values)


@get("/pay/slips/{slip_id:int}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_slip(
    request: WebRequest, slip_id: FromPath[int], page: FromQuery[int] = 1
) -> Response[str]:
    """A pay slip: what it says can be done again by hand."""
    slip, name = await own_slip(request, slip_id)
    pages = -(-len(slip.lines) // TASKS) or 1
    at = min(max(page, 1), pages)
    values: dict[str, Any] = {
        "slip": slip.summary,
        "hours": slip.hours,
        "grouped": grouped(slip.lines),
        "steps": steps(slip, _language(request)),
        "lines": slip.lines[(at - 1) * TASKS : at * TASKS],
        "name": name,
        "page": at,
        "pages": pages,
    }
    return show(request, "pay/slip.html", **values)


@get("/pay/slips/{slip_id:int}/slip.pdf", opt=CONTRIBUTORS, include_in_schema=False)
async def slip_as_pdf(request: WebRequest, slip_id: FromPath[int]) -> Response[bytes]:
    """The same, to keep."""
    return await slip_to_read(request, slip_id, _language(request))


@get("/pay/slips/{slip_id:int}/slip.csv", opt=CONTRIBUTORS, include_in_schema=False)
async def slip_as_csv(request: WebRequest, slip_id: FromPath[int]) -> Response[bytes]:
    """The same, for a spreadsheet: every task in whole milliseconds."""
    return await slip_to_reckon(request, slip_id, _language(request))


def _language(request: WebRequest) -> Locale:
    return "fr" if locale_of(request) == "fr" else "en"


ROUTES: list[Any] = [show_slips, show_slip, slip_as_pdf, slip_as_csv]
