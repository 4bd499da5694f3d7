"""The SQL of a simulation: a place of its own, and work that was done there."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from canut.db.pool import SyncConn
from canut.pay.simulation.crowd import LEASE_MS, Int64, Shift

PEOPLE = """
insert into contributor (kind, name, simulated, created_ms)
select 'person', 'Simulated ' || n, true, %(now)s from generate_series(1, %(n)s) n
returning id"""
CLIENT = "insert into client (slug, name, created_ms) values (%s, %s, %s) returning id"
PROCESS = "insert into process (client_id, slug, created_ms) values (%s, %s, %s) returning id"
VERSION = """
insert into process_version (process_id, number, definition, content_hash, created_ms)
values (%s, 1, '{}', 'simulated', %s) returning id"""
STEP = """
insert into step (process_version_id, position, slug, definition) values (%s, 0, %s, '{}')
returning id"""
BATCH = """
insert into batch (client_id, process_version_id, key, name, n_items, created_ms)
values (%(client)s, %(version)s, %(key)s, %(key)s, %(n)s, %(now)s) returning id"""
BATCH_STEP = """
insert into batch_step (batch_id, step_id, position, process_id, slug, lease_ms, min_answers,
                        max_answers, target, gold_share, audit_share, n_tasks)
values (%(batch)s, %(step)s, 0, %(process)s, %(slug)s, %(lease)s, 1, 1, 0.8, 0, 0, %(n)s)
returning id"""
TASKS = """
with items as (
    insert into item (batch_id, key, payload)
    select %(batch)s, n::text, '{}' from generate_series(1, %(n)s) n returning id)
insert into task (batch_step_id, item_id, wanted, slots) select %(step)s, id, 1, 1 from items
returning id"""

# as the task screen and an engine that has weighed the answers leave it
WORK = """
with u as (
    select * from unnest(%(task)s::bigint[], %(who)s::bigint[], %(step)s::bigint[],
                         %(begin)s::bigint[], %(end)s::bigint[], %(answered)s::bool[])
        as u (task, who, step, begin_ms, end_ms, answered)
), had as (
    insert into assignment (task_id, contributor_id, batch_step_id, state, claimed_ms, deadline_ms,
                            ended_ms)
    select task, who, step, case when answered then 'submitted' else 'returned' end, begin_ms,
           begin_ms + %(lease)s, end_ms from u
), given as (
    insert into answer (task_id, contributor_id, value, submitted_ms)
    select task, who, 'null', end_ms from u where answered
), weighed as (
    insert into worked (task_id, contributor_id, batch_step_id, submitted_ms)
    select task, who, step, end_ms from u where answered
)
insert into activity (task_id, contributor_id, batch_step_id, intervals, active_ms, sent_ms)
select task, who, step, int8multirange(int8range(begin_ms, end_ms)), end_ms - begin_ms, end_ms
from u"""

# what each slip says, one for each contributor and period here
SLIPS = """
select s.contributor_id, o.from_ms,
       sum(s.qualifying_minor) filter (where s.of_period = s.period_id), sum(s.topup_minor),
       bool_and(s.paid_ms is not null)
from pay_slip s join pay_period o on o.id = s.of_period
group by s.contributor_id, o.from_ms"""

# credits of each contributor in the books, and of all top-ups by whose money they were
CREDITS = """
select a.owner_id, a.credits from ledger_account a where a.kind = 'contributor_payable'"""
TOPUPS = """
select d.kind, sum(t.amount)::bigint from ledger_transfer t
join ledger_account d on d.id = t.debit_account
where t.kind = 'topup' and t.mode in ('posted', 'post') group by d.kind"""

PRICES = """
select p.slug, t.price_minor from process p
join tariff t on t.id = tariff_now(p.id, 'task', %s) order by p.id"""


def people(conn: SyncConn, n: int, now_ms: int) -> Int64:
    """Their numbers."""
    return np.array([row[0] for row in conn.execute(PEOPLE, {"n": n, "now": now_ms})])


def client(conn: SyncConn, name: str, slug: str, now_ms: int) -> tuple[int, int, int, int]:
    """A client with a process of one step: client, process, version, step."""
    client_id = _id(conn, CLIENT, [name, name, now_ms])
    process = _id(conn, PROCESS, [client_id, f"simulated/{name}", now_ms])
    version = _id(conn, VERSION, [process, now_ms])
    return client_id, process, version, _id(conn, STEP, [version, slug])


def batch(conn: SyncConn, values: dict[str, Any]) -> tuple[int, int, list[int]]:
    """A batch of `n` tasks: batch, its step, and the tasks."""
    made = _id(conn, BATCH, values)
    values = values | {"batch": made, "lease": LEASE_MS}
    step = _id(conn, BATCH_STEP, values)
    tasks = [row[0] for row in conn.execute(TASKS, values | {"step": step})]
    return made, step, tasks


def work(
    conn: SyncConn, tasks: Int64, steps: Int64, who: Int64, shift: Shift, at: Int64, start_ms: int
) -> None:
    """The rows `at` of a shift, done."""
    begin = start_ms + shift.begin_ms[at]
    values = {
        "task": tasks.tolist(),
        "who": who.tolist(),
        "step": steps.tolist(),
        "begin": begin.tolist(),
        "end": (begin + shift.took_ms[at]).tolist(),
        "answered": shift.answered[at].tolist(),
        "lease": LEASE_MS,
    }
    conn.execute(WORK, values)


def slips(conn: SyncConn) -> Sequence[tuple[int, int, int, int, bool]]:
    """Contributor, first moment of the period, pay of tasks, top-up, and whether all was paid."""
    return conn.execute(SLIPS).fetchall()


def credits(conn: SyncConn) -> dict[int, int]:
    """Contributor -> what the books have credited to them."""
    return dict(conn.execute(CREDITS).fetchall())


def topups(conn: SyncConn) -> dict[str, int]:
    """Kind of account -> what it paid of top-ups."""
    return dict(conn.execute(TOPUPS).fetchall())


def prices(conn: SyncConn, now_ms: int) -> list[int]:
    """What a task of each client pays."""
    return [row[1] or 0 for row in conn.execute(PRICES, [now_ms])]


def _id(conn: SyncConn, sql: str, values: Any) -> int:
    row = conn.execute(sql, values).fetchone()
    assert row is not None
    return int(row[0])
