"""Eight weeks of work through the real books: quotes, times, prices, acceptance, settlement."""

from collections.abc import Callable
from typing import Any

import numpy as np

from canut.db.pool import SyncConn
from canut.pay.accrual import accept_due, accrue
from canut.pay.funding import deposit, fund
from canut.pay.ledger import first_fault
from canut.pay.policy import policy_at
from canut.pay.policy.model import DAY_MS
from canut.pay.quotes import make_quote
from canut.pay.settlement import settle_next
from canut.pay.simulation import store
from canut.pay.simulation.crowd import SECONDS, Int64, Plan, Shift, draw
from canut.pay.simulation.outcome import Books, Outcome, judge
from canut.pay.tariffs import find_step, review_tariffs, set_tariff
from canut.pay.time import count_time
from canut.people.store import COMMAND_LINE

#: Monday, 5 January 2026, 00:00 UTC
START_MS = 1_767_571_200_000
CURRENCY, SLUG = "EUR", "task"


def run(conn: SyncConn, plan: Plan, told: Callable[[int], None] = lambda week: None) -> Outcome:
    """Simulate in an empty database with a connection in autocommit mode; `told` hears of each week
    that is over. The clock is simulated: it takes about a minute."""
    shift = draw(plan)
    people = store.people(conn, plan.contributors, START_MS)
    clients = [_client(conn, n, seconds) for n, seconds in enumerate(SECONDS)]
    for week in range(plan.weeks):
        batches = [_batch(conn, one, n, week, shift) for n, one in enumerate(clients)]
        for day in range(week * 7, week * 7 + 7):
            _work(conn, shift, day, batches, people)
            _engine(conn, START_MS + (day + 1) * DAY_MS)
        told(week)
    over = START_MS + plan.weeks * 7 * DAY_MS
    _engine(conn, over + policy_at(conn, over).accept_ms)
    return judge(plan, shift, _books(conn, people, over))


def _client(conn: SyncConn, n: int, seconds: float) -> dict[str, Any]:
    name = f"client-{n + 1}"
    client, process, version, step = store.client(conn, name, SLUG, START_MS)
    set_tariff(
        conn,
        COMMAND_LINE,
        find_step(conn, f"simulated/{name}", SLUG, name),
        START_MS,
        currency=CURRENCY,
        assumed_ms=round(seconds * 1000),
        why="a pilot",
    )
    return {"client": client, "process": process, "version": version, "step": step, "slug": SLUG}


def _batch(
    conn: SyncConn, client: dict[str, Any], n: int, week: int, shift: Shift
) -> tuple[int, Int64]:
    """Quoted, paid in and agreed: its step, and its tasks."""
    now = START_MS + week * 7 * DAY_MS
    mine = (shift.client == n) & (shift.week == week) & shift.answered
    values = client | {"key": f"week-{week + 1}", "n": int(mine.sum()), "now": now}
    batch, step, tasks = store.batch(conn, values)
    offer = make_quote(conn, COMMAND_LINE, batch, now)
    total = offer.quote.total_minor
    deposit(conn, COMMAND_LINE, client["client"], total, CURRENCY, f"wire {offer.id}", now)
    fund(conn, COMMAND_LINE, offer.id, now)
    return step, np.array(tasks)


def _work(
    conn: SyncConn, shift: Shift, day: int, batches: list[tuple[int, Int64]], people: Int64
) -> None:
    at = np.flatnonzero(shift.day == day)
    client, place = shift.client[at], shift.place[at]
    tasks = np.array([batches[c][1][p] for c, p in zip(client, place, strict=True)])
    steps = np.array([step for step, _ in batches])[client]
    store.work(conn, tasks, steps, people[shift.who[at]], shift, at, START_MS)


def _engine(conn: SyncConn, now_ms: int) -> None:
    """What engines do, once a day: prices that rose are owed for what was done too."""
    parts: tuple[Callable[[SyncConn, int], Any], ...] = (
        count_time,
        accrue,
        review_tariffs,
        accrue,
        accept_due,
        settle_next,
    )
    for part in parts:
        while part(conn, now_ms):
            pass


def _books(conn: SyncConn, people: Int64, over_ms: int) -> Books:
    """What the database says, in the numbers of the crowd."""
    number = {int(id_): n for n, id_ in enumerate(people)}
    fault = first_fault(conn)
    found = {
        (number[who], (from_ms - START_MS) // (7 * DAY_MS)): (pay or 0, topup, paid)
        for who, from_ms, pay, topup, paid in store.slips(conn)
    }
    return Books(
        floor_minor=policy_at(conn, over_ms).floor(None, CURRENCY),
        slips={key: (int(pay), int(topup)) for key, (pay, topup, paid) in found.items() if paid},
        credits={number[who]: amount for who, amount in store.credits(conn).items()},
        topups=store.topups(conn),
        prices=store.prices(conn, over_ms),
        fault=str(fault) if fault else None,
    )
