"""Making and reading quotes of a batch."""

import numpy as np
from msgspec import Struct, convert

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.pay.policy import policy_at
from canut.pay.quotes import store
from canut.pay.quotes.model import Quote, StepFacts, Terms
from canut.pay.quotes.rules import quote
from canut.pay.tariffs import Tariff
from canut.pay.tariffs import store as tariffs
from canut.people.model import Principal

#: decided tasks from which on a step's own answers for each item are taken
KNOWN_FROM = 30
#: where nothing is known of those who answer
SKILL = 0.8
#: a step that pays nothing is thought to take so long
TASK_MS = 30_000


class Offer(Struct, frozen=True):
    """A quote that was made for a batch."""

    id: int
    batch_id: int
    quote: Quote
    made_ms: int
    #: when the client agreed and its money was set aside; None: not yet
    agreed_ms: int | None


def make_quote(
    conn: SyncConn, by: Principal, batch_id: int, now_ms: int, *, items: int | None = None
) -> Offer:
    """Quote a batch by what is known now, and keep the quote; nothing is agreed by it.

    `items` are those to be paid for, where it is not all: a batch that ran out of money is quoted
    for what is left. Raises `NotFound` for a batch that is not theirs to see, `Conflict` where
    there is nothing to pay (no items, all voluntary, over), `Invalid` for steps in two currencies.
    """
    batch = _batch(conn, by, batch_id)
    rows = store.steps(conn, batch_id, now_ms)
    found = {row.slug: tariffs.by_id(conn, row.tariff_id) for row in rows if row.tariff_id}
    currencies = sorted({one.currency for one in found.values()})
    if len(currencies) > 1 or (batch.currency and currencies != [batch.currency]):
        text = f"its steps are paid in {', '.join(currencies) or 'nothing'}"
        raise Invalid("A batch has one currency.", problems=[Problem(text, field="currency")])
    wanted = batch.n_items if items is None else items
    if not found or not 0 < wanted <= batch.n_items:
        raise Conflict(
            "There is nothing to pay for.",
            mend="hand items over first; work without a tariff is voluntary and starts by itself",
        )
    currency = currencies[0]
    facts = [_facts(conn, row, found.get(row.slug), currency, now_ms) for row in rows]
    policy = policy_at(conn, now_ms)
    terms = Terms(policy.fee, policy.social_most, policy.reserve)
    made = quote(currency, wanted, facts, terms, now_ms, batch.deadline_ms)
    with conn.transaction():
        offer_id = store.add(conn, batch_id, made, now_ms)
    return Offer(offer_id, batch_id, made, now_ms, None)


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


def as_offer(row: store.OfferRow) -> Offer:
    """The values of a row."""
    return Offer(row.id, row.batch_id, convert(row.quote, Quote), row.made_ms, row.agreed_ms)


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


def _facts(
    conn: SyncConn, row: store.StepRow, tariff: Tariff | None, currency: str, now_ms: int
) -> StepFacts:
    answers, decided = store.answers(conn, row.process_id, row.slug)
    days = store.daily(conn, row.process_id, row.slug, now_ms)
    micro, calls = store.ai(conn, row.process_id, row.slug, currency)
    daily = None
    if days:
        low, high = np.quantile(days, [0.25, 0.75])
        daily = (max(int(low), 1), max(int(high), 1))
    return StepFacts(
        batch_step_id=row.batch_step_id,
        slug=row.slug,
        tariff_id=tariff.id if tariff else None,
        price_minor=tariff.price_minor if tariff else None,
        floor_minor=tariff.floor_minor if tariff else 0,
        task_ms=round(tariff.task_ms) if tariff else TASK_MS,
        assumed_ms=tariff.assumed_ms if tariff else TASK_MS,
        lease_ms=row.lease_ms,
        min_answers=row.min_answers,
        max_answers=row.max_answers,
        target=round(row.target, 6),
        skill=row.skill if row.skill is not None else SKILL,
        answers_known=answers if decided >= KNOWN_FROM else None,
        gold_share=row.gold_share,
        audit_share=row.audit_share,
        audits_max=row.audits_max,
        panel=row.panel,
        daily_known=daily,
        people=row.people,
        ai_micro=-(-micro // calls) if calls else 0,
    )
