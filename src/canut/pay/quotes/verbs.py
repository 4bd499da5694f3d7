"""Making and reading quotes of a batch."""

from collections.abc import Callable, Sequence

from msgspec import Struct, convert

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.pay.ledger.currency import written
from canut.pay.policy import policy_at
from canut.pay.quotes import store
from canut.pay.quotes.known import one_currency, read_known, step_facts, tariffs_of
from canut.pay.quotes.model import Quote, Terms
from canut.pay.quotes.rules import items_within, quote
from canut.people.model import Principal
from canut.people.store.log import audit_sync


class Offer(Struct, frozen=True):
    """A quote that was made for a batch."""

    id: int
    batch_id: int
    quote: Quote
    made_ms: int
    #: when the client agreed and its money was set aside; None: not yet
    agreed_ms: int | None


def make_quote(
    conn: SyncConn,
    by: Principal,
    batch_id: int,
    now_ms: int,
    *,
    items: int | None = None,
    most_minor: int | None = None,
) -> Offer:
    """Quote a batch by what is known now, and keep the quote; nothing is agreed by it.

    `items` are those to be paid for; without it, those that no quote was agreed to for yet, and of
    a batch that ran out of money all that are undecided. With `most_minor`, as many of them as that
    covers. Raises `NotFound` for a batch that is not theirs to see, `Conflict` where there is
    nothing to pay (no items, all voluntary, over), `Invalid` for steps in two currencies, or where
    it covers no item.
    """
    batch = _batch(conn, by, batch_id)
    rows = store.steps(conn, batch_id, now_ms)
    found = tariffs_of(conn, rows)
    currency = one_currency(found, batch.currency)
    wanted = _uncovered(batch) if items is None else items
    if currency is None or not 0 < wanted <= batch.n_items:
        raise Conflict(
            "There is nothing to pay for.",
            mend="hand items over first; work without a tariff is voluntary and starts by itself",
        )
    facts = [
        step_facts(row, read_known(conn, row, found.get(row.slug), currency, now_ms))
        for row in rows
    ]
    policy = policy_at(conn, now_ms)
    terms = Terms(fee_of(conn, batch, now_ms), policy.social_most, policy.reserve)

    def price(n: int) -> Quote:
        return quote(currency, n, facts, terms, now_ms, batch.deadline_ms)

    made = price(wanted)
    if most_minor is not None and made.total_minor > most_minor:
        made = price(within(most_minor, wanted, price))
    with conn.transaction():
        offer_id = store.add(conn, batch_id, made, now_ms)
        detail = {"batch": batch_id, "items": made.items, "total_minor": made.total_minor}
        audit_sync(conn, by, "make.quote", "quote", offer_id, detail, client_id=batch.client_id)
    return Offer(offer_id, batch_id, made, now_ms, None)


def fee_of(conn: SyncConn, batch: store.BatchFacts, now_ms: int) -> int:
    """The co-op's fee of a batch, in hundredths of a percent: that of the day it was first agreed
    to, or of today."""
    return policy_at(conn, now_ms if batch.funded_ms is None else batch.funded_ms).fee


def within(most_minor: int, items: int, price: Callable[[int], Quote]) -> int:
    """How many items `most_minor` covers, at most `items`. Raises `Invalid` where it is none."""
    covered = items_within(most_minor, items, lambda n: price(n).total_minor)
    if not covered:
        one = price(1)
        text = f"one item alone takes {written(one.total_minor, one.currency)}"
        problem = Problem(text, "give that much at least", field="budget")
        raise Invalid("This covers nothing.", problems=[problem])
    return covered


def read_offer(conn: SyncConn, by: Principal, quote_id: int) -> Offer:
    """A quote. Raises `NotFound`."""
    row = store.offer(conn, quote_id)
    if row is None:
        raise NotFound(f"There is no quote {quote_id}.")
    _seen(conn, by, row.batch_id)
    return as_offer(row)


def read_offers(conn: SyncConn, by: Principal, batch_id: int) -> list[Offer]:
    """The quotes of a batch, newest first. Raises `NotFound`."""
    _seen(conn, by, batch_id)
    return [as_offer(row) for row in store.offers(conn, batch_id)]


def open_offers(
    conn: SyncConn, by: Principal, client_id: int, batches: Sequence[int]
) -> dict[int, Offer]:
    """Batch -> its last quote, for those batches of a client whose last quote nobody has agreed to.
    Raises `NotFound` for a client that is not theirs."""
    by.check_sees(client_id)
    return {one.batch_id: as_offer(one) for one in store.open_offers(conn, client_id, batches)}


def as_offer(row: store.OfferRow) -> Offer:
    """The values of a row."""
    return Offer(row.id, row.batch_id, convert(row.quote, Quote), row.made_ms, row.agreed_ms)


def _uncovered(batch: store.BatchFacts) -> int:
    if batch.funded_ms is None:
        return batch.n_items
    return batch.undecided if batch.short else batch.n_items - batch.agreed_items


def _seen(conn: SyncConn, by: Principal, batch_id: int) -> store.BatchFacts:
    batch = store.batch(conn, batch_id)
    if batch is None:
        raise NotFound("There is no such batch, or it is not yours to see.")
    by.check_sees(batch.client_id)
    return batch


def _batch(conn: SyncConn, by: Principal, batch_id: int) -> store.BatchFacts:
    batch = _seen(conn, by, batch_id)
    if batch.state in ("delivered", "cancelled"):
        raise Conflict(f"The batch is {batch.state}.")
    return batch
