"""The SQL of hours that are paid beside tasks."""

from typing import Any

from msgspec import Struct
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.active_time import Interval
from canut.pay.hours.model import Hours, PaidHours, TaskInSpan

# whose hours, locked: of one contributor they are stated and decided one after the other. Answers
# of theirs do not wait for that
CONTRIBUTOR = """
select account_id, jurisdiction from contributor where id = %s and kind = 'person'
for no key update"""

# whether work in a batch is paid, and they may work there, or did so not long ago: of what is not
# theirs to see nobody learns which it is
PAYS = """
select exists (select from batch_pay where batch_id = %(batch)s) and exists (
    select from batch_step s
    join contributor c on c.id = %(who)s
    where s.batch_id = %(batch)s and (
        s.open and c.state = 'active' and (
            s.expert_skill = any (c.skills)
            or s.skills <@ c.skills and (not s.licence or exists (
                select from licence l
                where l.contributor_id = c.id and l.process_id = s.process_id
                  and l.step_slug = s.slug and l.ended_ms is null and l.state = 'in_force')))
        or exists (select from assignment a
                   where a.contributor_id = c.id and a.batch_step_id = s.id
                     and a.state = 'claimed')
        or exists (select from answer w
                   join task t on t.id = w.task_id and t.batch_step_id = s.id
                   where w.contributor_id = c.id and w.submitted_ms > %(since)s)))"""

# the same hours, stated before
SAME = """
select id from paid_hours
where contributor_id = %(who)s and from_ms = %(from)s and until_ms = %(until)s
  and kind = %(kind)s and currency = %(currency)s and stated_ms = %(stated)s
  and reason = %(reason)s and noted = %(noted)s
order by id desc limit 1"""

# hours that were refused take no room: nothing is paid for them
OVERLAPPING = """
select id from paid_hours
where contributor_id = %(who)s and until_ms > %(from)s and from_ms < %(until)s
  and agreed_ms is distinct from 0
order by id limit 1"""

# when a contributor has hours already, in a span
TAKEN = """
select from_ms, until_ms from paid_hours
where contributor_id = %(who)s and until_ms > %(from)s and from_ms < %(until)s
  and agreed_ms is distinct from 0"""

# what the task screen noted in a span, by now
NOTED = """
select id from paid_hours
where contributor_id = %(who)s and until_ms > %(from)s and until_ms <= %(until)s
  and from_ms >= %(from)s and noted
order by from_ms, id"""

# how many of a contributor's wait for a decision
OPEN_OF = "select count(*) from paid_hours where contributor_id = %s and decided_ms is null"

OPEN = """
insert into paid_hours (contributor_id, kind, currency, from_ms, until_ms, stated_ms, reason, noted,
                        stated_by, opened_ms)
values (%(who)s, %(kind)s, %(currency)s, %(from)s, %(until)s, %(stated)s, %(reason)s, %(noted)s,
        %(by)s, %(now)s)
returning id"""

DECIDE = """
update paid_hours
set decided_ms = %(now)s, agreed_ms = %(agreed)s, why = %(why)s, decided_by = %(by)s,
    intervals = %(intervals)s
where id = %(hours)s"""

_HOURS = """
select h.id, h.contributor_id, c.name as contributor, c.simulated, h.kind, h.currency, h.from_ms,
       h.until_ms, h.stated_ms, h.reason, h.noted, h.opened_ms, h.decided_ms, h.agreed_ms, h.why,
       a.name as decider, s.id as slip_id, s.paid_ms
from paid_hours h
join contributor c on c.id = h.contributor_id
left join account a on a.id = h.decided_by
left join hours_line l on l.hours_id = h.id
left join pay_slip s on s.contributor_id = l.contributor_id and s.currency = l.currency
    and s.of_period = l.period_id and s.period_id = l.period_id
"""
ONE = _HOURS + "where h.id = %s"
# whose they are tells whom to lock, before they are looked at
WHOSE = "select contributor_id from paid_hours where id = %s"
# a contributor's, the newest first
OWN = _HOURS + "where h.contributor_id = %s and h.id < %s order by h.id desc limit %s"
# what is agreed of a contributor's, and on no slip
UNPAID = """
select coalesce(sum(h.agreed_ms), 0)::bigint from paid_hours h
where h.contributor_id = %s and h.agreed_ms > 0
  and not exists (select from hours_line l where l.hours_id = h.id)"""
# those that wait (or all), the oldest first
LIST = _HOURS + "where h.id > %s and (not %s or h.decided_ms is null) order by h.id limit %s"

# with answers of which no time was reported: whoever decides is to know that there was work
TASKS = """
select w.claimed_ms, w.ended_ms, w.agreed_ms, w.basis = 'stated' as stated,
       array(select array[lower(i), upper(i)] from unnest(w.intervals) i) as measured
from work_time w
where w.contributor_id = %(who)s and w.ended_ms > %(from)s and w.claimed_ms < %(until)s
union all
select a.submitted_ms, a.submitted_ms, 0, true, '{}'
from answer a
where a.contributor_id = %(who)s and a.submitted_ms > %(from)s and a.submitted_ms <= %(until)s
  and not exists (select from work_time w
                  where w.task_id = a.task_id and w.contributor_id = a.contributor_id)
order by ended_ms"""

