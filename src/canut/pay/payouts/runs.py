"""Runs: payouts assembled, approved by two people, and turned into a file for a bank."""

from typing import Any

import msgspec

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from canut.pay.identity import Coop
from canut.pay.ledger import Post, post
from canut.pay.ledger.currency import written
from canut.pay.payouts import store, store_runs
from canut.pay.payouts.asking import owner_of
from canut.pay.payouts.mobile import find_provider, mobile_csv
from canut.pay.payouts.model import (
    BANK,
    Destination,
    Payee,
    Payout,
    Run,
    RunFile,
    reference_of,
    run_reference,
)
from canut.pay.payouts.vault import Vault
from canut.people.model import Principal
from canut.people.store.log import audit_sync

#: people who approve a run before it is paid
APPROVALS_NEEDED = 2
#: payouts of a run: its statement must settle in one group of the books
RUN_MAX = 20_000
PAGE_MAX = 1000

_read: msgspec.json.Decoder[Destination] = msgspec.json.Decoder(Destination)


def waiting(conn: SyncConn, by: Principal) -> list[store_runs.Waiting]:
    """What waits for a run, by way and currency. Raises `Forbidden`."""
    check_keeper(by)
    return store_runs.waiting(conn)


def assemble_run(
    conn: SyncConn, by: Principal, way: str, currency: str, now_ms: int, *, limit: int = RUN_MAX
) -> Run:
    """Take the oldest payouts that wait, at most `limit`, into a run. Raises `Forbidden`,
    `NotFound` for an unknown way, `Conflict` where nothing waits."""
    check_keeper(by)
    if way != BANK:
        find_provider(way)
    values: dict[str, Any] = {"way": way, "currency": currency, "now": now_ms}
    with conn.transaction():
        run_id = store_runs.assemble(conn, values | {"limit": max(1, min(limit, RUN_MAX))})
        if run_id is None:
            raise Conflict(f"No payout by {way} in {currency} waits.", mend="see what does")
        run = find_run(conn, by, run_id)
        detail = {"payouts": run.n_payouts, "total": run.total, "currency": currency}
        audit_sync(conn, by, "assemble.payout_run", "payout_run", run_id, detail)
    return run


def approve_run(conn: SyncConn, by: Principal, run_id: int, total: int, now_ms: int) -> Run:
    """Approve a run of this total (minor units, as whoever approves has read it). The second person
    who does posts its payouts: the money is on its way. Again by the same person: no change.

    Raises `NotFound`, `Forbidden` for who is no steward or operator, acts by a program, or is paid
    by this run; `Conflict` for a run that was cancelled, `Invalid` for another total.
    """
    check_keeper(by)
    if by.account_id is None:
        raise Forbidden("A person approves a run.", mend="log in")
    with conn.transaction():
        run = locked_run(conn, run_id)
        if run.state == "cancelled":
            raise Conflict(f"Run {run_id} was cancelled.")
        if total != run.total:
            text = f"the run is of {written(run.total, run.currency)}"
            problem = Problem(text, "look at it again", field="total")
            raise Invalid("You approve another total.", problems=[problem])
        if store_runs.own_in_run(conn, run_id, by.account_id):
            raise Forbidden("This run pays you.", mend="two others approve it")
        if run.state == "approved":
            return _full(conn, run)
        if store_runs.approve(conn, run_id, by.account_id, now_ms):
            audit_sync(conn, by, "approve.payout_run", "payout_run", run_id, {"total": total})
        if missing_approvals(_full(conn, run)) <= 0:
            _send(conn, by, run, now_ms)
    return find_run(conn, by, run_id)


def missing_approvals(run: Run) -> int:
    """How many more people have to approve a run; who is keeper no more has not."""
    return APPROVALS_NEEDED - sum(one.stands for one in run.approvals)


def cancel_run(conn: SyncConn, by: Principal, run_id: int) -> Run:
    """Give the payouts of a run back to those that wait, before it is approved; again: no change.
    Raises `NotFound`, `Forbidden`, `Conflict` where it is approved."""
    check_keeper(by)
    with conn.transaction():
        run = locked_run(conn, run_id)
        if run.state == "approved":
            raise Conflict(f"Run {run_id} is approved.", mend="let single payouts fail")
        if run.state == "assembled":
            store.locked_of_run(conn, run_id)
            store_runs.cancelled(conn, run_id)
            audit_sync(conn, by, "cancel.payout_run", "payout_run", run_id)
    return find_run(conn, by, run_id)


def find_run(conn: SyncConn, by: Principal, run_id: int) -> Run:
    """A run with who approved it. Raises `NotFound`, `Forbidden`."""
    check_keeper(by)
    run = store_runs.run(conn, run_id)
    if run is None:
        raise NotFound(f"There is no payout run {run_id}.")
    return _full(conn, run)


