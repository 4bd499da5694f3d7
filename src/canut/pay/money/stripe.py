"""Stripe Checkout as a provider of payments, by its documented HTTP API.

A session is made with POST /v1/checkout/sessions; what becomes of it comes as signed messages
("webhooks"): `Stripe-Signature: t=<seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 of "t.body".
"""

import hmac
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from canut.errors import Invalid, Unauthenticated, Unavailable
from canut.pay.ledger.currency import DIGITS
from canut.pay.money.payments import Event, Order, Session, Told

API = "https://api.stripe.com"
TIMEOUT_S = 20.0
#: a message that is older was recorded and is played again
TOLERANCE_MS = 300_000
BODY_BYTES_MAX = 1_000_000
#: currencies whose minor unit is another at Stripe than in ISO 4217, or has three digits
OTHERWISE = frozenset(
    {"ISK", "UGX", "HUF", "TWD", "UYI"} | {code for code, n in DIGITS.items() if n > 2}
)
_PAID = frozenset({"paid", "no_payment_required"})


class _Object(Struct, frozen=True):
    id: str
    amount_total: int | None = None
    currency: str | None = None
    payment_status: str = ""
    client_reference_id: str | None = None


class _Data(Struct, frozen=True):
    object: _Object


class _Message(Struct, frozen=True):
    id: str
    type: str
    data: _Data


class _Made(Struct, frozen=True):
    id: str
    url: str


class Stripe:
    """A `canut.pay.money.payments.Provider`. `key` is the secret key of the account, `secret` that
    of the endpoint that hears messages."""

    name = "stripe"

    def __init__(self, key: str, secret: str, *, api: str = API):
        if not key or not secret:
            raise Unavailable(
                "Stripe is not set up.", mend="set stripe_key and stripe_webhook_secret"
            )
        self._key, self._secret, self._api = key, secret.encode(), api

    def begin(self, order: Order) -> Session:
        """A session in `payment` mode; the client chooses how to pay there."""
        if order.currency in OTHERWISE:
            raise Invalid(
                f"Nobody can pay in {order.currency} here.", mend="use a transfer by bank"
            )
        form = {
            "mode": "payment",
            "success_url": order.done_url,
            "cancel_url": order.cancel_url,
            "client_reference_id": str(order.payment_id),
            "locale": order.locale,
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": order.currency.lower(),
            "line_items[0][price_data][unit_amount]": str(order.amount),
            "line_items[0][price_data][product_data][name]": order.title,
        }
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": order.key}
        try:
            response = httpx.post(
                f"{self._api}/v1/checkout/sessions", data=form, headers=headers, timeout=TIMEOUT_S
            )
        except httpx.HTTPError as error:
            raise Unavailable("Stripe does not answer.", mend="try again") from error
        return _session(response)

    def read(self, body: bytes, headers: Mapping[str, str], now_ms: int) -> Event | None:
        """None for messages about something else than a session of ours."""
        self._check(body, headers, now_ms)
        try:
            kind = msgspec.json.decode(body, type=_Kind).type
            told = _TOLD.get(kind)
            if told is None:
                return None
            message = msgspec.json.decode(body, type=_Message)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Invalid(f"This is no message of Stripe's: {error}") from error
        session = message.data.object
        if kind == "checkout.session.completed":
            told = "paid" if session.payment_status in _PAID else "pending"
        amount, currency = session.amount_total or 0, (session.currency or "").upper()
        if told == "paid" and (amount <= 0 or currency not in DIGITS):
            # nothing was paid: there is nothing to book
            told = "failed"
        number = session.client_reference_id or ""
        ours = int(number) if number.isdecimal() and len(number) < 19 else 0
        return Event(message.id, kind, session.id, told, amount, currency, ours)

    def _check(self, body: bytes, headers: Mapping[str, str], now_ms: int) -> None:
        given = {name.lower(): value for name, value in headers.items()}.get("stripe-signature", "")
        parts = [part.partition("=") for part in given.split(",")]
        moments = [value for name, _, value in parts if name.strip() == "t"]
        signatures = [value.strip() for name, _, value in parts if name.strip() == "v1"]
        if len(moments) != 1 or not moments[0].isdecimal() or len(body) > BODY_BYTES_MAX:
            raise Unauthenticated("This message is not signed.")
        right = hmac.digest(self._secret, moments[0].encode() + b"." + body, "sha256").hex()
        # several while a secret is exchanged for a new one
        if not any(hmac.compare_digest(right.encode(), one.encode()) for one in signatures):
            raise Unauthenticated("This message is not signed by Stripe.")
        if abs(now_ms - int(moments[0]) * 1000) > TOLERANCE_MS:
            raise Unauthenticated("This message is too old.")


class _Kind(Struct, frozen=True):
    type: str


_TOLD: dict[str, Told] = {
    "checkout.session.completed": "paid",
    "checkout.session.async_payment_succeeded": "paid",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "expired",
}


def _session(response: httpx.Response) -> Session:
    if response.is_success:
        try:
            made = msgspec.json.decode(response.content, type=_Made)
        except msgspec.MsgspecError as error:
            raise Unavailable("Stripe answered something else than a session.") from error
        return Session(made.id, made.url)
    said = f"Stripe says {response.status_code}: {_message(response)}"
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise Unavailable(said, mend="try again")
    raise Invalid(said)


def _message(response: httpx.Response) -> str:
    try:
        found: Any = msgspec.json.decode(response.content)["error"]["message"]
    except (msgspec.MsgspecError, KeyError, TypeError):
        return "nothing"
    return str(found)[:300]
