"""Opening and finding accounts."""

from collections.abc import Iterable
from typing import Any

from canut.db.pool import SyncConn
from canut.errors import Invalid, NotFound, Problem
from canut.pay.ledger import store
from canut.pay.ledger.currency import DIGITS
from canut.pay.ledger.model import OWNERS, Account, AccountKind, AccountName, Balance

LIST_MAX = 1000


def open_accounts(
    conn: SyncConn, names: Iterable[AccountName], now_ms: int
) -> dict[AccountName, int]:
    """The id of each account, opened where it is not there yet. Raises `Invalid` for a name that
    can be nobody's."""
    wanted = list(dict.fromkeys(names))
    problems = [found for row, name in enumerate(wanted, 1) for found in _wrong(row, name)]
    if problems:
        raise Invalid("These accounts cannot be opened.", problems=problems)
    columns: dict[str, list[Any]] = {
        "kinds": [name.kind for name in wanted],
        "owners": [name.owner_id for name in wanted],
        "currencies": [name.currency for name in wanted],
    }
    return dict(zip(wanted, store.open_all(conn, columns, now_ms), strict=True))


def find_account(conn: SyncConn, account_id: int) -> Account:
    """Raises `NotFound`."""
    found = store.some(conn, [account_id])
    if not found:
        raise NotFound(f"There is no account {account_id}.")
    return as_account(found[0])


def list_accounts(
    conn: SyncConn,
    *,
    kind: AccountKind | None = None,
    owner_id: int | None = None,
    currency: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Account]:
    """In the order of ids, from the one behind `after` on; at most `LIST_MAX`."""
    where = {
        "kind": kind,
        "owner": owner_id,
        "currency": currency,
        "after": after,
        "limit": min(limit, LIST_MAX),
    }
    return [as_account(row) for row in store.accounts(conn, where)]


def as_account(row: store.AccountRow) -> Account:
    """The values of a row."""
    return Account(
        row.id,
        AccountName(row.kind, row.currency, row.owner_id),
        Balance(row.debits, row.credits, row.debits_pending, row.credits_pending),
    )


def _wrong(row: int, name: AccountName) -> list[Problem]:
    found = []
    owner = OWNERS.get(name.kind)
    if owner is None:
        text = f"{name.kind!r} is no kind of account"
        found.append(Problem(text, f"use one of {', '.join(OWNERS)}", row=row, field="kind"))
    elif (owner == "none") != (name.owner_id == 0) or name.owner_id < 0:
        needs = "is the co-op's own: owner 0" if owner == "none" else f"is of a {owner}"
        found.append(Problem(f"{name.kind} {needs}", row=row, field="owner_id"))
    if name.currency not in DIGITS:
        text = f"{name.currency!r} is no currency"
        found.append(Problem(text, "use a code of ISO 4217", row=row, field="currency"))
    return found
