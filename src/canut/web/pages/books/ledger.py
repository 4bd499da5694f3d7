"""The books: accounts with what they held on a day, what moved one, and the proof of all."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from canut.db.check_ledger import LedgerFault
from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.insight.books import owner_of, read_accounts
from canut.insight.operations_model import DAY_MS
from canut.pay.ledger import Hold, Statement, first_fault, holds, statement
from canut.pay.ledger import store as book
from canut.pay.ledger.books import EVER_MS
from canut.pay.ledger.model import OWNERS
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest
from canut.web.pages.books.shared import KEEPERS, PAGE, committing, page
from canut.web.pages.books.words import ACCOUNTS, TRANSFERS, spoken
from canut.web.pages.forms import day_ms, whole_number
from canut.web.pages.view import now_ms

#: holds of an account that are shown
HOLDS = 20


class Proof(Struct, frozen=True):
    """What a check of the whole book came to."""

    fault: LedgerFault | None
    transfers: int
    groups: int
    #: currency, accounts, what is held for all but the bank
    totals: list[tuple[str, int, int]]
    took_ms: int


@get("/operator/pay/books", opt=KEEPERS, include_in_schema=False)
async def show_accounts(request: WebRequest, after: FromQuery[int] = 0) -> Response[str]:
    """Accounts: of a kind, of an owner, on a day."""
    return await _accounts(request, after=after)


@post("/operator/pay/books", opt=KEEPERS, include_in_schema=False)
async def prove(request: WebRequest) -> Response[str]:
    """Prove the whole book; it may take minutes where it is large, and keeps nobody waiting."""
    proof = await committing(request, _proof)
    return await _accounts(request, proof)


@get("/operator/pay/books/{account_id:int}", opt=KEEPERS, include_in_schema=False)
async def show_account(
    request: WebRequest, account_id: FromPath[int], after: FromQuery[str] = ""
) -> Response[str]:
    """What moved an account, oldest first, with its balance after each line."""
    given = {name: request.query_params.get(name, "") for name in ("from", "to")}
    to = day_ms(given["to"])
    at, _, last = after.partition(".")
    place = (whole_number(at) or 0, whole_number(last) or 0) if after else None

    def read(conn: SyncConn) -> tuple[Statement, list[Hold], str]:
        found = statement(
            conn,
            account_id,
            from_ms=day_ms(given["from"]) or 0,
            until_ms=EVER_MS if to is None else to + DAY_MS,
            after=place,
            limit=PAGE,
        )
        return found, holds(conn, account_id, limit=HOLDS), owner_of(conn, found.account)

    found, held, owner = await in_thread(request, read)
    kept = {name: text for name, text in given.items() if text}
    path = f"/operator/pay/books/{account_id}?"
    end = found.after
    values: dict[str, Any] = {
        "found": found,
        "holds": held,
        "holds_max": HOLDS,
        "owner": owner,
        "given": kept,
        "first": path + urlencode(kept) if place else "",
        "older": path + urlencode(kept | {"after": f"{end[0]}.{end[1]}"}) if end else "",
        "kinds": spoken(request, ACCOUNTS),
        "moves": spoken(request, TRANSFERS),
    }
    return page(request, "account.html", **values)


async def _accounts(
    request: WebRequest, proof: Proof | None = None, *, after: int = 0
) -> Response[str]:
    given = {name: request.query_params.get(name, "") for name in ("kind", "of", "on")}
    kept = {name: text for name, text in given.items() if text}
    kind = next((one for one in OWNERS if one == given["kind"]), None)
    if given["kind"] and kind is None:
        raise NotFound("There is no such thing, or it is not yours to see.")
    owner, day = whole_number(given["of"]), day_ms(given["on"])
    found = await in_thread(
        request,
        lambda conn: read_accounts(
            conn,
            kind=kind,
            owner_id=owner,
            at_ms=None if day is None else day + DAY_MS - 1,
            after=after,
            limit=PAGE + 1,
        ),
    )
    path = "/operator/pay/books?"
    last = found[PAGE - 1].account.id if len(found) > PAGE else None
    values: dict[str, Any] = {
        "accounts": found[:PAGE],
        "given": kept,
        "on_day": day,
        "proof": proof,
        "first": path + urlencode(kept) if after else "",
        "older": path + urlencode(kept | {"after": str(last)}) if last else "",
        "kinds": spoken(request, ACCOUNTS),
    }
    return page(request, "accounts.html", **values)


def _proof(conn: SyncConn) -> Proof:
    begun = now_ms()
    fault = first_fault(conn)
    transfers, groups = book.counts(conn)
    return Proof(fault, transfers, groups, book.totals(conn), now_ms() - begun)


ROUTES: list[Any] = [show_accounts, prove, show_account]
