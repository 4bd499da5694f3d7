"""The SQL of what clients have."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.money.model import Part
from canut.pay.money.purse_model import BatchPurse, Move

# a batch waits for its first money where a step is held and has none
_WAITS = """
(p.batch_id is null and exists (
    select from batch_step s where s.batch_id = b.id and s.held and s.funded_to = 0))"""

# clients, each with its money by currency; who never had any has one row without
PURSES = f"""
with kept as (
    select a.owner_id as client_id, a.currency, a.credits - a.debits - a.debits_pending as deposit,
           0::bigint as aside, 0::bigint as held
    from ledger_account a where a.kind = 'client_deposit'
    union all
    select b.client_id, a.currency, 0, a.credits - a.debits - a.debits_pending, a.debits_pending
    from ledger_account a join batch b on b.id = a.owner_id
    where a.kind in ('batch_escrow', 'topup_reserve')
), summed as (
    select client_id, currency, sum(deposit)::bigint as deposit, sum(aside)::bigint as aside,
           sum(held)::bigint as held
    from kept where %(client)s::bigint is null or client_id = %(client)s
    group by client_id, currency
)
select c.id as client_id, c.slug, c.name, m.currency, coalesce(m.deposit, 0) as deposit,
       coalesce(m.aside, 0) as aside, coalesce(m.held, 0) as held,
       (select count(*) from batch b left join batch_pay p on p.batch_id = b.id
        where b.client_id = c.id and b.state in ('running', 'paused')
          and (p.short_ms is not null or {_WAITS})) as waiting
from client c left join summed m on m.client_id = c.id
where %(client)s::bigint is null or c.id = %(client)s
order by c.name, c.id, m.currency"""  # noqa: S608 - a condition of ours

# the keys of releases say of which batch they are (canut.pay.money.refunds): one range of an index
_BATCH = """
select b.id, b.client_id, b.name, b.state, b.n_items,
       b.n_items - coalesce((select min(s.n_decided) from batch_step s
                             where s.batch_id = b.id), 0)::bigint as left_items,
       p.currency, p.funded_ms, p.short_ms,
       coalesce((select sum(q.total_minor) from quote q
                 where q.batch_id = b.id and q.agreed_ms is not null), 0)::bigint as agreed,
       coalesce((select sum(t.amount) from ledger_transfer t
                 where t.key >= 'release:batch:' || b.id || ':'
                   and t.key < 'release:batch:' || b.id || ';'), 0)::bigint as back,
       coalesce(m.held, 0) as held, coalesce(m.escrow, 0) as escrow,
       coalesce(m.reserve, 0) as reserve
from batch b
left join batch_pay p on p.batch_id = b.id
left join lateral (
    select sum(a.debits_pending)::bigint as held,
           sum(a.credits - a.debits - a.debits_pending)
               filter (where a.kind = 'batch_escrow')::bigint as escrow,
           sum(a.credits - a.debits - a.debits_pending)
               filter (where a.kind = 'topup_reserve')::bigint as reserve
    from ledger_account a
    where a.kind in ('batch_escrow', 'topup_reserve') and a.owner_id = b.id
      and a.currency = p.currency) m on true
"""
_PAID = f"(p.batch_id is not null or {_WAITS})"
BATCH = f"{_BATCH} where b.id = %s and {_PAID}"
BATCHES = f"""{_BATCH} where b.client_id = %(client)s and {_PAID}
  and (%(before)s::bigint is null or b.id < %(before)s)
  and (not %(waiting)s or (b.state in ('running', 'paused')
                           and (p.batch_id is null or p.short_ms is not null)))
