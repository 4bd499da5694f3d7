"""What steps pay: the list, and one step with every price it had and what those rest on."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, Problem
from canut.insight.books import read_prices, read_step
from canut.insight.books_model import StepPrice
from canut.insight.overview import read_names
from canut.pay.amounts import read_minor
from canut.pay.policy import Policy, policy_at
from canut.pay.tariff import REPRICE_AT
from canut.pay.tariffs import Tariff, history, measured, set_tariff
from canut.pay.tariffs.model import StepName
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.pages.books.shared import KEEPERS, page
from canut.web.pages.books.words import STAGES, spoken
from canut.web.pages.forms import read_form
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, pool


class Sight(Struct, frozen=True):
    """What the page of a step shows."""

    step: StepPrice
    #: newest first
    tariffs: list[Tariff]
    #: tasks with agreed time
    tasks: int
    policy: Policy


@get("/operator/pay/prices", opt=KEEPERS, include_in_schema=False)
async def show_prices(request: WebRequest) -> Response[str]:
    """Every step, those that pay first."""
    found = await in_thread(request, lambda conn: read_prices(conn, now_ms()))
    paid = [one for one in found if one.tariff is not None and one.tariff.stage != "voluntary"]
    values: dict[str, Any] = {
        "paid": paid,
        "voluntary": found[len(paid) :],
        "stages": spoken(request, STAGES),
    }
    return page(request, "prices.html", **values)


@get(
    "/operator/pay/prices/{process_id:int}/{slug:str}",
    opt=KEEPERS,
    include_in_schema=False,
)
async def show_step(
    request: WebRequest, process_id: FromPath[int], slug: FromPath[str]
) -> Response[str]:
    """A step: what it pays now, and what it paid before."""
    return await _page(request, process_id, slug)


@post(
    "/operator/pay/prices/{process_id:int}/{slug:str}",
    opt=KEEPERS,
    include_in_schema=False,
)
async def change_step(
    request: WebRequest, process_id: FromPath[int], slug: FromPath[str]
) -> Response[Any]:
    """Set what it pays: `act` pay or voluntary, with a `why`."""
    form, who = await read_form(request), principal(request)
    try:
        await in_thread(request, lambda conn: _set(conn, who, process_id, slug, form))
    except CanutError as error:
        return await _page(request, process_id, slug, error, form)
    return go(f"/operator/pay/prices/{process_id}/{slug}")


def _set(conn: SyncConn, who: Principal, process_id: int, slug: str, form: dict[str, str]) -> None:
    name = _name(read_step(conn, process_id, slug))
    currency, place = form.get("currency", ""), form.get("jurisdiction", "")
    if form.get("act") not in ("pay", "voluntary"):
        raise Invalid("There is no such action.")
    set_tariff(
        conn,
        who,
        name,
        now_ms(),
        currency=currency,
        why=form.get("why", ""),
        jurisdiction=place or None,
        assumed_ms=_seconds(form.get("assumed", ""), "assumed"),
        idle_ms=_seconds(form.get("idle", ""), "idle"),
        price_minor=read_minor(form["price"], currency, "price") if form.get("price") else None,
        voluntary=form["act"] == "voluntary",
    )


def _seconds(text: str, field: str) -> int | None:
    """Milliseconds of seconds in a field; None where nothing is said."""
    if not text.strip():
        return None
    try:
        return round(float(text.replace(",", ".")) * 1000)
    except (ValueError, OverflowError):
        problem = Problem(f"{text!r} is no number", "write seconds, such as 20", field=field)
        raise Invalid("This cannot be a tariff.", problems=[problem]) from None


async def _page(
    request: WebRequest,
    process_id: int,
    slug: str,
    error: CanutError | None = None,
    form: dict[str, str] | None = None,
) -> Response[str]:
    sight = await in_thread(request, lambda conn: _sight(conn, process_id, slug))
    now = sight.tariffs[0] if sight.tariffs else None
    empty = dict.fromkeys(("assumed", "idle", "price", "why"), "")
    standing = {
        "currency": now.currency if now else "EUR",
        "jurisdiction": now.jurisdiction if now else sight.policy.home,
    }
    values: dict[str, Any] = {
        "sight": sight,
        "now": now,
        "next_mark": next((mark for mark in REPRICE_AT if mark > sight.tasks), None),
        "accounts": await read_names(pool(request), [one.account_id for one in sight.tariffs]),
        "stages": spoken(request, STAGES),
        "form": {**empty, **standing, **(form or {})},
    }
    return page(request, "step.html", error, **values)


def _sight(conn: SyncConn, process_id: int, slug: str) -> Sight:
    step = read_step(conn, process_id, slug)
    name = _name(step)
    return Sight(
        step=step,
        tariffs=history(conn, name),
        tasks=len(measured(conn, name).active_ms),
        policy=policy_at(conn, now_ms()),
    )


def _name(step: StepPrice) -> StepName:
    return StepName(step.process_id, step.process_slug, step.slug)


ROUTES: list[Any] = [show_prices, show_step, change_step]
