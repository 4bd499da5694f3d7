"""The SQL of settling."""

from collections.abc import Sequence
from typing import Any

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.settlement.model import NewSlip, Period, Settled, Unpaid, Worked

#: first key of the advisory lock that lets one settle at a time
LOCK = 9
LOCK_SQL = "select pg_advisory_xact_lock(%s, 0)"
TRY_LOCK = "select pg_try_advisory_xact_lock(%s, 0)"

_PERIOD = "select id, from_ms, until_ms, begun_ms, settled_ms from pay_period "
LAST = _PERIOD + "order by from_ms desc limit 1"
PERIODS = _PERIOD + "where id < %s order by id desc limit %s"

# when the first work at a step that pays ended, the first exam of one, or when hours were first
# agreed, however long ago these were: read once, for the first period
EARLIEST = """
select least(
    (select min(w.ended_ms) from work_time w
     join batch_step_pay p on p.batch_step_id = w.batch_step_id),
    (select min(a.submitted_ms) from earning e
     join answer a on a.task_id = e.task_id and a.contributor_id = e.contributor_id),
    (select min(x.ended_ms) from exam x where tariff_now(x.process_id, x.step_slug, x.ended_ms)
     is not null),
    (select min(h.decided_ms) from paid_hours h where h.agreed_ms > 0))"""

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

# all that is known of what this settlement found something of
WORKED = """
with found as (
    select distinct l.contributor_id, b.currency, l.of_period
    from pay_line l join batch_pay b on b.batch_id = l.batch_id
    where l.period_id = %(period)s
    union
    select contributor_id, currency, period_id from hours_line where period_id = %(period)s
)
select f.contributor_id, f.currency, c.jurisdiction, f.of_period, o.until_ms - 1 as at_ms,
       line.n_tasks, line.agreed_ms, line.qualifying_minor,
       (select coalesce(sum(s.topup_minor), 0)::bigint from pay_slip s
        where s.contributor_id = f.contributor_id and s.currency = f.currency
          and s.of_period = f.of_period) as before_minor,
       case when f.of_period = %(period)s then (
           select coalesce(sum(h.agreed_ms), 0)::bigint from hours_line h
           where h.contributor_id = f.contributor_id and h.period_id = f.of_period
             and h.currency = f.currency) else 0 end as hours_ms
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
                      n_tasks, agreed_ms, qualifying_minor, before_minor, topup_minor, hours_ms,
                      hours_minor, paid_ms)
select who, currency, of_period, %(period)s, place, floor, n, ms, pay, before, topup, hours_ms,
       hours, case when topup + hours = 0 then %(now)s::bigint end
from unnest(%(who)s::bigint[], %(currency)s::text[], %(of)s::bigint[], %(place)s::text[],
            %(floor)s::bigint[], %(n)s::bigint[], %(ms)s::bigint[], %(pay)s::bigint[],
            %(before)s::bigint[], %(topup)s::bigint[], %(hours_ms)s::bigint[], %(hours)s::bigint[])
    as u (who, currency, of_period, place, floor, n, ms, pay, before, topup, hours_ms, hours)"""

UNPAID = """
select s.id, s.contributor_id, s.currency, s.jurisdiction, s.topup_minor, s.hours_minor,
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
select period_id, currency, count(*) filter (where of_period = period_id) as slips,
       coalesce(sum(qualifying_minor) filter (where of_period = period_id), 0)::bigint,
       sum(topup_minor)::bigint, sum(hours_minor)::bigint,
       coalesce(sum(agreed_ms) filter (where of_period = period_id), 0)::bigint
from pay_slip where period_id = any (%s) group by period_id, currency
order by period_id, currency"""


def alone(conn: SyncConn) -> None:
    """Until the transaction ends nobody else settles; waits for whoever does."""
    conn.execute(LOCK_SQL, [LOCK])


def may_be_alone(conn: SyncConn) -> bool:
    """The same, where nobody settles just now; False leaves it to whoever does."""
    row = conn.execute(TRY_LOCK, [LOCK]).fetchone()
    return bool(row and row[0])


def last(conn: SyncConn) -> Period | None:
    """The newest period, settled or begun."""
    return first_of(conn, Period, LAST)


def periods(conn: SyncConn, before: int, limit: int) -> list[Period]:
    return all_of(conn, Period, PERIODS, [before, limit])


def earliest(conn: SyncConn) -> int | None:
    row = conn.execute(EARLIEST).fetchone()
    return row[0] if row else None


def uncounted(conn: SyncConn, until_ms: int) -> int:
    row = conn.execute(UNCOUNTED, {"until": until_ms}).fetchone()
    return int(row[0]) if row else 0


def begin(conn: SyncConn, from_ms: int, until_ms: int, by: int | None, now_ms: int) -> Period:
    values = {"from": from_ms, "until": until_ms, "by": by, "now": now_ms}
    found = first_of(conn, Period, BEGIN, values)
    assert found is not None
    return found


def worked(conn: SyncConn, period_id: int) -> list[Worked]:
    return all_of(conn, Worked, WORKED, {"period": period_id})


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
        "hours_ms": [one.hours_ms for one in known],
        "hours": [slip.hours_minor for slip in slips],
    }
    conn.execute(WRITE, values)


def unpaid(conn: SyncConn, period_id: int, limit: int) -> list[Unpaid]:
    values = {"period": period_id, "limit": limit}
    return all_of(conn, Unpaid, UNPAID, values)


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


def sums(conn: SyncConn, periods: Sequence[Period]) -> list[Settled]:
    """In the order of periods and currencies."""
    by_id = {one.id: one for one in periods}
    return [Settled(by_id[row[0]], *row[1:]) for row in conn.execute(SUMS, [list(by_id)])]
