"""The SQL of what a settlement finds: work of tasks, and hours beside them."""

from canut.db.pool import SyncConn
from canut.pay.settlement.model import Period

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

# exams of steps with a tariff: from answer to answer, of each as long as a pilot task is paid for,
# without what was agreed as other hours
EXAMS = """
insert into hours_line (exam_id, contributor_id, period_id, currency, agreed_ms)
select x.id, x.contributor_id, %(period)s, t.currency, took.ms
from exam x
join contributor c on c.id = x.contributor_id and c.kind = 'person'
join tariff t on t.id = tariff_now(x.process_id, x.step_slug, x.ended_ms)
cross join lateral (
    select multirange_ms(exam_time(x.id, %(most)s * t.assumed_ms) - coalesce((
        select range_agg(h.intervals) from paid_hours h
        where h.contributor_id = x.contributor_id and h.until_ms > x.started_ms), '{}')) as ms
) took
where x.ended_ms >= %(since)s and x.ended_ms < %(until)s and took.ms > 0
on conflict (exam_id) do nothing"""

# hours that were agreed and are on no slip yet, however long ago they were; those in a currency
# that had no floor yet wait for the period that begins with one
HOURS = """
insert into hours_line (hours_id, contributor_id, period_id, currency, agreed_ms)
select h.id, h.contributor_id, %(period)s, h.currency, h.agreed_ms
from paid_hours h
where h.agreed_ms > 0 and h.until_ms <= %(until)s
  and exists (select from policy f where f.name = 'floor' and f.currency = h.currency
              and f.from_ms < %(until)s)
  and not exists (select from hours_line l where l.hours_id = h.id)
on conflict (hours_id) do nothing"""


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
    conn.execute(HOURS, values)
