"""What a client was billed, and whom invoices name."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.db.pool import SyncConn
from canut.errors import CanutError, NotFound
from canut.pay.identity import Address
from canut.pay.money.billing import billing_of, set_billing
from canut.pay.money.model import Billing
from canut.pay.money.purses import read_purses
from canut.pay.money.reading import invoice_file, list_invoices, unbilled
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.api.replying import attachment
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages.countries import countries
from canut.web.pages.forms import read_form, whole_number
from canut.web.pages.money.shared import CLIENTS, PAGE, Scene, scene
from canut.web.pages.render import LANGUAGES, go, locale_of
from canut.web.pages.view import now_ms, show

READERS = requires("client", "operator")
#: fields of the form, apart from the language
FIELDS = ("name", "vat_id", "street", "building", "postcode", "town", "country")
#: problem field -> form field
PLACED = {f"address.{part}": part for part in FIELDS}
#: what is said of an invoice
STATES = {
    "due": N_("tax to pay"),
    "paid": N_("paid"),
    "cancelled": N_("cancelled"),
    "credited": N_("credited"),
}


@get("/money/invoices", opt=CLIENTS, include_in_schema=False)
async def invoices(
    request: WebRequest, client: FromQuery[str] = "", before: FromQuery[str] = ""
) -> Response[str]:
    """What was billed, newest first, and what will be."""
    seen, who, now = await scene(request, client), principal(request), now_ms()
    after = whole_number(before)

    def read(conn: SyncConn) -> tuple[list[Any], list[tuple[str, int]], Billing | None]:
        found = list_invoices(conn, who, client_id=seen.client_id, before=after, limit=PAGE + 1)
        return (
            found,
            not_billed(conn, who, seen.client_id, now),
            billing_of(conn, who, seen.client_id),
        )

    found, open_, billing = await in_thread(request, read)
    return show(
        request,
        "money/invoices.html",
        invoices=found[:PAGE],
        older=found[PAGE - 1].id if len(found) > PAGE else None,
        first=after is None,
        unbilled=open_,
        billing=billing,
        states=STATES,
        **seen.values(),
    )


@get("/money/invoices/{invoice_id:int}/{form:str}", opt=READERS, include_in_schema=False)
async def invoice(
    request: WebRequest, invoice_id: FromPath[int], form: FromPath[str]
) -> Response[bytes]:
    """The paper as it was issued: `pdf`, or the `xml` that is inside it."""
    if form not in ("pdf", "xml"):
        raise NotFound("There is nothing at this address.")
    who = principal(request)
    found = await in_thread(
        request, lambda conn: invoice_file(conn, who, invoice_id, xml=form == "xml")
    )
    return attachment(found.content, found.media_type, found.name)


@get("/money/billing", opt=CLIENTS, include_in_schema=False)
async def show_billing(
    request: WebRequest, client: FromQuery[str] = "", saved: FromQuery[str] = ""
) -> Response[str]:
    """Whom to bill."""
    seen, who = await scene(request, client), principal(request)
    billing = await in_thread(request, lambda conn: billing_of(conn, who, seen.client_id))
    form = {"locale": locale_of(request)}
    if billing is not None:
        form = {"name": billing.name, "vat_id": billing.vat_id, "locale": billing.locale}
        form |= msgspec.to_builtins(billing.address)
    return _page(request, seen, form, saved=bool(saved))


@post("/money/billing", opt=CLIENTS, include_in_schema=False)
async def save_billing(request: WebRequest) -> Response[Any]:
    """Keep it; or say of every field what is wrong."""
    form, who = await read_form(request), principal(request)
    seen = await scene(request, form.get("client", ""))
    said = {name: form.get(name, "").strip() for name in FIELDS}
    said["locale"] = "fr" if form.get("locale") == "fr" else "en"

    def keep(conn: SyncConn) -> None:
        before = billing_of(conn, who, seen.client_id)
        address = Address(
            town=said["town"],
            country=said["country"].upper(),
            street=said["street"],
            building=said["building"],
            postcode=said["postcode"],
        )
        billing = Billing(
            name=said["name"],
            address=address,
            vat_id=said["vat_id"].replace(" ", "").upper(),
            # how they are taxed is not theirs to say
            vat=before.vat if before else None,
            locale="fr" if said["locale"] == "fr" else "en",
        )
        set_billing(conn, who, seen.client_id, billing, now_ms())

    try:
        await in_thread(request, keep)
    except CanutError as error:
        error.problems = [
            msgspec.structs.replace(one, field=PLACED.get(one.field, one.field))
            for one in error.problems
        ]
        return _page(request, seen, said, error)
    return go(f"/money/billing{seen.of}{'&' if seen.of else '?'}saved=1")


def _page(
    request: WebRequest,
    seen: Scene,
    form: dict[str, str],
    error: CanutError | None = None,
    *,
    saved: bool = False,
) -> Response[str]:
    return show(
        request,
        "money/billing.html",
        status=422 if error else 200,
        form=dict.fromkeys(FIELDS, "") | form,
        tongues=list(LANGUAGES.items()),
        countries=countries(locale_of(request)),
        saved=saved,
        **seen.values(error),
    )


def not_billed(conn: SyncConn, who: Principal, client: int, now: int) -> list[tuple[str, int]]:
    """Currency and sum of what was not billed yet."""
    found = []
    for purse in read_purses(conn, who, client).purses:
        total = sum(line.net for line in unbilled(conn, who, client, purse.currency, now))
        if total:
            found.append((purse.currency, total))
    return found


ROUTES: list[Any] = [invoices, invoice, show_billing, save_billing]
