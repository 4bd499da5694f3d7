"""Webhooks: told once it is true, signed, tried until a yes, and never sent inside."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from canut.channels import webhooks
from canut.channels.addresses import check_url, pin
from canut.errors import CanutError, Conflict, Invalid, NotFound, Unavailable
from tests.work import made


class Receiver:
    """A client's server: replies with the statuses it was given, then with 200."""

    def __init__(self) -> None:
        self.replies: list[int] = []
        self.got: list[tuple[dict[str, str], str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                status = receiver.replies.pop(0) if receiver.replies else 200
                self.send_response(status)
                self.send_header("location", "http://127.0.0.1:1/inside")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://localhost:{self.server.server_address[1]}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def now() -> int:
    """The real time: a signature holds for five minutes."""
    import time

    return int(time.time() * 1000)


def state(db: Any, delivery: int) -> Any:
    sql = """select state, attempts, last_status, last_error, next_ms, ended_ms
             from webhook_delivery where id = %s"""
    return db.execute(sql, [delivery]).fetchone()


def test_a_delivery_is_signed_and_tried_until_a_yes(db: Any, receiver: Receiver, now: int) -> None:
    """The receiver fails twice (an error, a redirect): the same event comes again later, with a
    signature that the library of Standard Webhooks accepts, and not after the yes."""
    client = made.client(db)
    made_ = webhooks.create(db, client, receiver.url, now, private=True)
    data = {"batch": "spring"}
    (delivery,) = webhooks.enqueue(db, client, "batch.delivered", "evt_1", data, now)
    receiver.replies = [500, 302]
    at = now
    for status, waited in ((500, 15_000), (302, 60_000)):
        assert webhooks.due(db, at, 10) == [delivery]
        assert webhooks.due(db, at, 10) == [], "taken: another engine gets nothing"
        assert not webhooks.attempt(db, delivery, at, 0.0, private=True)
        found = state(db, delivery)
        assert (found[0], found[2], found[4]) == ("waiting", status, at + waited)
        assert webhooks.due(db, at + waited - 1, 10) == []
        at += waited
    assert webhooks.due(db, at, 10) == [delivery]
    assert webhooks.attempt(db, delivery, at, 0.0, private=True)
    assert state(db, delivery) == ("delivered", 3, 200, None, None, at)
    assert webhooks.due(db, at + 10**9, 10) == []
    assert webhooks.attempt(db, delivery, at, 0.0, private=True), "already arrived: not sent again"
    assert len(receiver.got) == 3
    for headers, body in receiver.got:
        message = Verifier(made_.secret).verify(body, headers)
        assert message["data"] == data
        assert message["type"] == "batch.delivered"
        assert headers["webhook-id"] == "evt_1"
        assert headers["host"].startswith("localhost:")
        with pytest.raises(WebhookVerificationError):
            Verifier(made_.secret).verify(body.replace("spring", "autumn"), headers)


def test_a_receiver_that_dawdles_is_given_up(
    db: Any, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A byte now and then keeps every timeout between bytes from ending: the whole has a limit."""
    monkeypatch.setattr(webhooks, "TIMEOUT_S", 1)
    done = threading.Event()

    def dawdle(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
            while not done.wait(0.2):
                try:
                    peer.sendall(b"a")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=dawdle, args=[listener])
        thread.start()
        client = made.client(db)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        webhooks.create(db, client, url, now, private=True)
        (delivery,) = webhooks.enqueue(db, client, "batch.delivered", "evt_slow", {}, now)
        started = time.monotonic()
        assert not webhooks.attempt(db, delivery, now, 0.0, private=True)
        assert time.monotonic() - started < 30
        assert state(db, delivery)[0] == "waiting"
        done.set()
        thread.join()


def test_a_name_in_other_letters_is_looked_up_as_dns_writes_it() -> None:
    """An international name goes into Host and TLS in its ASCII form; one that has none is
    refused, and does not stop whoever delivers."""
    with pytest.raises(Unavailable, match=r"xn--mller-kva\.invalid"):
        pin("https://müller.invalid/", private=False)
    with pytest.raises(Invalid):
        pin(f"https://{'ü' * 80}.invalid/", private=False)


def test_an_event_is_told_once_and_only_to_its_client(db: Any, now: int) -> None:
    """The same event again makes nothing; others' webhooks and removed ones hear nothing."""
    mine, other = made.client(db), made.client(db)
    for client in (mine, other):
        webhooks.create(db, client, "https://shop.example/hook", now)
    gone = webhooks.create(db, mine, "https://gone.example/hook", now)
    webhooks.disable(db, mine, gone.id, now)
    assert len(webhooks.enqueue(db, mine, "batch.delivered", "evt_2", {}, now)) == 1
    assert webhooks.enqueue(db, mine, "batch.delivered", "evt_2", {}, now) == []


def test_an_event_of_a_transaction_that_failed_is_not_told(fresh_url: str, now: int) -> None:
    """Enqueued in the transaction of what it tells: rolled back with it."""
    with psycopg.connect(fresh_url) as conn:
        client = made.client(conn)
        webhooks.create(conn, client, "https://shop.example/hook", now)
        conn.commit()
        webhooks.enqueue(conn, client, "batch.delivered", "evt_3", {}, now)
        conn.rollback()
        assert webhooks.due(conn, now, 10) == []


def test_an_engine_that_dies_while_sending_is_followed(db: Any, now: int) -> None:
    """A delivery that was taken and never recorded is due again after the lease."""
    client = made.client(db)
    webhooks.create(db, client, "https://shop.example/hook", now)
    (delivery,) = webhooks.enqueue(db, client, "batch.delivered", "evt_4", {}, now)
    assert webhooks.due(db, now, 10) == [delivery]
    assert webhooks.due(db, now + webhooks.LEASE_MS - 1, 10) == []
    assert webhooks.due(db, now + webhooks.LEASE_MS, 10) == [delivery]


def test_a_receiver_that_never_answers_is_given_up(db: Any, now: int) -> None:
    """Eight tries over about a day, then failed, with the reason kept."""
    client = made.client(db)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        webhooks.create(db, client, url, now, private=True)
        (delivery,) = webhooks.enqueue(db, client, "batch.delivered", "evt_5", {}, now)
        at = now
        for _ in range(webhooks.TRIES_MAX - 1):
            assert not webhooks.attempt(db, delivery, at, 0.5, private=True)
            at = state(db, delivery)[4]
        assert not webhooks.attempt(db, delivery, at, 0.5, private=True)
    found = state(db, delivery)
    assert (found[0], found[1], found[2], found[5]) == ("failed", webhooks.TRIES_MAX, None, at)
    assert "ConnectError" in found[3]
    assert 20 * 3600_000 < at - now < 30 * 3600_000


def test_gone_means_gone(db: Any, receiver: Receiver, now: int) -> None:
    """A reply 410 ends the webhook; what waits for one that was removed fails unsent."""
    client = made.client(db)
    webhooks.create(db, client, receiver.url, now, private=True)
    first = webhooks.enqueue(db, client, "batch.delivered", "a", {}, now)[0]
    second = webhooks.enqueue(db, client, "batch.delivered", "b", {}, now)[0]
    receiver.replies = [410]
    assert not webhooks.attempt(db, first, now, 0.0, private=True)
    assert not webhooks.attempt(db, second, now, 0.0, private=True)
    assert [state(db, delivery)[0] for delivery in (first, second)] == ["failed", "failed"]
    assert len(receiver.got) == 1
    assert webhooks.webhooks(db, client)[0].disabled_ms == now


def test_managing(db: Any, receiver: Receiver, now: int) -> None:
    """A secret is shown once; a client neither sees nor touches another's webhooks; a test event
    goes to one webhook; there is a limit."""
    mine, other = made.client(db), made.client(db)
    first = webhooks.create(db, mine, receiver.url, now, private=True)
    assert first.secret.startswith("whsec_")
    webhooks.create(db, mine, "https://shop.example/", now)
    (listed, _) = webhooks.webhooks(db, mine)
    assert (listed.id, listed.url, listed.last_state) == (first.id, receiver.url, None)
    assert "secret" not in listed.__struct_fields__
    assert webhooks.webhooks(db, other) == []
    for verb in (webhooks.disable, webhooks.send_test):
        with pytest.raises(NotFound):
            verb(db, other, first.id, now)
    delivery = webhooks.send_test(db, mine, first.id, now)
    assert webhooks.attempt(db, delivery, now, 0.0, private=True)
    assert json.loads(receiver.got[0][1])["type"] == "webhook.test"
    assert webhooks.webhooks(db, mine)[0].last_state == "delivered"
    for _ in range(webhooks.WEBHOOKS_MAX - 2):
        webhooks.create(db, mine, "https://shop.example/", now)
    with pytest.raises(Conflict):
        webhooks.create(db, mine, "https://shop.example/", now)


INSIDE = [
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]", "[::]",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_private_addresses_are_refused(host: str) -> None:
    """Written as numbers in any clothes, an address inside is not called."""
    with pytest.raises(Invalid):
        check_url(f"https://{host}/hook", private=False)
    with pytest.raises(Invalid):
        pin(f"https://{host}/hook", private=False)


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "ftp://shop.example/", "https:///x", "http://shop.example/",
     "https://a:b@shop.example/", "https://shop.example:0/", "https://shop.example:99999/",
     "https://[::1/", "https://shop.example/a b", "https://shop.example/" + "x" * 2000],
)  # fmt: skip
def test_addresses_that_are_none(url: str) -> None:
    """Only https, whole, without a password."""
    with pytest.raises(Invalid):
        check_url(url, private=False)


def test_a_name_that_leads_inside_is_refused(
    db: Any, receiver: Receiver, now: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`localhost` looks like any name; it is looked up, and not called. One private address
    among public ones is enough to refuse."""
    url = receiver.url.replace("http://", "https://")
    client = made.client(db)
    webhooks.create(db, client, url, now)
    (delivery,) = webhooks.enqueue(db, client, "batch.delivered", "evt_6", {}, now)
    assert not webhooks.attempt(db, delivery, now, 0.0)
    assert receiver.got == []
    assert "not public" in state(db, delivery)[3]
    places = [(2, 1, 6, "", (address, 443)) for address in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: places)
    with pytest.raises(Invalid, match="not public"):
        pin("https://shop.example/", private=False)
    places.pop()
    to = pin("https://shop.example:8443/a?b=c", private=False)
    assert to.urls == ["https://93.184.215.14:8443/a?b=c"]
    assert (to.host, to.name) == ("shop.example:8443", "shop.example")


def test_a_name_nobody_knows() -> None:
    """A name without an address may have one later: that is no fault of the URL."""
    with pytest.raises(Unavailable):
        pin("https://shop.invalid/", private=False)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Nothing a client writes raises anything but an error of ours."""
    for url in (text, f"https://{text}"):
        try:
            check_url(url, private=True)
        except CanutError as error:
            assert isinstance(error, Invalid)  # noqa: PT017  either way is right


@given(st.integers(1, 20), st.floats(0, 1))
def test_waits_grow_and_end(tries: int, jitter: float) -> None:
    """Each wait is longer than the one before, whatever the jitter, until none is left."""
    wait = webhooks.wait_ms(tries, jitter)
    if tries >= webhooks.TRIES_MAX:
        assert wait is None
    elif tries > 1:
        assert wait is not None
        assert wait > (webhooks.wait_ms(tries - 1, 1.0) or 0)
