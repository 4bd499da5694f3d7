"""The SQL of payout runs."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.payouts.model import Approval, Run
from canut.pay.payouts.store import one

APPROVED = "update payout set state = 'approved' where run_id = %s"

# the oldest that wait; two who assemble at once take different ones
ASSEMBLE = """
with taken as materialized (
    select id, amount from payout
    where state = 'requested' and run_id is null and way = %(way)s and currency = %(currency)s
    order by id limit %(limit)s for update skip locked
), run as (
    insert into payout_run (way, currency, n_payouts, total, assembled_ms)
    select %(way)s, %(currency)s, count(*), sum(amount), %(now)s from taken having count(*) > 0
    returning id
), joined as (
    update payout p set run_id = run.id from taken, run where p.id = taken.id returning p.id
)
select run.id, (select count(*) from joined) from run"""

WAITING = """
select way, currency, count(*) as n_payouts, sum(amount)::bigint as total,
       min(requested_ms) as oldest_ms
from payout where state = 'requested' and run_id is null
group by way, currency order by way, currency"""

LOCK_RUN = "select id from payout_run where id = %s for update"

_RUN = """
select r.id, r.way, r.currency, r.state, r.n_payouts, r.total, r.assembled_ms, r.approved_ms,
       r.file_total,
       (select count(*) from payout p where p.run_id = r.id and p.state = 'paid') as paid,
       (select count(*) from payout p where p.run_id = r.id and p.state = 'failed') as failed,
       (select coalesce(sum(p.amount), 0)::bigint from payout p
        where p.run_id = r.id and p.state = 'failed') as returned
from payout_run r
"""
RUN = _RUN + "where r.id = %s"
RUNS = _RUN + "where %s::bigint is null or r.id < %s::bigint order by r.id desc limit %s"

# somebody's word counts while they may act: whoever was put out, or is keeper no more, has none
STANDS = """a.disabled_ms is null and exists (
    select from account_role k where k.account_id = a.id and k.role in ('operator', 'steward'))"""

APPROVALS = f"""
select v.run_id, v.account_id, a.name, v.at_ms, {STANDS}
from payout_approval v join account a on a.id = v.account_id
where v.run_id = any (%s) order by v.at_ms, v.account_id"""  # noqa: S608 - a condition of ours
APPROVE = """
insert into payout_approval (run_id, account_id, at_ms) values (%s, %s, %s)
on conflict do nothing returning 1"""
# whether somebody would approve what they are paid themselves
OWN_IN_RUN = """
select exists (select from payout p join contributor c on c.id = p.contributor_id
               where p.run_id = %s and c.account_id = %s)"""

RUN_STATE = "update payout_run set state = %s, approved_ms = %s where id = %s"
RELEASE = "update payout set run_id = null where run_id = %s"

# where the money of a run goes, without what was given back; and what the books have sent to the
# clearing account for it, less what they have given back from there
PAYEES = """
select p.id, p.contributor_id, p.amount, a.sealed
from payout p join payout_account a on a.id = p.payout_account_id
where p.run_id = %s and p.state <> 'failed' order by p.id"""
CLEARED = """
select coalesce(sum(t.amount - coalesce(b.amount, 0)), 0)::bigint from payout p
join ledger_transfer t on t.resolves = p.hold and t.mode = 'post'
join ledger_account a on a.id = t.credit_account and a.kind = 'payout_clearing'
left join ledger_transfer b on b.key = 'bounce:payout:' || p.id and b.debit_account = a.id
where p.run_id = %s"""
TAKEN = "update payout_run set file_total = %s where id = %s and file_total is null"


class PayeeRow(Struct, frozen=True):
    """A payee before the vault has opened where to."""

    id: int
    contributor_id: int
    amount: int
    sealed: bytes


class Waiting(Struct, frozen=True):
    """What waits for a run."""

    way: str
    currency: str
    n_payouts: int
    total: int
    oldest_ms: int


def assemble(conn: SyncConn, values: dict[str, Any]) -> int | None:
    row = conn.execute(ASSEMBLE, values).fetchone()
    return None if row is None else row[0]


def waiting(conn: SyncConn) -> list[Waiting]:
    return all_of(conn, Waiting, WAITING)


def run(conn: SyncConn, run_id: int, *, lock: bool = False) -> Run | None:
    if lock:
        conn.execute(LOCK_RUN, [run_id])
    return first_of(conn, Run, RUN, [run_id])


def runs(conn: SyncConn, before: int | None, limit: int) -> list[Run]:
    return all_of(conn, Run, RUNS, [before, before, limit])


def approvals(conn: SyncConn, of: Sequence[int]) -> dict[int, list[Approval]]:
    """Run -> who approved it, oldest first."""
    found: dict[int, list[Approval]] = {run_id: [] for run_id in of}
    for run_id, *said in conn.execute(APPROVALS.encode(), [list(of)]):
        found[run_id].append(Approval(*said))
    return found


def approve(conn: SyncConn, run_id: int, account: int, now_ms: int) -> bool:
    """Whether it is the first time."""
    return conn.execute(APPROVE, [run_id, account, now_ms]).fetchone() is not None


def own_in_run(conn: SyncConn, run_id: int, account: int) -> bool:
    return bool(one(conn, OWN_IN_RUN, [run_id, account]))


def approved(conn: SyncConn, run_id: int, now_ms: int) -> None:
    conn.execute(RUN_STATE, ["approved", now_ms, run_id])
    conn.execute(APPROVED, [run_id])


def cancelled(conn: SyncConn, run_id: int) -> None:
    conn.execute(RUN_STATE, ["cancelled", None, run_id])
    conn.execute(RELEASE, [run_id])


def taken(conn: SyncConn, run_id: int, total: int) -> None:
    """What the file of a run sums to, when it is first taken."""
    conn.execute(TAKEN, [total, run_id])


def payees(conn: SyncConn, run_id: int) -> list[PayeeRow]:
    return all_of(conn, PayeeRow, PAYEES, [run_id])


def cleared(conn: SyncConn, run_id: int) -> int:
    return int(one(conn, CLEARED, [run_id]))
