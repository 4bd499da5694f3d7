"""How a simulated crowd fared: what the books paid, held against times that they do not know. Pure.

The comparison pays the same work at the median time's price, without a top-up."""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.pay.simulation.crowd import HONEST, PICKY, SLOW, SLOWER, Int64, Plan, Shift
from canut.pay.tariff import HOUR_MS, pace, top_up


class Books(Struct, frozen=True):
    """What the database says, contributors by number."""

    floor_minor: int
    #: (contributor, week) -> pay of tasks, and top-up, of slips that are paid
    slips: dict[tuple[int, int], tuple[int, int]]
    #: contributor -> credits
    credits: dict[int, int]
    #: kind of account -> what it paid of top-ups
    topups: dict[str, int]
    #: price of a task of each client
    prices: list[int]
    #: the first fault of the books
    fault: str | None


class Rule(Struct, frozen=True):
    """A way to pay: what became of the floor."""

    #: weeks of a contributor that ended below the floor, and contributors below it over all weeks
    below_periods: int
    below_people: int
    pay_minor: int
    #: what was missing to the floor, week by week
    missing_minor: int
    #: hourly pay of each contributor and week, in minor units
    hourly: list[int]


class Group(Struct, frozen=True):
    """Contributors who behave alike."""

    people: int
    #: hourly pay, all of them together, in minor units
    hourly_minor: int
    topup_minor: int
    #: of it, what they would not have had, had they not been slow on purpose
    gained_minor: int
    #: whom the pace check shows to a person
    flagged: int


class Outcome(Struct, frozen=True):
    """What came of it."""

    plan: Plan
    floor_minor: int
    tasks: int
    periods: int
    prices: list[int]
    medians: list[int]
    #: with the top-up; the same prices without; the price of the median without
    paid: Rule
    no_topup: Rule
    median: Rule
    topup_minor: int
    #: of it: from the co-op, where reserves were short
    coop_minor: int
    groups: dict[str, Group]
    ledger_faults: int
    fault: str | None

    @property
    def topup_share(self) -> float:
        """Top-ups as a share of the pay of tasks."""
        return self.topup_minor / (self.paid.pay_minor - self.topup_minor)


def judge(plan: Plan, shift: Shift, books: Books) -> Outcome:
    """Hold what was paid against the times of the shift, which no program measured."""
    size = (plan.contributors, plan.weeks)
    ms = _by_week(size, shift, shift.took_ms)
    pay, topup = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for (who, week), (brought, more) in books.slips.items():
        pay[who, week], topup[who, week] = brought, more
    medians = _medians(shift, plan.clients, books.floor_minor)
    at_median = _by_week(size, shift, np.where(shift.answered, np.array(medians)[shift.client], 0))
    wrong = sum(
        books.credits.get(who, 0) != int(pay[who].sum() + topup[who].sum())
        for who in range(plan.contributors)
    )
    return Outcome(
        plan=plan,
        floor_minor=books.floor_minor,
        tasks=int(shift.answered.sum()),
        periods=int((ms > 0).sum()),
        prices=books.prices,
        medians=medians,
        paid=_rule(ms, pay + topup, books.floor_minor),
        no_topup=_rule(ms, pay, books.floor_minor),
        median=_rule(ms, at_median, books.floor_minor),
        topup_minor=int(topup.sum()),
        coop_minor=books.topups.get("coop_fee", 0),
        groups=_groups(shift, ms, pay, topup, books.floor_minor),
        ledger_faults=(books.fault is not None) + wrong,
        fault=books.fault,
    )


def _by_week(size: tuple[int, int], shift: Shift, values: Int64) -> Int64:
    found = np.zeros(size, np.int64)
    np.add.at(found, (shift.who, shift.week), values)
    return found


def _medians(shift: Shift, clients: int, floor_minor: int) -> list[int]:
    times = [shift.took_ms[(shift.client == n) & shift.answered] for n in range(clients)]
    return [math.ceil(floor_minor * float(np.median(one)) / HOUR_MS) for one in times]


def _rule(ms: Int64, pay: Int64, floor_minor: int) -> Rule:
    below = pay * HOUR_MS < floor_minor * ms
    people = pay.sum(axis=1) * HOUR_MS < floor_minor * ms.sum(axis=1)
    missing = np.where(below, -(-floor_minor * ms // HOUR_MS) - pay, 0)
    worked = ms > 0
    hourly: NDArray[np.int64] = pay[worked] * HOUR_MS // ms[worked]
    return Rule(
        int(below.sum()), int(people.sum()), int(pay.sum()), int(missing.sum()), hourly.tolist()
    )


def _groups(
    shift: Shift, ms: Int64, pay: Int64, topup: Int64, floor_minor: int
) -> dict[str, Group]:
    answered = shift.answered
    # nobody does a task that somebody else had: held against the others of its client
    found = pace(shift.who[answered], shift.client[answered], shift.took_ms[answered])
    groups = {}
    for name, kind in (("honest", HONEST), ("slow", SLOW), ("picky", PICKY)):
        who = np.flatnonzero(shift.kind == kind)
        had = int(topup[who].sum())
        honest = (ms[who] / (SLOWER if kind == SLOW else 1)).round().astype(np.int64)
        due = sum(
            top_up(floor_minor, int(time), int(brought))
            for time, brought in zip(honest.ravel(), pay[who].ravel(), strict=True)
        )
        groups[name] = Group(
            people=len(who),
            hourly_minor=int((pay[who] + topup[who]).sum() * HOUR_MS // max(ms[who].sum(), 1)),
            topup_minor=had,
            gained_minor=had - due if kind == SLOW else 0,
            flagged=sum(found.get(int(one), 0.0) > 2 for one in who),
        )
    return groups
