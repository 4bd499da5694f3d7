"""Money that clients pay through a provider: asked for, confirmed by what the provider tells us.

A provider is an adapter (`Provider`). What it tells is signed, may come late, twice, or in another
order; the deposit is booked once, for what was really paid.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound
from canut.pay.amounts import request_problems
from canut.pay.ledger import AccountName, Transfer, open_accounts, post
from canut.pay.money import store_payments as store
from canut.pay.money.model import Payment, PaymentState
from canut.people.model import Principal
from canut.people.store.log import audit_sync

PAGE_MAX = 500

#: what a provider says of a session. pending: the client has done their part, the money is to come
Told: TypeAlias = Literal["paid", "pending", "failed", "expired"]


class Order(Struct, frozen=True):
    """What a client is asked to pay."""

    payment_id: int
    #: the same for the same payment: a provider that is asked twice makes one session
    key: str
    amount: int
    currency: str
    #: what the client reads at the provider's
    title: str
    #: where the client comes back to, paid or not
    done_url: str
    cancel_url: str
    locale: str = "en"


class Session(Struct, frozen=True):
    """Where the client pays."""

    id: str
    url: str


class Event(Struct, frozen=True):
    """What a provider tells of a session."""

    #: its own id of this message
    id: str
    kind: str
    session: str
    told: Told
    #: minor units, of what was paid
    amount: int
    currency: str
    #: our own number of the payment, as the provider gives it back; 0: it does not
    payment_id: int = 0


class Provider(Protocol):
    """How to ask for money, and how to read what is told of it."""

    name: str

    def begin(self, order: Order) -> Session:
        """A session at the provider. Raises `Unavailable` where it does not answer, `Invalid` where
        it refuses."""

    def read(self, body: bytes, headers: Mapping[str, str], now_ms: int) -> Event | None:
        """What a message says; None: nothing that concerns us. Raises `Unauthenticated` for what is
        not signed by the provider, or too old."""


def begin_payment(
    conn: SyncConn,
    by: Principal,
    provider: Provider,
    client_id: int,
    amount: int,
    currency: str,
    key: str,
    back_url: str,
    now_ms: int,
) -> Payment:
    """Ask a client to pay `amount` (minor units) at a provider: the payment's `url` is where. Again
    with the same key: the same payment, with its session made if it was not. `conn` commits
    (autocommit, or no transaction open), so that no transaction waits for the provider.

    Raises `NotFound`, `Invalid`, `Conflict` for a key that asked for something else, and what the
    provider raises.
    """
    by.check_sees(client_id)
    problems = request_problems(amount, currency, key)
    if problems:
        raise Invalid("Nobody can be asked to pay this.", problems=problems)
    with conn.transaction():
        values = {"client": client_id, "provider": provider.name, "currency": currency}
        store.begin(
            conn, values | {"amount": amount, "key": key, "account": by.account_id, "now": now_ms}
        )
        payment = store.by_key(conn, client_id, key)
        if payment is None:
            raise NotFound("There is no such client.")
    asked = (payment.amount, payment.currency, payment.provider)
    if asked != (amount, currency, provider.name):
        raise Conflict("This key asked for another payment.", mend="use another key")
    if payment.state != "begun":
        return payment
    order = Order(
        payment.id,
        f"canut-payment-{payment.id}",
        amount,
        currency,
        f"Canut {payment.id}",
        f"{back_url}?payment={payment.id}",
        f"{back_url}?payment={payment.id}&cancelled=1",
        by.locale,
    )
    session = provider.begin(order)
    with conn.transaction():
        store.opened(conn, payment.id, session.id, session.url, now_ms)
        detail = {"amount": amount, "currency": currency, "provider": provider.name}
        audit_sync(conn, by, "begin.payment", "payment", payment.id, detail, client_id=client_id)
    found = store.by_key(conn, client_id, key)
    assert found is not None
    return found


def hear(
    conn: SyncConn, provider: Provider, body: bytes, headers: Mapping[str, str], now_ms: int
) -> str:
    """Take a message of the provider's: its raw body and headers. Books the deposit when it says
    that the money is paid; once, however often it says so. Returns what was made of it: "booked",
    "noted", "known" (heard before), "ignored" (not about payments), "unknown" (a session that is
    not ours), each of which is to be answered with success, or it is sent again.

    Raises `Unauthenticated`: answered as an error.
    """
    event = provider.read(body, headers, now_ms)
    if event is None:
        return "ignored"
    with conn.transaction():
        payment = store.locked(conn, provider.name, event.session, event.payment_id)
        outcome = "unknown" if payment is None else "noted"
        values = {"provider": provider.name, "event": event.id, "kind": event.kind}
        told = {"payment": payment.id if payment else None, "now": now_ms}
        if payment is not None and event.told == "paid" and payment.state != "paid":
            outcome = "booked"
        if not store.heard(conn, values | told | {"outcome": outcome}):
            return "known"
        if payment is None:
            return outcome
        if outcome == "booked":
            _book(conn, payment, event, now_ms)
        elif payment.state != "paid":
            # what is paid stays paid: whatever was sent before and comes after says less
            state: PaymentState = event.told
            store.move_on(conn, payment.id, state, event.session, None, now_ms)
    return outcome


def payments_of(
    conn: SyncConn, by: Principal, client_id: int, *, before: int | None = None, limit: int = 50
) -> list[Payment]:
    """Newest first. Raises `NotFound` for a client that is not theirs."""
    by.check_sees(client_id)
    return store.payments(conn, client_id, before, min(limit, PAGE_MAX))


def _book(conn: SyncConn, payment: Payment, event: Event, now_ms: int) -> None:
    """What was really paid: the provider's word is the money's."""
    names = [
        AccountName("bank", event.currency),
        AccountName("client_deposit", event.currency, payment.client_id),
    ]
    bank, deposit = open_accounts(conn, names, now_ms).values()
    move = Transfer(
        f"deposit:{payment.provider}:{event.session}"[:200],
        "deposit",
        bank,
        deposit,
        event.amount,
        event.currency,
        why=f"paid by {payment.provider}",
        reference=f"payment:{payment.id}",
    )
    [transfer] = post(conn, [move], now_ms)
    store.move_on(conn, payment.id, "paid", event.session, transfer, now_ms)
    by = Principal(name=payment.provider)
    detail = {
        "amount": event.amount,
        "asked": payment.amount,
        "currency": event.currency,
        "event": event.id,
    }
    audit_sync(conn, by, "book.deposit", "payment", payment.id, detail, client_id=payment.client_id)
