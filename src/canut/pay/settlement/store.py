"""The SQL of settling."""

from collections.abc import Sequence
from typing import Any

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.settlement.model import NewSlip, Period, Settled, Unpaid, Worked

#: first key of the advisory lock that lets one settle at a time
LOCK = 9
LOCK_SQL = "select pg_advisory_xact_lock(%s, 0)"
TRY_LOCK = "select pg_try_advisory_xact_lock(%s, 0)"

_PERIOD = "select id, from_ms, until_ms, begun_ms, settled_ms from pay_period "
LAST = _PERIOD + "order by from_ms desc limit 1"
PERIODS = _PERIOD + "where id < %s order by id desc limit %s"

# when the first work at a step that pays ended, or the first exam of one: read once, for the first
# period
EARLIEST = """
select least(
    (select min(w.ended_ms) from work_time w
     join batch_step_pay p on p.batch_step_id = w.batch_step_id),
    (select min(a.submitted_ms) from earning e
     join answer a on a.task_id = e.task_id and a.contributor_id = e.contributor_id),
    (select min(x.ended_ms) from exam x where tariff_now(x.process_id, x.step_slug, x.ended_ms)
     is not null))"""

# what ended before and is not paid or counted yet
UNCOUNTED = """
select (select count(*) from inbox i
        join batch_step_pay p on p.batch_step_id = i.batch_step_id
        join contributor c on c.id = i.contributor_id and c.kind = 'person'
        where i.submitted_ms < %(until)s)
     + (select count(*) from worked where submitted_ms < %(until)s)
     + (select count(*) from activity f
        join batch_step_pay p on p.batch_step_id = f.batch_step_id
        join assignment g on g.task_id = f.task_id and g.contributor_id = f.contributor_id
        where f.fresh and g.ended_ms < %(until)s)"""

BEGIN = """
insert into pay_period (from_ms, until_ms, begun_ms, account_id)
values (%(from)s, %(until)s, %(now)s, %(by)s)
returning id, from_ms, until_ms, begun_ms, settled_ms"""

# what is known of each task that ended since, less what earlier settlements knew: what is in a
# period counts by when the task ended, however late its time or its pay came
LINES = """
with timed as (
    select w.task_id, w.contributor_id, w.batch_step_id, w.ended_ms, w.agreed_ms
    from work_time w
    join batch_step_pay p on p.batch_step_id = w.batch_step_id
    where w.ended_ms >= %(since)s and w.ended_ms < %(until)s
), earned as (
    select e.task_id, e.contributor_id, e.batch_step_id, sum(e.amount_minor)::bigint as pay_minor,
           min(a.submitted_ms) as ended_ms
    from earning e
    join answer a on a.task_id = e.task_id and a.contributor_id = e.contributor_id
    where e.earned_ms >= %(since)s and a.submitted_ms >= %(since)s and a.submitted_ms < %(until)s
    group by e.task_id, e.contributor_id, e.batch_step_id
), known as (
    select task_id, contributor_id, coalesce(t.batch_step_id, e.batch_step_id) as batch_step_id,
           coalesce(t.ended_ms, e.ended_ms) as ended_ms, coalesce(t.agreed_ms, 0) as agreed_ms,
           coalesce(e.pay_minor, 0) as pay_minor
    from timed t full join earned e using (task_id, contributor_id)
), before as (
    select l.task_id, l.contributor_id, min(l.of_period) as of_period,
           sum(l.agreed_ms)::bigint as agreed_ms, sum(l.pay_minor)::bigint as pay_minor
    from pay_line l
    join pay_period o on o.id = l.of_period and o.until_ms > %(since)s
    group by l.task_id, l.contributor_id
)
insert into pay_line (task_id, contributor_id, period_id, of_period, batch_id, batch_step_id,
                      agreed_ms, pay_minor)
select k.task_id, k.contributor_id, %(period)s,
       coalesce(b.of_period, (select o.id from pay_period o where o.from_ms <= k.ended_ms
                              order by o.from_ms desc limit 1), %(period)s),
       p.batch_id, k.batch_step_id,
       k.agreed_ms - coalesce(b.agreed_ms, 0), k.pay_minor - coalesce(b.pay_minor, 0)
from known k
join batch_step_pay p on p.batch_step_id = k.batch_step_id
join contributor c on c.id = k.contributor_id and c.kind = 'person'
left join before b on b.task_id = k.task_id and b.contributor_id = k.contributor_id
where (k.agreed_ms, k.pay_minor) <> (coalesce(b.agreed_ms, 0), coalesce(b.pay_minor, 0))"""

