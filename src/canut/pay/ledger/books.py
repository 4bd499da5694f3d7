"""Reading the books: balances now and at any date, statements, holds."""

from collections.abc import Sequence

from msgspec import structs

from canut.db.pool import SyncConn
from canut.pay.ledger import store
from canut.pay.ledger.accounts import as_account, find_account
from canut.pay.ledger.model import Balance, Hold, Line, Statement

PAGE_MAX = 1000
#: after every date that is written
EVER_MS = 2**62


def balances(conn: SyncConn, ids: Sequence[int]) -> dict[int, Balance]:
    """The balance of each account that is there, at this moment."""
    return {row.id: as_account(row).balance for row in store.some(conn, ids)}


def balance_at(conn: SyncConn, account_id: int, at_ms: int) -> Balance:
    """The balance of an account of all that is dated `at_ms` or before; holds are of today, and not
    in it. What is open may still change a past date, until its period closes. Raises `NotFound`."""
    find_account(conn, account_id)
    return store.folded(conn, account_id, at_ms + 1)


def statement(
    conn: SyncConn,
    account_id: int,
    *,
    from_ms: int = 0,
    until_ms: int = EVER_MS,
    after: tuple[int, int] | None = None,
    limit: int = 100,
) -> Statement:
    """A page of what moved an account from `from_ms` on and before `until_ms`, oldest first;
    `after` is that of the page before. Raises `NotFound`."""
    account = find_account(conn, account_id)
    limit = max(1, min(limit, PAGE_MAX))
    since = after or (from_ms, 0)
    opening = store.folded(conn, account_id, since[0]).posted
    if after:
        opening += store.on_the_day(conn, account_id, after)
    where = {
        "account": account_id,
        "until": until_ms,
        "at": since[0],
        "id": since[1],
        "limit": limit + 1,
    }
    rows = store.lines(conn, where)
    lines, balance = [], opening
    for row in rows[:limit]:
        balance += row.amount
        lines.append(Line(balance=balance, **structs.asdict(row)))
    more = (lines[-1].at_ms, lines[-1].transfer_id) if len(rows) > limit else None
    return Statement(account, opening, lines, balance, more)


def holds(conn: SyncConn, account_id: int, *, after: int = 0, limit: int = 100) -> list[Hold]:
    """What is held of an account and neither posted nor voided, oldest first; a page from the
    transfer behind `after` on."""
    return store.holds(conn, account_id, after, min(limit, PAGE_MAX))
