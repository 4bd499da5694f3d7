"""A week of paid work of one contributor, settled, for tests of what they read."""

import time
from typing import Any

import psycopg
from msgspec import Struct

from canut.pay.accrual import accept_due
from canut.pay.funding import cover_batches
from canut.pay.hours import Hours, record_hours
from canut.pay.policy.model import DAY_MS
from canut.pay.settlement import list_slips, settle_next
from canut.pay.settlement.rules import week_of
from canut.pay.tariffs import review_tariffs
from canut.pay.time import decide_review, state_time
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.pay.paid import NOW, Paid, again, engine, funded, paid, work_on

#: four tasks of 55 seconds at five cents each
PRICE, TASKS, TOOK_MS = 5, 4, 55_000
#: ten minutes of training, which at 12.02 an hour bring 2.01
TRAINED_MS = 600_000


class PaidWeek(Struct):
    """What it left."""

    one: Paid
    tasks: list[int]
    slip: int
    #: the end of the period
    after_ms: int


def lately() -> int:
    """A Tuesday four weeks ago: what pages do now, after it, is dated after it in the books."""
    return week_of(time.time_ns() // 1_000_000 - 28 * DAY_MS) + DAY_MS


def paid_week(conn: psycopg.Connection, who: int, now: int = NOW, **step: Any) -> PaidWeek:
    """The contributor does `TASKS` tasks and says of two that they took another time: of the first
    less, as a person decided, of the last more, which waits. They had some training. Then the week
    is settled, and what it brought is theirs."""
    one = paid(conn, items=400, now=now, **step)
    funded(conn, one, now)
    for person in [make.contributor(conn) for _ in range(5)]:
        work_on(conn, one, person, 6, 10_000, now)
    engine(conn, now + 100_000)
    review_tariffs(conn, now + 100_000)
    one.work = again(conn, one.work, 20)
    funded(conn, one, now + 200_000)
    cover_batches(conn, now + 200_000)
    tasks = work_on(conn, one, who, TASKS, TOOK_MS, now + 300_000)
    engine(conn, now + 1_000_000)
    me = Principal(contributor_id=who, roles=frozenset({"contributor"}))
    review = state_time(conn, me, tasks[0], 50_000, "The kettle boiled.", now + 1_100_000)
    decide_review(conn, COMMAND_LINE, review, 52_000, "Half of it was work.", now + 1_200_000)
    state_time(conn, me, tasks[-1], 54_000, "I looked away.", now + 1_300_000)
    begin = now + 3_600_000
    trained = Hours("training", begin, begin + 2 * TRAINED_MS, TRAINED_MS, "The guide, read.")
    record_hours(conn, COMMAND_LINE, who, trained, now + 3 * 3_600_000)
    after = week_of(now) + 7 * DAY_MS
    while settle_next(conn, after):
        pass
    accept_due(conn, after)
    [slip] = list_slips(conn, contributor_id=who, limit=1)
    return PaidWeek(one, tasks, slip.id, after)
