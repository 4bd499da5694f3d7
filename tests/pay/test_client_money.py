"""Money of clients: paid in by a provider once, and given back when a batch did not use it."""

import hmac
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import psycopg
import pytest

from canut.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from canut.pay.ledger import Void, balances, open_accounts, post
from canut.pay.ledger.model import AccountName
from canut.pay.money.payments import begin_payment, hear, payments_of
from canut.pay.money.refunds import refund_deposit, release_batch, release_due
from canut.pay.money.stripe import Stripe
from canut.people.model import Principal
from tests import factories as make
from tests.pay.books import Books, books, move
from tests.pay.payees import person, sound

NOW = 1_795_000_000_000
DAY = 86_400_000
SECRET = "whsec_invented"


class FakeStripe:
    """What Stripe documents of Checkout: sessions by key, errors, signed messages."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], dict[str, str]]] = []
        #: answers to give before a session
        self.fails: list[tuple[int, dict[str, Any]]] = []
        self.sessions: dict[str, str] = {}

    def answer(self, headers: dict[str, str], form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append((headers, form))
        if self.fails:
            return self.fails.pop(0)
        if headers["authorization"] != "Bearer sk_invented":
            return 401, {"error": {"message": "Invalid API Key provided"}}
        key = headers["idempotency-key"]
        session = self.sessions.setdefault(key, f"cs_{len(self.sessions) + 1}")
        return 200, {"id": session, "object": "checkout.session", "url": f"https://pay/{session}"}


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[FakeStripe]]]:
    """Its address, and who answers there."""
    now = [FakeStripe()]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            assert self.path == "/v1/checkout/sessions"
            status, told = now[0].answer(headers, dict(parse_qsl(body)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(msgspec.json.encode(told))

        def log_message(self, *_: object) -> None:
            """Nothing: the test looks at what was asked."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", now
        http.shutdown()


@pytest.fixture
def stripe(server: tuple[str, list[FakeStripe]]) -> tuple[Stripe, FakeStripe]:
    """The adapter, and a Stripe that knows nothing yet."""
    server[1][0] = FakeStripe()
    return Stripe("sk_invented", SECRET, api=server[0]), server[1][0]


def message(
    session: str, kind: str = "checkout.session.completed", event: str = "evt_1", **given: Any
) -> bytes:
    """As Stripe documents it, shortened."""
    about = {"id": session, "object": "checkout.session", "amount_total": 5_000, "currency": "eur"}
    about |= {"payment_status": "paid"} | given
    told = {"id": event, "object": "event", "type": kind, "data": {"object": about}}
    return msgspec.json.encode(told)


