"""What work costs a client: quotes, and the money of batches."""

from typing import Annotated, Any

from litestar import get, post
from msgspec import Meta, Struct

from canut.errors import NotFound
from canut.pay import funding, quotes
from canut.pay.funding import BatchFunds
from canut.pay.money.purse_model import Purse
from canut.pay.money.purses import read_purses
from canut.pay.quotes import Offer
from canut.sdk import values as v
from canut.sdk.values.common import Id
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.once import create
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, like, reply
from canut.web.auth import WebRequest, principal

NEW_QUOTE = Reader(v.NewQuote)
READ, WRITE = ("batches:read",), ("batches:write",)
WHEN_MS = 1_790_000_000_000
DAY_MS = 86_400_000


class ClientQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose money."""

    client: Annotated[
        Id | None, Meta(description="Whose, if you act for several clients.", examples=[3])
    ] = None


QUOTE = v.Quote(
    id=5,
    batch=12,
    currency="EUR",
    items=2_400,
    lines=[
        v.QuoteLine("pay", 50_400, "category", {"answers": 7_200, "each": 7}),
        v.QuoteLine("fee", 5_040, of={"share": 1_000}),
        v.QuoteLine("reserve", 7_560, of={"share": 1_500}),
    ],
    steps=[v.QuoteStep("category", 7, 7, 3.0, 7_200, False)],
    total_minor=63_000,
    contributor_share=0.909,
    earliest_ms=WHEN_MS + 3 * DAY_MS,
    latest_ms=WHEN_MS + 9 * DAY_MS,
    choices=[
        v.QuoteChoice(0.95, 84_000, 9_600, WHEN_MS + 4 * DAY_MS, WHEN_MS + 12 * DAY_MS),
    ],
    daily_expected=[800, 2_400],
    daily_needed=None,
    made_ms=WHEN_MS,
    agreed_ms=None,
)
FUNDS = v.BatchFunds(
    batch=12,
    currency="EUR",
    funded_ms=WHEN_MS,
    short_ms=None,
    escrow_minor=55_440,
    reserve_minor=7_560,
    held_minor=0,
    spent_minor=0,
    tasks=2_400,
    covered=2_400,
    decided=0,
)


def about(name: str, summary: str, description: str, **more: Any) -> Operation:
    """An operation about a client's money."""
    values = {"tag": "money", "scopes": READ, "refuses": (404, 422)} | more
    return Operation(name=name, summary=summary, description=description, **values)


LIST = about(
    "list_quotes",
    "Read the quotes of a batch",
    "Newest first; the one that holds has `agreed_ms`.",
    reply=v.Quotes,
    reply_example=v.Quotes([QUOTE]),
)
MAKE = about(
    "make_quote",
    "Quote a batch",
    "What it will cost, line by line, and when it would be done. Nothing is agreed by it. A batch "
    "whose steps pay waits until a quote of it is agreed to.",
    scopes=WRITE,
    body=v.NewQuote,
    body_example=v.NewQuote(items=2_400),
    status=201,
    reply=v.Quote,
    reply_example=QUOTE,
    idempotent=True,
    refuses=(400, 404, 409, 415, 422),
)
AGREE = about(
    "agree_quote",
    "Agree to a quote",
    "Its money goes from the deposit to the batch, and work begins; or nothing happens, and "
    "`problems` says how much is missing. A quote is good for two weeks, and for the tariff it "
    "was made with. Agreeing again is safe.",
    scopes=WRITE,
    reply=v.BatchFunds,
    reply_example=FUNDS,
    refuses=(404, 409, 410, 422),
)
BATCH_FUNDS = about(
    "get_batch_funds",
    "Read the money of a batch",
    "What it has left, what is held for contributors, what was spent, and how many of its tasks "
    "are covered. 404 where it has no money.",
    reply=v.BatchFunds,
    reply_example=FUNDS,
)
PURSES = about(
    "get_purses",
    "Read what you have",
    "In each currency: what is on deposit, what is set aside for batches, and what is held there "
    "until work is accepted.",
    query=ClientQuery,
    reply=v.Purses,
    reply_example=v.Purses([v.Purse("EUR", 37_000, 63_000, 0)]),
    refuses=(403, 404, 422),
)


@get(f"{PREFIX}/batches/{{id:str}}/quotes", opt=described(LIST))
async def list_quotes(request: WebRequest) -> Json:
    """The quotes of a batch."""
    who, batch = principal(request), number(request)
    found = await in_thread(request, lambda conn: quotes.read_offers(conn, who, batch))
    return reply(v.Quotes([_quote(one) for one in found]))


@post(f"{PREFIX}/batches/{{id:str}}/quotes", opt=described(MAKE))
async def make_quote(request: WebRequest) -> Json:
    """A quote, once per Idempotency-Key."""
    return await create(request, NEW_QUOTE, _make)


async def _make(request: WebRequest, new: v.NewQuote) -> v.Quote:
    who, batch = principal(request), number(request)
    made = await in_thread(
        request, lambda conn: quotes.make_quote(conn, who, batch, now_ms(), items=new.items)
    )
    return _quote(made)


@post(f"{PREFIX}/quotes/{{id:str}}/agree", opt=described(AGREE), status_code=200)
async def agree_quote(request: WebRequest) -> Json:
    """The money of the batch, now that the quote holds."""
    who, quote = principal(request), number(request)
    found = await in_thread(request, lambda conn: funding.fund(conn, who, quote, now_ms()))
    return reply(_funds(found))


@get(f"{PREFIX}/batches/{{id:str}}/funds", opt=described(BATCH_FUNDS))
async def get_batch_funds(request: WebRequest) -> Json:
    """The money of a batch."""
    who, batch = principal(request), number(request)
    found = await in_thread(request, lambda conn: funding.read_funds(conn, who, batch))
    if found is None:
        raise NotFound("This batch has no money.", mend="quote it, and agree to the quote")
    return reply(_funds(found))


@get(f"{PREFIX}/purses", opt=described(PURSES))
async def get_purses(request: WebRequest) -> Json:
    """The money of the client who asks."""
    query, who = read_query(request, ClientQuery), principal(request)
    client = who.client(query.client)
    found = await in_thread(request, lambda conn: read_purses(conn, who, client))
    return reply(v.Purses([_purse(one) for one in found.purses]))


def _quote(offer: Offer) -> v.Quote:
    quote = offer.quote
    return like(
        v.Quote,
        quote,
        id=offer.id,
        batch=offer.batch_id,
        made_ms=offer.made_ms,
        agreed_ms=offer.agreed_ms,
        daily_expected=[*quote.daily_expected],
        lines=[like(v.QuoteLine, line, amount_minor=line.minor) for line in quote.lines],
        steps=[like(v.QuoteStep, s, step=s.slug, measured=s.known) for s in quote.steps],
        choices=[like(v.QuoteChoice, one) for one in quote.choices],
    )


def _purse(one: Purse) -> v.Purse:
    return v.Purse(one.currency, one.deposit, one.aside, one.held)


def _funds(found: BatchFunds) -> v.BatchFunds:
    return like(
        v.BatchFunds,
        found,
        batch=found.batch_id,
        spent_minor=found.pay_minor,
        tasks=found.n_tasks,
        covered=found.released,
        decided=found.n_decided,
    )


ROUTES = [
    list_quotes,
    make_quote,
    agree_quote,
    get_batch_funds,
    get_purses,
]
