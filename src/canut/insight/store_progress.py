"""The SQL of a batch's page: pulses, what waits, what was measured, what it cost."""

from typing import Any

from psycopg import Connection

from canut.db.pool import Conn as AsyncConn
from canut.db.rows import of
from canut.insight.pace import Pulse

Conn = Connection[Any]

#: what waits for an expert or a panel is counted up to here
COUNTED_MAX = 10_000

# a pulse of each batch that runs, if it moved, or the last one is an hour old: a longer silence
# means that it did not run
PULSE = """
insert into batch_pulse (batch_id, at_ms, n_answers, n_decided)
select b.id, %(now)s, n.answers, n.decided
from batch b
cross join lateral (
    select sum(n_answers)::bigint as answers, sum(n_decided)::bigint as decided
    from batch_step where batch_id = b.id
) n
left join lateral (
    select at_ms, n_answers, n_decided from batch_pulse
    where batch_id = b.id order by at_ms desc limit 1
) p on true
where b.state = 'running'
  and (p.at_ms is null or p.at_ms <= %(now)s - 3600000
       or (p.n_answers, p.n_decided) is distinct from (n.answers, n.decided))
on conflict do nothing"""

# after two days, of each hour only its first pulse is kept
THIN = """
delete from batch_pulse p using batch b
where p.batch_id = b.id and b.state = 'running'
  and p.at_ms between %(now)s - 180000000 and %(now)s - 172800000
  and exists (select from batch_pulse e
              where e.batch_id = p.batch_id and e.at_ms < p.at_ms
                and e.at_ms >= p.at_ms - p.at_ms %% 3600000)"""

PULSES = """
select at_ms, n_answers, n_decided from batch_pulse
where batch_id = %s and at_ms >= %s order by at_ms"""

# of each step: tasks that wait for an expert, and disputes that are open, counted to a limit
WAITING = """
select s.id, s.target::float8,
    (select count(*) from (
        select from task t where t.batch_step_id = s.id and t.expert and not t.decided
            and t.kind = 'work' limit %(most)s + 1) e) as experts,
    (select count(*) from (
        select from dispute x where x.batch_step_id = s.id and x.settled_ms is null
        limit %(most)s + 1) d) as contested
from batch_step s where s.batch_id = %(batch)s"""

# confidences and methods of decisions taken at `points` places spread evenly over the items, up to
# `each` from each place on: one place, and all of them are counted
MEASURED = """
with ends as (
    select (select item_id from decision where batch_step_id = %(step)s
            order by item_id limit 1) as low,
           (select item_id + 1 from decision where batch_step_id = %(step)s
            order by item_id desc limit 1) as high
)
select least(floor(d.confidence * 20 + 1e-4), 19)::int as bin, d.method, count(*),
       sum(d.n_answers)::bigint
from ends, generate_series(0, %(points)s - 1) g,
lateral (
    select confidence, method, n_answers from decision
    where batch_step_id = %(step)s and item_id >= low + g * (high - low) / %(points)s
      and item_id < low + (g + 1) * (high - low) / %(points)s
    order by item_id limit %(each)s
) d
group by 1, 2"""

# how far the answers that were weighed agree with what was decided: sum and number, where more than
# one was weighed
AGREED = """
with ends as (
    select (select item_id from decision where batch_step_id = %(step)s
            order by item_id limit 1) as low,
           (select item_id + 1 from decision where batch_step_id = %(step)s
            order by item_id desc limit 1) as high
)
select coalesce(sum((e ->> 1)::real), 0)::float8, count(e)
from ends, generate_series(0, %(points)s - 1) g,
lateral (
    select evidence, n_answers from decision
    where batch_step_id = %(step)s and item_id >= low + g * (high - low) / %(points)s
      and item_id < low + (g + 1) * (high - low) / %(points)s
    order by item_id limit %(each)s
) d,
lateral jsonb_array_elements(d.evidence) e
where d.n_answers > 1 and jsonb_typeof(e) = 'array'"""

# by currency: what its agents' models cost, in millionths, and how often they were asked
COST = """
select currency, sum(cost_micro)::bigint, sum(calls)::bigint from llm_spend
where kind = 'batch' and of = %s::text group by currency order by currency"""

# the newest certificate of each step
CERTIFIED = """
select distinct on (s.position) c.id, s.slug, c.issued_ms, c.statement
from batch_step s join frame f on f.batch_step_id = s.id join certificate c on c.frame_id = f.id
where s.batch_id = %s order by s.position, c.id desc"""


def pulse(conn: Conn, now_ms: int) -> int:
    """Note how far running batches are; returns of how many."""
    made = conn.execute(PULSE, {"now": now_ms}).rowcount
    conn.execute(THIN, {"now": now_ms})
    return made


async def pulses(conn: AsyncConn, batch_id: int, since_ms: int) -> list[Pulse]:
    """In the order of time."""
    cursor = conn.cursor(row_factory=of(Pulse))
    return await (await cursor.execute(PULSES, [batch_id, since_ms])).fetchall()


async def waiting(conn: AsyncConn, batch_id: int) -> dict[int, tuple[float, int, int]]:
    """By batch step: its target; waiting for an expert, and contested, one more than COUNTED_MAX at
    most."""
    cursor = await conn.execute(WAITING, {"batch": batch_id, "most": COUNTED_MAX})
    return {step: tuple(more) for step, *more in await cursor.fetchall()}


def measured(conn: Conn, step: int, points: int, each: int) -> list[tuple[int, str, int, int]]:
    """(twentieth of confidence, method, decisions, answers)."""
    return conn.execute(MEASURED, {"step": step, "points": points, "each": each}).fetchall()


def agreed(conn: Conn, step: int, points: int, each: int) -> tuple[float, int]:
    """Sum of agreement, and answers."""
    values = {"step": step, "points": points, "each": each}
    row = conn.execute(AGREED, values).fetchone()
    return (row[0], row[1]) if row else (0.0, 0)


def cost(conn: Conn, batch_id: int) -> list[tuple[str, int, int]]:
    return conn.execute(COST, [batch_id]).fetchall()


def certified(conn: Conn, batch_id: int) -> list[tuple[int, str, int, dict[str, Any]]]:
    """(certificate, step, issued_ms, statement), in the order of steps."""
    return conn.execute(CERTIFIED, [batch_id]).fetchall()
