"""Proof that pay fits the work and the books."""

#: rule -> query that gives an example of each breach; each reads whole tables
PAY = {
    "every earning is of an answer, in a batch that has money": """
        select 'task ' || e.task_id || ' of ' || e.contributor_id from earning e
        left join answer a on a.task_id = e.task_id and a.contributor_id = e.contributor_id
        left join batch_step_pay p on p.batch_step_id = e.batch_step_id
        where a.task_id is null or p.batch_step_id is null""",
    "a pay sheet is the sum of its earnings": """
        select 'sheet ' || s.id from pay_sheet s
        where s.pay_minor <> (select coalesce(sum(e.amount_minor), 0) from earning e
                              where e.sheet_id = s.id)""",
    "a pay sheet has its money in the books, held or posted": """
        select 'sheet ' || s.id from pay_sheet s
        where s.pay_minor + s.social_minor + s.fee_minor <> (
                select coalesce(sum(t.amount), 0) from ledger_transfer t
                where t.id = any (s.holds) and t.mode = 'pending')
           or (s.accepted_ms is not null and exists (
                select from unnest(s.holds) hold
                where not exists (select from ledger_transfer r where r.resolves = hold)))""",
    "no millisecond of a contributor counts for two tasks": """
        select 'contributor ' || contributor_id from work_time
        group by contributor_id
        having sum(multirange_ms(intervals)) <> multirange_ms(range_agg(intervals))""",
    "agreed time is within the time for which the task was theirs": """
        select 'task ' || w.task_id || ' of ' || w.contributor_id from work_time w
        where not (intervals <@ int8multirange(int8range(claimed_ms, ended_ms)))
           or agreed_ms > ended_ms - claimed_ms""",
    "a pay slip is the sum of its lines": """
        select 'slip ' || s.id from pay_slip s
        where (s.agreed_ms, s.qualifying_minor) <> (
            select greatest(coalesce(sum(l.agreed_ms), 0), 0),
                   greatest(coalesce(sum(l.pay_minor), 0), 0)
            from pay_line l join batch_pay b on b.batch_id = l.batch_id
            where l.contributor_id = s.contributor_id and l.of_period = s.of_period
              and l.period_id <= s.period_id and b.currency = s.currency)""",
    "a pay slip counts the tasks of its lines": """
        select 'slip ' || s.id from pay_slip s
        where s.n_tasks <> (
            select count(distinct l.task_id)
            from pay_line l join batch_pay b on b.batch_id = l.batch_id
            where l.contributor_id = s.contributor_id and l.of_period = s.of_period
              and l.period_id <= s.period_id and b.currency = s.currency)""",
    "a later pay slip has the top-ups of those before it": """
        select 'slip ' || s.id from pay_slip s
        where s.before_minor <> (
            select coalesce(sum(o.topup_minor), 0) from pay_slip o
            where o.contributor_id = s.contributor_id and o.currency = s.currency
              and o.of_period = s.of_period and o.period_id < s.period_id)""",
    "hours of a pay slip are the sum of its lines of hours": """
        select 'slip ' || s.id from pay_slip s
        where s.hours_ms <> (
            select coalesce(sum(l.agreed_ms), 0) from hours_line l
            where s.of_period = s.period_id and l.period_id = s.period_id
              and l.contributor_id = s.contributor_id and l.currency = s.currency)""",
    "a line of hours is on a pay slip": """
        select 'hours of ' || l.contributor_id || ' in period ' || l.period_id from hours_line l
        where not exists (
            select from pay_slip s
            where s.contributor_id = l.contributor_id and s.currency = l.currency
              and s.of_period = l.period_id and s.period_id = l.period_id)""",
    "a line of hours says what was agreed": """
        select 'hours ' || h.id from hours_line l
        join paid_hours h on h.id = l.hours_id
        where (l.contributor_id, l.currency, l.agreed_ms)
              is distinct from (h.contributor_id, h.currency, h.agreed_ms)""",
    # the most that an exam takes is the time between its answers, however long; less is paid where
    # one took longer than tasks do
    "a line of hours has no more of an exam than it took": """
        select 'exam ' || x.id from hours_line l
        join exam x on x.id = l.exam_id
        where l.contributor_id <> x.contributor_id or l.agreed_ms > multirange_ms(
            exam_time(x.id, 1000000000000) - coalesce((
                select range_agg(h.intervals) from paid_hours h
                where h.contributor_id = x.contributor_id and h.until_ms > x.started_ms), '{}'))""",
    "agreed hours have their milliseconds": """
        select 'hours ' || id from paid_hours
        where multirange_ms(intervals) <> coalesce(agreed_ms, 0)""",
    "hours of a contributor do not overlap": """
        select 'hours ' || h.id from paid_hours h
        join paid_hours o on o.contributor_id = h.contributor_id and o.id > h.id
            and o.from_ms < h.until_ms and o.until_ms > h.from_ms
        where h.agreed_ms is distinct from 0 and o.agreed_ms is distinct from 0""",
    "no millisecond is paid as hours and as time of a task": """
        select 'task ' || w.task_id || ' of ' || w.contributor_id from work_time w
        cross join lateral (
            select range_agg(h.intervals) as paid from paid_hours h
            where h.contributor_id = w.contributor_id and h.until_ms > w.claimed_ms
              and h.from_ms < w.ended_ms) hours
        where case w.basis when 'screen' then w.intervals && hours.paid
              else w.agreed_ms > w.ended_ms - w.claimed_ms - multirange_ms(
                  hours.paid * int8multirange(int8range(w.claimed_ms, w.ended_ms))) end""",
    "a pay slip that was paid has its top-up and hours in the books": """
        select 'slip ' || s.id from pay_slip s
        where s.paid_ms is not null and s.topup_minor + s.hours_minor <> (
            select coalesce(sum(t.amount), 0) from ledger_transfer t
            where t.id = any (s.transfers) and t.kind in ('topup', 'hourly'))""",
}
