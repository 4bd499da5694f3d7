"""Pay, for contributors: what is theirs, how it came about, and how it comes to them."""

from typing import Any

from canut.web.pages.pay import account, hours, mine, slips, tasks

ROUTES: list[Any] = [*mine.ROUTES, *tasks.ROUTES, *hours.ROUTES, *slips.ROUTES, *account.ROUTES]
