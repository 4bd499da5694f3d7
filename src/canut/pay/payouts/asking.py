"""What a contributor does: say where the money goes, ask for it, take the request back."""

import msgspec

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unavailable
from canut.pay.amounts import request_problems
from canut.pay.ledger import AccountName, Transfer, Void, balances, open_accounts, post
from canut.pay.ledger.currency import written
from canut.pay.payouts import destinations, store
from canut.pay.payouts.mobile import providers
from canut.pay.payouts.model import BANK, Destination, Payout, PayoutAccount, reference_of
from canut.pay.payouts.vault import Vault
from canut.people.model import Principal
from canut.people.store.log import audit_sync

PAGE_MAX = 500
#: banks of the SEPA area move euros
BANK_CURRENCY = "EUR"


def set_account(
    conn: SyncConn,
    by: Principal,
    contributor_id: int,
    to: Destination,
    vault: Vault,
    now_ms: int,
) -> PayoutAccount:
    """Where the contributor's money goes from now on; what was asked for before goes where it was
    to go. The same again changes nothing. The contributor does it, or an operator for them; the
    audit log has both masks.

    Raises `Invalid` with every problem, `NotFound`, `Forbidden`, `Conflict` for an agent.
    """
    _check_own(by, contributor_id)
    problems = destinations.problems_of(to)
    if problems:
        raise Invalid("The money cannot go there.", problems=problems)
    to = destinations.normal(to)
    plain = msgspec.json.encode(to)
    with conn.transaction():
        kind = store.contributor_kind(conn, contributor_id)
        if kind is None:
            raise NotFound(f"There is no contributor {contributor_id}.")
        if kind != "person":
            raise Conflict("Only people are paid out.")
        before = store.account_in_force(conn, contributor_id)
        if before is None or _opened(vault, contributor_id, before.sealed) != plain:
            store.end_account(conn, contributor_id, now_ms)
            values = {
                "contributor": contributor_id,
                "way": destinations.way_of(to),
                "sealed": vault.seal(owner_of(contributor_id), plain),
                "masked": destinations.masked(to),
                "mark": vault.mark(destinations.number_of(to).encode()),
                "now": now_ms,
            }
            made = store.add_account(conn, values)
            detail = {"to": values["masked"], "from": before.masked if before else None}
            audit_sync(conn, by, "change.payout_account", "payout_account", made, detail)
    found = account_of(conn, contributor_id)
    assert found is not None
    return found


def account_of(conn: SyncConn, contributor_id: int) -> PayoutAccount | None:
    """Where a contributor's money goes, masked; None: they have not said."""
    row = store.account_in_force(conn, contributor_id)
    if row is None:
        return None
    return PayoutAccount(
        row.id,
        row.contributor_id,
        row.way,
        row.masked,
        row.created_ms,
        store.shared_with(conn, row.mark, contributor_id),
    )


def available(conn: SyncConn, contributor_id: int) -> dict[str, int]:
    """What the contributor may ask for, in minor units, by currency; nothing where it is 0."""
    found = store.payables(conn, contributor_id)
    return {currency: amount for currency, amount in found if amount > 0}