def list_runs(
    conn: SyncConn, by: Principal, *, before: int | None = None, limit: int = 50
) -> list[Run]:
    """Runs, newest first, from the one before `before` on. Raises `Forbidden`."""
    check_keeper(by)
    return _all_full(conn, store_runs.runs(conn, before, min(limit, PAGE_MAX)))


def payouts_in(
    conn: SyncConn, by: Principal, run_id: int, *, after: int = 0, limit: int = 200
) -> list[Payout]:
    """A page of the payouts of a run, from the one behind `after` on. Raises `Forbidden`."""
    check_keeper(by)
    return store.of_run(conn, run_id, after, min(limit, PAGE_MAX))


def cleared(conn: SyncConn, by: Principal, run_id: int) -> int:
    """What the books have sent to the clearing account for a run, less what they have given back
    from there (minor units): what its file sums to, or there is none. Raises `Forbidden`."""
    check_keeper(by)
    return store_runs.cleared(conn, run_id)


def run_file(conn: SyncConn, by: Principal, run_id: int, coop: Coop, vault: Vault) -> RunFile:
    """The file of an approved run: pain.001.001.09 for banks, CSV for a provider. What was given
    back before is not in it. Once taken, it is always the same file, so that a bank that gets it
    twice pays once; where something came back since, there is none. The audit log has who took it.

    Raises `NotFound`, `Forbidden`, `Conflict` where two have not approved yet, nothing is left, or
    it was taken and is another by now, `Unavailable` where bank data does not open.
    """
    check_keeper(by)
    with conn.transaction():
        # locked, so that nothing of it is given back meanwhile
        run = locked_run(conn, run_id)
        if run.state != "approved" or run.approved_ms is None:
            raise Conflict(f"Run {run_id} is not approved.", mend="two people approve it first")
        _check_file(run)
        payees = [
            Payee(
                row.id,
                row.amount,
                _read.decode(vault.open(owner_of(row.contributor_id), row.sealed)),
            )
            for row in store_runs.payees(conn, run_id)
        ]
        # invariant: the file sums to what the books have sent to the clearing account
        cleared = store_runs.cleared(conn, run_id)
        if not sum(payee.amount for payee in payees) == run.left == cleared:
            raise Conflict(
                f"Run {run_id} is of {written(run.left, run.currency)}, and the books have"
                f" {written(cleared, run.currency)} on their way.",
                mend="run canut ledger check, and pay nothing",
            )
        store_runs.taken(conn, run_id, run.left)
        audit_sync(conn, by, "export.payout_run", "payout_run", run_id)
    name = run_reference(run_id).lower()
    if run.way == BANK:
        # it loads what reads XML, and files are seldom taken
        from canut.pay.payouts.pain import pain_001

        content = pain_001(coop, run_id, run.approved_ms, payees, run.currency)
        return RunFile(f"{name}.xml", "application/xml", content)
    content = mobile_csv(find_provider(run.way), payees, run.currency, coop.name)
    return RunFile(f"{name}-{run.way}.csv", "text/csv; charset=utf-8", content)


def check_keeper(by: Principal) -> None:
    """Raises `Forbidden` for who keeps no books."""
    if not by.keeps_books:
        raise Forbidden("Only stewards and operators pay out.")


def locked_run(conn: SyncConn, run_id: int) -> Run:
    """A run that nobody else moves meanwhile. Raises `NotFound`."""
    run = store_runs.run(conn, run_id, lock=True)
    if run is None:
        raise NotFound(f"There is no payout run {run_id}.")
    return run


def _send(conn: SyncConn, by: Principal, run: Run, now_ms: int) -> None:
    """Post every hold of the run in one group: all are on their way, or none."""
    moves = []
    for row in store.locked_of_run(conn, run.id):
        assert row.hold is not None
        assert row.state == "requested", "what is in a run is not taken back"
        moves.append(
            Post(
                f"send:payout:{row.id}",
                row.hold,
                why=f"payout run {run.id}",
                reference=reference_of(row.id),
            )
        )
    post(conn, moves, now_ms, by=by.account_id)
    store_runs.approved(conn, run.id, now_ms)


def _check_file(run: Run) -> None:
    if not run.left:
        raise Conflict(f"All of run {run.id} was given back.", mend="there is nothing to pay")
    if run.file_total is not None and run.file_total != run.left:
        raise Conflict(
            f"The file of run {run.id} was taken, and something of it came back since.",
            mend="ask the bank or the provider what became of the file that they were given",
        )


def _full(conn: SyncConn, run: Run) -> Run:
    return _all_full(conn, [run])[0]


def _all_full(conn: SyncConn, found: list[Run]) -> list[Run]:
    approvals = store_runs.approvals(conn, [run.id for run in found])
    return [msgspec.structs.replace(run, approvals=approvals[run.id]) for run in found]
