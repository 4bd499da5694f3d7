"""Shares and counts as a reader of a language writes them."""

import math
from typing import Literal

from babel import numbers

Locale = Literal["en", "fr"]

_PERCENT: dict[Locale, str] = {"en": "#,##0.###%", "fr": "#,##0.###\u00a0%"}


def as_share(share: float, locale: Locale, *, up: bool = False) -> str:
    """As a percentage with up to three decimals; a bound is rounded `up`, never to its favour."""
    thousandths = share * 100_000
    whole = math.ceil(thousandths - 1e-6) if up else round(thousandths)
    return numbers.format_percent(whole / 100_000, _PERCENT[locale], locale)


def as_count(number: int, locale: Locale) -> str:
    """A whole number with its thousands apart."""
    return numbers.format_decimal(number, locale=locale)
