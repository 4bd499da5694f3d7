"""What clients have: on their deposits, in their batches, and how it came and went."""

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.pay.money import store_purses as store
from canut.pay.money.purse_model import PARTS, BatchPurse, ClientPurse, Move, PartSum, Purse
from canut.people.model import Principal

PAGE_MAX = 500


def read_purses(conn: SyncConn, by: Principal, client_id: int) -> ClientPurse:
    """One client's. Raises `NotFound` for a client that is not theirs."""
    _check(by, client_id)
    found = _clients(conn, client_id)
    if not found:
        raise NotFound("There is no such client.")
    return found[0]


def list_purses(conn: SyncConn, by: Principal) -> list[ClientPurse]:
    """Every client's, by name; for operators and stewards. Raises `NotFound`."""
    if not by.keeps_books:
        raise NotFound("There is no such thing, or it is not yours to see.")
    return _clients(conn, None)


def list_batches(
    conn: SyncConn,
    by: Principal,
    client_id: int,
    *,
    waiting: bool = False,
    before: int | None = None,
    limit: int = 50,
) -> list[BatchPurse]:
    """The batches of a client that are paid, newest first; with `waiting` those that wait for
    money. Raises `NotFound` for a client that is not theirs."""
    _check(by, client_id)
    return store.batches(conn, client_id, waiting, before, min(limit, PAGE_MAX))


def read_batch_purse(conn: SyncConn, by: Principal, batch_id: int) -> BatchPurse | None:
    """None: it is voluntary work. Raises `NotFound` for a batch that is not theirs."""
    client = store.client_of(conn, batch_id)
    if client is None:
        raise NotFound("There is no such batch, or it is not yours to see.")
    _check(by, client)
    return store.batch(conn, batch_id)


def batch_parts(conn: SyncConn, by: Principal, batch: BatchPurse) -> list[PartSum]:
    """What a batch's money went on, line by line; what is held for disputes is with the pay."""
    _check(by, batch.client_id)
    used = store.used(conn, batch.id)
    held = store.held(conn, batch.id)
    held["pay"] = batch.held - sum(held.values())
    return [PartSum(part, used.get(part, 0), held.get(part, 0)) for part in PARTS]


def list_moves(
    conn: SyncConn,
    by: Principal,
    client_id: int,
    *,
    before: tuple[int, int] | None = None,
    limit: int = 50,
) -> list[Move]:
    """What moved a client's deposits, newest first; a page ends before the move of this moment and
    transfer. Raises `NotFound` for a client that is not theirs."""
    _check(by, client_id)
    return store.moves(conn, client_id, before, min(limit, PAGE_MAX))


def _check(by: Principal, client_id: int) -> None:
    if not by.keeps_books:
        by.check_sees(client_id)


def _clients(conn: SyncConn, client_id: int | None) -> list[ClientPurse]:
    found: dict[int, ClientPurse] = {}
    for row in store.purses(conn, client_id):
        one = found.setdefault(
            row.client_id, ClientPurse(row.client_id, row.slug, row.name, [], row.waiting)
        )
        if row.currency is not None:
            one.purses.append(Purse(row.currency, row.deposit, row.aside, row.held))
    return list(found.values())
