"""Pay at a glance: what waits for a steward, what the co-op holds and for whom."""

from typing import Any

from litestar import Response, get

from canut.insight.books import read_waits
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal
from canut.web.pages.books.shared import KEEPERS, page
from canut.web.pages.books.words import ACCOUNTS, STAGES, spoken
from canut.web.pages.view import now_ms


@get("/operator/pay", opt=KEEPERS, include_in_schema=False)
async def overview(request: WebRequest) -> Response[str]:
    """What waits, the pay period, what the books hold."""
    who, at_ms = principal(request), now_ms()
    waits = await in_thread(request, lambda conn: read_waits(conn, who, at_ms))
    values: dict[str, Any] = {
        "waits": waits,
        "currencies": sorted({one.currency for one in waits.sums}),
        "held": {(one.kind, one.currency): one for one in waits.sums},
        "kinds": spoken(request, ACCOUNTS),
        "stages": spoken(request, STAGES),
        "at_ms": at_ms,
        "coop": house(request).settings.coop_file.exists(),
    }
    return page(request, "overview.html", **values)


ROUTES: list[Any] = [overview]
