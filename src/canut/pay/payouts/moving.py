"""Payouts that left the bank or came back, in the books and on the payouts: one group."""

from canut.db.pool import SyncConn
from canut.pay.ledger import AccountName, Move, Transfer, TransferKind, open_accounts, post
from canut.pay.payouts import store
from canut.pay.payouts.model import PayoutState, reference_of
from canut.pay.payouts.store import PayoutRow
from canut.people.model import Principal


def move(
    conn: SyncConn,
    by: Principal,
    rows: dict[int, PayoutRow],
    settled: list[int],
    bounced: list[tuple[int, str]],
    why: str,
    now_ms: int,
) -> None:
    """Post what settled and what came back (payout and reason) as one group, and note it on the
    payouts, whose rows are locked."""
    names = _names([rows[one] for one in {*settled, *(payout for payout, _ in bounced)}])
    ids = open_accounts(conn, names, now_ms)
    left = set(settled)
    moves: list[Move] = []
    for payout in settled:
        row = rows[payout]
        clearing, bank = _common(ids, row.currency)
        moves.append(_transfer("settle", row, "settle", clearing, bank, why))
    for payout, reason in bounced:
        row = rows[payout]
        clearing, bank = _common(ids, row.currency)
        payable = ids[AccountName("contributor_payable", row.currency, row.contributor_id)]
        if row.state == "paid" or payout in left:
            moves.append(_transfer("return", row, "bounce", bank, clearing, reason))
        moves.append(_transfer("bounce", row, "bounce", clearing, payable, reason))
    post(conn, moves, now_ms, by=by.account_id)
    outcomes: dict[int, tuple[int, PayoutState, str]] = {
        payout: (payout, "paid", "") for payout in settled
    }
    outcomes |= {payout: (payout, "failed", reason) for payout, reason in bounced}
    store.move_on(conn, list(outcomes.values()), now_ms)


def _names(rows: list[PayoutRow]) -> list[AccountName]:
    found = []
    for row in rows:
        found += [
            AccountName("payout_clearing", row.currency),
            AccountName("bank", row.currency),
            AccountName("contributor_payable", row.currency, row.contributor_id),
        ]
    return found


def _common(ids: dict[AccountName, int], currency: str) -> tuple[int, int]:
    return ids[AccountName("payout_clearing", currency)], ids[AccountName("bank", currency)]


def _transfer(
    key: str, row: PayoutRow, kind: TransferKind, debit: int, credit: int, why: str
) -> Transfer:
    return Transfer(
        f"{key}:payout:{row.id}",
        kind,
        debit,
        credit,
        row.amount,
        row.currency,
        why=why,
        reference=reference_of(row.id),
    )
