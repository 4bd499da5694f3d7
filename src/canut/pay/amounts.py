"""Amounts as people write them. Pure."""

import re

from canut.errors import Invalid, Problem
from canut.pay.ledger.currency import DIGITS

#: beyond it nobody pays in at once
MINOR_MAX = 10**15


def read_minor(text: str, currency: str, field: str = "amount") -> int:
    """Minor units of "12.50" (or "12,50"): above 0, and in whole ones. Raises `Invalid`."""
    if currency not in DIGITS:
        problem = Problem(f"{currency!r} is no currency", "use ISO 4217", field="currency")
        raise Invalid("This is no amount.", problems=[problem])
    digits: int = DIGITS[currency]
    found = re.fullmatch(r"([0-9]{1,15})(?:[.,]([0-9]+))?", text.strip())
    part = (found[2] or "") if found else ""
    if not found:
        mend, wrong = "write it as 12.50", f"{text!r} is no amount"
    elif len(part.rstrip("0")) > digits:
        mend = f"{currency} has {digits} decimals"
        wrong = f"{text} is not in whole minor units"
    else:
        minor: int = int(found[1]) * 10**digits + int(part[:digits].ljust(digits, "0") or 0)
        if 0 < minor <= MINOR_MAX:
            return minor
        mend, wrong = "give more than nothing", f"{text} cannot be"
    raise Invalid("This is no amount.", problems=[Problem(wrong, mend, field=field)])