# exams of steps with a tariff: from answer to answer, of each as long as a pilot task is paid for
EXAMS = """
insert into pay_exam (exam_id, contributor_id, period_id, currency, agreed_ms)
select x.id, x.contributor_id, %(period)s, t.currency, took.ms
from exam x
join contributor c on c.id = x.contributor_id and c.kind = 'person'
join tariff t on t.id = tariff_now(x.process_id, x.step_slug, x.ended_ms)
cross join lateral (
    select coalesce(sum(least(greatest(g.answered_ms - g.since_ms, 0),
                              %(most)s * t.assumed_ms)), 0)::bigint as ms
    from (select answered_ms,
                 coalesce(lag(answered_ms) over (order by place), shown_ms) as since_ms
          from gold_answer where exam_id = x.id and answered_ms is not null) g
) took
where x.ended_ms >= %(since)s and x.ended_ms < %(until)s and took.ms > 0
on conflict (exam_id) do nothing"""

# all that is known of what this settlement found something of
WORKED = """
with found as (
    select distinct l.contributor_id, b.currency, l.of_period
    from pay_line l join batch_pay b on b.batch_id = l.batch_id
    where l.period_id = %(period)s
    union
    select contributor_id, currency, period_id from pay_exam where period_id = %(period)s
)
select f.contributor_id, f.currency, c.jurisdiction, f.of_period, o.until_ms - 1 as at_ms,
       line.n_tasks, line.agreed_ms, line.qualifying_minor,
       (select coalesce(sum(s.topup_minor), 0)::bigint from pay_slip s
        where s.contributor_id = f.contributor_id and s.currency = f.currency
          and s.of_period = f.of_period) as before_minor,
       case when f.of_period = %(period)s then (
           select coalesce(sum(x.agreed_ms), 0)::bigint from pay_exam x
           where x.contributor_id = f.contributor_id and x.period_id = f.of_period
             and x.currency = f.currency) else 0 end as exam_ms
from found f
join contributor c on c.id = f.contributor_id
join pay_period o on o.id = f.of_period
cross join lateral (
    select count(distinct l.task_id) as n_tasks,
           greatest(coalesce(sum(l.agreed_ms), 0), 0)::bigint as agreed_ms,
           greatest(coalesce(sum(l.pay_minor), 0), 0)::bigint as qualifying_minor
    from pay_line l join batch_pay b on b.batch_id = l.batch_id
    where l.contributor_id = f.contributor_id and l.of_period = f.of_period
      and b.currency = f.currency
) line
order by f.of_period, f.contributor_id, f.currency"""

# slips without anything to be paid are paid
WRITE = """
insert into pay_slip (contributor_id, currency, of_period, period_id, jurisdiction, floor_minor,
                      n_tasks, agreed_ms, qualifying_minor, before_minor, topup_minor, exam_ms,
                      exam_minor, paid_ms)
select who, currency, of_period, %(period)s, place, floor, n, ms, pay, before, topup, exam_ms, exam,
       case when topup + exam = 0 then %(now)s::bigint end
from unnest(%(who)s::bigint[], %(currency)s::text[], %(of)s::bigint[], %(place)s::text[],
            %(floor)s::bigint[], %(n)s::bigint[], %(ms)s::bigint[], %(pay)s::bigint[],
            %(before)s::bigint[], %(topup)s::bigint[], %(exam_ms)s::bigint[], %(exam)s::bigint[])
    as u (who, currency, of_period, place, floor, n, ms, pay, before, topup, exam_ms, exam)"""

UNPAID = """
select s.id, s.contributor_id, s.currency, s.jurisdiction, s.topup_minor, s.exam_minor,
       coalesce(worked.batches, '{}') as batches, coalesce(worked.times, '{}') as times
from (select * from pay_slip where period_id = %(period)s and paid_ms is null
      order by id limit %(limit)s) s
cross join lateral (
    select array_agg(batch_id order by batch_id) as batches,
           array_agg(ms order by batch_id) as times
    from (select l.batch_id, greatest(sum(l.agreed_ms), 0)::bigint as ms
          from pay_line l join batch_pay b on b.batch_id = l.batch_id
          where l.contributor_id = s.contributor_id and l.of_period = s.of_period
            and b.currency = s.currency
          group by l.batch_id) one
) worked
order by s.id"""

RESERVES = """
select a.owner_id, greatest(a.credits - a.debits - a.debits_pending, 0)
from batch_pay p
join ledger_account a on a.kind = 'topup_reserve' and a.owner_id = p.batch_id
    and a.currency = p.currency
where p.batch_id = any (%s)"""

PAID = """
update pay_slip s set paid_ms = %(now)s, transfers = u.ids::bigint[]
from unnest(%(slips)s::bigint[], %(ids)s::text[]) as u (slip, ids) where s.id = u.slip"""

SETTLED = "update pay_period set settled_ms = %s where id = %s and settled_ms is null"

