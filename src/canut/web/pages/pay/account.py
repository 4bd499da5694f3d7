"""Where my money goes, and asking for it."""

import secrets
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.db.pool import SyncConn
from canut.errors import CanutError, Conflict, Invalid, Unavailable
from canut.insight.own_pay import read_held
from canut.pay.amounts import read_minor
from canut.pay.identity import Address
from canut.pay.payouts import asking
from canut.pay.payouts.mobile import decimal, providers
from canut.pay.payouts.model import BankAccount, Destination, MobileMoney
from canut.pay.payouts.vault import open_vault
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.errors import STATUS
from canut.web.i18n import N_
from canut.web.pages.countries import countries
from canut.web.pages.forms import read_form
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, problems_of, say, show, told

CONTRIBUTORS = requires("contributor")
PAGE = 50
#: ways of the form
WAYS = ("bank", "mobile")
#: characters of a form's key
KEY_BYTES = 16
SAID: dict[str, str] = {
    "asked": N_("Asked for. It leaves with the next payout run."),
    "back": N_("Taken back: the money is in your balance."),
    "kept": N_("Kept. Payouts that you ask for from now on go there."),
}
CLOSED = N_(
    "Accounts cannot be kept just now: whoever runs this Canut has to see to its keys. Nothing of"
    " what you wrote was stored."
)


@get("/pay/payouts", opt=CONTRIBUTORS, include_in_schema=False)
async def show_payouts(
    request: WebRequest, said: FromQuery[str] = "", before: FromQuery[int | None] = None
) -> Response[str]:
    """What can be paid out, the form to ask for it, and what became of what was asked for."""
    notice = say(request, SAID[said]) if said in SAID else ""
    return await _payouts(request, before=before, notice=notice)


@post("/pay/payouts", opt=CONTRIBUTORS, include_in_schema=False)
async def ask(request: WebRequest) -> Response[Any]:
    """Ask for an `amount` of a `currency`; sent again with the same `key`, it is asked once."""
    form, who = await read_form(request), principal(request)
    currency, key = form.get("currency", ""), form.get("key", "")
    try:
        amount = read_minor(form.get("amount", ""), currency)
        await in_thread(
            request, lambda conn: asking.request_payout(conn, who, amount, currency, key, now_ms())
        )
    except (Invalid, Conflict) as error:
        return await _payouts(request, error=error, given=form)
    return go("/pay/payouts?said=asked")


@post("/pay/payouts/{payout_id:int}/cancel", opt=CONTRIBUTORS, include_in_schema=False)
async def take_back(request: WebRequest, payout_id: FromPath[int]) -> Response[Any]:
    """Take a request back, while it is in no run."""
    who = principal(request)
    try:
        await in_thread(request, lambda conn: asking.cancel_payout(conn, who, payout_id, now_ms()))
    except Conflict as error:
        return await _payouts(request, error=error)
    return go("/pay/payouts?said=back")


@get("/pay/account", opt=CONTRIBUTORS, include_in_schema=False)
async def show_account(request: WebRequest, way: FromQuery[str] = "") -> Response[str]:
    """Where the money goes now, and the form for another account: `way` is bank or mobile."""
    return await _account(request, way)


@post("/pay/account", opt=CONTRIBUTORS, include_in_schema=False)
async def keep(request: WebRequest) -> Response[Any]:
    """Pay out to this account from now on."""
    form, who = await read_form(request), principal(request)
    contributor, keys = who.contributor(), house(request).settings.bank_key_file
    to = _destination(form)

    def store(conn: SyncConn) -> None:
        asking.set_account(conn, who, contributor, to, open_vault(keys), now_ms())

    try:
        await in_thread(request, store)
    except Unavailable:
        # what its message says is for whoever runs this
        return await _account(request, form.get("way", ""), Unavailable(CLOSED), form)
    except (Invalid, Conflict) as error:
        return await _account(request, form.get("way", ""), error, form)
    return go("/pay/payouts?said=kept")


def _destination(form: dict[str, str]) -> Destination:
    """The account of the form; what is wrong with it, the room says."""
    holder = form.get("holder", "").strip()
    if form.get("way") == "mobile":
        return MobileMoney(form.get("provider", ""), holder, form.get("number", ""))
    parts = ("town", "country", "street", "building", "postcode")
    address = Address(**{part: form.get(f"address.{part}", "").strip() for part in parts})
    return BankAccount(holder, form.get("iban", ""), address)


async def _payouts(
    request: WebRequest,
    *,
    before: int | None = None,
    notice: str = "",
    error: CanutError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    who = principal(request).contributor()

    def read(conn: SyncConn) -> dict[str, Any]:
        found = asking.payouts_of(conn, who, before=before, limit=PAGE + 1)
        available = asking.available(conn, who)
        return {
            "payouts": found[:PAGE],
            "older": found[PAGE - 1].id if len(found) > PAGE else None,
            "available": available,
            "plain": {one: decimal(amount, one) for one, amount in available.items()},
            "leaving": asking.leaving(conn, who),
            "held": read_held(conn, who),
            "account": asking.account_of(conn, who),
        }

    values: dict[str, Any] = {
        "first": before is None,
        "notice": notice,
        "given": given or {},
        # of what was wrong, the same key: it asked for nothing yet
        "key": (given or {}).get("key") or secrets.token_urlsafe(KEY_BYTES),
        "problems": told(request, problems_of(error)),
        **await in_thread(request, read),
    }
    return show(request, "pay/payouts.html", status=STATUS[error.code] if error else 200, **values)


async def _account(
    request: WebRequest,
    way: str,
    error: CanutError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    who = principal(request).contributor()
    account = await in_thread(request, lambda conn: asking.account_of(conn, who))
    values: dict[str, Any] = {
        "account": account,
        "kind": way if way in WAYS else "bank",
        "given": given or {},
        "countries": countries(locale_of(request)),
        "providers": sorted((one.slug, one.name, one.currencies) for one in providers().values()),
        "problems": told(request, problems_of(error)),
    }
    return show(request, "pay/account.html", status=STATUS[error.code] if error else 200, **values)


ROUTES: list[Any] = [show_payouts, ask, take_back, show_account, keep]
