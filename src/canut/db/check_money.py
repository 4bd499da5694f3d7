"""Proof that payouts, invoices and payments fit the books."""

#: rule -> query that gives an example of each breach; each reads whole tables
MONEY = {
    "a payout is in the books as its state says": """
        select 'payout ' || p.id from payout p
        left join ledger_transfer h on h.id = p.hold and h.mode = 'pending'
            and h.amount = p.amount and h.currency = p.currency
        left join ledger_transfer r on r.resolves = h.id
        left join lateral (
            select coalesce(sum(amount) filter (where kind = 'settle'), 0) as settled,
                   coalesce(sum(amount) filter (where kind = 'bounce'
                       and key = 'bounce:payout:' || p.id), 0) as bounced
            from ledger_transfer t
            where t.key in ('settle:payout:' || p.id, 'bounce:payout:' || p.id)
        ) later on true
        where h.id is null
           or coalesce(r.mode, 'held') <> case p.state when 'requested' then 'held'
                  when 'cancelled' then 'void' else 'post' end
           or (p.state = 'paid' and later.settled <> p.amount)
           or later.bounced <> case p.state when 'failed' then p.amount else 0 end""",
    "a payout run sums to its payouts, and two people approved what was sent": """
        select 'run ' || r.id from payout_run r
        left join lateral (select count(*) as n, sum(amount) as total from payout p
                           where p.run_id = r.id) of on true
        where (r.state <> 'cancelled' and (of.n, of.total) is distinct from (r.n_payouts, r.total))
           or (r.state = 'approved'
               and (select count(*) from payout_approval v where v.run_id = r.id) < 2)""",
    "the numbers of invoices have no gap": """
        select 'series ' || s.series from invoice_series s
        left join invoice i using (series)
        group by s.series, s.last having count(i.id) <> s.last or max(i.position) <> s.last""",
    "an invoice is the sum of its lines": """
        select 'invoice ' || i.number from invoice i
        where i.net <> (select coalesce(sum(l.net), 0) from invoice_line l
                        where l.invoice_id = i.id)""",
    "a payment that was made is in the books": """
        select 'payment ' || p.id from payment p
        left join ledger_transfer t on t.id = p.transfer_id and t.kind = 'deposit'
        where (p.state = 'paid') <> (t.id is not null)""",
}
