"""Contributors, for operators: the list, and everything about one of them."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.db.pool import Conn
from canut.errors import CanutError, Invalid
from canut.insight.contributor import read_contributor
from canut.insight.overview import WORKERS_PAGE, read_workers
from canut.pay.tariff import SLOW
from canut.people import store as people
from canut.people.model import Principal
from canut.people.store.notes import NOTE_MAX, REASON_MAX
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.forms import whole_number
from canut.web.pages.quality import STATES as LICENCE_STATES
from canut.web.pages.render import go
from canut.web.pages.view import pool, problems_of, show, told
from canut.web.pages.work import read_form

OPERATORS = requires("operator")


@get("/operator/contributors", opt=OPERATORS, include_in_schema=False)
async def contributors(request: WebRequest, after: FromQuery[int] = 0) -> Response[str]:
    """Everybody who answers tasks."""
    found = await read_workers(pool(request), after, WORKERS_PAGE + 1)
    more = found[WORKERS_PAGE - 1].id if len(found) > WORKERS_PAGE else None
    values: dict[str, Any] = {"workers": found[:WORKERS_PAGE], "more": more, "after": after}
    return show(request, "operator/contributors.html", **values)


@get("/operator/contributors/{contributor_id:int}", opt=OPERATORS, include_in_schema=False)
async def show_contributor(request: WebRequest, contributor_id: FromPath[int]) -> Response[str]:
    """One of them."""
    return await _page(request, contributor_id)


@post("/operator/contributors/{contributor_id:int}", opt=OPERATORS, include_in_schema=False)
async def change_contributor(request: WebRequest, contributor_id: FromPath[int]) -> Response[Any]:
    """`act`: pause (with a `reason`), resume, grant or revoke a `skill`, tell or note (a `body`),
    remove (a `note`)."""
    form, by = await read_form(request), principal(request)
    given = {name: next(iter(values), "") for name, values in form.items()}
    try:
        async with pool(request).connection() as conn:
            await _change(conn, by, contributor_id, given)
    except Invalid as error:
        return await _page(request, contributor_id, error, given)
    return go(f"/operator/contributors/{contributor_id}")


async def _change(conn: Conn, by: Principal, contributor: int, given: dict[str, str]) -> None:
    act, skill = given.get("act", ""), given.get("skill", "").strip()
    if act == "pause":
        reason = people.check_words(given.get("reason", ""), "reason", REASON_MAX)
        await people.pause_contributor(conn, by, contributor, reason)
    elif act == "resume":
        await people.resume_contributor(conn, by, contributor)
    elif act == "grant":
        await people.grant_skill(conn, by, contributor, skill)
    elif act == "revoke":
        await people.revoke_skill(conn, by, contributor, skill)
    elif act in ("tell", "note"):
        await people.add_note(conn, by, contributor, given.get("body", ""), told=act == "tell")
    elif act == "remove":
        note = whole_number(given.get("note", "")) or 0
        await people.remove_note(conn, by, contributor, note)
    else:
        raise Invalid("There is no such action.")


async def _page(
    request: WebRequest,
    contributor_id: int,
    error: CanutError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    who, steps = principal(request), house(request).kept.steps
    sight = await read_contributor(pool(request), steps, who, contributor_id)
    values: dict[str, Any] = {
        "sight": sight,
        "person": sight.person,
        "own": who.contributor_id == contributor_id,
        "keeper": who.contributor_id is None,
        "licence_states": LICENCE_STATES,
        "slow": SLOW,
        "note_max": NOTE_MAX,
        "reason_max": REASON_MAX,
        "given": given or {},
        "problems": told(request, problems_of(error)),
    }
    return show(request, "operator/contributor.html", status=422 if error else 200, **values)


ROUTES: list[Any] = [contributors, show_contributor, change_contributor]