order by b.id desc limit %(limit)s"""

CLIENT_OF = "select client_id from batch where id = %s"

USED = """
with purse as (
    select id from ledger_account
    where kind in ('batch_escrow', 'topup_reserve') and owner_id = %(batch)s
), moved as (
    select t.kind, t.amount from purse p join ledger_transfer t on t.debit_account = p.id
    where t.mode in ('posted', 'post') and t.kind not in ('fund', 'release')
    union all
    select t.kind, -t.amount from purse p join ledger_transfer t on t.credit_account = p.id
    where t.mode in ('posted', 'post') and t.kind not in ('fund', 'release')
)
select case kind when 'topup' then 'topup' when 'contribution' then 'social' when 'ai' then 'ai'
                 when 'fee' then 'fee' else 'pay' end as part, sum(amount)::bigint
from moved group by 1"""

HELD = """
select coalesce(sum(social_minor), 0)::bigint, coalesce(sum(fee_minor), 0)::bigint
from pay_sheet where batch_id = %s and accepted_ms is null"""

# both sides of the client's deposits, each by its index, as far as a page goes
MOVES = """
with mine as (
    select id, currency from ledger_account
    where kind = 'client_deposit' and owner_id = %(client)s
), moved as (
    select t.* from mine m cross join lateral (
        (select t.id, t.at_ms, t.kind, t.amount, t.credit_account as other, t.key, -1 as sign
         from ledger_transfer t where t.debit_account = m.id and t.mode in ('posted', 'post')
           and (t.at_ms, t.id) < (%(at)s, %(id)s)
         order by t.at_ms desc, t.id desc limit %(limit)s)
        union all
        (select t.id, t.at_ms, t.kind, t.amount, t.debit_account, t.key, 1
         from ledger_transfer t where t.credit_account = m.id and t.mode in ('posted', 'post')
           and (t.at_ms, t.id) < (%(at)s, %(id)s)
         order by t.at_ms desc, t.id desc limit %(limit)s)) t
    order by t.at_ms desc, t.id desc limit %(limit)s
)
select t.id as transfer_id, t.at_ms, t.kind, a.currency, t.sign * t.amount as amount,
       a.kind as other, b.id as batch_id, coalesce(b.name, '') as batch_name,
       case when t.kind in ('deposit', 'refund')
            then regexp_replace(t.key, '^[a-z]+:[^:]*:', '') else '' end as reference
from moved t
join ledger_account a on a.id = t.other
left join batch b on b.id = a.owner_id and a.kind in ('batch_escrow', 'topup_reserve')
order by t.at_ms desc, t.id desc"""

#: beyond every moment and every transfer
EVER = (2**62, 2**62)


class PurseRow(Struct, frozen=True):
    """A client's money in one currency; None: it never had any."""

    client_id: int
    slug: str
    name: str
    currency: str | None
    deposit: int
    aside: int
    held: int
    waiting: int


def purses(conn: SyncConn, client_id: int | None) -> list[PurseRow]:
    return all_of(conn, PurseRow, PURSES, {"client": client_id})


def client_of(conn: SyncConn, batch_id: int) -> int | None:
    row = conn.execute(CLIENT_OF, [batch_id]).fetchone()
    return None if row is None else row[0]


def batch(conn: SyncConn, batch_id: int) -> BatchPurse | None:
    return first_of(conn, BatchPurse, BATCH, [batch_id])


def batches(
    conn: SyncConn, client_id: int, waiting: bool, before: int | None, limit: int
) -> list[BatchPurse]:
    values = {"client": client_id, "waiting": waiting, "before": before, "limit": limit}
    return all_of(conn, BatchPurse, BATCHES, values)


def used(conn: SyncConn, batch_id: int) -> dict[Part, int]:
    """What was spent for good, by what it went on."""
    return dict(conn.execute(USED, {"batch": batch_id}).fetchall())


def held(conn: SyncConn, batch_id: int) -> dict[Part, int]:
    """Contributions and fee that wait to be accepted."""
    row = conn.execute(HELD, [batch_id]).fetchone()
    assert row is not None
    return {"social": int(row[0]), "fee": int(row[1])}


def moves(conn: SyncConn, client_id: int, before: tuple[int, int] | None, limit: int) -> list[Move]:
    at, last = before or EVER
    values = {"client": client_id, "at": at, "id": last, "limit": limit}
    return all_of(conn, Move, MOVES, values)
