"""Paying by card: a client is sent to a provider of payments, and the provider tells us."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromQuery

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, NotFound, Unauthenticated
from canut.pay.amounts import read_minor
from canut.pay.money.model import Payment
from canut.pay.money.payments import Provider, begin_payment, hear, payments_of
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import OPEN_TO_PROGRAMS, WebRequest, house, principal
from canut.web.errors import STATUS
from canut.web.pages.forms import read_form, whole_number
from canut.web.pages.money.overview import overview_page
from canut.web.pages.money.shared import CLIENTS, scene
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, show

#: largest message of a provider
MESSAGE_BYTES_MAX = 1_000_000


@post("/money/payments", opt=CLIENTS, include_in_schema=False)
async def begin(request: WebRequest) -> Response[Any]:
    """Ask the provider for a page where the client pays. Sent twice, it is the same payment."""
    form, who = await read_form(request), principal(request)
    seen = await scene(request, form.get("client", ""))
    amount, currency, key = (form.get(name, "") for name in ("amount", "currency", "key"))
    back = f"{house(request).settings.url}/money/payments"
    try:
        minor = read_minor(amount, currency)
        provider = _provider(request)

        def ask(conn: SyncConn) -> Payment:
            return begin_payment(
                conn, who, provider, seen.client_id, minor, currency, key, back, now_ms()
            )

        payment = await in_thread(request, ask)
    except CanutError as error:
        return await overview_page(
            request,
            seen,
            status=STATUS[error.code],
            amount=amount,
            currency=currency,
            key=key or "again",
            **{"problems": seen.values(error)["problems"]},
        )
    return go(f"/money/payments?payment={payment.id}")


@get("/money/payments", opt=CLIENTS, include_in_schema=False)
async def show_payment(
    request: WebRequest, payment: FromQuery[str] = "", cancelled: FromQuery[str] = ""
) -> Response[str]:
    """Where a payment stands: before one goes to the provider, and when one comes back."""
    who, wanted = principal(request), whole_number(payment) or 0
    found = await in_thread(request, lambda conn: _find(conn, who, wanted))
    return show(
        request,
        "money/payment.html",
        payment=found,
        cancelled=bool(cancelled),
        of=f"?client={found.client_id}" if len(who.client_ids) > 1 else "",
    )


@post(
    "/money/stripe",
    opt=OPEN_TO_PROGRAMS,
    include_in_schema=False,
    request_max_body_size=MESSAGE_BYTES_MAX,
)
async def hear_stripe(request: WebRequest) -> Response[Any]:
    """What Stripe tells of payments: signed, and answered with success once it is in the books, or
    it is sent again."""
    provider, body, headers = _provider(request), await request.body(), dict(request.headers)
    try:
        outcome = await in_thread(
            request, lambda conn: hear(conn, provider, body, headers, now_ms())
        )
    except (Unauthenticated, Invalid) as error:
        return Response({"error": error.message}, status_code=400)
    return Response({"outcome": outcome}, status_code=200)


def _provider(request: WebRequest) -> Provider:
    found = house(request).payments
    if found is None:
        raise NotFound("There is nothing at this address.")
    return found


def _find(conn: SyncConn, who: Principal, payment_id: int) -> Payment:
    for client in who.client_ids:
        for one in payments_of(conn, who, client, before=payment_id + 1, limit=1):
            if one.id == payment_id:
                return one
    raise NotFound("There is no such thing, or it is not yours to see.")


ROUTES: list[Any] = [begin, show_payment, hear_stripe]
