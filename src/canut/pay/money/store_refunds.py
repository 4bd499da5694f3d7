"""The SQL of what comes back to clients."""

from collections.abc import Sequence

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import of

IS_CLIENT = "select 1 from client where id = %s"

LOCK = "select 1 from batch_pay where batch_id = %s for update"

# a batch that has money, with what is still held of it and when something was last earned in it
BATCH = """
select b.id, b.client_id, b.state, p.currency,
       coalesce((select sum(a.debits_pending) from ledger_account a
                 where a.kind in ('batch_escrow', 'topup_reserve') and a.owner_id = b.id), 0) > 0
           as held,
       (select max(s.made_ms) from pay_sheet s where s.batch_id = b.id) as earned_ms
from batch_pay p join batch b on b.id = p.batch_id
where b.id = %s"""

# finished batches that still have money, from the one behind on
OVER = """
select b.id from ledger_account a join batch b on b.id = a.owner_id
where a.kind in ('batch_escrow', 'topup_reserve') and a.credits - a.debits > 0
  and b.state in ('delivered', 'cancelled') and b.id > %s
group by b.id order by b.id limit %s"""

# how often a batch gave money back: the next time has another key
RELEASES = """
select count(*) from ledger_transfer
where debit_account = any (%s) and kind = 'release' and mode = 'posted' and reverses is null"""


class BatchRow(Struct, frozen=True):
    """A batch with money."""

    id: int
    client_id: int
    state: str
    currency: str
    held: bool
    #: when something was last earned; None: nothing was
    earned_ms: int | None


def is_client(conn: SyncConn, client_id: int) -> bool:
    return conn.execute(IS_CLIENT, [client_id]).fetchone() is not None


def batch(conn: SyncConn, batch_id: int, *, lock: bool = False) -> BatchRow | None:
    if lock:
        conn.execute(LOCK, [batch_id])
    with conn.cursor(row_factory=of(BatchRow)) as cursor:
        found: BatchRow | None = cursor.execute(BATCH, [batch_id]).fetchone()
    return found


def over(conn: SyncConn, after: int, limit: int) -> list[int]:
    return [row[0] for row in conn.execute(OVER, [after, limit])]


def releases(conn: SyncConn, accounts: Sequence[int]) -> int:
    row = conn.execute(RELEASES, [list(accounts)]).fetchone()
    return int(row[0]) if row else 0
