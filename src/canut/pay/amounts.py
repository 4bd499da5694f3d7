"""Amounts as people write them. Pure."""

import re

from canut.errors import Invalid, Problem
from canut.pay.ledger.currency import DIGITS
from canut.pay.ledger.rules import AMOUNT_MAX

#: beyond it nobody pays in at once
MINOR_MAX = 10**15
KEY_CHARS_MAX = 100


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


def request_problems(amount: int, currency: str, key: str) -> list[Problem]:
    """What is wrong with a request for `amount` (minor units), which `key` tells from others."""
    found = []
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 < amount <= AMOUNT_MAX:
        text = f"{amount!r} is no amount"
        found.append(Problem(text, "give minor units above 0", field="amount"))
    if currency not in DIGITS:
        found.append(Problem(f"{currency!r} is no currency", "use ISO 4217", field="currency"))
    if not 0 < len(key) <= KEY_CHARS_MAX:
        mend = f"write 1 to {KEY_CHARS_MAX} characters"
        found.append(Problem(f"{len(key)} characters", mend, field="key"))
    return found
