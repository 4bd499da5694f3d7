"""Proof that the books balance: what every transfer, account and period must be.

Each rule is one statement over whole tables, so that the database sorts and sums in the memory it
has, and on disk beyond; nothing is carried here.
"""

from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.pq import TransactionStatus


class LedgerFault(Struct, frozen=True):
    """The first breach of the first rule that is broken."""

    #: the rule, for a person
    rule: str
    #: how many break it
    count: int
    #: the first of them
    example: str


#: rule -> query of its breaches: their place in the book, and what they are. In this order: a
#: transfer that is not sound would show again in sums
LEDGER = {
    "every transfer is between two accounts of its currency": """
        select t.id, 'transfer ' || t.id from ledger_transfer t
        left join ledger_account d on d.id = t.debit_account
        left join ledger_account c on c.id = t.credit_account
        where (d.currency = t.currency and c.currency = t.currency and t.amount > 0
               and d.id <> c.id) is not true""",
    "every transfer goes where its kind may go, and none leaves the indivisible reserve": """
        select t.id, 'transfer ' || t.id from ledger_transfer t
        join ledger_account d on d.id = t.debit_account
        join ledger_account c on c.id = t.credit_account
        left join ledger_flow f on f.kind = t.kind
            and f.debit_kind = case when t.reverses is null then d.kind else c.kind end
            and f.credit_kind = case when t.reverses is null then c.kind else d.kind end
        where f.kind is null or d.kind = 'indivisible_reserve'""",
    "a group of transfers is whole": """
        select coalesce(t.group_id, g.id), 'group ' || coalesce(t.group_id, g.id)
        from (select group_id, count(*) as n from ledger_transfer group by group_id) t
        full join ledger_group g on g.id = t.group_id
        where t.n is distinct from g.n_transfers""",
    "a hold is posted or voided once, for no more than it is": """
        select t.id, 'transfer ' || t.id from (
            select t.*, row_number() over (partition by t.resolves order by t.id) as turn
            from ledger_transfer t where t.resolves is not null) t
        left join ledger_transfer h on h.id = t.resolves and h.mode = 'pending' and h.id < t.id
            and h.debit_account = t.debit_account and h.credit_account = t.credit_account
            and (h.amount = t.amount or h.amount > t.amount and t.mode = 'post')
        where h.id is null or t.turn > 1""",
    "a reversal takes back one transfer, whole and once": """
        select t.id, 'transfer ' || t.id from (
            select t.*, row_number() over (partition by t.reverses order by t.id) as turn
            from ledger_transfer t where t.reverses is not null) t
        left join ledger_transfer o on o.id = t.reverses and o.mode in ('posted', 'post')
            and o.reverses is null and o.id < t.id and o.amount = t.amount
            and o.debit_account = t.credit_account and o.credit_account = t.debit_account
        where o.id is null or t.turn > 1""",
    "the sums of an account are those of its transfers": """
        select a.id, 'account ' || a.id from ledger_account a
        left join (
            select id, sum(debits) as debits, sum(credits) as credits,
                sum(debits_pending) as debits_pending, sum(credits_pending) as credits_pending
            from (
                select t.debit_account as id,
                    case when t.mode in ('posted', 'post') then t.amount else 0 end as debits,
                    0 as credits,
                    case when t.mode = 'pending' then t.amount else 0 end
                        - coalesce(h.amount, 0) as debits_pending,
                    0 as credits_pending
                from ledger_transfer t left join ledger_transfer h on h.id = t.resolves
                union all
                select t.credit_account, 0,
                    case when t.mode in ('posted', 'post') then t.amount else 0 end,
                    0,
                    case when t.mode = 'pending' then t.amount else 0 end - coalesce(h.amount, 0)
                from ledger_transfer t left join ledger_transfer h on h.id = t.resolves
            ) side group by id) s on s.id = a.id
        where (a.debits, a.credits, a.debits_pending, a.credits_pending)
            is distinct from (coalesce(s.debits, 0), coalesce(s.credits, 0),
                coalesce(s.debits_pending, 0), coalesce(s.credits_pending, 0))""",
    "all balances of a currency sum to nothing": """
        select min(id), 'currency ' || currency from ledger_account
        group by currency having sum(credits - debits) <> 0""",
    "no account is overdrawn": """
        select a.id, 'account ' || a.id from ledger_account a
        where a.kind not in ('bank', 'coop_fee') and a.credits - a.debits - a.debits_pending < 0""",
    "no account was overdrawn at any date": """
        select min(e.at_ms), 'account ' || e.account_id from (
            select d.account_id, d.at_ms,
                sum(d.amount) over (partition by d.account_id order by d.at_ms) as balance
            from (select account_id, at_ms, sum(amount) as amount from ledger_entry
                  group by account_id, at_ms) d
        ) e join ledger_account a on a.id = e.account_id
        where a.kind not in ('bank', 'coop_fee') and e.balance < 0 group by e.account_id""",
    "nothing is dated into a period after it closed": """
        select t.id, 'transfer ' || t.id from ledger_period p
        join ledger_transfer t on t.id > p.last_transfer and t.at_ms < p.until_ms""",
    "the sums of a closed period are those of its transfers": """
        select coalesce(c.until_ms, s.until_ms),
            'account ' || coalesce(c.account_id, s.account_id)
        from (
            select account_id, until_ms,
                sum(debits) over (partition by account_id order by until_ms) as debits,
                sum(credits) over (partition by account_id order by until_ms) as credits
            from (
                select e.account_id, p.until_ms, sum(greatest(-e.amount, 0)) as debits,
                    sum(greatest(e.amount, 0)) as credits
                from (select until_ms, lag(until_ms, 1, 0::bigint) over (order by until_ms)
                          as from_ms from ledger_period) p
                join ledger_entry e on e.at_ms >= p.from_ms and e.at_ms < p.until_ms
                group by e.account_id, p.until_ms) of_period
        ) s full join ledger_closing c
            on c.account_id = s.account_id and c.until_ms = s.until_ms
        where (s.debits, s.credits) is distinct from (c.debits, c.credits)""",
    "every account is of somebody who is there": """
        select a.id, 'account ' || a.id from ledger_account a
        where case
            when a.kind = 'client_deposit' then
                not exists (select from client o where o.id = a.owner_id)
            when a.kind in ('batch_escrow', 'topup_reserve') then
                not exists (select from batch o where o.id = a.owner_id)
            when a.owner_id > 0 then
                not exists (select from contributor o where o.id = a.owner_id)
            else false end""",
}


def first_fault(conn: Connection[Any]) -> LedgerFault | None:
    """The first breach of the first rule that is broken; None proves the book. One snapshot, so
    that posting goes on: `conn` is outside a transaction, or in one that may read once more."""
    own = conn.info.transaction_status == TransactionStatus.IDLE
    with conn.transaction():
        if own:
            conn.execute("set transaction isolation level repeatable read, read only")
        for rule, query in LEDGER.items():
            # the queries are ours, above
            sql = f"""select count(*) over (), example from ({query}) as broken (place, example)
                order by place limit 1"""  # noqa: S608
            row = conn.execute(sql.encode()).fetchone()
            if row:
                return LedgerFault(rule, row[0], row[1])
    return None
