"""The SQL of a contributor's own pay. Everything here reads."""

from collections.abc import Sequence

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import all_of
from canut.insight.own_pay_model import Cause, Held, TaskPay, Week
from canut.pay.time.model import Review

#: later than any task
LATEST = (1 << 63) - 1

# what a contributor ended: with an answer, or with time that was measured and no answer
_GIVEN = """
select a.task_id, a.submitted_ms as ended_ms, true as answered from answer a
where a.contributor_id = %(who)s"""
_LET_GO = """
select w.task_id, w.ended_ms, false from work_time w
where w.contributor_id = %(who)s and not w.answered
  and not exists (select from answer a
                  where a.task_id = w.task_id and a.contributor_id = w.contributor_id)"""
# two ranges of each index. All tasks of a moment come together: their order is made of names that
# the database does not know
PAGE = f"""
({_GIVEN} and a.submitted_ms = %(at)s)
union all
({_LET_GO} and w.ended_ms = %(at)s)
union all
({_GIVEN} and a.submitted_ms < %(at)s
 order by a.submitted_ms desc fetch first (%(least)s) rows with ties)
union all
({_LET_GO} and w.ended_ms < %(at)s
 order by w.ended_ms desc fetch first (%(least)s) rows with ties)"""
THESE = f"""
{_GIVEN} and a.task_id = any (%(tasks)s)
union all
{_LET_GO} and w.task_id = any (%(tasks)s)"""

_PAY = """
select own.task_id, t.batch_step_id, own.ended_ms, own.answered,
       coalesce(w.measured_ms, 0) as measured_ms, coalesce(w.agreed_ms, 0) as agreed_ms,
       coalesce(w.basis, 'none') as time_basis,
       (select r.stated_ms from time_review r
        where r.task_id = own.task_id and r.contributor_id = %(who)s and r.decided_ms is null)
           as stated_ms,
       b.currency, e.pay_minor, coalesce(e.more_minor, 0) as more_minor, e.pay_basis, e.accept_ms,
       e.accepted_ms
from ({own}) own
join task t on t.id = own.task_id
left join work_time w on w.task_id = own.task_id and w.contributor_id = %(who)s
left join batch_step_pay p on p.batch_step_id = t.batch_step_id
left join batch_pay b on b.batch_id = p.batch_id
left join lateral (
    select sum(x.amount_minor)::bigint as pay_minor,
           (sum(x.amount_minor) filter (where x.cause <> 'work'))::bigint as more_minor,
           max(x.basis) filter (where x.cause = 'work') as pay_basis,
           max(s.accept_ms) as accept_ms,
           case when bool_and(s.accepted_ms is not null) then max(s.accepted_ms) end as accepted_ms
    from earning x left join pay_sheet s on s.id = x.sheet_id
    where x.task_id = own.task_id and x.contributor_id = %(who)s
) e on true"""
PAY_PAGE, PAY_THESE = _PAY.replace("{own}", PAGE), _PAY.replace("{own}", THESE)

CLAIMED = "select claimed_ms from assignment where task_id = %s and contributor_id = %s"

CAUSES = """
select e.cause, e.amount_minor, e.basis, e.paid_ms, e.earned_ms, s.accept_ms, s.accepted_ms
from earning e left join pay_sheet s on s.id = e.sheet_id
where e.task_id = %s and e.contributor_id = %s order by e.earned_ms, e.cause"""

# what a contributor stated of one task (null: of any), the newest first
STATEMENTS = """
select id, task_id, contributor_id, batch_step_id, measured_ms, stated_ms, reason, opened_ms,
       decided_ms, agreed_ms, why
from time_review
where contributor_id = %(who)s and (%(task)s::bigint is null or task_id = %(task)s)
order by id desc limit %(limit)s"""

# the slips of a period have all of its work each, and each only its own top-up and hours
WEEKS = """
select o.id as period_id, o.from_ms, o.until_ms, s.currency, max(s.id) as slip_id,
       count(*) as slips,
       (array_agg(s.n_tasks order by s.period_id desc))[1] as n_tasks,
       (array_agg(s.agreed_ms order by s.period_id desc))[1] as agreed_ms,
       (array_agg(s.floor_minor order by s.period_id desc))[1] as floor_minor,
       (array_agg(s.qualifying_minor order by s.period_id desc))[1] as qualifying_minor,
       sum(s.topup_minor)::bigint as topup_minor, sum(s.hours_ms)::bigint as hours_ms,
       sum(s.hours_minor)::bigint as hours_minor
from pay_slip s join pay_period o on o.id = s.of_period
where s.contributor_id = %(who)s and o.until_ms > %(from)s and o.until_ms <= %(until)s
group by o.id, o.from_ms, o.until_ms, s.currency
order by o.from_ms desc, s.currency"""
ENDS = """
select distinct o.until_ms from pay_slip s join pay_period o on o.id = s.of_period
where s.contributor_id = %s order by o.until_ms"""

