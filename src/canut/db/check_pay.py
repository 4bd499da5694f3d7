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
    "a pay slip that was paid has its top-up and hours in the books": """
        select 'slip ' || s.id from pay_slip s
        where s.paid_ms is not null and s.topup_minor + s.exam_minor <> (
            select coalesce(sum(t.amount), 0) from ledger_transfer t
            where t.id = any (s.transfers) and t.kind in ('topup', 'hourly'))""",
}
