"""Which hours can be, and how much of them nothing else pays. Pure."""

from collections.abc import Iterable, Sequence

from canut.errors import Problem
from canut.pay.active_time import Interval, total_ms, union, without
from canut.pay.deciding import text_problems
from canut.pay.hours.model import KINDS, Hours, Room, TaskInSpan
from canut.pay.policy.model import DAY_MS, Policy

#: Nobody trains or waits for longer than a day on end: what is longer is several pieces, each of
#: which somebody can look at by itself.
SPAN_MAX_MS = DAY_MS
#: so many of one contributor wait for a decision, at most: somebody reads each
OPEN_MAX = 50
#: the task screen notes no shorter waiting: somebody has to look at each
NOTED_MIN_MS = 60_000


def currencies_of(policy: Policy, jurisdiction: str | None) -> list[str]:
    """What hours of somebody there can be paid in: the currencies of their floor, or where none was
    decided for their place, of that at home; the first that was decided before the others."""
    for place in (jurisdiction or policy.home, policy.home):
        found = [currency for of, currency in policy.floors if of == place]
        if found:
            return found
    return []


def default_currency(policy: Policy, jurisdiction: str | None) -> str | None:
    """The first of these."""
    return next(iter(currencies_of(policy, jurisdiction)), None)


def hours_problems(hours: Hours, policy: Policy, now_ms: int) -> list[Problem]:
    """Everything that is wrong with hours by themselves; their reason is not looked at."""
    found: list[Problem] = []
    if hours.kind not in KINDS:
        mend = f"use one of {', '.join(KINDS)}"
        found.append(Problem(f"{hours.kind!r} is no kind of hours", mend, field="kind"))
    length = hours.until_ms - hours.from_ms
    if hours.from_ms < 0:
        found.append(Problem("is before 1970", "give the moment they began", field="from"))
    if length <= 0:
        found.append(Problem("they end before they begin", field="until"))
    elif length > SPAN_MAX_MS:
        mend = "state them in pieces of a day at most"
        found.append(Problem("they last longer than a day", mend, field="until"))
    if hours.until_ms > now_ms:
        found.append(Problem("they are not over", "wait until they are", field="until"))
    if hours.stated_ms <= 0:
        found.append(Problem("is no time", "say how long it was", field="time"))
    elif 0 < length < hours.stated_ms:
        found.append(Problem("is longer than from begin to end", field="time"))
    currencies = sorted({currency for _, currency in policy.floors})
    if hours.currency is not None and hours.currency not in currencies:
        mend = f"use one of {', '.join(currencies)}"
        found.append(Problem(f"there is no floor in {hours.currency!r}", mend, field="currency"))
    return found


def room_in(span: Interval, tasks: Sequence[TaskInSpan], exams: Iterable[Interval]) -> Room:
    """What is left of a span beside agreed time of tasks and exams.

    Time that was measured is where it was measured. Of time that a person decided only its length
    is known: it is taken to lie in the span as far as it can.
    """
    whole = [span]
    at_exams = _within(union(exams), span)
    taken = union([*at_exams, *(one for task in tasks if not task.stated for one in task.measured)])
    exams_ms = total_ms(at_exams)
    for task in sorted(tasks, key=lambda one: one.ended_ms):
        if task.stated:
            free = without(_within([(task.claimed_ms, task.ended_ms)], span), taken)
            taken = union([*taken, *first_of(free, task.agreed_ms)])
    free = without(whole, taken)
    return Room(
        tasks=len(tasks),
        tasks_ms=total_ms(whole) - total_ms(free) - exams_ms,
        exams_ms=exams_ms,
        free=free,
    )


def first_of(intervals: Iterable[Interval], want_ms: int) -> list[Interval]:
    """The first `want_ms` of intervals in order, or all where there are fewer."""
    found: list[Interval] = []
    for start, end in intervals:
        take = min(end - start, want_ms)
        if take <= 0:
            break
        found.append((start, start + take))
        want_ms -= take
    return found


def decision_problems(
    agreed_ms: int, stated_ms: int, why: str, room: Room, *, field: str = "why"
) -> list[Problem]:
    """Everything that keeps somebody from agreeing to `agreed_ms`; `field` is that of the
    reason."""
    found = text_problems(why, field)
    if not 0 <= agreed_ms <= stated_ms:
        mend = f"give a time from 0 to {stated_ms / 1000} s"
        found.append(Problem("is not within what is stated", mend, field="time"))
    elif agreed_ms > room.most_ms:
        mend = f"give at most {room.most_ms / 1000} s: tasks and exams pay the rest"
        found.append(Problem("would pay time twice", mend, field="time"))
    return found


def _within(intervals: Iterable[Interval], span: Interval) -> list[Interval]:
    cut = ((max(start, span[0]), min(end, span[1])) for start, end in intervals)
    return [one for one in cut if one[0] < one[1]]