# of a period that goes on: what it will be settled by, as far as it is known. What is answered in
# it is earned in it
PRESENT = """
with timed as (
    select w.task_id, w.batch_step_id, w.agreed_ms from work_time w
    where w.contributor_id = %(who)s and w.ended_ms >= %(from)s
), given as (
    select a.task_id from answer a
    where a.contributor_id = %(who)s and a.submitted_ms >= %(from)s
), earned as (
    select e.task_id, min(e.batch_step_id) as batch_step_id, sum(e.amount_minor) as pay_minor
    from earning e
    where e.contributor_id = %(who)s and e.earned_ms >= %(from)s
    group by e.task_id
), known as (
    select coalesce(t.batch_step_id, e.batch_step_id,
                    (select one.batch_step_id from task one where one.id = g.task_id))
               as batch_step_id,
           t.agreed_ms, e.pay_minor, g.task_id is not null and e.pay_minor is null as counting
    from timed t full join given g on g.task_id = t.task_id
    left join earned e on e.task_id = g.task_id
)
select b.currency, count(*) as n_tasks, count(*) filter (where k.counting) as counting,
       coalesce(sum(k.agreed_ms), 0)::bigint as agreed_ms,
       coalesce(sum(k.pay_minor), 0)::bigint as pay_minor
from known k
join batch_step_pay p on p.batch_step_id = k.batch_step_id
join batch_pay b on b.batch_id = p.batch_id
group by b.currency order by b.currency"""

JURISDICTION = "select jurisdiction from contributor where id = %s"

HELD = """
select currency, min(accept_ms) as first_ms, max(accept_ms) as last_ms from pay_sheet
where contributor_id = %s and accepted_ms is null and pay_minor > 0
group by currency order by currency"""


class SoFar(Struct, frozen=True):
    """Sums of a period that goes on, in one currency."""

    currency: str
    n_tasks: int
    counting: int
    agreed_ms: int
    pay_minor: int


def page(conn: SyncConn, who: int, at_ms: int, least: int) -> list[TaskPay]:
    """Tasks that ended at that moment, and of those before it the last `least` of each kind, in any
    order; of the earliest moment among them, all."""
    return all_of(conn, TaskPay, PAY_PAGE, {"who": who, "at": at_ms, "least": least})


def these(conn: SyncConn, who: int, tasks: Sequence[int]) -> list[TaskPay]:
    """Those of the tasks that this contributor ended."""
    return all_of(conn, TaskPay, PAY_THESE, {"who": who, "tasks": list(tasks)})


def claimed_ms(conn: SyncConn, who: int, task: int) -> int:
    row = conn.execute(CLAIMED, [task, who]).fetchone()
    assert row is not None
    return int(row[0])


def causes(conn: SyncConn, who: int, task: int) -> list[Cause]:
    return all_of(conn, Cause, CAUSES, [task, who])


def statements(conn: SyncConn, who: int, task: int | None, limit: int) -> list[Review]:
    return all_of(conn, Review, STATEMENTS, {"who": who, "task": task, "limit": limit})


def weeks(conn: SyncConn, who: int, from_ms: int, until_ms: int) -> list[Week]:
    """Periods that ended after `from_ms`, and at `until_ms` at the latest."""
    return all_of(conn, Week, WEEKS, {"who": who, "from": from_ms, "until": until_ms})


def ends(conn: SyncConn, who: int) -> list[int]:
    """When the periods ended of which they have slips."""
    return [row[0] for row in conn.execute(ENDS, [who])]


def so_far(conn: SyncConn, who: int, from_ms: int) -> list[SoFar]:
    return all_of(conn, SoFar, PRESENT, {"who": who, "from": from_ms})


def jurisdiction(conn: SyncConn, who: int) -> str | None:
    row = conn.execute(JURISDICTION, [who]).fetchone()
    return row[0] if row else None


def held(conn: SyncConn, who: int) -> list[Held]:
    return all_of(conn, Held, HELD, [who])
