"""Webhooks: a client is told when something happened, signed as Standard Webhooks says
(https://www.standardwebhooks.com), until its server says yes.

An event is enqueued in the transaction that makes it true, so that it is told if and only if it
happened. The engine takes what is `due` and makes an `attempt` of each, on a connection in
autocommit mode: nothing is locked while a receiver takes its time.
"""

import asyncio
import base64
import secrets
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from msgspec import Struct
from standardwebhooks.webhooks import Webhook as Signer

from canut.channels import store
from canut.channels.addresses import Pinned, check_url, pin
from canut.channels.store import Conn, Delivery, Webhook
from canut.errors import CanutError, Conflict, NotFound, Unavailable
from canut.people.model import Principal

#: tries before an event is given up
TRIES_MAX = 8
#: wait after the first try; each next wait is four times as long: 15 s to 17 h, 23 h in all
WAIT_S = 15
GROWTH = 4
#: part of a wait that is random, so that many events do not come back together
JITTER = 0.2
#: seconds a receiver may take, in all
TIMEOUT_S = 10
#: another engine may take a delivery over after this
LEASE_MS = 120_000
WEBHOOKS_MAX = 20
ERROR_LENGTH_MAX = 300

BATCH_DELIVERED = "batch.delivered"
#: the money of a batch does not cover another task
BATCH_SHORT = "batch.short"
DISPUTE_SETTLED = "dispute.settled"
TEST = "webhook.test"


class NewWebhook(Struct, frozen=True):
    """A webhook just made."""

    id: int
    url: str
    #: for checking signatures ("whsec_..."); shown this once
    secret: str


def create(
    conn: Conn, client_id: int, url: str, now_ms: int, *, private: bool = False
) -> NewWebhook:
    """Tell the client of its events at this URL. `private` allows http and private addresses.

    Raises `Invalid` for an address that may not be called, `Conflict` beyond WEBHOOKS_MAX.
    """
    check_url(url, private=private)
    if store.active(conn, client_id) >= WEBHOOKS_MAX:
        raise Conflict(f"There are {WEBHOOKS_MAX} webhooks already.", mend="remove one first")
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    return NewWebhook(store.create(conn, client_id, url, secret, now_ms), url, secret)


def webhooks(conn: Conn, client_id: int) -> list[Webhook]:
    """The client's webhooks, oldest first, each with how its last delivery went."""
    return store.webhooks(conn, client_id)


def disable(conn: Conn, client_id: int, webhook_id: int, now_ms: int) -> None:
    """Send nothing more to it. Raises `NotFound`."""
    if not store.disable(conn, client_id, webhook_id, now_ms):
        raise NotFound(f"There is no webhook {webhook_id}.", mend="see the list of webhooks")


def send_test(conn: Conn, client_id: int, webhook_id: int, now_ms: int) -> int:
    """Enqueue an event that says nothing, to try a receiver; the delivery. Raises `NotFound`."""
    event_id = f"test_{secrets.token_hex(12)}"
    found = enqueue(conn, client_id, TEST, event_id, {"message": "It works."}, now_ms, webhook_id)
    if not found:
        raise NotFound(f"There is no webhook {webhook_id}.", mend="see the list of webhooks")
    return found[0]


def retry(conn: Conn, who: Principal, delivery_id: int, now_ms: int) -> None:
    """Try an event again that was given up, as often as a new one. Raises `NotFound` where none
    failed or its address was removed."""
    client = store.retry(conn, delivery_id, now_ms)
    if client is None:
        raise NotFound("This event did not fail, or its address was removed.")
    store.audit(conn, who, "retry.webhook", "delivery", delivery_id, {}, client)


def enqueue(
    conn: Conn,
    client_id: int,
    event_type: str,
    event_id: str,
    payload: dict[str, Any],
    now_ms: int,
    webhook_id: int | None = None,
) -> list[int]:
    """Tell the client's webhooks (or the one) of an event when the transaction commits.

    `event_id` names the event for ever: enqueued again, it is not sent again, and a receiver
    drops repeats by it. `payload` is the `data` of the message. Returns the new deliveries.
    """
    moment = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    values = {
        "client": client_id,
        "webhook": webhook_id,
        "event_type": event_type,
        "event_id": event_id,
        "payload": {"type": event_type, "timestamp": moment, "data": payload},
        "now_ms": now_ms,
    }
    return store.enqueue(conn, values)


