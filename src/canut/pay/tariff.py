"""What a task pays: from measured time and the hourly floor. Pure.

    price = ceil(floor x max(1.2 x mean, U90(mean)) / 3,600,000)

in minor units, with times in milliseconds. 1.2 x mean is the United Kingdom's "fair piece rate"
(National Minimum Wage Regulations 2015, reg. 43); U90 is the upper end of a bootstrap that draws
contributors, for few of them say little about the next. A price alone guarantees nobody anything,
since people differ: what does is the top-up, for each of them and each period.
"""

import math
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

HOUR_MS = 3_600_000
#: the share of the mean time that a price pays, so that slower people reach the floor too
FAIR = 1.2
#: level of the bootstrap's upper bound, and how often it draws
LEVEL, DRAWS = 0.9, 2000
#: draws made at once: memory stays flat however many contributors there are
DRAWS_AT_ONCE = 100
#: measured tasks after which a price is looked at again
REPRICE_AT = (30, 100, 300)
#: from this pace on, a person looks; pay is not touched
SLOW = 2.0

Stage = Literal["pilot", "measured"]


class Times(Struct, frozen=True):
    """Agreed times of tasks at a step: two columns of the same length."""

    #: who worked, int64 (n,)
    contributor: Int64
    #: how long, in milliseconds, int64 (n,)
    active_ms: Int64

    def mean_ms(self) -> float:
        """Raises ValueError where nothing was measured."""
        if not len(self.active_ms):
            raise ValueError("no times: a price needs a pilot")
        return float(self.active_ms.mean())


class Price(Struct, frozen=True):
    """A price, with what it rests on."""

    #: what a task pays, in minor units
    minor: int
    mean_ms: float
    #: upper bound on the mean
    upper_ms: float
    tasks: int
    contributors: int


class Repriced(Struct, frozen=True):
    """What a new measurement makes of an agreed price."""

    #: what tasks of batches under way pay from now on: never less than what was agreed
    running_minor: int
    #: owed for each task that was paid the agreed price
    owed_minor: int
    #: what tasks of new batches pay
    new_minor: int


def price(times: Times, floor_minor: int, seed: int) -> Price:
    """What a task should pay where the floor is `floor_minor` an hour. The same seed gives the same
    price. Raises ValueError for no times, negative ones, or no floor."""
    if floor_minor <= 0:
        raise ValueError("a floor is more than nothing")
    if (times.active_ms < 0).any():
        raise ValueError("times are not negative")
    mean, upper = times.mean_ms(), upper_mean_ms(times, seed)
    due = _ceil(floor_minor * max(FAIR * mean, upper) / HOUR_MS)
    # nothing is worth nothing, however quick
    people = len(np.unique(times.contributor))
    return Price(max(due, 1), mean, upper, len(times.active_ms), people)


def upper_mean_ms(times: Times, seed: int) -> float:
    """Upper end of the mean time, by a bootstrap that draws contributors (their tasks together).

    Of one contributor nothing is known about how people differ; then tasks are drawn instead.
    Source: Davison & Hinkley, "Bootstrap methods and their application" (1997), 3.8 (clusters).
    """
    who = np.unique(times.contributor, return_inverse=True)[1]
    if len(times.active_ms) and who.max() == 0:
        who = np.arange(len(times.active_ms))
    total = np.bincount(who, times.active_ms)
    tasks = np.bincount(who)
    rng = np.random.default_rng(seed)
    means = []
    for begin in range(0, DRAWS, DRAWS_AT_ONCE):
        size = (min(DRAWS_AT_ONCE, DRAWS - begin), len(total))
        drawn = rng.integers(0, len(total), size)
        means.append(total[drawn].sum(axis=1) / tasks[drawn].sum(axis=1))
    return float(np.quantile(np.concatenate(means), LEVEL, method="higher"))


def reprice(agreed_minor: int, measured: Price) -> Repriced:
    """Upward for what was done already, downward for new batches only."""
    running = max(agreed_minor, measured.minor)
    return Repriced(running, running - agreed_minor, measured.minor)


def reprice_due(measured: int, priced_at: int) -> bool:
    """Whether `measured` tasks have passed a mark that `priced_at`, those of the last price, had
    not."""
    return any(priced_at < mark <= measured for mark in REPRICE_AT)


def hourly_minor(price_minor: int, mean_ms: float) -> float:
    """What a price comes to for an hour of tasks that take `mean_ms`."""
    if mean_ms <= 0:
        raise ValueError("a task takes some time")
    return price_minor * HOUR_MS / mean_ms


def owed_for_time(floor_minor: int, agreed_ms: int) -> int:
    """The least that `agreed_ms` of work must have brought: ceil(floor x time)."""
    if floor_minor < 0 or agreed_ms < 0:
        raise ValueError("neither a floor nor a time is negative")
    return -(-floor_minor * agreed_ms // HOUR_MS)


def top_up(floor_minor: int, agreed_ms: int, qualifying_minor: int) -> int:
    """What is missing to the floor for one contributor and one period, over all clients. Bonuses
    and expenses are not among `qualifying_minor`."""
    if qualifying_minor < 0:
        raise ValueError("pay is not negative")
    return max(0, owed_for_time(floor_minor, agreed_ms) - qualifying_minor)


def pace(contributor: Int64, task: Int64, active_ms: Int64) -> dict[int, float]:
    """Contributor -> median over their tasks of their time, divided by the task's median time.

    Columns of the same length. Tasks that one person did say nothing, and are left out; so are
    those whose median is nothing. From `SLOW` on a person looks; the pay is not touched.
    """
    names, place, n = np.unique(task, return_inverse=True, return_counts=True)
    order = np.lexsort((active_ms, place))
    first = np.concatenate([[0], np.cumsum(n)[:-1]])
    sorted_ms = active_ms[order].astype(np.float64)
    if not len(names):
        return {}
    median = (sorted_ms[first + (n - 1) // 2] + sorted_ms[first + n // 2]) / 2
    heard = (n[place] > 1) & (median[place] > 0)
    ratio = active_ms[heard] / median[place[heard]]
    who = contributor[heard]
    return {int(one): float(np.median(ratio[who == one])) for one in np.unique(who)}


def _ceil(value: float) -> int:
    # what a whole number of minor units became in floating point is that number
    return math.ceil(value - 1e-9)
