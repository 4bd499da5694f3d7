"""Open accounts: what work brought and cost, month by month, for everybody to read."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

from babel import dates
from litestar import Response, get
from litestar.params import FromQuery

from canut.errors import NotFound
from canut.insight.charts import Axis, Bar, BarChart
from canut.pay.open_accounts import HOURLY_STEP, PEOPLE_MIN, Figures, OpenMonth, read_months
from canut.pay.settlement.slip_words import plain
from canut.web.auth import OPEN, WebRequest, house
from canut.web.formats import iso
from canut.web.i18n import N_
from canut.web.pages.books.shared import page
from canut.web.pages.render import locale_of
from canut.web.pages.view import pool, say

HEAD = ["month", "currency", "published", "contributors", "simulated", "median_hourly", "pay",
        "pay_of_the_coop", "topups", "contributions", "language_models", "fee", "clients_paid",
        "contributors_share"]  # fmt: skip
PARTS = (
    (N_("Pay of contributors"), "pay_minor"),
    (N_("Social contributions"), "social_minor"),
    (N_("Language models"), "ai_minor"),
    (N_("Fee of the co-op"), "fee_minor"),
)
#: months that are drawn beside each other
MONTHS_DRAWN = 12
HOURLY = N_("Median pay of an hour")
WENT = N_("Where the money of clients went")
MONTH, PART = N_("Month"), N_("Part")


@get("/open-accounts", opt=OPEN, include_in_schema=False)
async def show_month(request: WebRequest, month: FromQuery[str] = "") -> Response[str]:
    """A month, the newest where none is named."""
    async with pool(request).connection() as conn:
        months = await read_months(conn)
    found = next((one for one in months if month in ("", one.name)), None)
    if month and found is None:
        raise NotFound("There is nothing at this address.")
    coop = house(request).coop()
    values: dict[str, Any] = {
        "months": months,
        "month": found,
        "went": {
            share.currency: _went(request, share.currency, share.figures)
            for share in (found.shares if found else [])
            if share.figures is not None
        },
        "course": _course(request, months),
        "people_min": PEOPLE_MIN,
        "hourly_step": HOURLY_STEP,
        "month_of": lambda at_ms: _month(at_ms, locale_of(request)),
        "coop": coop.name if coop else "",
    }
    return page(request, "open.html", **values)


@get("/open-accounts.csv", opt=OPEN, include_in_schema=False)
async def months_as_csv(request: WebRequest) -> Response[str]:
    """Every month, newest first; what is not shown of few people is empty."""
    async with pool(request).connection() as conn:
        months = await read_months(conn)
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(HEAD)
    rows.writerows(
        _row(month, one.currency, one.figures) for month in months for one in month.shares
    )
    headers = {"content-disposition": 'attachment; filename="open-accounts.csv"'}
    return Response(out.getvalue(), media_type="text/csv", headers=headers)


def _month(at_ms: int, locale: str) -> str:
    """The month of a moment, with its year."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    name = str(dates.format_skeleton("yMMMM", at, locale=locale))
    return name[0].upper() + name[1:]


def _row(month: OpenMonth, currency: str, figures: Figures | None) -> list[str]:
    start = [month.name, currency, iso(month.published_ms)]
    if figures is None:
        return [*start, *([""] * (len(HEAD) - len(start)))]
    amounts = (
        *(figures.hourly_minor, figures.pay_minor, figures.coop_minor, figures.topup_minor),
        *(figures.social_minor, figures.ai_minor, figures.fee_minor, figures.clients_minor),
    )
    share = "" if figures.share is None else f"{figures.share:.4f}"
    people = [str(figures.contributors), str(figures.simulated)]
    return [
        *start,
        *people,
        *("" if one is None else plain(one, currency) for one in amounts),
        share,
    ]


def _went(request: WebRequest, currency: str, figures: Figures) -> BarChart:
    bars = [Bar(say(request, name), getattr(figures, part)) for name, part in PARTS]
    return BarChart(say(request, WENT), Axis("", f"money:{currency}"), bars, say(request, PART))


def _course(request: WebRequest, months: list[OpenMonth]) -> dict[str, BarChart]:
    """Hourly pay of the last months, by currency, where there are at least two."""
    bars: dict[str, list[Bar]] = {}
    for month in months[:MONTHS_DRAWN]:
        name = _month(month.from_ms, locale_of(request))
        for one in month.shares:
            if one.figures is not None and one.figures.hourly_minor is not None:
                bars.setdefault(one.currency, []).append(Bar(name, one.figures.hourly_minor))
    title, names = say(request, HOURLY), say(request, MONTH)
    return {
        currency: BarChart(title, Axis("", f"money:{currency}"), found, names)
        for currency, found in bars.items()
        if len(found) > 1
    }


ROUTES: list[Any] = [show_month, months_as_csv]