def due(conn: Conn, now_ms: int, limit: int) -> list[int]:
    """Deliveries to attempt now; taken for LEASE_MS, so that no two engines send one at once."""
    return store.due(conn, now_ms, LEASE_MS, limit)


def attempt(
    conn: Conn, delivery_id: int, now_ms: int, jitter: float, *, private: bool = False
) -> bool:
    """Send a delivery once and write down what came of it; whether it arrived.

    `jitter` is a random number from 0 to 1. `conn` is in autocommit mode. Nothing is raised for
    what the receiver does. A delivery that ended before is not sent again.
    """
    delivery = store.delivery(conn, delivery_id)
    if delivery is None or delivery.state != "waiting":
        return delivery is not None and delivery.state == "delivered"
    status, error = None, "the webhook was removed"
    if delivery.disabled_ms is None:
        status, error = _send(delivery, now_ms, private=private)
    arrived = status is not None and 200 <= status < 300
    gone = status == httpx.codes.GONE or delivery.disabled_ms is not None
    if status == httpx.codes.GONE:
        store.gone(conn, delivery.webhook_id, now_ms)
    wait = None if arrived or gone else wait_ms(delivery.attempts + 1, jitter)
    values = {
        "state": "delivered" if arrived else "failed" if wait is None else "waiting",
        "status": status,
        "error": error[:ERROR_LENGTH_MAX] or None,
        "next_ms": None if wait is None else now_ms + wait,
        "ended_ms": now_ms if wait is None else None,
    }
    store.record(conn, delivery_id, values)
    return arrived


def wait_ms(tries: int, jitter: float) -> int | None:
    """Milliseconds until the next try after so many; None: give up. `jitter` from 0 to 1."""
    if tries >= TRIES_MAX:
        return None
    return int(WAIT_S * GROWTH ** (tries - 1) * (1 + JITTER * jitter) * 1000)


def _send(delivery: Delivery, now_ms: int, *, private: bool) -> tuple[int | None, str]:
    """Status of the reply, if any, and what went wrong, if anything."""
    body = msgspec.json.encode(delivery.payload, order="deterministic").decode()
    try:
        to = pin(delivery.url, private=private)
        status = _post(to, _signed(delivery, body, now_ms), body)
    except CanutError as error:
        return None, error.message
    # ValueError: an address that the HTTP library cannot write down
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"
    return status, "" if 200 <= status < 300 else f"the server replied {status}"


def _signed(delivery: Delivery, body: str, now_ms: int) -> dict[str, str]:
    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    return {
        "content-type": "application/json",
        "user-agent": "canut-webhooks",
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": Signer(delivery.secret).sign(delivery.event_id, moment, body),
    }


def _post(to: Pinned, headers: dict[str, str], body: str) -> int:
    """Status of the reply, from the first address that lets us in."""
    return asyncio.run(_in_time(to, headers, body))


async def _in_time(to: Pinned, headers: dict[str, str], body: str) -> int:
    # one limit over all: a receiver that sends a byte now and then must not keep us for ever
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for url in to.urls[:-1]:
                try:
                    return await _post_to(url, to, headers, body)
                except httpx.ConnectError:
                    continue
            return await _post_to(to.urls[-1], to, headers, body)
    except TimeoutError as error:
        raise Unavailable(f"the server did not reply within {TIMEOUT_S} seconds") from error


async def _post_to(url: str, to: Pinned, headers: dict[str, str], body: str) -> int:
    # The name goes into Host and TLS, the address into the connection. No proxy from the
    # environment, no redirect (it could lead inside), and the reply's body is not read.
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
        client.stream(
            "POST",
            url,
            headers={**headers, "host": to.host},
            content=body.encode(),
            extensions={"sni_hostname": to.name},
        ) as response,
    ):
        return response.status_code