# of exams that are paid, as settlements reckon them; one that goes on too
EXAMS = """
select array(select array[lower(i), upper(i)]
             from unnest(exam_time(x.id, %(most)s * t.assumed_ms)) i)
from exam x
join tariff t on t.id = tariff_now(x.process_id, x.step_slug, coalesce(x.ended_ms, %(now)s))
where x.contributor_id = %(who)s and x.started_ms < %(until)s
  and coalesce(x.ended_ms, %(now)s) > %(from)s"""


class Whose(Struct, frozen=True):
    """The person whose hours they are."""

    account_id: int | None
    jurisdiction: str | None


def whose(conn: SyncConn, contributor_id: int) -> Whose | None:
    """None: there is no such person. Locked until the transaction ends."""
    return first_of(conn, Whose, CONTRIBUTOR, [contributor_id])


def pays(conn: SyncConn, contributor_id: int, batch_id: int, since_ms: int) -> bool:
    """Whether work in this batch is paid, and somebody may work there, or has since then."""
    values = {"who": contributor_id, "batch": batch_id, "since": since_ms}
    row = conn.execute(PAYS, values).fetchone()
    return bool(row and row[0])


def same(conn: SyncConn, values: dict[str, Any]) -> int | None:
    row = conn.execute(SAME, values).fetchone()
    return int(row[0]) if row else None


def overlapping(conn: SyncConn, contributor_id: int, hours: Hours) -> int | None:
    """Hours of theirs that share time with these."""
    values = {"who": contributor_id, "from": hours.from_ms, "until": hours.until_ms}
    row = conn.execute(OVERLAPPING, values).fetchone()
    return int(row[0]) if row else None


def taken(conn: SyncConn, contributor_id: int, from_ms: int, until_ms: int) -> list[Interval]:
    """When they have hours that were not refused, in a span."""
    values = {"who": contributor_id, "from": from_ms, "until": until_ms}
    return [(start, end) for start, end in conn.execute(TAKEN, values)]


def noted(conn: SyncConn, contributor_id: int, from_ms: int, until_ms: int) -> list[int]:
    """What the task screen noted of them in a span."""
    values = {"who": contributor_id, "from": from_ms, "until": until_ms}
    return [hours_id for (hours_id,) in conn.execute(NOTED, values)]


def open_of(conn: SyncConn, contributor_id: int) -> int:
    row = conn.execute(OPEN_OF, [contributor_id]).fetchone()
    return int(row[0]) if row else 0


def open_hours(conn: SyncConn, values: dict[str, Any]) -> int:
    row = conn.execute(OPEN, values).fetchone()
    assert row is not None
    return int(row[0])


def decide(conn: SyncConn, values: dict[str, Any], paid: list[Interval]) -> None:
    """`paid`: the milliseconds that are paid."""
    intervals = Multirange([Range(*one) for one in paid])
    conn.execute(DECIDE, values | {"intervals": intervals})


def owner(conn: SyncConn, hours_id: int) -> int | None:
    row = conn.execute(WHOSE, [hours_id]).fetchone()
    return int(row[0]) if row else None


def one(conn: SyncConn, hours_id: int) -> PaidHours | None:
    return first_of(conn, PaidHours, ONE, [hours_id])


def own(conn: SyncConn, contributor_id: int, before: int, limit: int) -> list[PaidHours]:
    return all_of(conn, PaidHours, OWN, [contributor_id, before, limit])


def unpaid_ms(conn: SyncConn, contributor_id: int) -> int:
    row = conn.execute(UNPAID, [contributor_id]).fetchone()
    assert row is not None
    return int(row[0])


def every(conn: SyncConn, after: int, limit: int, *, open_only: bool) -> list[PaidHours]:
    return all_of(conn, PaidHours, LIST, [after, open_only, limit])


def tasks(conn: SyncConn, contributor_id: int, from_ms: int, until_ms: int) -> list[TaskInSpan]:
    """Tasks of theirs in a span: those whose time is agreed, and answers that have none."""
    values = {"who": contributor_id, "from": from_ms, "until": until_ms}
    return [
        TaskInSpan(claimed, ended, [(start, end) for start, end in measured], agreed, stated)
        for claimed, ended, agreed, stated, measured in conn.execute(TASKS, values)
    ]


def exams(
    conn: SyncConn, contributor_id: int, from_ms: int, until_ms: int, now_ms: int, most: int
) -> list[Interval]:
    """When they were at exams that are paid, of each question as long as `most` tasks take."""
    values = {"who": contributor_id, "from": from_ms, "until": until_ms}
    found = conn.execute(EXAMS, values | {"now": now_ms, "most": most})
    return [(start, end) for (spans,) in found for start, end in spans]
