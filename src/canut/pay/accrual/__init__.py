"""Accrual: answers become earnings, earnings a sheet, and a sheet is theirs after five days."""

from canut.pay.accrual.accepting import accept_batch, accept_due
from canut.pay.accrual.accruing import accrue, post_ai
from canut.pay.accrual.model import Earning, PayNow, Sheet
from canut.pay.accrual.reading import pay_between, pay_now, read_earnings, read_sheets

__all__ = [
    "Earning",
    "PayNow",
    "Sheet",
    "accept_batch",
    "accept_due",
    "accrue",
    "pay_between",
    "pay_now",
    "post_ai",
    "read_earnings",
    "read_sheets",
]
