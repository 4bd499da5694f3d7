"""How fast a batch is decided, and when it will be: from what was counted, with its range. Pure.

The time that was measured is cut into equal spans, and the rate of each is one observation. Their
mean is the rate; Student's t on their spread says from where to where it may be, and no rate is
called surer than so many independent events could be (Poisson). The range is about the pace that
was measured: whether people go on as they did, nobody can know.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

HOUR_MS = 3_600_000
#: what happened longer ago says little about now
LOOK_BACK_MS = 24 * HOUR_MS
#: a longer silence is a pause: while a batch runs, it is counted at least once an hour
SILENCE_MS = 65 * 60_000
#: less than this is no rate
MEASURED_MIN_MS = 3 * 60_000
DECIDED_MIN = 20
#: 97.5% quantile of Student's t by number of spans: 95 in 100 lie within
T = {3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}
SPANS_MAX = max(T)


class Pulse(Struct, frozen=True):
    """How far a batch was at a time."""

    at_ms: int
    n_answers: int
    n_decided: int


class Pace(Struct, frozen=True):
    """How fast decisions are made."""

    #: decisions an hour, and from where to where the rate may be
    rate: float
    low: float
    high: float
    #: how long was measured, without pauses
    measured_ms: int
    #: decisions an hour in each of the equal spans of that time
    spans: tuple[float, ...]


class End(Struct, frozen=True):
    """When the last decision may be made."""

    earliest_ms: int
    #: None: at the lowest rate that is likely there is no end to be told
    latest_ms: int | None


def pace(pulses: Sequence[Pulse], now_ms: int) -> Pace | None:
    """The rate, from pulses in the order of time; None while there is too little to tell one."""
    lately = [one for one in pulses if one.at_ms >= now_ms - LOOK_BACK_MS]
    stretches = [
        (b.at_ms - a.at_ms, max(0, b.n_decided - a.n_decided))
        for a, b in pairwise(lately)
        if 0 < b.at_ms - a.at_ms <= SILENCE_MS
    ]
    measured, decided = sum(ms for ms, _ in stretches), sum(n for _, n in stretches)
    count = min(SPANS_MAX, len(stretches))
    if measured < MEASURED_MIN_MS or decided < DECIDED_MIN or count < min(T):
        return None
    spans = _spans(stretches, measured / count, count)
    rate = decided / measured * HOUR_MS
    spread = math.sqrt(sum((one - rate) ** 2 for one in spans) / (count - 1) / count)
    error = T[count] * max(spread, math.sqrt(decided) / measured * HOUR_MS)
    return Pace(rate, max(0.0, rate - error), rate + error, measured, tuple(spans))


def end(found: Pace, left: int, now_ms: int) -> End:
    """When `left` decisions will have been made, at the ends of the range of the rate."""
    latest = now_ms + math.ceil(left / found.low * HOUR_MS) if found.low > 0 else None
    if latest is not None and latest - now_ms > 3650 * 24 * HOUR_MS:
        latest = None
    return End(now_ms + math.floor(left / found.high * HOUR_MS), latest)


def _spans(stretches: Sequence[tuple[int, int]], width: float, count: int) -> list[float]:
    """Decisions an hour in spans of `width` milliseconds; within a stretch they are even."""
    decided, at = [0.0] * count, 0.0
    for ms, n in stretches:
        begin, finish = at, at + ms
        for place in range(int(begin // width), min(count - 1, int(finish // width)) + 1):
            shared = min(finish, (place + 1) * width) - max(begin, place * width)
            if place < count:
                decided[place] += n * max(0.0, shared) / ms
        at = finish
    return [n / width * HOUR_MS for n in decided]