def request_payout(
    conn: SyncConn, by: Principal, amount: int, currency: str, key: str, now_ms: int
) -> Payout:
    """Ask for money: it is held, so that it cannot be asked for twice, until it is paid or comes
    back. Again with the same key: the same payout.

    Raises `Invalid` where something is wrong or there is less, `Conflict` where there is no payout
    account, or the key was used for something else, `Forbidden` for who is no contributor.
    """
    contributor = by.contributor()
    problems = request_problems(amount, currency, key)
    if problems:
        raise Invalid("Nothing can be paid out.", problems=problems)
    with conn.transaction():
        store.contributor_kind(conn, contributor)
        before = store.by_key(conn, contributor, key)
        if before is not None:
            if (before.amount, before.currency) != (amount, currency):
                raise Conflict("This key asked for another payout.", mend="use another key")
            return before
        account = store.account_in_force(conn, contributor)
        if account is None:
            raise Conflict("Nobody knows where your money goes.", mend="name a payout account")
        _check_way(account.way, currency)
        payable, clearing = open_accounts(
            conn,
            [
                AccountName("contributor_payable", currency, contributor),
                AccountName("payout_clearing", currency),
            ],
            now_ms,
        ).values()
        _check_enough(conn, payable, amount, currency)
        values = {"account": account.id, "currency": currency, "amount": amount, "key": key}
        payout = store.request(conn, values | {"now": now_ms})
        assert payout is not None, "the contributor's row is locked"
        reference = reference_of(payout)
        hold = Transfer(
            f"payout:{payout}",
            "payout",
            payable,
            clearing,
            amount,
            currency,
            why=f"payout to {account.masked}",
            reference=reference,
            pending=True,
        )
        store.keep_hold(conn, payout, post(conn, [hold], now_ms, by=by.account_id)[0])
        detail = {"amount": amount, "currency": currency, "to": account.masked}
        audit_sync(conn, by, "request.payout", "payout", payout, detail)
    asked = store.by_key(conn, contributor, key)
    assert asked is not None
    return asked


def cancel_payout(conn: SyncConn, by: Principal, payout_id: int, now_ms: int) -> None:
    """Take a request back while it is in no run; again: nothing changes. Raises `NotFound` for what
    is not theirs, `Conflict` where it is too late."""
    contributor = by.contributor()
    with conn.transaction():
        row = store.locked(conn, [payout_id]).get(payout_id)
        if row is None or row.contributor_id != contributor:
            raise NotFound("There is no such payout, or it is not yours.")
        if row.state == "cancelled":
            return
        if row.state != "requested" or row.run_id is not None:
            raise Conflict("This payout is being paid, or was.", mend="wait for what becomes of it")
        assert row.hold is not None
        post(conn, [Void(f"cancel:payout:{payout_id}", row.hold, why="taken back")], now_ms)
        store.move_on(conn, [(payout_id, "cancelled", "")], now_ms)
        audit_sync(conn, by, "cancel.payout", "payout", payout_id)


def payouts_of(
    conn: SyncConn, contributor_id: int, *, before: int | None = None, limit: int = 100
) -> list[Payout]:
    """A contributor's payouts, newest first; a page ends before the payout `before`."""
    return store.of_contributor(conn, contributor_id, before, min(limit, PAGE_MAX))


def leaving(conn: SyncConn, contributor_id: int) -> dict[str, int]:
    """Currency -> what the contributor asked for and has not got yet, minor units; none where that
    is nothing."""
    return store.leaving(conn, contributor_id)


def owner_of(contributor_id: int) -> str:
    """To whom the vault binds a contributor's bank data."""
    return f"contributor:{contributor_id}"


def _opened(vault: Vault, contributor_id: int, sealed: bytes) -> bytes | None:
    """None for what no key opens any more: whatever it was, what is entered now takes its place."""
    try:
        return vault.open(owner_of(contributor_id), sealed)
    except Unavailable:
        return None


def _check_own(by: Principal, contributor_id: int) -> None:
    if by.contributor_id != contributor_id and "operator" not in by.roles:
        raise Forbidden("Only you yourself, or an operator, may change where your money goes.")


def _check_way(way: str, currency: str) -> None:
    taken = (BANK_CURRENCY,) if way == BANK else providers()[way].currencies
    if currency not in taken:
        text = f"your payout account takes {', '.join(taken)}, not {currency}"
        problem = Problem(text, "name another payout account", field="currency")
        raise Invalid("Nothing can be paid out.", problems=[problem])


def _check_enough(conn: SyncConn, payable: int, amount: int, currency: str) -> None:
    # the books refuse it too, whatever happens meanwhile; this says it to a contributor
    there = balances(conn, [payable])[payable].available
    if amount > there:
        text = f"there are {written(there, currency)} to be paid out"
        problem = Problem(text, "ask for that much at most", field="amount")
        raise Invalid("That is more than there is.", problems=[problem])
