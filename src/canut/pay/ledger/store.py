"""The SQL of the ledger; what posts and what guards it are functions of db/functions."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.ledger.model import AccountKind, Balance, Hold, TransferKind

#: errors after which the same group may be posted again at once: somebody else was quicker
QUICKER = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected)
#: times a group is posted
TRIES = 5
#: SQLSTATE of ledger_guard.sql: a debit dated before the account had the money
DIP = "LE001"

POST = "select ids, problems from ledger_post(%s, %s, %s)"

OPEN = """
insert into ledger_account (kind, owner_id, currency, opened_ms)
select u.kind, u.owner_id, u.currency, %(now)s
from unnest(%(kinds)s::text[], %(owners)s::bigint[], %(currencies)s::text[])
    as u (kind, owner_id, currency)
order by u.kind, u.owner_id, u.currency
on conflict do nothing"""

IDS = """
select a.id from unnest(%(kinds)s::text[], %(owners)s::bigint[], %(currencies)s::text[])
    with ordinality as u (kind, owner_id, currency, place)
join ledger_account a using (kind, owner_id, currency)
order by u.place"""

_ACCOUNT = """
select id, kind, owner_id, currency, debits, credits, debits_pending, credits_pending
from ledger_account
"""

ACCOUNTS = (
    _ACCOUNT
    + """where id > %(after)s and (%(kind)s::text is null or kind = %(kind)s)
  and (%(owner)s::bigint is null or owner_id = %(owner)s)
  and (%(currency)s::text is null or currency = %(currency)s)
order by id limit %(limit)s"""
)

SOME = _ACCOUNT + "where id = any (%s)"

FOLDED = "select f.debits, f.credits from ledger_folded(%s, %s) f"

# a page of what moved an account, in the order of dates and, on one date, of posting
LINES = """
select x.id as transfer_id, x.at_ms, x.kind, x.other, o.kind as other_kind, x.amount, x.why,
       x.reference, x.reverses
from (
    (select id, at_ms, kind, credit_account as other, -amount as amount, why, reference, reverses
     from ledger_transfer
     where debit_account = %(account)s and mode in ('posted', 'post')
       and at_ms < %(until)s and (at_ms, id) > (%(at)s, %(id)s)
     order by at_ms, id limit %(limit)s)
    union all
    (select id, at_ms, kind, debit_account, amount, why, reference, reverses
     from ledger_transfer
     where credit_account = %(account)s and mode in ('posted', 'post')
       and at_ms < %(until)s and (at_ms, id) > (%(at)s, %(id)s)
     order by at_ms, id limit %(limit)s)
) x
join ledger_account o on o.id = x.other
order by x.at_ms, x.id limit %(limit)s"""

# what an account had when the page begins: all before its first date, and of that date what comes
# before its first line
ON_THE_DAY = """
select coalesce(sum(amount), 0)::bigint from ledger_entry
where account_id = %(account)s and at_ms = %(at)s and transfer_id <= %(id)s"""

# holds on an account that nobody has posted or voided, oldest first
HOLDS = """
select t.id as transfer_id, t.key, t.kind, t.debit_account as debit, t.credit_account as credit,
       t.amount, t.currency, t.at_ms, t.why, t.reference, t.expires_ms
from ledger_transfer t
where t.debit_account = %(account)s and t.mode = 'pending' and t.id > %(after)s
  and not exists (select from ledger_transfer r where r.resolves = t.id)
