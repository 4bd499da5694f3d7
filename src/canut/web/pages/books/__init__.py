"""Pay and the books, for stewards and operators; and the open accounts, for everybody."""

from typing import Any

from canut.web.pages.books import (
    hours,
    ledger,
    open_accounts,
    overview,
    payouts,
    periods,
    prices,
    rules,
    run,
    times,
)

ROUTES: list[Any] = [
    *overview.ROUTES,
    *payouts.ROUTES,
    *run.ROUTES,
    *prices.ROUTES,
    *times.ROUTES,
    *hours.ROUTES,
    *periods.ROUTES,
    *rules.ROUTES,
    *ledger.ROUTES,
    *open_accounts.ROUTES,
]
