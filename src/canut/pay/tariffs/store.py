"""The SQL of tariffs."""

from typing import Any

import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.tariff import Times
from canut.pay.tariffs.model import StepName, Tariff

#: first key of the advisory lock that lets one engine look at a step's price at a time
LOCK = 7
TRY_LOCK = "select pg_try_advisory_xact_lock(%s, (%s %% 2147483647)::integer)"

#: measured tasks that a price rests on at most: the newest
TIMES_MAX = 20_000

_TARIFF = """
select t.id, t.process_id, t.step_slug, t.stage, t.currency, t.jurisdiction, t.floor_minor,
       t.price_minor, t.idle_ms, t.assumed_ms, t.mean_ms, t.upper_ms, t.n_tasks, t.n_contributors,
       t.seed, t.from_ms, t.account_id, t.why, t.made_ms
from tariff t
"""
AT = _TARIFF + "where t.id = tariff_now(%s, %s, %s)"
BY_ID = _TARIFF + "where t.id = %s"
# the newest row of each step; few steps, few rows
NOW = f"""{_TARIFF} where t.id in (
    select tariff_now(s.process_id, s.step_slug, %s)
    from (select distinct process_id, step_slug from tariff) s)
order by t.process_id, t.step_slug"""  # noqa: S608 - a statement of ours
HISTORY = (
    _TARIFF
    + """where t.process_id = %s and t.step_slug = %s order by t.from_ms desc, t.id desc limit %s"""
)

STEP = """
select p.id as process_id, p.slug as process, s.slug
from process p
join process_version v on v.process_id = p.id
join step s on s.process_version_id = v.id
where p.slug = %(process)s and s.slug = %(step)s
  and (p.client_id is null or p.client_id = (select id from client where slug = %(client)s))
order by p.client_id nulls last limit 1"""

# agreed times of answered tasks of a step, the newest first
TIMES = """
select w.contributor_id, w.agreed_ms
from batch_step s
join work_time w on w.batch_step_id = s.id and w.answered and w.agreed_ms > 0
join contributor c on c.id = w.contributor_id and c.kind = 'person'
where s.process_id in (select tariff_processes(%(process)s, %(step)s)) and s.slug = %(step)s
order by w.ended_ms desc limit %(limit)s"""

ADD = """
insert into tariff (process_id, step_slug, stage, currency, jurisdiction, floor_minor, price_minor,
    idle_ms, assumed_ms, mean_ms, upper_ms, n_tasks, n_contributors, seed, from_ms, account_id,
    why, made_ms)
values (%(process)s, %(step)s, %(stage)s, %(currency)s, %(jurisdiction)s, %(floor)s, %(price)s,
    %(idle)s, %(assumed)s, %(mean)s, %(upper)s, %(tasks)s, %(people)s, %(seed)s, %(now)s, %(by)s,
    %(why)s, %(now)s)
returning id"""

# steps of batches that pay less than a new price
RUNNING = """
select p.batch_step_id, p.batch_id, p.price_minor, s.lease_ms, b.funded_ms
from batch_step_pay p
join batch_step s on s.id = p.batch_step_id
join batch_pay b on b.batch_id = p.batch_id
where s.process_id in (select tariff_processes(%(process)s, %(step)s)) and s.slug = %(step)s
  and b.currency = %(currency)s
  and (p.price_minor is null or p.price_minor < %(price)s)
order by p.batch_step_id for update of p"""

RAISE = """
update batch_step_pay p
set tariff_id = %(tariff)s, price_minor = %(price)s, unit_minor = u.unit
from unnest(%(steps)s::bigint[], %(units)s::bigint[]) as u (step, unit)
where p.batch_step_id = u.step"""

# what is owed on answers that were paid a price, once for each tariff; those of the pilot were
# paid for their time
OWE = """
with due as (
    select e.task_id, e.contributor_id, e.batch_step_id,
           %(price)s - sum(e.amount_minor) as amount_minor
    from earning e
    where e.batch_step_id = any (%(steps)s) and e.basis = 'price'
    group by e.task_id, e.contributor_id, e.batch_step_id
    having sum(e.amount_minor) < %(price)s
)
insert into earning (task_id, contributor_id, cause, batch_step_id, amount_minor, basis, earned_ms)
select task_id, contributor_id, 'reprice:' || %(tariff)s, batch_step_id, amount_minor, 'price',
       %(now)s
from due
on conflict do nothing returning amount_minor"""


class RunningStep(Struct, frozen=True):
    """A step of a batch that pays less than a new price."""

    batch_step_id: int
    batch_id: int
    price_minor: int | None
    lease_ms: int
    funded_ms: int


def at(conn: SyncConn, process_id: int, slug: str, at_ms: int) -> Tariff | None:
    return _one(conn, AT, [process_id, slug, at_ms])


def by_id(conn: SyncConn, tariff_id: int) -> Tariff:
    found = _one(conn, BY_ID, [tariff_id])
    assert found is not None
    return found


def now(conn: SyncConn, at_ms: int) -> list[Tariff]:
    return _all(conn, NOW, [at_ms])


def history(conn: SyncConn, process_id: int, slug: str, limit: int) -> list[Tariff]:
    return _all(conn, HISTORY, [process_id, slug, limit])


def step(conn: SyncConn, process: str, slug: str, client: str | None) -> StepName | None:
    values = {"process": process, "step": slug, "client": client}
    with conn.cursor(row_factory=of(StepName)) as cursor:
        found: StepName | None = cursor.execute(STEP, values).fetchone()
    return found


def times(conn: SyncConn, process_id: int, slug: str, limit: int = TIMES_MAX) -> Times:
    values = {"process": process_id, "step": slug, "limit": limit}
    rows = conn.execute(TIMES, values).fetchall()
    columns = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Times(columns[:, 0], columns[:, 1])


def alone(conn: SyncConn, process_id: int) -> bool:
    row = conn.execute(TRY_LOCK, [LOCK, process_id]).fetchone()
    return bool(row and row[0])


def add(conn: SyncConn, values: dict[str, Any]) -> int:
    row = conn.execute(ADD, values).fetchone()
    assert row is not None
    return int(row[0])


def running(conn: SyncConn, tariff: Tariff) -> list[RunningStep]:
    values = {
        "process": tariff.process_id,
        "step": tariff.step_slug,
        "currency": tariff.currency,
        "price": tariff.price_minor,
    }
    with conn.cursor(row_factory=of(RunningStep)) as cursor:
        found: list[RunningStep] = cursor.execute(RUNNING, values).fetchall()
    return found


def raise_price(
    conn: SyncConn, tariff: Tariff, steps: list[int], units: list[int], now_ms: int
) -> tuple[int, int]:
    """Answers for which more is owed, and how much it is together."""
    values = {
        "tariff": tariff.id,
        "price": tariff.price_minor,
        "steps": steps,
        "units": units,
        "now": now_ms,
    }
    conn.execute(RAISE, values)
    owed = [row[0] for row in conn.execute(OWE, values)]
    return len(owed), sum(owed)


def _one(conn: SyncConn, sql: str, values: list[Any]) -> Tariff | None:
    with conn.cursor(row_factory=of(Tariff)) as cursor:
        found: Tariff | None = cursor.execute(sql, values).fetchone()
    return found


def _all(conn: SyncConn, sql: str, values: list[Any]) -> list[Tariff]:
    with conn.cursor(row_factory=of(Tariff)) as cursor:
        found: list[Tariff] = cursor.execute(sql, values).fetchall()
    return found