order by t.id limit %(limit)s"""

# holds whose time is over
OVERDUE = """
select t.id from ledger_transfer t
where t.expires_ms <= %s and not exists (select from ledger_transfer r where r.resolves = t.id)
order by t.expires_ms, t.id limit %s"""

CLOSE = "select ledger_close(%s, %s, %s)"

CLOSED = "select coalesce(max(until_ms), 0) from ledger_period"

TOTALS = """
select currency, count(*), coalesce(sum(credits - debits) filter (where kind <> 'bank'), 0)::bigint
from ledger_account group by currency order by currency"""

COUNTS = "select count(*), (select count(*) from ledger_group) from ledger_transfer"


class AccountRow(Struct, frozen=True):
    """An account as the table has it."""

    id: int
    kind: AccountKind
    owner_id: int
    currency: str
    debits: int
    credits: int
    debits_pending: int
    credits_pending: int


class LineRow(Struct, frozen=True):
    """A line of a statement before its balance is known."""

    transfer_id: int
    at_ms: int
    kind: TransferKind
    other: int
    other_kind: AccountKind
    amount: int
    why: str
    reference: str
    reverses: int | None


class Dip(Exception):
    """Debits dated before the money came: `facts` has account, at_ms and balance of each."""

    def __init__(self, facts: list[dict[str, Any]]):
        super().__init__(facts)
        self.facts = facts


def post(
    conn: SyncConn, moves: str, now_ms: int, by: int | None
) -> tuple[list[int] | None, list[dict[str, Any]] | None]:
    """The transfers, or what is wrong, in a transaction or savepoint of its own. Raises `Dip`."""
    for tried in range(1, TRIES + 1):
        try:
            with conn.transaction():
                row = conn.execute(POST, [moves, now_ms, by]).fetchone()
            assert row is not None
            return row[0], row[1]
        except QUICKER:
            if tried == TRIES:
                raise
        except psycopg.Error as error:
            if error.sqlstate != DIP:
                raise
            raise Dip(msgspec.json.decode(error.diag.message_detail or "[]")) from error
    raise AssertionError("the last try returns or raises")


def open_all(conn: SyncConn, names: dict[str, list[Any]], now_ms: int) -> list[int]:
    """Open those that are not there; all ids, in order."""
    conn.execute(OPEN, names | {"now": now_ms})
    return [row[0] for row in conn.execute(IDS, names)]


def some(conn: SyncConn, ids: Sequence[int]) -> list[AccountRow]:
    with conn.cursor(row_factory=of(AccountRow)) as cursor:
        found: list[AccountRow] = cursor.execute(SOME, [list(ids)]).fetchall()
    return found


def accounts(conn: SyncConn, where: dict[str, Any]) -> list[AccountRow]:
    with conn.cursor(row_factory=of(AccountRow)) as cursor:
        found: list[AccountRow] = cursor.execute(ACCOUNTS, where).fetchall()
    return found


def folded(conn: SyncConn, account: int, before_ms: int) -> Balance:
    row = conn.execute(FOLDED, [account, before_ms]).fetchone()
    assert row is not None
    return Balance(*row)


def lines(conn: SyncConn, where: dict[str, Any]) -> list[LineRow]:
    with conn.cursor(row_factory=of(LineRow)) as cursor:
        found: list[LineRow] = cursor.execute(LINES, where).fetchall()
    return found


def on_the_day(conn: SyncConn, account: int, after: tuple[int, int]) -> int:
    where = {"account": account, "at": after[0], "id": after[1]}
    row = conn.execute(ON_THE_DAY, where).fetchone()
    return int(row[0]) if row else 0


def holds(conn: SyncConn, account: int, after: int, limit: int) -> list[Hold]:
    where = {"account": account, "after": after, "limit": limit}
    with conn.cursor(row_factory=of(Hold)) as cursor:
        found: list[Hold] = cursor.execute(HOLDS, where).fetchall()
    return found


def overdue(conn: SyncConn, now_ms: int, limit: int) -> list[int]:
    return [row[0] for row in conn.execute(OVERDUE, [now_ms, limit])]


def close(conn: SyncConn, until_ms: int, now_ms: int, by: int | None) -> int | None:
    row = conn.execute(CLOSE, [until_ms, now_ms, by]).fetchone()
    return None if row is None else row[0]


def closed(conn: SyncConn) -> int:
    row = conn.execute(CLOSED).fetchone()
    return int(row[0]) if row else 0


def totals(conn: SyncConn) -> list[tuple[str, int, int]]:
    """Currency, accounts, and what the co-op holds for all but the bank."""
    return conn.execute(TOTALS).fetchall()


def counts(conn: SyncConn) -> tuple[int, int]:
    """Transfers and groups."""
    row = conn.execute(COUNTS).fetchone()
    return (0, 0) if row is None else (row[0], row[1])