SUMS = """
select currency, count(*) filter (where of_period = period_id) as slips,
       coalesce(sum(qualifying_minor) filter (where of_period = period_id), 0)::bigint,
       sum(topup_minor)::bigint, sum(exam_minor)::bigint,
       coalesce(sum(agreed_ms) filter (where of_period = period_id), 0)::bigint
from pay_slip where period_id = %s group by currency order by currency"""


def alone(conn: SyncConn) -> None:
    """Until the transaction ends nobody else settles; waits for whoever does."""
    conn.execute(LOCK_SQL, [LOCK])


def may_be_alone(conn: SyncConn) -> bool:
    """The same, where nobody settles just now; False leaves it to whoever does."""
    row = conn.execute(TRY_LOCK, [LOCK]).fetchone()
    return bool(row and row[0])


def last(conn: SyncConn) -> Period | None:
    """The newest period, settled or begun."""
    with conn.cursor(row_factory=of(Period)) as cursor:
        found: Period | None = cursor.execute(LAST).fetchone()
    return found


def periods(conn: SyncConn, before: int, limit: int) -> list[Period]:
    with conn.cursor(row_factory=of(Period)) as cursor:
        found: list[Period] = cursor.execute(PERIODS, [before, limit]).fetchall()
    return found


def earliest(conn: SyncConn) -> int | None:
    row = conn.execute(EARLIEST).fetchone()
    return row[0] if row else None


def uncounted(conn: SyncConn, until_ms: int) -> int:
    row = conn.execute(UNCOUNTED, {"until": until_ms}).fetchone()
    return int(row[0]) if row else 0


def begin(conn: SyncConn, from_ms: int, until_ms: int, by: int | None, now_ms: int) -> Period:
    values = {"from": from_ms, "until": until_ms, "by": by, "now": now_ms}
    with conn.cursor(row_factory=of(Period)) as cursor:
        found: Period | None = cursor.execute(BEGIN, values).fetchone()
    assert found is not None
    return found


def keep_lines(conn: SyncConn, period: Period, since_ms: int, exam_tasks: int) -> None:
    """Write down what the period's settlement knows that no earlier one did. Of an exam's question
    as much time counts as of `exam_tasks` tasks."""
    values = {
        "period": period.id,
        "since": since_ms,
        "until": period.until_ms,
        "most": exam_tasks,
    }
    conn.execute(LINES, values)
    conn.execute(EXAMS, values)


def worked(conn: SyncConn, period_id: int) -> list[Worked]:
    with conn.cursor(row_factory=of(Worked)) as cursor:
        found: list[Worked] = cursor.execute(WORKED, {"period": period_id}).fetchall()
    return found


def write(conn: SyncConn, period_id: int, slips: Sequence[NewSlip], now_ms: int) -> None:
    known = [slip.worked for slip in slips]
    values: dict[str, Any] = {
        "period": period_id,
        "now": now_ms,
        "who": [one.contributor_id for one in known],
        "currency": [one.currency for one in known],
        "of": [one.of_period for one in known],
        "place": [slip.jurisdiction for slip in slips],
        "floor": [slip.floor_minor for slip in slips],
        "n": [one.n_tasks for one in known],
        "ms": [one.agreed_ms for one in known],
        "pay": [one.qualifying_minor for one in known],
        "before": [one.before_minor for one in known],
        "topup": [slip.topup_minor for slip in slips],
        "exam_ms": [one.exam_ms for one in known],
        "exam": [slip.exam_minor for slip in slips],
    }
    conn.execute(WRITE, values)


def unpaid(conn: SyncConn, period_id: int, limit: int) -> list[Unpaid]:
    values = {"period": period_id, "limit": limit}
    with conn.cursor(row_factory=of(Unpaid)) as cursor:
        found: list[Unpaid] = cursor.execute(UNPAID, values).fetchall()
    return found


def reserves(conn: SyncConn, batches: Sequence[int]) -> dict[int, int]:
    """Batch -> what may be taken from its reserve."""
    return dict(conn.execute(RESERVES, [list(batches)]).fetchall())


def paid(conn: SyncConn, transfers: dict[int, list[int]], now_ms: int) -> None:
    """`transfers`: of each slip."""
    ids = ["{" + ",".join(map(str, one)) + "}" for one in transfers.values()]
    conn.execute(PAID, {"slips": list(transfers), "ids": ids, "now": now_ms})


def settled(conn: SyncConn, period_id: int, now_ms: int) -> bool:
    """Whether it was not before."""
    return conn.execute(SETTLED, [now_ms, period_id]).rowcount == 1


def sums(conn: SyncConn, period: Period) -> list[Settled]:
    return [Settled(period, *row) for row in conn.execute(SUMS, [period.id])]
