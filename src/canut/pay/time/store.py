"""The SQL of time."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from canut.db.pool import Conn, SyncConn
from canut.db.rows import of
from canut.pay.active_time import IDLE_MS, Interval
from canut.pay.time.model import TaskTime, TimeSum

#: first key of the advisory lock that lets one engine count at a time
LOCK = 6
TRY_LOCK = "select pg_try_advisory_xact_lock(%s, 0)"
LOCK_SQL = "select pg_advisory_xact_lock(%s, 0)"

# what devices reported of tasks that ended, a bounded number; those still in hand wait. Whoever
# reports more meanwhile waits for us, and makes the row fresh again
FRESH = """
select a.task_id, a.contributor_id, a.batch_step_id, a.intervals, g.claimed_ms, g.ended_ms,
       g.state = 'submitted' as answered, coalesce(t.idle_ms, %(idle)s) as idle_ms
from (
    select f.task_id, f.contributor_id from activity f
    join assignment g on g.task_id = f.task_id and g.contributor_id = f.contributor_id
    where f.fresh and g.ended_ms is not null
    order by f.contributor_id, f.task_id limit %(limit)s
) due
join activity a on a.task_id = due.task_id and a.contributor_id = due.contributor_id
join assignment g on g.task_id = a.task_id and g.contributor_id = a.contributor_id
join batch_step s on s.id = a.batch_step_id
left join tariff t on t.id = tariff_now(s.process_id, s.slug, %(now)s)
order by a.contributor_id, g.ended_ms, a.task_id
for update of a"""

# what was counted of these contributors for other tasks, or is paid as hours beside tasks, where it
# may overlap
TAKEN = """
with span as (
    select * from unnest(%(who)s::bigint[], %(from)s::bigint[], %(to)s::bigint[])
        as u (who, from_ms, to_ms)
), taken as (
    select w.contributor_id, w.intervals
    from span
    join work_time w on w.contributor_id = span.who and w.ended_ms > span.from_ms
        and w.claimed_ms < span.to_ms
    where not exists (
        select from unnest(%(tasks)s::bigint[], %(of)s::bigint[]) as own (task, who)
        where own.task = w.task_id and own.who = w.contributor_id)
    union all
    select h.contributor_id, h.intervals
    from span
    join paid_hours h on h.contributor_id = span.who and h.until_ms > span.from_ms
        and h.from_ms < span.to_ms
)
select contributor_id, range_agg(intervals) as intervals from taken group by contributor_id"""

# a person's decision about a task stays; what is measured is kept beside it
COUNT = """
insert into work_time as w (task_id, contributor_id, batch_step_id, intervals, measured_ms,
                            agreed_ms, basis, claimed_ms, ended_ms, answered)
select task, who, step, intervals, ms, ms, 'screen', claimed, ended, answered
from unnest(%(tasks)s::bigint[], %(who)s::bigint[], %(steps)s::bigint[],
            %(intervals)s::int8multirange[], %(ms)s::bigint[], %(claimed)s::bigint[],
            %(ended)s::bigint[], %(answered)s::bool[])
    as u (task, who, step, intervals, ms, claimed, ended, answered)
on conflict (task_id, contributor_id) do update
set intervals = excluded.intervals, measured_ms = excluded.measured_ms,
    agreed_ms = case w.basis when 'stated' then w.agreed_ms else excluded.agreed_ms end,
    ended_ms = greatest(w.ended_ms, excluded.ended_ms), answered = excluded.answered"""

COUNTED = """
update activity a set fresh = false
from unnest(%(tasks)s::bigint[], %(who)s::bigint[]) as u (task, who)
where a.task_id = u.task and a.contributor_id = u.who"""

_TIMES = """
select g.task_id, g.batch_step_id, g.claimed_ms, g.ended_ms,
       coalesce(w.measured_ms, 0) as measured_ms, coalesce(w.agreed_ms, 0) as agreed_ms,
       coalesce(w.basis, 'none') as basis, g.state = 'submitted' as answered,
       (select r.stated_ms from time_review r where r.task_id = g.task_id
        and r.contributor_id = g.contributor_id and r.decided_ms is null) as stated_ms
from assignment g
left join work_time w on w.task_id = g.task_id and w.contributor_id = g.contributor_id
"""
# a task that ended, of its contributor
ONE = _TIMES + "where g.task_id = %s and g.contributor_id = %s and g.ended_ms is not null"

# what of a contributor ended with an answer or has a time, the newest first; by their answers and
# times, for assignments are found by task
LIST = f"""
with own as (
    (select task_id, submitted_ms as at_ms from answer
     where contributor_id = %(who)s and submitted_ms < %(before)s
     order by submitted_ms desc limit %(limit)s)
    union
    (select task_id, ended_ms from work_time
     where contributor_id = %(who)s and ended_ms < %(before)s and not answered
     order by ended_ms desc limit %(limit)s)
)
select one.* from (select task_id, max(at_ms) as at_ms from own group by task_id) own
cross join lateral ({_TIMES}
    where g.task_id = own.task_id and g.contributor_id = %(who)s and g.ended_ms is not null) one
