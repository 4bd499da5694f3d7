"""The money of one batch: what it will cost, what it holds and used, line by line."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, NotFound
from canut.pay.accrual import accept_batch
from canut.pay.amounts import read_minor
from canut.pay.funding import fund
from canut.pay.money.purse_model import BatchPurse, ClientPurse, PartSum
from canut.pay.money.purses import batch_parts, read_batch_purse, read_purses
from canut.pay.money.refunds import release_batch
from canut.pay.quotes import Offer, make_quote, open_offers
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.errors import STATUS
from canut.web.pages.forms import read_form, whole_number
from canut.web.pages.money.shared import CLIENTS, LINES, PARTS, currencies
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, pool, problems_of, show, told
from canut.work import batches

READERS = requires("client", "operator")


class BatchSight(Struct, frozen=True):
    """What a page of a batch's money shows."""

    #: None: it is voluntary work
    purse: BatchPurse | None
    parts: list[PartSum]
    #: the last quote, while nobody has agreed to it
    offer: Offer | None
    client: ClientPurse
    currency: str

    @property
    def deposit(self) -> int:
        """Free to be set aside."""
        found = {one.currency: one.deposit for one in self.client.purses}
        return found.get(self.offer.quote.currency if self.offer else self.currency, 0)

    @property
    def missing(self) -> int:
        """To be paid in before the quote can be agreed to."""
        return max(self.offer.quote.total_minor - self.deposit, 0) if self.offer else 0


@get("/batches/{batch_id:int}/money", opt=READERS, include_in_schema=False)
async def show_money(
    request: WebRequest, batch_id: FromPath[int], accepted: FromQuery[str] = ""
) -> Response[str]:
    """Its quote, and where its money is; `accepted`: its work just was."""
    return await _page(request, batch_id, accepted=bool(accepted))


@post("/batches/{batch_id:int}/money", opt=CLIENTS, include_in_schema=False)
async def change_money(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """`act`: quote (with a `budget`, if there is one), fund (a `quote`), accept, or release."""
    form, who, now = await read_form(request), principal(request), now_ms()

    def act(conn: SyncConn) -> None:
        purse = read_batch_purse(conn, who, batch_id)
        if purse is None or not who.client_ids or purse.client_id not in who.client_ids:
            raise NotFound("There is no such batch, or it is not yours to see.")
        match form.get("act"):
            case "quote":
                _quote(conn, who, purse, form.get("budget", ""), now)
            case "fund":
                offer = _open_offer(conn, who, purse)
                if offer is not None and offer.id == whole_number(form.get("quote", "")):
                    fund(conn, who, offer.id, now)
            case "accept":
                accept_batch(conn, who, batch_id, purse.client_id, now)
            case "release":
                release_batch(conn, who, batch_id, now)
            case _:
                raise Invalid("There is no such action.")

    try:
        await in_thread(request, act)
    except CanutError as error:
        return await _page(request, batch_id, error, form.get("budget", ""))
    done = "?accepted=1" if form.get("act") == "accept" else ""
    return go(f"/batches/{batch_id}/money{done}")


def _quote(conn: SyncConn, who: Principal, purse: BatchPurse, budget: str, now: int) -> None:
    """For what is left of it, as far as the budget goes."""
    currency = purse.currency or currencies(conn)[0]
    most = read_minor(budget, currency, "budget") if budget.strip() else None
    # what was decided meanwhile may be asked again: a batch that waits needs one item at least
    left = max(purse.left_items, 1)
    make_quote(conn, who, purse.id, now, items=left, most_minor=most)


async def _page(
    request: WebRequest,
    batch_id: int,
    error: CanutError | None = None,
    budget: str = "",
    *,
    accepted: bool = False,
) -> Response[str]:
    who = principal(request)
    batch = await batches.read_batch(pool(request), who, batch_id)
    sight = await in_thread(request, lambda conn: _sight(conn, who, batch_id, batch.client_id))
    return show(
        request,
        "money/batch.html",
        status=STATUS[error.code] if error else 200,
        batch=batch,
        sight=sight,
        mine=batch.client_id in who.client_ids,
        of=f"?client={batch.client_id}" if len(who.client_ids) > 1 else "",
        line_names=LINES,
        part_names=PARTS,
        budget=budget,
        accepted=accepted,
        problems=told(request, problems_of(error)),
    )


def _sight(conn: SyncConn, who: Principal, batch_id: int, client_id: int) -> BatchSight:
    purse = read_batch_purse(conn, who, batch_id)
    return BatchSight(
        purse=purse,
        parts=batch_parts(conn, who, purse) if purse and purse.currency else [],
        offer=_open_offer(conn, who, purse) if purse else None,
        client=read_purses(conn, who, client_id),
        currency=(purse.currency if purse else None) or currencies(conn)[0],
    )


def _open_offer(conn: SyncConn, who: Principal, purse: BatchPurse) -> Offer | None:
    return open_offers(conn, who, purse.client_id, [purse.id]).get(purse.id)


ROUTES: list[Any] = [show_money, change_money]
