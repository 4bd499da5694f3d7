"""Clients' money: what is on deposit, what batches take, how to pay, what was billed."""

from typing import Any

from canut.web.pages.money import batch, billing, keeping, overview, paying

ROUTES: list[Any] = [
    *overview.ROUTES,
    *billing.ROUTES,
    *paying.ROUTES,
    *batch.ROUTES,
    *keeping.ROUTES,
]