order by own.at_ms desc, own.task_id limit %(limit)s"""  # noqa: S608 - statements of ours

# agreed time by contributor, of all clients, counted on the day the task ended
BETWEEN = """
select contributor_id, count(*) as tasks, sum(agreed_ms)::bigint as agreed_ms,
       count(*) filter (where basis = 'none') as unmeasured
from (
    select w.contributor_id, w.agreed_ms, w.basis from work_time w
    where w.ended_ms >= %(from)s and w.ended_ms < %(until)s
      and (%(who)s::bigint is null or w.contributor_id = %(who)s)
    union all
    select a.contributor_id, 0, 'none' from answer a
    join contributor c on c.id = a.contributor_id and c.kind = 'person'
    where a.submitted_ms >= %(from)s and a.submitted_ms < %(until)s
      and (%(who)s::bigint is null or a.contributor_id = %(who)s)
      and not exists (select from work_time w
                      where w.task_id = a.task_id and w.contributor_id = a.contributor_id)
) one
group by contributor_id order by contributor_id"""


class FreshTime(Struct, frozen=True):
    """What was reported of one task, not counted yet."""

    task_id: int
    contributor_id: int
    batch_step_id: int
    intervals: Any
    claimed_ms: int
    ended_ms: int
    answered: bool
    idle_ms: int

    @property
    def spans(self) -> list[Interval]:
        """Its intervals."""
        return spans(self.intervals)


class Counted(Struct, frozen=True):
    """What counts of it."""

    fresh: FreshTime
    intervals: list[Interval]
    active_ms: int


def spans(ranges: Any) -> list[Interval]:
    """A multirange as pairs."""
    return [(one.lower, one.upper) for one in ranges]


def alone(conn: SyncConn) -> bool:
    """Whether no other engine counts just now; until the transaction ends, none will."""
    row = conn.execute(TRY_LOCK, [LOCK]).fetchone()
    return bool(row and row[0])


def keep_from_counting(conn: SyncConn) -> None:
    """Until the transaction ends; waits for an engine that counts."""
    conn.execute(LOCK_SQL, [LOCK])


def fresh(conn: SyncConn, limit: int, now_ms: int) -> list[FreshTime]:
    with conn.cursor(row_factory=of(FreshTime)) as cursor:
        values = {"limit": limit, "idle": IDLE_MS, "now": now_ms}
        found: list[FreshTime] = cursor.execute(FRESH, values).fetchall()
    return found


def taken(conn: SyncConn, rows: Sequence[FreshTime]) -> dict[int, list[Interval]]:
    """Contributor -> what is counted for tasks that are not among `rows`."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for row in rows:
        who = row.contributor_id
        first[who] = min(first.get(who, row.claimed_ms), row.claimed_ms)
        last[who] = max(last.get(who, row.ended_ms), row.ended_ms)
    values = {
        "who": list(first),
        "from": list(first.values()),
        "to": [last[who] for who in first],
        "tasks": [row.task_id for row in rows],
        "of": [row.contributor_id for row in rows],
    }
    return {who: spans(found) for who, found in conn.execute(TAKEN, values)}


def count(conn: SyncConn, counted: Sequence[Counted]) -> None:
    values = {
        "tasks": [one.fresh.task_id for one in counted],
        "who": [one.fresh.contributor_id for one in counted],
        "steps": [one.fresh.batch_step_id for one in counted],
        "intervals": [Multirange([Range(*span) for span in one.intervals]) for one in counted],
        "ms": [one.active_ms for one in counted],
        "claimed": [one.fresh.claimed_ms for one in counted],
        "ended": [one.fresh.ended_ms for one in counted],
        "answered": [one.fresh.answered for one in counted],
    }
    conn.execute(COUNT, values)
    conn.execute(COUNTED, values)


def one(conn: SyncConn, task_id: int, contributor_id: int) -> TaskTime | None:
    with conn.cursor(row_factory=of(TaskTime)) as cursor:
        found: TaskTime | None = cursor.execute(ONE, [task_id, contributor_id]).fetchone()
    return found


async def times(conn: Conn, contributor_id: int, before_ms: int, limit: int) -> list[TaskTime]:
    values = {"who": contributor_id, "before": before_ms, "limit": limit}
    async with conn.cursor(row_factory=of(TaskTime)) as cursor:
        found: list[TaskTime] = await (await cursor.execute(LIST, values)).fetchall()
    return found


def between(
    conn: SyncConn, from_ms: int, until_ms: int, contributor_id: int | None
) -> list[TimeSum]:
    values = {"from": from_ms, "until": until_ms, "who": contributor_id}
    with conn.cursor(row_factory=of(TimeSum)) as cursor:
        found: list[TimeSum] = cursor.execute(BETWEEN, values).fetchall()
    return found
