"""Shares and counts as a reader of a language writes them."""

import math
from typing import Literal

from babel import numbers

Locale = Literal["en", "fr"]

_OVER: dict[Locale, str] = {"en": "over {}", "fr": "plus de {}"}
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


def sure(belief: float, places: int = 1) -> bool:
    """Whether a belief would be rounded to certainty, which no belief is."""
    return round(belief, places + 2) >= 1


def as_belief(belief: float, locale: Locale, places: int = 1) -> str:
    """A confidence, or how often somebody is believed to be right, with up to `places` decimals
    of a percent: "97.5%", and "over 99.9%" where that would round to all."""
    if sure(belief, places):
        return _OVER[locale].format(as_share(1 - 10 ** -(places + 2), locale))
    return as_share(round(belief, places + 2), locale)


def as_count(number: int, locale: Locale) -> str:
    """A whole number with its thousands apart."""
    return numbers.format_decimal(number, locale=locale)
