"""The form in which hours are stated or recorded: a day, from when until when, how long of it."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from canut.errors import Invalid, Problem
from canut.pay.deciding import text_problems
from canut.pay.hours import Hours
from canut.pay.policy.model import DAY_MS
from canut.web.pages.forms import day_ms

MINUTE_MS = 60_000
# without a zone: the form says that it is UTC
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")
_MINUTES = re.compile(r"([0-9]{1,5})(?:[.,]([0-9]{1,5}))?")


def read_hours(form: dict[str, str]) -> Hours:
    """What `kind`, `day`, `from`, `until`, `time` and `reason` say. An end before the beginning is
    on the day after; without a `time` it is all of it. Raises `Invalid` with every field that
    cannot be read, and where the end is the beginning: nothing, or a whole day."""
    problems: list[Problem] = []
    day = day_ms(form.get("day", ""))
    if day is None:
        problems.append(Problem("this is no day", "write it as 2026-11-01", field="day"))
    begin, end = _clock(form, "from", problems), _clock(form, "until", problems)
    if begin is not None and begin == end:
        mend = "write when they ended; a whole day is stated in two pieces"
        problems.append(Problem("they end when they begin", mend, field="until"))
    begin, end = begin or 0, end or 0
    length = end - begin if end > begin else end - begin + DAY_MS
    stated: int | None = length
    if form.get("time", "").strip():
        stated = minutes_ms(form["time"])
        if stated is None:
            mend = "write minutes, such as 95"
            problems.append(Problem("this is no time", mend, field="time"))
    if day is None or stated is None or problems:
        problems += text_problems(form.get("reason", ""), "reason")
        raise Invalid("These hours cannot be read.", problems=problems)
    return Hours(
        kind=form.get("kind", ""),
        from_ms=day + begin,
        until_ms=day + begin + length,
        stated_ms=stated,
        reason=form.get("reason", ""),
    )


def minutes_ms(text: str) -> int | None:
    """Minutes such as "95" or "2.5", in milliseconds; None for what is no such number."""
    found = _MINUTES.fullmatch(text.strip())
    if found is None:
        return None
    return round(Decimal(f"{found[1]}.{found[2] or 0}") * MINUTE_MS)


def written_minutes(ms: int) -> str:
    """A length as `minutes_ms` reads it back, to the millisecond."""
    return f"{Decimal(ms) / MINUTE_MS:.5f}".rstrip("0").rstrip(".")


def today(at_ms: int) -> str:
    """The day of a moment as a date field holds it."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def _clock(form: dict[str, str], name: str, problems: list[Problem]) -> int | None:
    """Milliseconds since midnight."""
    found = _CLOCK.fullmatch(form.get(name, "").strip())
    if found is None:
        problems.append(Problem("this is no time of day", "write it as 09:30", field=name))
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (hours * 3600 + minutes * 60 + seconds) * 1000
