"""Paying in, and setting money aside for a batch."""

from typing import Any

from canut.db.pool import SyncConn
from canut.errors import Conflict, Expired, Forbidden, Invalid, NotFound, Problem
from canut.pay.cost import answers_most, base_minor, with_charges
from canut.pay.funding import store
from canut.pay.funding.covering import cover_batches
from canut.pay.funding.model import BatchFunds
from canut.pay.ledger import AccountName, Transfer, balances, open_accounts, post
from canut.pay.ledger.currency import DIGITS, written
from canut.pay.policy import policy_at
from canut.pay.policy.model import DAY_MS, Policy
from canut.pay.quotes import Offer, StepQuote
from canut.pay.quotes import store as quotes
from canut.pay.quotes.verbs import as_offer, fee_of
from canut.pay.tariffs import store as tariffs
from canut.people.model import Principal
from canut.people.store.log import audit_sync

#: a quote is good for so long
QUOTE_DAYS = 14


def deposit(
    conn: SyncConn,
    by: Principal,
    client_id: int,
    amount_minor: int,
    currency: str,
    reference: str,
    now_ms: int,
) -> int:
    """Book money that a client has paid in (seen at the bank); the transfer. `reference` is the
    bank's: the same one is booked once. Raises `Forbidden` for others than operators and stewards,
    and for those who belong to the client, `Invalid` for what is no amount."""
    if not by.keeps_books:
        raise Forbidden("Only stewards and operators book deposits.")
    if client_id in by.client_ids:
        raise Forbidden("Whoever belongs to a client books none of its money.")
    if currency not in DIGITS:
        problem = Problem(f"{currency!r} is no currency", "use ISO 4217", field="currency")
        raise Invalid("Nothing was booked.", problems=[problem])
    if not reference.strip():
        problem = Problem("is empty", "give the bank's reference", field="reference")
        raise Invalid("Nothing was booked.", problems=[problem])
    bank, client = AccountName("bank", currency), AccountName("client_deposit", currency, client_id)
    with conn.transaction():
        ids = open_accounts(conn, [bank, client], now_ms)
        move = Transfer(
            key=f"deposit:{client_id}:{reference.strip()}",
            kind="deposit",
            debit=ids[bank],
            credit=ids[client],
            amount=amount_minor,
            currency=currency,
            why="paid in",
            reference=f"client:{client_id}",
        )
        [made] = post(conn, [move], now_ms, by=by.account_id)
        if store.first_time(conn, made, "book.deposit"):
            detail = {"amount_minor": amount_minor, "currency": currency, "reference": reference}
            audit_sync(conn, by, "book.deposit", "transfer", made, detail, client_id=client_id)
    return made


def fund(conn: SyncConn, by: Principal, quote_id: int, now_ms: int) -> BatchFunds:
    """Agree to a quote: its money goes from the client's deposit to the batch, and work begins. All
    or nothing; again, nothing more happens.

    Raises `NotFound` for a quote that is not theirs, `Expired` for an old one, `Conflict` where the
    tariff or the fee has changed since, another quote was agreed to since, or the batch is over,
    `Invalid` where the deposit is too small.
    """
    with conn.transaction():
        row = quotes.offer(conn, quote_id, lock=True)
        if row is None:
            raise NotFound(f"There is no quote {quote_id}.")
        quotes.lock_batch(conn, row.batch_id)
        batch = quotes.batch(conn, row.batch_id)
        assert batch is not None
        by.check_sees(batch.client_id)
        offer = as_offer(row)
        if offer.agreed_ms is None:
            _check(conn, offer, batch, now_ms)
            _set_aside(conn, by, offer, batch.client_id, now_ms)
            store.begin(conn, batch.id, row.currency, now_ms, _agreed(conn, offer, now_ms))
            quotes.agree(conn, quote_id, by.account_id, now_ms)
            cover_batches(conn, now_ms, batch.id)
            detail = {"batch": batch.id, "total_minor": row.total_minor, "currency": row.currency}
            audit_sync(
                conn, by, "agree.quote", "quote", quote_id, detail, client_id=batch.client_id
            )
        found = store.funds(conn, batch.id)
        assert found is not None
    return found


