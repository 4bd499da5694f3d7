"""A payout run: its payouts, its approvals, its file, and what became of it."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid
from canut.insight.books import names_of
from canut.pay.amounts import read_minor
from canut.pay.identity import read_coop
from canut.pay.payouts import runs
from canut.pay.payouts.matching import REASONS
from canut.pay.payouts.model import BANK, Payout, Return, Run, RunFile
from canut.pay.payouts.reconciling import fail_payout, returns_of, settle_run
from canut.pay.payouts.vault import open_vault
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.api.replying import attachment
from canut.web.auth import WebRequest, house, principal
from canut.web.pages.books.shared import KEEPERS, PAGE, page
from canut.web.pages.books.words import PAYOUTS, RUNS, spoken
from canut.web.pages.forms import read_form, whole_number
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, say


class Sight(Struct, frozen=True):
    """What the page shows."""

    run: Run
    payouts: list[Payout]
    names: dict[int, str]
    #: what the books have sent to the clearing account
    cleared: int
    #: payout -> who said that it did not arrive, where somebody else has to say so too
    returns: dict[int, Return]


@get("/operator/pay/payouts/{run_id:int}", opt=KEEPERS, include_in_schema=False)
async def show_run(
    request: WebRequest, run_id: FromPath[int], after: FromQuery[int] = 0
) -> Response[str]:
    """A run, with a page of its payouts."""
    return await _page(request, run_id, after=after)


@post("/operator/pay/payouts/{run_id:int}", opt=KEEPERS, include_in_schema=False)
async def change_run(request: WebRequest, run_id: FromPath[int]) -> Response[Any]:
    """`act`: approve (with the `total` that was read), cancel, settle or fail (a `payout`), both
    with a `why`."""
    form, who = await read_form(request), principal(request)
    try:
        await in_thread(request, lambda conn: _change(conn, who, run_id, form))
    except CanutError as error:
        return await _page(request, run_id, error, form)
    return go(f"/operator/pay/payouts/{run_id}")


@get("/operator/pay/payouts/{run_id:int}/file", opt=KEEPERS, include_in_schema=False)
async def download(request: WebRequest, run_id: FromPath[int]) -> Response[Any]:
    """What the bank, or the provider of mobile money, is given."""
    who, settings = principal(request), house(request).settings

    def make(conn: SyncConn) -> RunFile:
        coop, vault = read_coop(settings.coop_file), open_vault(settings.bank_key_file)
        return runs.run_file(conn, who, run_id, coop, vault)

    try:
        file = await in_thread(request, make)
    except CanutError as error:
        return await _page(request, run_id, error)
    return attachment(file.content, file.media_type, file.name)


def _change(conn: SyncConn, who: Principal, run_id: int, form: dict[str, str]) -> None:
    act, why = form.get("act", ""), form.get("why", "")
    if act == "approve":
        run = runs.find_run(conn, who, run_id)
        total = read_minor(form.get("total", ""), run.currency, "total")
        runs.approve_run(conn, who, run_id, total, now_ms())
    elif act == "cancel":
        runs.cancel_run(conn, who, run_id)
    elif act == "settle":
        settle_run(conn, who, run_id, why, now_ms())
    elif act == "fail":
        fail_payout(conn, who, whole_number(form.get("payout", "")) or 0, why, now_ms())
    else:
        raise Invalid("There is no such action.")


async def _page(
    request: WebRequest,
    run_id: int,
    error: CanutError | None = None,
    form: dict[str, str] | None = None,
    *,
    after: int = 0,
) -> Response[str]:
    who = principal(request)
    sight = await in_thread(request, lambda conn: _sight(conn, who, run_id, after))
    own = [one for one in sight.run.approvals if one.account_id == who.account_id]
    values: dict[str, Any] = {
        "sight": sight,
        "run": sight.run,
        "payouts": sight.payouts[:PAGE],
        "older": sight.payouts[PAGE - 1].id if len(sight.payouts) > PAGE else None,
        "first": not after,
        "me": who.account_id,
        "own": own[0] if own else None,
        "missing": runs.missing_approvals(sight.run),
        "bank": sight.run.way == BANK,
        "states": spoken(request, RUNS),
        "words": spoken(request, PAYOUTS),
        "reasons": {code: say(request, text) for code, text in REASONS.items()},
        "form": {"act": "", "total": "", "why": "", "payout": ""} | (form or {}),
    }
    return page(request, "run.html", error, **values)


def _sight(conn: SyncConn, who: Principal, run_id: int, after: int) -> Sight:
    run = runs.find_run(conn, who, run_id)
    payouts = runs.payouts_in(conn, who, run_id, after=after, limit=PAGE + 1)
    return Sight(
        run=run,
        payouts=payouts,
        names=names_of(conn, [one.contributor_id for one in payouts]),
        cleared=runs.cleared(conn, who, run_id),
        returns=returns_of(conn, who, run_id),
    )


ROUTES: list[Any] = [show_run, change_run, download]
