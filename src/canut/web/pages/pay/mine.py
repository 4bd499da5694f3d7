"""My pay: what can be paid out, what is held and until when, the present period, and past ones."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.insight import own_pay
from canut.insight.own_pay_model import year_of
from canut.pay.accrual import pay_now
from canut.pay.hours import unpaid_ms
from canut.pay.payouts import asking
from canut.pay.policy import policy_at
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.view import now_ms, pool, show

CONTRIBUTORS = requires("contributor")
#: years that a page may be asked for
YEARS = range(1970, 9_999)


@get("/pay", opt=CONTRIBUTORS, include_in_schema=False)
async def show_pay(request: WebRequest) -> Response[str]:
    """The balance, the present period, and the periods of a year (`year`; the newest that has
    any)."""
    who, now, asked = principal(request).contributor(), now_ms(), _asked(request)
    async with pool(request).connection() as conn:
        balance = await pay_now(conn, who)

    def read(conn: SyncConn) -> dict[str, Any]:
        years = own_pay.read_years(conn, who)
        year = asked or max(years, default=datetime.fromtimestamp(now / 1000, UTC).year)
        weeks = own_pay.read_weeks(conn, who, year)
        return {
            "years": years,
            "year": year,
            "weeks": weeks,
            "sums": year_of(weeks),
            "present": own_pay.read_present(conn, who, now),
            "agreed_ms": unpaid_ms(conn, who),
            "held": own_pay.read_held(conn, who),
            "leaving": asking.leaving(conn, who),
            "account": asking.account_of(conn, who),
            "accept_days": policy_at(conn, now).accept_days,
        }

    return show(request, "pay/mine.html", balance=balance, **await in_thread(request, read))


def _asked(request: WebRequest) -> int | None:
    text = request.query_params.get("year", "")
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) == 4 and int(text) in YEARS:
        return int(text)
    raise NotFound("There is nothing at this address.")


ROUTES: list[Any] = [show_pay]
