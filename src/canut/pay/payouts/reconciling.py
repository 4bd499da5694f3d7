"""What became of payouts: from a bank's statement, from a provider, or by hand."""

import hashlib

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from canut.pay.identity import Coop
from canut.pay.ledger import AccountName, Move, Transfer, open_accounts, post
from canut.pay.payouts import matching, store, store_runs, store_statements
from canut.pay.payouts.camt import BankStatement, read_camt
from canut.pay.payouts.model import PayoutState, reference_of
from canut.pay.payouts.runs import KEEPERS
from canut.pay.payouts.store import PayoutRow
from canut.people.model import Principal
from canut.people.store.log import audit_sync

#: payouts that a statement moves: two moves each are one group of the books
MOVED_MAX = 20_000
REASON_CHARS_MAX = 300


class Report(Struct, frozen=True):
    """What a statement did."""

    statement: str
    #: payouts whose money has left the bank, by this statement
    settled: list[int]
    #: payouts that came back to the balance, with the reason
    bounced: list[tuple[int, str]]
    #: lines of ours that cannot be so: nothing was done about them
    faults: list[Problem]
    #: lines that were done when the statement was read before
    again: int
    #: lines that are not of payouts, and those that are not booked yet
    others: int
    pending: int


def read_statement(
    conn: SyncConn, by: Principal, coop: Coop, content: bytes, now_ms: int, file: str = "statement"
) -> list[Report]:
    """Settle the payouts that a camt.053 shows leaving, and give those that come back to their
    contributors; each statement of the file in a transaction of its own, whole. Again: nothing
    changes, but for lines that could not be matched before and now can.

    Raises `Forbidden`, `Invalid` for what cannot be read or is of another account, `Conflict` where
    a statement of the same id had other contents.
    """
    _check_keeper(by)
    statements = read_camt(content, file)
    problems = [
        Problem(f"is of account {one.iban}", "the co-op's is another", file=file, field=one.id)
        for one in statements
        if one.iban != coop.iban
    ]
    if problems:
        raise Invalid("This is the statement of another account.", problems=problems)
    return [_apply(conn, by, statement, now_ms) for statement in statements]


def settle_run(conn: SyncConn, by: Principal, run_id: int, why: str, now_ms: int) -> int:
    """The provider has paid what of a run is still on its way; how many payouts. For mobile money,
    which sends no statements. Raises `Forbidden`, `NotFound`, `Invalid`."""
    _check_keeper(by)
    why = _text(why)
    with conn.transaction():
        if store_runs.run(conn, run_id, lock=True) is None:
            raise NotFound(f"There is no payout run {run_id}.")
        rows = {row.id: row for row in store.locked_of_run(conn, run_id)}
        settled = [row.id for row in rows.values() if row.state == "approved"]
        if settled:
            _move(conn, by, rows, settled, [], why, now_ms)
            detail = {"payouts": len(settled), "why": why}
            audit_sync(conn, by, "settle.payout_run", "payout_run", run_id, detail)
    return len(settled)


def fail_payout(conn: SyncConn, by: Principal, payout_id: int, why: str, now_ms: int) -> None:
    """A payout did not arrive: back to the contributor's balance, who reads why. Again: no change.
    Raises `Forbidden`, `NotFound`, `Invalid`, `Conflict` where it was not approved."""
    _check_keeper(by)
    why = _text(why)
    with conn.transaction():
        row = store.locked(conn, [payout_id]).get(payout_id)
        if row is None:
            raise NotFound(f"There is no payout {payout_id}.")
        if row.state == "failed":
            return
        if row.state not in {"approved", "paid"}:
            raise Conflict(f"Payout {payout_id} is {row.state}.", mend="nothing has left yet")
        _move(conn, by, {payout_id: row}, [], [(payout_id, why)], why, now_ms)
        audit_sync(conn, by, "fail.payout", "payout", payout_id, {"why": why})


def statements_read(
    conn: SyncConn, by: Principal, *, before: int | None = None, limit: int = 50
) -> list[store_statements.StatementRow]:
    """Statements, newest first, with what each did. Raises `Forbidden`."""
    _check_keeper(by)
    return store_statements.statements(conn, before, limit)


def _apply(conn: SyncConn, by: Principal, statement: BankStatement, now_ms: int) -> Report:
    digest = hashlib.sha256(msgspec.json.encode(statement)).digest()
    with conn.transaction():
        store_statements.lock(conn, statement.iban, statement.id)
        known = store_statements.read(conn, statement.iban, statement.id)
        if known and known[0] != digest:
            raise Conflict(
                f"Statement {statement.id} was read before with other contents.",
                mend="ask the bank which one counts",
            )
        before = msgspec.convert(known[1], Report) if known else None
        done = before or Report(statement.id, [], [], [], 0, 0, 0)
        rows = _rows(conn, statement)
        sent = {
            row.id: matching.Sent(row.id, row.amount, row.currency, row.state, row.run_id)
            for row in rows.values()
        }
        found = matching.match(
            statement.lines, sent, done.settled, [payout for payout, _ in done.bounced]
        )
        if len(found.settled) + len(found.bounced) > MOVED_MAX:
            raise Invalid(f"A statement moves at most {MOVED_MAX:,} payouts.")
        why = f"statement {statement.id}"
        if found.settled or found.bounced:
            _move(conn, by, rows, found.settled, found.bounced, why, now_ms)
        report = Report(
            statement.id,
            [*done.settled, *found.settled],
            [*done.bounced, *found.bounced],
            found.faults,
            found.again,
            found.others,
            statement.pending,
        )
        values = {"iban": statement.iban, "statement": statement.id, "digest": digest}
        told = {"report": msgspec.to_builtins(report), "account": by.account_id, "now": now_ms}
        store_statements.keep(conn, values | told)
        detail = {
            "settled": len(found.settled),
            "bounced": len(found.bounced),
            "faults": len(found.faults),
        }
        audit_sync(conn, by, "read.bank_statement", "bank_statement", statement.id, detail)
    return report


def _rows(conn: SyncConn, statement: BankStatement) -> dict[int, PayoutRow]:
    """The payouts that the lines are about, locked."""
    ids = {matching.payout_of(line) for line in statement.lines} - {None}
    runs = {matching.run_of(line) for line in statement.lines} - {None}
    ids |= set(store_statements.payouts_of_runs(conn, [run for run in runs if run is not None]))
    return store.locked(conn, [payout for payout in ids if payout is not None])


def _move(
    conn: SyncConn,
    by: Principal,
    rows: dict[int, PayoutRow],
    settled: list[int],
    bounced: list[tuple[int, str]],
    why: str,
    now_ms: int,
) -> None:
    """Post what settled and what came back as one group, and note it on the payouts."""
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


def _transfer(key: str, row: PayoutRow, kind: str, debit: int, credit: int, why: str) -> Transfer:
    return Transfer(
        f"{key}:payout:{row.id}",
        "settle" if kind == "settle" else "bounce",
        debit,
        credit,
        row.amount,
        row.currency,
        why=why,
        reference=reference_of(row.id),
    )


def _text(why: str) -> str:
    why = why.strip()
    if not 0 < len(why) <= REASON_CHARS_MAX or "\0" in why:
        mend = f"write 1 to {REASON_CHARS_MAX} characters"
        raise Invalid("Say why.", problems=[Problem("is empty or too long", mend, field="why")])
    return why


def _check_keeper(by: Principal) -> None:
    if not by.roles & KEEPERS:
        raise Forbidden("Only stewards and operators pay out.")
