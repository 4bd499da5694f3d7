"""How numbers, money and times are written in a language. Times are UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from babel import Locale, dates, numbers, units

from canut.quality.figures import as_belief, sure

#: where a language is at home, for dates: most English readers put the day first
REGIONS = {"en": "en_GB"}
#: from here on, an axis says 12k
COMPACT_MIN = 10_000
#: from how many milliseconds on, how many are one, and the unit a duration is then written in
_CLOCK = (
    (172_800_000, 86_400_000, "duration-day"),
    (7_200_000, 3_600_000, "duration-hour"),
    (120_000, 60_000, "duration-minute"),
    (1_000, 1_000, "duration-second"),
    (0, 1, "duration-millisecond"),
)


class Formats:
    """The ways of one language."""

    def __init__(self, locale: str):
        self._locale = locale
        self._regional = REGIONS.get(locale, locale)

    def number(self, value: float, digits: int | None = None) -> str:
        """With as many decimals as it has, at most three, or with so many."""
        pattern = None if digits is None else "#,##0." + "0" * digits if digits else "#,##0"
        return numbers.format_decimal(value, format=pattern, locale=self._locale)

    def entered(self, text: str) -> str:
        """A number as programs write it, such as 12.50, as people type it into a form."""
        return text.replace(".", numbers.get_decimal_symbol(self._locale))

    def percent(self, share: float, digits: int = 1) -> str:
        """A share of 1."""
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        space = "\u202f" if self._locale == "fr" else ""
        return numbers.format_percent(share, format=f"{pattern}{space}%", locale=self._locale)

    def belief(self, share: float, digits: int = 1) -> str:
        """A confidence: a share of 1 that is never said to be all."""
        if sure(share, digits):
            return as_belief(share, "fr" if self._locale == "fr" else "en", digits)
        return self.percent(share, digits)

    def money(self, minor: int, currency: str) -> str:
        """An amount in minor units."""
        return numbers.format_currency(_major(minor, currency), currency, locale=self._locale)

    def micro(self, amount: float, currency: str) -> str:
        """An amount in millionths of a currency, with as many digits as say something."""
        value = Decimal(round(amount)).scaleb(-6)
        digits = 2 if value == 0 or value >= 1 else min(6, 1 - value.adjusted())
        pattern = str(Locale.parse(self._locale).currency_formats["standard"].pattern)
        return numbers.format_currency(
            value,
            currency,
            format=pattern.replace(".00", f".{'0' * max(2, digits)}"),
            locale=self._locale,
            currency_digits=False,
        )

    def moment(self, at_ms: int, style: str = "medium") -> str:
        """Date and time."""
        return dates.format_datetime(_utc(at_ms), format=style, locale=self._regional)

    def day(self, at_ms: int, style: str = "medium") -> str:
        """The date."""
        return dates.format_date(_utc(at_ms), format=style, locale=self._regional)

    def duration(self, ms: int) -> str:
        """About how long, in words."""
        delta = timedelta(milliseconds=ms)
        return dates.format_timedelta(delta, threshold=1.5, locale=self._locale)

    def measure(self, value: float, unit: str, short: bool = False) -> str:
        """A value of a chart in its unit (`canut.insight.charts.model.Unit`); short for axes."""
        if unit == "percent":
            value = round(value, 4) if short else value
            return self.percent(value, _digits(value * 100) if short else 1)
        if unit == "belief":
            return self.measure(value, "percent", short) if short else self.belief(value)
        if unit == "duration":
            return self._span(value)
        if unit == "day":
            return self._short_day(value) if short else self.day(int(value))
        if unit.startswith("money:"):
            currency = unit.removeprefix("money:")
            given = self._short_money if short else self.money
            return given(round(value), currency)
        if short and abs(value) >= COMPACT_MIN:
            return numbers.format_compact_decimal(value, locale=self._locale, fraction_digits=1)
        return numbers.format_decimal(value, locale=self._locale)

    def _span(self, ms: float) -> str:
        unit_ms, name = next(one[1:] for one in _CLOCK if abs(ms) >= one[0])
        return units.format_unit(round(ms / unit_ms, 1), name, "short", locale=self._locale)

    def _short_day(self, at_ms: float) -> str:
        return dates.format_skeleton("MMMd", _utc(int(at_ms)), locale=self._regional)

    def _short_money(self, minor: int, currency: str) -> str:
        amount = _major(minor, currency)
        if abs(amount) >= COMPACT_MIN:
            return numbers.format_compact_currency(
                amount, currency, locale=self._locale, fraction_digits=1
            )
        if amount != amount.to_integral():
            return self.money(minor, currency)
        pattern = str(Locale.parse(self._locale).currency_formats["standard"].pattern)
        return numbers.format_currency(
            amount,
            currency,
            format=pattern.replace(".00", ""),
            locale=self._locale,
            currency_digits=False,
        )


def formats(locale: str) -> dict[str, Callable[..., str]]:
    """The ways of this language by name, for templates."""
    made = Formats(locale)
    return {
        "number": made.number,
        "entered": made.entered,
        "percent": made.percent,
        "belief": made.belief,
        "money": made.money,
        "micro": made.micro,
        "moment": made.moment,
        "day": made.day,
        "duration": made.duration,
        "measure": made.measure,
        "iso": iso,
    }


def iso(at_ms: int) -> str:
    """A time as programs read it."""
    return _utc(at_ms).isoformat(timespec="seconds").replace("+00:00", "Z")


def _major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-numbers.get_currency_precision(currency))


def _digits(value: float) -> int:
    """Decimals that a mark on an axis needs, at most two."""
    return next((n for n in (0, 1) if abs(value - round(value, n)) < 1e-9), 2)


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
