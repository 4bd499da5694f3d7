"""Where operators and stewards keep clients' money: balances, deposits, refunds, invoices."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, Problem
from canut.pay import funding
from canut.pay.amounts import read_minor
from canut.pay.identity import read_coop
from canut.pay.money.invoicing import issue_invoice
from canut.pay.money.model import Invoice
from canut.pay.money.purse_model import BatchPurse, ClientPurse, Move
from canut.pay.money.purses import list_batches, list_moves, list_purses, read_purses
from canut.pay.money.reading import list_invoices
from canut.pay.money.refunds import refund_deposit
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal
from canut.web.errors import STATUS
from canut.web.pages.books.shared import KEEPERS
from canut.web.pages.forms import read_form
from canut.web.pages.money.billing import STATES, not_billed
from canut.web.pages.money.shared import MOVES, currencies
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, problems_of, show, told

#: of each list on the page of a client
GLANCE = 12


class Kept(Struct, frozen=True):
    """What the page of a client shows."""

    purse: ClientPurse
    batches: list[BatchPurse]
    moves: list[Move]
    invoices: list[Invoice]
    #: currency and amount of what is not on an invoice yet
    unbilled: list[tuple[str, int]]
    currencies: list[str]


@get("/operator/money", opt=KEEPERS, include_in_schema=False)
async def list_clients(request: WebRequest) -> Response[str]:
    """Every client with its balance."""
    who = principal(request)
    found = await in_thread(request, lambda conn: list_purses(conn, who))
    return show(request, "money/clients.html", clients=found)


@get("/operator/money/{client_id:int}", opt=KEEPERS, include_in_schema=False)
async def show_client(request: WebRequest, client_id: FromPath[int]) -> Response[str]:
    """One client's money, and the forms for what the bank's statement shows."""
    return await _page(request, client_id)


@post("/operator/money/{client_id:int}", opt=KEEPERS, include_in_schema=False)
async def book(request: WebRequest, client_id: FromPath[int]) -> Response[Any]:
    """Book a deposit or a refund that was seen at the bank, once for each reference; or issue the
    invoice over what batches have cost until now."""
    form, who = await read_form(request), principal(request)
    act, currency, reference = (form.get(name, "") for name in ("act", "currency", "reference"))

    def post_it(conn: SyncConn) -> None:
        read_purses(conn, who, client_id)
        if act == "invoice":
            coop, now = read_coop(house(request).settings.coop_file), now_ms()
            issue_invoice(conn, who, coop, client_id, currency, now, now)
            return
        minor = read_minor(form.get("amount", ""), currency)
        if act == "deposit":
            funding.deposit(conn, who, client_id, minor, currency, reference, now_ms())
        elif act == "refund":
            refund_deposit(conn, who, client_id, minor, currency, reference, now_ms())
        else:
            raise Invalid("There is no such action.")

    try:
        await in_thread(request, post_it)
    except CanutError as error:
        error.problems = [_placed(one) for one in error.problems]
        return await _page(request, client_id, error, form)
    place = "invoices" if act == "invoice" else "movements"
    return go(f"/operator/money/{client_id}#{place}")


def _placed(problem: Problem) -> Problem:
    """What the books say of a key, said of the reference that it is made of."""
    if problem.field != "key":
        return problem
    mend = "look at the movements below"
    return Problem("was booked before, with another amount", mend, field="reference")


async def _page(
    request: WebRequest,
    client_id: int,
    error: CanutError | None = None,
    form: dict[str, str] | None = None,
) -> Response[str]:
    who = principal(request)
    kept = await in_thread(request, lambda conn: _kept(conn, who, client_id))
    return show(
        request,
        "money/client.html",
        status=STATUS[error.code] if error else 200,
        kept=kept,
        form={"act": "", "amount": "", "currency": "", "reference": ""} | (form or {}),
        names=MOVES,
        states=STATES,
        problems=told(request, problems_of(error)),
    )


def _kept(conn: SyncConn, who: Principal, client_id: int) -> Kept:
    sees = "operator" in who.roles
    return Kept(
        purse=read_purses(conn, who, client_id),
        batches=list_batches(conn, who, client_id, limit=GLANCE),
        moves=list_moves(conn, who, client_id, limit=GLANCE),
        invoices=list_invoices(conn, who, client_id=client_id, limit=GLANCE) if sees else [],
        unbilled=not_billed(conn, who, client_id, now_ms()) if sees else [],
        currencies=currencies(conn),
    )


ROUTES: list[Any] = [list_clients, show_client, book]