def signed(body: bytes, at_ms: int = NOW, secret: str = SECRET) -> dict[str, str]:
    """The header of a message."""
    moment = str(at_ms // 1000)
    right = hmac.digest(secret.encode(), f"{moment}.".encode() + body, "sha256").hex()
    return {"Stripe-Signature": f"t={moment},v1={'0' * 64},v1={right},v0=old"}


def has(conn: psycopg.Connection, client: int) -> int:
    """What is on the client's deposit."""
    [account] = open_accounts(conn, [AccountName("client_deposit", "EUR", client)], 1).values()
    return balances(conn, [account])[account].posted


def test_a_session_is_made_once_and_its_message_books_once(
    db: psycopg.Connection, stripe: tuple[Stripe, FakeStripe]
) -> None:
    """Asked again with the same key it is the same session; told again, by the same message or by
    another, the deposit is booked once, for what was really paid."""
    adapter, fake = stripe
    client = make.client(db)
    by = Principal(account_id=person(db).account_id, client_ids=(client,))

    def begin(amount: int = 5_000) -> Any:
        back = "https://canut.example/funds"
        return begin_payment(db, by, adapter, client, amount, "EUR", "order 1", back, NOW)

    fake.fails = [(500, {})]
    with pytest.raises(Unavailable):
        begin()
    payment = begin()
    assert begin() == payment
    assert (payment.state, payment.url) == ("open", "https://pay/cs_1")
    headers, form = fake.asked[-1]
    assert len(fake.asked) == 2
    assert headers["idempotency-key"] == f"canut-payment-{payment.id}"
    assert form["line_items[0][price_data][unit_amount]"] == "5000"
    assert form["client_reference_id"] == str(payment.id)
    with pytest.raises(Conflict, match="another payment"):
        begin(6_000)
    wait = message("cs_1", payment_status="unpaid")
    assert hear(db, adapter, wait, signed(wait), NOW) == "noted"
    assert payments_of(db, by, client)[0].state == "pending"
    paid = message("cs_1", "checkout.session.async_payment_succeeded", "evt_2", amount_total=4_900)
    assert hear(db, adapter, paid, signed(paid), NOW) == "booked"
    assert hear(db, adapter, paid, signed(paid), NOW) == "known"
    other = message("cs_1", event="evt_3")
    assert hear(db, adapter, other, signed(other), NOW) == "noted"
    late = message("cs_1", "checkout.session.expired", "evt_4")
    assert hear(db, adapter, late, signed(late), NOW) == "noted"
    assert payments_of(db, by, client)[0].state == "paid"
    assert has(db, client) == 4_900
    assert sound(db)


def test_messages_out_of_order_or_of_others(
    db: psycopg.Connection, stripe: tuple[Stripe, FakeStripe]
) -> None:
    """Paid after it was said to be over is paid; a session whose number the program could not note
    is known by the payment's; what is not ours, or about something else, is left alone."""
    adapter, _ = stripe
    client = make.client(db)
    by = Principal(client_ids=(client,))
    begin_payment(db, by, adapter, client, 5_000, "EUR", "a", "https://x", NOW)
    over = message("cs_1", "checkout.session.expired", "evt_5", payment_status="unpaid")
    assert hear(db, adapter, over, signed(over), NOW) == "noted"
    assert payments_of(db, by, client)[0].state == "expired"
    paid = message("cs_1", event="evt_6")
    assert hear(db, adapter, paid, signed(paid), NOW) == "booked"
    number = make.one(
        db,
        """insert into payment (client_id, provider, currency, amount, key, begun_ms, changed_ms)
        values (%s, 'stripe', 'EUR', 5000, 'lost', 0, 0) returning id""",
        client,
    )
    lost = message("cs_lost", event="evt_7", client_reference_id=str(number))
    assert hear(db, adapter, lost, signed(lost), NOW) == "booked"
    alien = message("cs_alien", event="evt_8")
    assert hear(db, adapter, alien, signed(alien), NOW) == "unknown"
    else_ = message("ch_1", "charge.refunded", "evt_9")
    assert hear(db, adapter, else_, signed(else_), NOW) == "ignored"
    assert has(db, client) == 10_000
    with pytest.raises(NotFound):
        payments_of(db, Principal(), client)


def test_only_what_stripe_signed_now_is_heard(
    db: psycopg.Connection, stripe: tuple[Stripe, FakeStripe]
) -> None:
    """Another secret, a changed body, no signature, and what was recorded before are refused."""
    adapter, _ = stripe
    body = message("cs_1")
    wrong = [
        (body, {}),
        (body, {"Stripe-Signature": "t=x,v1="}),
        (body, signed(body, secret="whsec_other")),
        (body.replace(b"5000", b"9000"), signed(body)),
        (body, signed(body, NOW - 301_000)),
        (body, signed(body, NOW + 301_000)),
    ]
    for text, headers in wrong:
        with pytest.raises(Unauthenticated):
            hear(db, adapter, text, headers, NOW)
    with pytest.raises(Invalid, match="no message"):
        hear(db, adapter, b"{}", signed(b"{}"), NOW)
    assert make.one(db, "select count(*) from payment_event") == 0


def test_what_stripe_refuses_is_said(
    db: psycopg.Connection, stripe: tuple[Stripe, FakeStripe]
) -> None:
    """With its own words; currencies that it counts otherwise are not asked for there."""
    adapter, fake = stripe
    client = make.client(db)
    by = Principal(client_ids=(client,))

    def begin(currency: str = "EUR", amount: Any = 5_000) -> None:
        begin_payment(db, by, adapter, client, amount, currency, f"k{currency}", "https://x", NOW)

    fake.fails = [(400, {"error": {"message": "Amount too small"}}), (429, {}), (200, {})]
    for error, text in ((Invalid, "too small"), (Unavailable, "429"), (Unavailable, "else")):
        with pytest.raises(error, match=text):
            begin()
    with pytest.raises(Invalid, match="ISK"):
        begin("ISK")
    with pytest.raises(Invalid, match="asked to pay"):
        begin("EURO", 1.5)
    with pytest.raises(Unavailable, match="not set up"):
        Stripe("", "")
    away = Stripe("sk_invented", SECRET, api="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="does not answer"):
        begin_payment(db, by, away, client, 5, "EUR", "z", "https://x", NOW)


def finished(conn: psycopg.Connection) -> tuple[Books, int, int]:
    """A delivered batch with 150 euros left, its client and itself."""
    b = books(conn, escrow=20_000)
    client, batch = conn.execute(
        "select client_id, id from batch order by id desc limit 1"
    ).fetchone() or (0, 0)
    conn.execute("update batch set state = 'delivered' where id = %s", [batch])
    conn.execute(
        "insert into batch_pay (batch_id, currency, funded_ms) values (%s, 'EUR', 1)", [batch]
    )
    moves = [
        move("fund", b.escrow, b.reserve, 3_000, at_ms=2_000),
        move("accrue", b.escrow, b.ada, 5_000, at_ms=2_000),
    ]
    post(conn, moves, NOW)
    return b, client, batch


def test_what_a_batch_did_not_use_goes_back(db: psycopg.Connection) -> None:
    """Escrow and reserve, once nothing may need them any more: not while it runs, while pay waits
    to be accepted, nor before the pay period of its last work is settled, however long that takes.
    Again, nothing more."""
    b, client, batch = finished(db)
    operator = person(db, None, "operator")
    db.execute("update batch set state = 'running' where id = %s", [batch])
    with pytest.raises(Conflict, match="it is running"):
        release_batch(db, operator, batch, NOW)
    db.execute("update batch set state = 'delivered' where id = %s", [batch])
    [hold] = post(db, [move("fee", b.escrow, b.fee, 100, pending=True)], NOW)
    with pytest.raises(Conflict, match="not accepted"):
        release_batch(db, operator, batch, NOW)
    assert release_due(db, operator, NOW) == []
    post(db, [Void("void", hold)], NOW)
    worker = make.contributor(db)
    db.execute(
        """insert into pay_sheet (batch_id, contributor_id, currency, jurisdiction, pay_minor,
        social_minor, fee_minor, made_ms, accept_ms, accepted_ms)
        values (%s, %s, 'EUR', 'FR', 1, 0, 0, %s, 0, 0)""",
        [batch, worker, NOW],
    )
    with pytest.raises(Conflict, match="period"):
        release_batch(db, operator, batch, NOW + 40 * DAY)
    periods = "insert into pay_period (from_ms, until_ms, begun_ms) values (%s, %s, %s)"
    for day in (-6, 1):
        db.execute(periods, [NOW + (day - 7) * DAY, NOW + day * DAY, NOW + 12 * DAY])
        # the one before is settled, this one is under way
        db.execute("update pay_period set settled_ms = 1 where until_ms <= %s", [NOW])
        assert release_due(db, operator, NOW + 12 * DAY, limit=1) == []
    db.execute("update pay_period set settled_ms = %s", [NOW + 12 * DAY])
    with pytest.raises(NotFound):
        release_batch(db, Principal(client_ids=(client + 1,)), batch, NOW)
    [found] = release_due(db, operator, NOW + 12 * DAY)
    assert (found.batch_id, found.escrow, found.reserve) == (batch, 12_000, 3_000)
    assert has(db, client) == 15_000
    again = release_batch(db, operator, batch, NOW + 13 * DAY)
    assert (again.escrow, again.reserve) == (0, 0)
    post(db, [move("fund", b.deposit, b.escrow, 7)], NOW + 14 * DAY)
    assert release_batch(db, operator, batch, NOW + 15 * DAY).escrow == 7
    assert sound(db)


def test_a_refund_is_booked_once_and_never_beyond_the_deposit(db: psycopg.Connection) -> None:
    """By its reference at the bank; more than there is, or by somebody else, is refused."""
    books(db, deposit=5_000)
    client = make.one(db, "select max(client_id) from batch")
    operator = person(db, None, "operator")
    made = refund_deposit(db, operator, client, 4_000, "EUR", "BANK-1", NOW)
    assert refund_deposit(db, operator, client, 4_000, "EUR", " BANK-1 ", NOW) == made
    assert make.one(db, "select count(*) from audit_log where action = 'book.refund'") == 1
    with pytest.raises(Conflict):
        refund_deposit(db, operator, client, 3_000, "EUR", "BANK-1", NOW)
    with pytest.raises(Invalid, match=r"10\.00 EUR"):
        refund_deposit(db, operator, client, 1_001, "EUR", "BANK-2", NOW)
    with pytest.raises(Invalid):
        refund_deposit(db, operator, client, 1, "EURO", "", NOW)
    with pytest.raises(Forbidden):
        refund_deposit(db, person(db, None, "steward"), client, 1, "EUR", "x", NOW)
    with pytest.raises(NotFound):
        refund_deposit(db, operator, 0, 1, "EUR", "x", NOW)
