"""A simulated crowd: who takes which task, and how long it takes. Pure, but for its seed.

The time of a task is lognormal: that of its kind, times its difficulty, times the pace of whoever
does it, times chance.
"""

import numpy as np
from msgspec import Struct
from numpy.random import Generator
from numpy.typing import NDArray

from canut.pay.policy.model import DAY_MS
from canut.pay.tariff import HOUR_MS

Int64 = NDArray[np.int64]

#: what contributors do: their work, slowly on purpose, or the easy tasks only
HONEST, SLOW, PICKY = 0, 1, 2
#: mean seconds of a task of each client
SECONDS = (25.0, 45.0, 90.0, 240.0)
#: spread (of the logarithm) of tasks, of people and of chance
TASKS, PEOPLE, CHANCE = 0.5, 0.35, 0.35
#: how much slower whoever is slow on purpose is
SLOWER = 2.5
#: the picky look at so many tasks, this long each, and take the easiest
LOOKED_AT, LOOK_MS = 5, 2_000
#: no task is anybody's for longer
LEASE_MS = HOUR_MS
#: work begins at six, and each contributor works on a day without a break
MORNING_MS = 6 * HOUR_MS


class Plan(Struct, frozen=True):
    """How large the crowd is."""

    contributors: int = 300
    tasks: int = 30_000
    weeks: int = 8
    #: shares of the contributors
    slow: float = 0.05
    picky: float = 0.05
    seed: int = 1

    @property
    def clients(self) -> int:
        """One for each kind of task."""
        return len(SECONDS)


class Shift(Struct, frozen=True):
    """All that happens: a row for each task in somebody's hands, of the same length."""

    #: what each contributor does, by number
    kind: Int64
    #: week, and place of the task among those of its client and week
    week: Int64
    client: Int64
    place: Int64
    who: Int64
    #: days since the beginning; when it began and how long it took, in milliseconds since then
    day: Int64
    begin_ms: Int64
    took_ms: Int64
    #: what it would have taken, had nobody been slow on purpose
    honest_ms: Int64
    #: handed in; else looked at and let go
    answered: NDArray[np.bool_]


def draw(plan: Plan) -> Shift:
    """The same plan gives the same shift."""
    rng = np.random.default_rng(plan.seed)
    n = plan.contributors
    kind = np.full(n, HONEST)
    odd = rng.permutation(n)
    kind[odd[: round(n * plan.slow)]] = SLOW
    kind[odd[round(n * plan.slow) : round(n * (plan.slow + plan.picky))]] = PICKY
    pace = _lognormal(rng, PEOPLE, n)
    busy = rng.lognormal(0, 0.5, n)
    parts = []
    for week in range(plan.weeks):
        each = np.diff(np.linspace(0, plan.tasks, plan.weeks + 1).astype(np.int64))[week]
        client = np.arange(each) % plan.clients
        place = np.arange(each) // plan.clients
        hard = np.asarray(SECONDS)[client] * 1000 * _lognormal(rng, TASKS, each)
        turns = rng.choice(n, each, p=busy / busy.sum())
        taken, who, answered = _handed_out(rng, turns, kind, hard, np.asarray(SECONDS)[client])
        honest = hard[taken] * pace[who] * _lognormal(rng, CHANCE, len(taken))
        honest_ms = np.where(answered, np.clip(honest, 1000, LEASE_MS / SLOWER), LOOK_MS)
        slower = np.where((kind[who] == SLOW) & answered, SLOWER, 1.0)
        day = week * 7 + rng.integers(0, 7, (7, n)).T[who, rng.integers(0, 2, len(who))]
        parts.append(
            (
                np.full(len(who), week),
                client[taken],
                place[taken],
                who,
                day,
                (honest_ms * slower).astype(np.int64),
                honest_ms.astype(np.int64),
                answered,
            )
        )
    columns = [np.concatenate(one) for one in zip(*parts, strict=True)]
    return _laid_out(kind, *columns)


def _lognormal(rng: Generator, spread: float, size: int) -> NDArray[np.float64]:
    """Of mean 1."""
    return rng.lognormal(-spread * spread / 2, spread, size)


def _handed_out(
    rng: Generator,
    turns: Int64,
    kind: Int64,
    hard: NDArray[np.float64],
    usual: NDArray[np.float64],
) -> tuple[Int64, Int64, NDArray[np.bool_]]:
    """Tasks by chance, to whoever's turn it is; the picky see a few, and let go of all but the one
    that is easiest for its kind. As rows of task, who, and whether it was answered."""
    rows: list[tuple[int, int, bool]] = []
    left = list(rng.permutation(len(hard)))
    seen: set[tuple[int, int]] = set()
    others = np.flatnonzero(kind != PICKY)
    for who in turns:
        # nobody is given a task twice
        shown = [task for task in left[-LOOKED_AT:] if (task, who) not in seen]
        if kind[who] != PICKY or not shown:
            rows.append((left.pop(), who if kind[who] != PICKY else rng.choice(others), True))
            continue
        best = min(shown, key=lambda task: hard[task] / usual[task])
        rows += [(task, who, False) for task in shown if task != best]
        seen |= {(task, who) for task in shown}
        rows.append((best, who, True))
        left.remove(best)
        # what was let go comes back in another place
        for _ in range(len(shown) - 1):
            one = int(rng.integers(0, len(left)))
            other = max(len(left) - 1 - int(rng.integers(0, len(shown))), 0)
            left[one], left[other] = left[other], left[one]
    task, people, answered = zip(*rows, strict=True)
    return np.array(task), np.array(people), np.array(answered)


def _laid_out(
    kind: Int64,
    week: Int64,
    client: Int64,
    place: Int64,
    who: Int64,
    day: Int64,
    took_ms: Int64,
    honest_ms: Int64,
    answered: NDArray[np.bool_],
) -> Shift:
    """One after the other, for each contributor and day."""
    order = np.lexsort((np.arange(len(who)), who, day))
    week, client, place, who, day = (one[order] for one in (week, client, place, who, day))
    took_ms, honest_ms, answered = took_ms[order], honest_ms[order], answered[order]
    first = np.concatenate([[True], (who[1:] != who[:-1]) | (day[1:] != day[:-1])])
    sums = np.cumsum(took_ms) - took_ms
    since = sums - sums[first][np.cumsum(first) - 1]
    begin_ms = day * DAY_MS + MORNING_MS + since
    return Shift(kind, week, client, place, who, day, begin_ms, took_ms, honest_ms, answered)
