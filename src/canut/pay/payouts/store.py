"""The SQL of payouts, their accounts and runs."""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.payouts.model import Payout, PayoutState

# one row a contributor is in force; whoever changes it meanwhile waits for the contributor's row
LOCK_CONTRIBUTOR = "select kind from contributor where id = %s for no key update"

END_ACCOUNT = """
update payout_account set ended_ms = %s where contributor_id = %s and ended_ms is null
returning id, masked"""

ADD_ACCOUNT = """
insert into payout_account (contributor_id, way, sealed, masked, mark, created_ms)
values (%(contributor)s, %(way)s, %(sealed)s, %(masked)s, %(mark)s, %(now)s) returning id"""

IN_FORCE = """
select id, contributor_id, way, masked, created_ms, mark, sealed from payout_account
where contributor_id = %s and ended_ms is null"""

# others whose money goes to the same place
SHARED = """
select contributor_id from payout_account
where mark = %s and ended_ms is null and contributor_id <> %s order by contributor_id limit 20"""

# who asks again with the same key gets the row that is there
REQUEST = """
insert into payout (contributor_id, payout_account_id, way, currency, amount, key, requested_ms)
select a.contributor_id, a.id, a.way, %(currency)s, %(amount)s, %(key)s, %(now)s
from payout_account a where a.id = %(account)s
on conflict (contributor_id, key) do nothing returning id"""

HELD = "update payout set hold = %s where id = %s"

# what is earned and not held, by currency
PAYABLES = """
select currency, credits - debits - debits_pending from ledger_account
where kind = 'contributor_payable' and owner_id = %s order by currency"""

_PAYOUT = """
select p.id, p.contributor_id, p.way, a.masked, p.currency, p.amount, p.state, p.run_id, p.reason,
       p.requested_ms, p.ended_ms
from payout p join payout_account a on a.id = p.payout_account_id
"""

BY_KEY = _PAYOUT + "where p.contributor_id = %s and p.key = %s"
OF_CONTRIBUTOR = (
    _PAYOUT
    + """where p.contributor_id = %s and (%s::bigint is null or p.id < %s::bigint)
order by p.id desc limit %s"""
)
# what was asked for and has not arrived, by currency
LEAVING = """
select currency, sum(amount)::bigint from payout
where contributor_id = %s and state in ('requested', 'approved') group by currency
order by currency"""
OF_RUN = _PAYOUT + "where p.run_id = %s and p.id > %s order by p.id limit %s"

# locked in the order of ids, as everywhere, before the accounts of the books
LOCK = """
select id, contributor_id, payout_account_id, currency, amount, state, run_id, hold, way
from payout where id = any (%s) order by id for update"""
LOCK_OF_RUN = """
select id, contributor_id, payout_account_id, currency, amount, state, run_id, hold, way
from payout where run_id = %s order by id for update"""

# what becomes of many payouts at once; reasons stand beside ids
MOVE_ON = """
update payout p set state = u.state, reason = u.reason, ended_ms = %(now)s
from unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[]) as u (id, state, reason)
where p.id = u.id"""


class AccountRow(Struct, frozen=True):
    """A payout account as the table has it."""

    id: int
    contributor_id: int
    way: str
    masked: str
    created_ms: int
    mark: bytes
    sealed: bytes


class PayoutRow(Struct, frozen=True):
    """A payout that is locked."""

    id: int
    contributor_id: int
    payout_account_id: int
    currency: str
    amount: int
    state: PayoutState
    run_id: int | None
    hold: int | None
    way: str


def contributor_kind(conn: SyncConn, contributor: int) -> str | None:
    """'person' or 'agent'; the row is locked."""
    row = conn.execute(LOCK_CONTRIBUTOR, [contributor]).fetchone()
    return None if row is None else row[0]


def end_account(conn: SyncConn, contributor: int, now_ms: int) -> str | None:
    """What the ended one showed; None: there was none."""
    row = conn.execute(END_ACCOUNT, [now_ms, contributor]).fetchone()
    return None if row is None else row[1]


def add_account(conn: SyncConn, values: dict[str, Any]) -> int:
    return int(one(conn, ADD_ACCOUNT, values))


def account_in_force(conn: SyncConn, contributor: int) -> AccountRow | None:
    return first_of(conn, AccountRow, IN_FORCE, [contributor])


def shared_with(conn: SyncConn, mark: bytes, contributor: int) -> list[int]:
    return [row[0] for row in conn.execute(SHARED, [mark, contributor])]


def request(conn: SyncConn, values: dict[str, Any]) -> int | None:
    """The id; None where the key is taken."""
    row = conn.execute(REQUEST, values).fetchone()
    return None if row is None else row[0]


def keep_hold(conn: SyncConn, payout: int, hold: int) -> None:
    conn.execute(HELD, [hold, payout])


def payables(conn: SyncConn, contributor: int) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in conn.execute(PAYABLES, [contributor])]


def by_key(conn: SyncConn, contributor: int, key: str) -> Payout | None:
    return first_of(conn, Payout, BY_KEY, [contributor, key])


def of_contributor(
    conn: SyncConn, contributor: int, before: int | None, limit: int
) -> list[Payout]:
    return all_of(conn, Payout, OF_CONTRIBUTOR, [contributor, before, before, limit])


def leaving(conn: SyncConn, contributor: int) -> dict[str, int]:
    return dict(conn.execute(LEAVING, [contributor]).fetchall())


def of_run(conn: SyncConn, run: int, after: int, limit: int) -> list[Payout]:
    return all_of(conn, Payout, OF_RUN, [run, after, limit])


def locked(conn: SyncConn, ids: Iterable[int]) -> dict[int, PayoutRow]:
    return {row.id: row for row in all_of(conn, PayoutRow, LOCK, [list(ids)])}


def locked_of_run(conn: SyncConn, run: int) -> list[PayoutRow]:
    return all_of(conn, PayoutRow, LOCK_OF_RUN, [run])


def move_on(conn: SyncConn, outcomes: Sequence[tuple[int, PayoutState, str]], now_ms: int) -> None:
    """Id, state and reason of each."""
    values = {
        "ids": [one[0] for one in outcomes],
        "states": [one[1] for one in outcomes],
        "reasons": [one[2] for one in outcomes],
        "now": now_ms,
    }
    conn.execute(MOVE_ON, values)


def one(conn: SyncConn, sql: str, values: Any) -> Any:
    """The first column of the first row."""
    row = conn.execute(sql.encode(), values).fetchone()
    assert row is not None
    return row[0]
