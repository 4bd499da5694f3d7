"""What a client has: on deposit and in batches; how to pay in; what moved."""

from typing import Any

from litestar import Response, get
from litestar.params import FromQuery
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.pay.money.model import Payment
from canut.pay.money.payments import payments_of
from canut.pay.money.purse_model import BatchPurse, ClientPurse
from canut.pay.money.purses import list_batches, list_moves, read_purses
from canut.pay.quotes import Offer, open_offers
from canut.people.credentials import new_token
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal
from canut.web.pages.forms import whole_number
from canut.web.pages.money.shared import CLIENTS, MOVES, PAGE, Scene, currencies, scene
from canut.web.pages.view import show

#: batches that wait, named at the top
WAITING = 10
#: payments under way that are shown
PAYMENTS = 5


class Waits(Struct, frozen=True):
    """A batch that waits for money, with its last quote that nobody agreed to."""

    batch: BatchPurse
    offer: Offer | None
    #: on the deposit already, in the currency of the quote
    deposit: int

    @property
    def missing(self) -> int:
        """To be paid in before it can begin."""
        return max(self.offer.quote.total_minor - self.deposit, 0) if self.offer else 0


class Sight(Struct, frozen=True):
    """Everything that the first page shows."""

    purse: ClientPurse
    waiting: list[Waits]
    batches: list[BatchPurse]
    payments: list[Payment]
    currencies: list[str]


@get("/money", opt=CLIENTS, include_in_schema=False)
async def overview(
    request: WebRequest, client: FromQuery[str] = "", before: FromQuery[str] = ""
) -> Response[str]:
    """Balance, batches, and how to pay in."""
    seen = await scene(request, client)
    return await overview_page(request, seen, before=whole_number(before))


async def overview_page(
    request: WebRequest, seen: Scene, *, before: int | None = None, **values: Any
) -> Response[str]:
    """The page, also where something of its form was wrong."""
    who = principal(request)
    sight = await in_thread(request, lambda conn: _sight(conn, who, seen.client_id, before))
    more = sight.batches[PAGE - 1].id if len(sight.batches) > PAGE else None
    given: dict[str, Any] = {
        **seen.values(),
        "sight": sight,
        "batches": sight.batches[:PAGE],
        "older": more,
        "first": before is None,
        "coop": house(request).coop(),
        "provider": house(request).payments,
        "key": new_token(),
        "amount": "",
        "currency": "",
    }
    return show(request, "money/overview.html", **{**given, **values})


@get("/money/movements", opt=CLIENTS, include_in_schema=False)
async def movements(
    request: WebRequest, client: FromQuery[str] = "", before: FromQuery[str] = ""
) -> Response[str]:
    """What came to the deposit and left it, newest first."""
    seen, who = await scene(request, client), principal(request)
    at, _, last = before.partition("-")
    place = (whole_number(at) or 0, whole_number(last) or 0) if before else None
    moves = await in_thread(
        request,
        lambda conn: list_moves(conn, who, seen.client_id, before=place, limit=PAGE + 1),
    )
    end = moves[PAGE - 1] if len(moves) > PAGE else None
    return show(
        request,
        "money/movements.html",
        moves=moves[:PAGE],
        names=MOVES,
        older=f"{end.at_ms}-{end.transfer_id}" if end else "",
        first=place is None,
        **seen.values(),
    )


def _sight(conn: SyncConn, who: Principal, client: int, before: int | None) -> Sight:
    purse = read_purses(conn, who, client)
    on_deposit = {one.currency: one.deposit for one in purse.purses}
    batches = list_batches(conn, who, client, waiting=True, limit=WAITING)
    offers = open_offers(conn, who, client, [one.id for one in batches])
    waiting = []
    for batch in batches:
        offer = offers.get(batch.id)
        free = on_deposit.get(offer.quote.currency, 0) if offer else 0
        waiting.append(Waits(batch, offer, free))
    return Sight(
        purse=purse,
        waiting=waiting,
        batches=list_batches(conn, who, client, before=before, limit=PAGE + 1),
        payments=[
            one
            for one in payments_of(conn, who, client, limit=PAYMENTS)
            if one.state in ("open", "pending")
        ],
        currencies=currencies(conn),
    )


ROUTES: list[Any] = [overview, movements]
