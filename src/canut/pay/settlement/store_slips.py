"""The SQL of reading pay slips."""

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.settlement.model import HoursLine, SlipLine, SlipSummary

_SLIP = """
select s.id, s.contributor_id, c.name as contributor, s.currency, o.from_ms, o.until_ms,
       (select count(*) from pay_slip e
        where e.contributor_id = s.contributor_id and e.currency = s.currency
          and e.of_period = s.of_period and e.period_id <= s.period_id) as number,
       s.jurisdiction, s.floor_minor, s.n_tasks, s.agreed_ms, s.qualifying_minor, s.before_minor,
       s.topup_minor, s.hours_ms, s.hours_minor, p.begun_ms as written_ms, s.paid_ms,
       coalesce(first.hours_ms, 0) as before_hours_ms,
       coalesce(first.hours_minor, 0) as before_hours_minor
from pay_slip s
join pay_period o on o.id = s.of_period
join pay_period p on p.id = s.period_id
join contributor c on c.id = s.contributor_id
left join pay_slip first on first.contributor_id = s.contributor_id
    and first.currency = s.currency and first.of_period = s.of_period
    and first.period_id = s.of_period and first.id <> s.id
"""
# one, of its contributor (null: of anybody)
SLIP = _SLIP + "where s.id = %(slip)s and (%(who)s::bigint is null or s.contributor_id = %(who)s)"
SLIPS = (
    _SLIP
    + """where s.id < %(before)s and (%(who)s::bigint is null or s.contributor_id = %(who)s)
  and (%(period)s::bigint is null or s.period_id = %(period)s)
order by s.id desc limit %(limit)s"""
)

# each task of the period, with what was known of it when the slip was written
LINES = """
select l.task_id, l.batch_step_id, l.batch_id, pr.slug as process, bs.slug as step,
       v.definition -> 'title' as process_title, st.definition -> 'title' as step_title,
       coalesce(max(w.ended_ms), max(a.submitted_ms), 0) as ended_ms,
       sum(l.agreed_ms)::bigint as agreed_ms, sum(l.pay_minor)::bigint as pay_minor,
       coalesce((select case min(e.basis) when 'price' then 'price' else 'hour' end from earning e
                 where e.task_id = l.task_id and e.contributor_id = l.contributor_id
                   and e.cause = 'work'
                 having count(*) > 0), 'none') as basis
from pay_slip s
join pay_line l on l.contributor_id = s.contributor_id and l.of_period = s.of_period
    and l.period_id <= s.period_id
join batch_pay b on b.batch_id = l.batch_id and b.currency = s.currency
join batch_step bs on bs.id = l.batch_step_id
join process pr on pr.id = bs.process_id
join step st on st.id = bs.step_id
join process_version v on v.id = st.process_version_id
left join work_time w on w.task_id = l.task_id and w.contributor_id = l.contributor_id
left join answer a on a.task_id = l.task_id and a.contributor_id = l.contributor_id
where s.id = %s
group by l.task_id, l.contributor_id, l.batch_step_id, l.batch_id, pr.slug, bs.slug, v.id, st.id
order by ended_ms, l.task_id"""

# exams, and what was agreed: on the slip of the period in which they are paid
HOURS = """
select coalesce(h.kind, 'exam') as kind, coalesce(h.from_ms, x.started_ms) as from_ms,
       coalesce(h.until_ms, x.ended_ms) as until_ms, l.agreed_ms
from pay_slip s
join hours_line l on l.contributor_id = s.contributor_id and l.currency = s.currency
    and l.period_id = s.of_period
left join exam x on x.id = l.exam_id
left join paid_hours h on h.id = l.hours_id
where s.id = %s and s.of_period = s.period_id
order by from_ms, until_ms, kind"""


def slip(conn: SyncConn, slip_id: int, contributor_id: int | None) -> SlipSummary | None:
    values = {"slip": slip_id, "who": contributor_id}
    with conn.cursor(row_factory=of(SlipSummary)) as cursor:
        found: SlipSummary | None = cursor.execute(SLIP, values).fetchone()
    return found


def slips(
    conn: SyncConn, contributor_id: int | None, period_id: int | None, before: int, limit: int
) -> list[SlipSummary]:
    values = {"who": contributor_id, "period": period_id, "before": before, "limit": limit}
    with conn.cursor(row_factory=of(SlipSummary)) as cursor:
        found: list[SlipSummary] = cursor.execute(SLIPS, values).fetchall()
    return found


def lines(conn: SyncConn, slip_id: int) -> list[SlipLine]:
    with conn.cursor(row_factory=of(SlipLine)) as cursor:
        found: list[SlipLine] = cursor.execute(LINES, [slip_id]).fetchall()
    return found


def hours(conn: SyncConn, slip_id: int) -> list[HoursLine]:
    with conn.cursor(row_factory=of(HoursLine)) as cursor:
        found: list[HoursLine] = cursor.execute(HOURS, [slip_id]).fetchall()
    return found