def read_funds(conn: SyncConn, by: Principal, batch_id: int) -> BatchFunds | None:
    """The money of a batch; None: it has none. Raises `NotFound` for a batch that is not theirs."""
    batch = quotes.batch(conn, batch_id)
    if batch is None:
        raise NotFound("There is no such batch, or it is not yours to see.")
    by.check_sees(batch.client_id)
    return store.funds(conn, batch_id)


def _check(conn: SyncConn, offer: Offer, batch: quotes.BatchFacts, now_ms: int) -> None:
    mend = "ask for a new one"
    if batch.state not in ("running", "paused"):
        raise Conflict(f"The batch is {batch.state}.")
    if now_ms - offer.made_ms > QUOTE_DAYS * DAY_MS:
        raise Expired(f"The quote is older than {QUOTE_DAYS} days.", mend=mend)
    rows = {row.batch_step_id: row.tariff_id for row in quotes.steps(conn, offer.batch_id, now_ms)}
    if any(rows[step.batch_step_id] != step.tariff_id for step in offer.quote.steps):
        raise Conflict("The tariff has changed since this quote.", mend=mend)
    if offer.quote.fee != fee_of(conn, batch, now_ms):
        raise Conflict("The fee has changed since this quote.", mend=mend)
    if quotes.superseded(conn, offer.id):
        raise Conflict("Another quote of this batch was agreed to since this one.", mend=mend)


def _set_aside(conn: SyncConn, by: Principal, offer: Offer, client_id: int, now_ms: int) -> None:
    quote = offer.quote
    client = AccountName("client_deposit", quote.currency, client_id)
    escrow = AccountName("batch_escrow", quote.currency, offer.batch_id)
    reserve = AccountName("topup_reserve", quote.currency, offer.batch_id)
    ids = open_accounts(conn, [client, escrow, reserve], now_ms)
    has = balances(conn, [ids[client]])[ids[client]].available
    if has < quote.total_minor:
        missing = written(quote.total_minor - has, quote.currency)
        text = f"the deposit has {written(has, quote.currency)}"
        problem = Problem(text, f"pay in {missing} more", field="amount")
        raise Invalid("There is not enough money to begin.", problems=[problem])
    amounts = {reserve: quote.line("reserve")}
    amounts[escrow] = quote.total_minor - amounts[reserve]
    moves = [
        Transfer(
            key=f"fund:quote:{offer.id}:{to.kind}",
            kind="fund",
            debit=ids[client],
            credit=ids[to],
            amount=amount,
            currency=quote.currency,
            why=f"quote {offer.id}",
            reference=f"batch:{offer.batch_id}",
        )
        for to, amount in amounts.items()
        if amount
    ]
    post(conn, moves, now_ms, by=by.account_id)


def _agreed(conn: SyncConn, offer: Offer, now_ms: int) -> dict[str, Any]:
    rows = {row.batch_step_id: row for row in quotes.steps(conn, offer.batch_id, now_ms)}
    policy = policy_at(conn, now_ms)
    paid = [step for step in offer.quote.steps if step.tariff_id is not None]
    return {
        "steps": [step.batch_step_id for step in paid],
        "tariffs": [step.tariff_id for step in paid],
        "prices": [step.price_minor for step in paid],
        "units": [_unit(conn, step, rows[step.batch_step_id].lease_ms, policy) for step in paid],
        "most": [answers_most(rows[step.batch_step_id].max_answers) for step in paid],
    }


def _unit(conn: SyncConn, step: StepQuote, lease_ms: int, policy: Policy) -> int:
    assert step.tariff_id is not None
    tariff = tariffs.by_id(conn, step.tariff_id)
    base = base_minor(step.price_minor, tariff.floor_minor, tariff.assumed_ms, lease_ms)
    return with_charges(base, policy)
