"""What comes back to a client: money that a batch did not use, and deposits that they want back."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from canut.pay.funding import store as funding
from canut.pay.ledger import AccountName, Transfer, balances, open_accounts, post
from canut.pay.ledger.currency import DIGITS, written
from canut.pay.money import store_refunds as store
from canut.pay.settlement import list_periods
from canut.people.model import Principal
from canut.people.store.log import audit_sync

REFERENCE_CHARS_MAX = 140


class Released(Struct, frozen=True):
    """What went from a batch back to its client's deposit, in minor units."""

    batch_id: int
    client_id: int
    currency: str
    escrow: int
    reserve: int


def release_batch(conn: SyncConn, by: Principal, batch_id: int, now_ms: int) -> Released:
    """Give what a finished batch did not use back to its client's deposit. It must be delivered or
    cancelled, with nothing in anybody's hands, everything earned in it accepted, and the pay period
    of its last work settled, so that the top-up to the floor has been paid.

    Again: what is there by then, maybe nothing. Raises `NotFound`, `Conflict` with what it waits
    for.
    """
    with conn.transaction():
        batch = store.batch(conn, batch_id, lock=True)
        if batch is None:
            raise NotFound("There is no such batch, or it has no money.")
        by.check_sees(batch.client_id)
        reason = _waits_for(conn, batch)
        if reason:
            raise Conflict(f"Batch {batch_id} may still need its money: {reason}.")
        return _release(conn, by, batch, now_ms)


def release_due(conn: SyncConn, by: Principal, now_ms: int, limit: int = 100) -> list[Released]:
    """The same for every batch that waits for nothing more and still has money, `limit` looked at
    at once; for the engine. Each in a transaction of its own."""
    found, after = [], 0
    while batches := store.over(conn, after, limit):
        for after in batches:
            with conn.transaction():
                batch = store.batch(conn, after, lock=True)
                if batch is None or _waits_for(conn, batch):
                    continue
                released = _release(conn, by, batch, now_ms)
                # another engine may have been quicker
                if released.escrow or released.reserve:
                    found.append(released)
    return found


def refund_deposit(
    conn: SyncConn,
    by: Principal,
    client_id: int,
    amount: int,
    currency: str,
    reference: str,
    now_ms: int,
) -> int:
    """Book money that was sent back to a client from their deposit; the transfer. `reference` is
    that of the payment at the bank: the same one is booked once. Raises `Forbidden`, `NotFound`,
    `Invalid`, also where the deposit has less, `Conflict` for a reference with another amount."""
    if "operator" not in by.roles:
        raise Forbidden("Only operators refund.")
    reference = reference.strip()
    problems = []
    if currency not in DIGITS:
        problems.append(Problem(f"{currency!r} is no currency", field="currency"))
    if not 0 < len(reference) <= REFERENCE_CHARS_MAX:
        mend = f"write 1 to {REFERENCE_CHARS_MAX} characters, as the bank has it"
        problems.append(Problem("is empty or too long", mend, field="reference"))
    if problems:
        raise Invalid("Nothing was booked.", problems=problems)
    if not store.is_client(conn, client_id):
        raise NotFound("There is no such client.")
    deposit, bank = (
        AccountName("client_deposit", currency, client_id),
        AccountName("bank", currency),
    )
    with conn.transaction():
        ids = open_accounts(conn, [deposit, bank], now_ms)
        move = Transfer(
            f"refund:{client_id}:{reference}",
            "refund",
            ids[deposit],
            ids[bank],
            amount,
            currency,
            why="paid back",
            reference=f"client:{client_id}",
        )
        [made] = post(conn, [move], now_ms, by=by.account_id)
        if funding.first_time(conn, made, "book.refund"):
            detail = {"amount": amount, "currency": currency, "reference": reference}
            audit_sync(conn, by, "book.refund", "transfer", made, detail, client_id=client_id)
    return made


def _waits_for(conn: SyncConn, batch: store.BatchRow) -> str:
    """Why its money may still be needed; empty: it is not."""
    if batch.state not in ("delivered", "cancelled"):
        return f"it is {batch.state}"
    steps = funding.steps(conn, [batch.id]).get(batch.id, [])
    if any(step.live or step.pending or step.audits for step in steps):
        return "answers are in hand, or not weighed yet"
    if batch.held:
        return "pay is not accepted yet"
    if batch.earned_ms is not None and batch.earned_ms >= _settled_until(conn):
        return "the pay period of its last work is not settled"
    return ""


def _settled_until(conn: SyncConn) -> int:
    """What was earned before has its top-up; 0: no period is settled. Only the newest may be under
    way."""
    newest = list_periods(conn, limit=2)
    return next((one.until_ms for one in newest if one.settled_ms is not None), 0)


def _release(conn: SyncConn, by: Principal, batch: store.BatchRow, now_ms: int) -> Released:
    names = [
        AccountName("client_deposit", batch.currency, batch.client_id),
        AccountName("batch_escrow", batch.currency, batch.id),
        AccountName("topup_reserve", batch.currency, batch.id),
    ]
    deposit, escrow, reserve = open_accounts(conn, names, now_ms).values()
    there = balances(conn, [escrow, reserve])
    amounts = {account: there[account].available for account in (escrow, reserve)}
    round_ = store.releases(conn, [escrow, reserve])
    moves = [
        Transfer(
            f"release:batch:{batch.id}:{account}:{round_}",
            "release",
            account,
            deposit,
            amount,
            batch.currency,
            why="not used",
            reference=f"batch:{batch.id}",
        )
        for account, amount in amounts.items()
        if amount > 0
    ]
    if moves:
        post(conn, moves, now_ms, by=by.account_id)
        total = written(sum(move.amount for move in moves), batch.currency)
        audit_sync(
            conn,
            by,
            "release.batch",
            "batch",
            batch.id,
            {"released": total},
            client_id=batch.client_id,
        )
    return Released(batch.id, batch.client_id, batch.currency, amounts[escrow], amounts[reserve])
