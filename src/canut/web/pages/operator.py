"""Where operators see how the whole platform is doing, who works, and what was changed."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.errors import CanutError, Invalid, Problem
from canut.insight.overview import WORKERS_PAGE, read_names, read_overview, read_workers
from canut.people import store as people
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.render import go
from canut.web.pages.view import pool, show, told
from canut.web.pages.work import read_form

OPERATORS = requires("operator")
#: entries of the audit log on a page
AUDIT_PAGE = 50


@get("/operator", opt=OPERATORS, include_in_schema=False)
async def overview(request: WebRequest) -> Response[str]:
    """Queues, lag, people at work, webhooks, the size of the database."""
    figures, queues = await read_overview(pool(request))
    return show(request, "operator/overview.html", figures=figures, queues=queues)


@get("/operator/contributors", opt=OPERATORS, include_in_schema=False)
async def contributors(request: WebRequest, after: FromQuery[int] = 0) -> Response[str]:
    """Everybody who answers tasks."""
    return await _contributors(request, after)


@post("/operator/contributors/{contributor_id:int}", opt=OPERATORS, include_in_schema=False)
async def change_contributor(
    request: WebRequest, contributor_id: FromPath[int], after: FromQuery[int] = 0
) -> Response[Any]:
    """`act`: pause, resume, or grant and revoke a `skill`."""
    form = await read_form(request)
    act, skill = (next(iter(form.get(name, [])), "").strip() for name in ("act", "skill"))
    by = principal(request)
    try:
        async with pool(request).connection() as conn:
            if act == "pause":
                await people.pause_contributor(conn, by, contributor_id)
            elif act == "resume":
                await people.resume_contributor(conn, by, contributor_id)
            elif act == "grant":
                await people.grant_skill(conn, by, contributor_id, skill)
            elif act == "revoke":
                await people.revoke_skill(conn, by, contributor_id, skill)
            else:
                raise Invalid("There is no such action.")
    except Invalid as error:
        return await _contributors(request, after, error)
    return go(f"/operator/contributors?after={after}")


@get("/operator/audit", opt=OPERATORS, include_in_schema=False)
async def audit_log(
    request: WebRequest,
    before: FromQuery[int | None] = None,
    subject: FromQuery[str] = "",
) -> Response[str]:
    """What was changed, by whom, newest first."""
    async with pool(request).connection() as conn:
        entries = await people.read_audit(
            conn,
            principal(request),
            subject=subject or None,
            before=before,
            limit=AUDIT_PAGE + 1,
        )
    accounts = await read_names(pool(request), (entry.account_id for entry in entries))
    older = entries[AUDIT_PAGE - 1].id if len(entries) > AUDIT_PAGE else None
    values: dict[str, Any] = {"entries": entries[:AUDIT_PAGE], "older": older, "accounts": accounts}
    return show(request, "operator/audit.html", subject=subject, first=before is None, **values)


async def _contributors(
    request: WebRequest, after: int, error: CanutError | None = None
) -> Response[str]:
    found = await read_workers(pool(request), after, WORKERS_PAGE + 1)
    more = found[WORKERS_PAGE - 1].id if len(found) > WORKERS_PAGE else None
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    values = {"workers": found[:WORKERS_PAGE], "more": more, "after": after}
    status = 422 if error else 200
    said = told(request, problems)
    return show(request, "operator/contributors.html", status=status, problems=said, **values)


ROUTES: list[Any] = [overview, contributors, change_contributor, audit_log]
