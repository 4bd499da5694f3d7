"""Shares and counts as a reader of a language writes them."""

import math
from typing import Literal

from babel import numbers

Locale = Literal["en", "fr"]

_PERCENT: dict[Locale, str] = {"en": "#,##0.###%", "fr": "#,##0.###\u00a0%"}


def as_share(
    share: float, locale: Locale, *, up: bool = False, down: bool = False, places: int = 3
) -> str:
    """As a percentage with up to `places` decimals, 3 at most; a bound is rounded `up` or `down`,
    never to its favour."""
    parts = share * 100 * 10**places
    whole = round(parts)
    if abs(whole - parts) > 1e-6 and (up or down):
        whole = math.ceil(parts) if up else math.floor(parts)
    return numbers.format_percent(whole / (100 * 10**places), _PERCENT[locale], locale)


def as_count(number: int, locale: Locale) -> str:
    """A whole number with its thousands apart."""
    return numbers.format_decimal(number, locale=locale)
