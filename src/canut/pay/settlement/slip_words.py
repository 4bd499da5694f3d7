"""How a pay slip says what it says: groups of tasks, amounts and times. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from babel import dates, numbers

from canut.pay.ledger.currency import DIGITS
from canut.pay.settlement.model import LineGroup, SlipLine
from canut.pay.settlement.slip_texts import Locale
from canut.questions.base import localise

#: where a language is at home, for dates: most English readers put the day first
_HOME: dict[Locale, str] = {"en": "en_GB", "fr": "fr"}


def grouped(lines: Sequence[SlipLine]) -> list[LineGroup]:
    """The lines of a slip in few: of a step, those paid the same price, and those by the hour."""
    found: dict[tuple[str, str, str, int | None], list[SlipLine]] = {}
    for line in lines:
        each = None if line.basis == "hour" else line.pay_minor
        found.setdefault((line.process, line.step, line.basis, each), []).append(line)
    return [
        LineGroup(
            process=process,
            step=step,
            process_title=group[-1].process_title,
            step_title=group[-1].step_title,
            basis=group[0].basis,
            n_tasks=len(group),
            each_minor=each,
            agreed_ms=sum(line.agreed_ms for line in group),
            pay_minor=sum(line.pay_minor for line in group),
        )
        for (process, step, _, each), group in sorted(
            found.items(), key=lambda one: (*one[0][:3], one[0][3] or 0)
        )
    ]


def titled(work: SlipLine | LineGroup, locale: Locale) -> str:
    """What was worked on, as pages call it: "Judge search results, Judge a result"."""
    return f"{localise(work.process_title, locale)}, {localise(work.step_title, locale)}"


def plain(amount: int, currency: str) -> str:
    """Minor units as programs read them: "12.50"."""
    return f"{Decimal(amount).scaleb(-DIGITS[currency]):f}"


def shown(amount: int, currency: str, locale: Locale) -> str:
    """Minor units as people read them: "12,50 €"."""
    exact = Decimal(amount).scaleb(-DIGITS[currency])
    return str(numbers.format_currency(exact, currency, locale=locale))


def seconds(ms: int, locale: Locale) -> str:
    """A time in seconds, exact: whoever recomputes needs every millisecond."""
    text = numbers.format_decimal(Decimal(ms).scaleb(-3), "#,##0.000", locale=locale)
    return f"{text}\N{NO-BREAK SPACE}s"


def day(at_ms: int, locale: Locale) -> str:
    """The day of a moment, UTC."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return str(dates.format_date(at, "long", locale=_HOME[locale]))


def iso(at_ms: int) -> str:
    """A moment as programs read it, UTC, to the second."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def moment(at_ms: int, locale: Locale) -> str:
    """A moment, UTC, to the minute."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return str(dates.format_datetime(at, "d MMM, HH:mm", locale=_HOME[locale]))
