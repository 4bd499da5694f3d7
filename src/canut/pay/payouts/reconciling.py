"""What became of payouts: from a bank's statement, from a provider, or by hand."""

import hashlib
from collections.abc import Collection

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from canut.pay.identity import Coop
from canut.pay.payouts import matching, store, store_returns, store_runs, store_statements
from canut.pay.payouts.camt import BankStatement, read_camt
from canut.pay.payouts.destinations import masked_iban
from canut.pay.payouts.model import BANK, Return
from canut.pay.payouts.moving import move
from canut.pay.payouts.runs import check_keeper, locked_run
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
    changes, but for lines that could not be matched before and now can. What comes back to
    whoever reads it is left to somebody else.

    Raises `Forbidden`, `Invalid` for what cannot be read or is of another account, `Conflict` where
    a statement of the same id had other contents.
    """
    check_keeper(by)
    statements = read_camt(content, file)
    problems = []
    for one in statements:
        if one.iban != coop.iban:
            text, mend = f"is of account {masked_iban(one.iban)}", "the co-op's is another"
            problems.append(Problem(text, mend, file=file, field=one.id))
    if problems:
        raise Invalid("This is the statement of another account.", problems=problems)
    return [_apply(conn, by, statement, now_ms) for statement in statements]


def settle_run(conn: SyncConn, by: Principal, run_id: int, why: str, now_ms: int) -> int:
    """The provider has paid what of a run is still on its way; how many payouts. For mobile money,
    which sends no statements. Raises `NotFound`, `Invalid`, `Forbidden` for whom it pays too,
    `Conflict` for a run of a bank, whose statement says it."""
    check_keeper(by)
    why = _text(why)
    with conn.transaction():
        run = locked_run(conn, run_id)
        if run.way == BANK:
            raise Conflict(f"Run {run_id} is paid by a bank.", mend="read the bank's statement")
        rows = {row.id: row for row in store.locked_of_run(conn, run_id)}
        if _theirs(conn, by, rows):
            raise Forbidden("This run pays you.", mend="somebody else says that it is paid")
        settled = [row.id for row in rows.values() if row.state == "approved"]
        if settled:
            move(conn, by, rows, settled, [], why, now_ms)
            detail = {"payouts": len(settled), "why": why}
            audit_sync(conn, by, "settle.payout_run", "payout_run", run_id, detail)
    return len(settled)


def fail_payout(conn: SyncConn, by: Principal, payout_id: int, why: str, now_ms: int) -> bool:
    """A payout did not arrive: back to the contributor's balance, who reads why. Once the file of
    its run was taken the money may have left, and two people say so, each by this call. Whether it
    is back; again by the same person: no change.

    Raises `NotFound`, `Invalid`, `Conflict` where it was not approved, `Forbidden` for whom it
    pays, and for a program where two people have to say so.
    """
    check_keeper(by)
    why = _text(why)
    with conn.transaction():
        row = _locked(conn, payout_id)
        if row.state == "failed":
            return True
        if row.run_id is None or row.state not in {"approved", "paid"}:
            raise Conflict(f"Payout {payout_id} is {row.state}.", mend="nothing has left yet")
        if _theirs(conn, by, [payout_id]):
            raise Forbidden("This payout pays you.", mend="somebody else says what became of it")
        if _may_have_left(conn, row) and not _said_by_another(conn, by, payout_id, why, now_ms):
            return False
        move(conn, by, {payout_id: row}, [], [(payout_id, why)], why, now_ms)
        audit_sync(conn, by, "fail.payout", "payout", payout_id, {"why": why})
    return True


def returns_of(conn: SyncConn, by: Principal, run_id: int) -> dict[int, Return]:
    """Payout -> who said that it did not arrive, where somebody else has to say so too. Raises
    `Forbidden`."""
    check_keeper(by)
    return store_returns.of_run(conn, run_id)


def statements_read(
    conn: SyncConn, by: Principal, *, before: int | None = None, limit: int = 50
) -> list[store_statements.StatementRow]:
    """Statements, newest first, with what each did. Raises `Forbidden`."""
    check_keeper(by)
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
        own = _theirs(conn, by, rows)
        sent = {
            row.id: matching.Sent(
                row.id, row.amount, row.currency, row.state, row.run_id, row.id in own
            )
            for row in rows.values()
        }
        found = matching.match(
            statement.lines, sent, done.settled, [payout for payout, _ in done.bounced]
        )
        if len(found.settled) + len(found.bounced) > MOVED_MAX:
            raise Invalid(f"A statement moves at most {MOVED_MAX:,} payouts.")
        why = f"statement {statement.id}"
        if found.settled or found.bounced:
            move(conn, by, rows, found.settled, found.bounced, why, now_ms)
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


def _locked(conn: SyncConn, payout_id: int) -> PayoutRow:
    """A payout, locked behind its run: nobody takes the file of the run meanwhile."""
    run_id = store_returns.run_of(conn, payout_id)
    if run_id is not None:
        store_runs.run(conn, run_id, lock=True)
    row = store.locked(conn, [payout_id]).get(payout_id)
    if row is None:
        raise NotFound(f"There is no payout {payout_id}.")
    return row


def _may_have_left(conn: SyncConn, row: PayoutRow) -> bool:
    assert row.run_id is not None
    run = store_runs.run(conn, row.run_id)
    return row.state == "paid" or (run is not None and run.file_total is not None)


def _said_by_another(conn: SyncConn, by: Principal, payout_id: int, why: str, now_ms: int) -> bool:
    """Whether another keeper has said so before; else that this one says it is kept."""
    if by.account_id is None:
        raise Forbidden("Two people say that money which may have left is back.", mend="log in")
    said = store_returns.said(conn, payout_id)
    if said is not None and said.stands:
        return said.account_id != by.account_id
    values = {"payout": payout_id, "account": by.account_id, "why": why, "now": now_ms}
    store_returns.keep(conn, values)
    audit_sync(conn, by, "doubt.payout", "payout", payout_id, {"why": why})
    return False


def _theirs(conn: SyncConn, by: Principal, payouts: Collection[int]) -> set[int]:
    """Those of the payouts that pay whoever asks."""
    return store_returns.own(conn, payouts, by.account_id, by.contributor_id)


def _text(why: str) -> str:
    why = why.strip()
    if not 0 < len(why) <= REASON_CHARS_MAX or "\0" in why:
        mend = f"write 1 to {REASON_CHARS_MAX} characters"
        raise Invalid("Say why.", problems=[Problem("is empty or too long", mend, field="why")])
    return why
