"""The audit log, for operators: by who, what, when and subject, as a page and as a file."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from canut.channels.cells import safe_cell
from canut.insight.operations_model import DAY_MS
from canut.insight.overview import read_names
from canut.people import store as people
from canut.people.store import Asked
from canut.people.store.log import Entry
from canut.web.auth import WebRequest, principal, requires
from canut.web.formats import iso
from canut.web.i18n import N_
from canut.web.pages.forms import day_ms
from canut.web.pages.view import pool, show

OPERATORS = requires("operator")
#: who acts without an account
NOBODY = (N_("command line"),)
#: entries of the audit log on a page, and read at once for the file
PAGE, BLOCK = 50, 1000
HEAD = ["id", "when", "account_id", "account", "api_key_id", "client_id", "action", "subject",
        "subject_id", "detail"]  # fmt: skip


@get("/operator/audit", opt=OPERATORS, include_in_schema=False)
async def audit_log(
    request: WebRequest,
    before: FromQuery[int | None] = None,
    after: FromQuery[int | None] = None,
) -> Response[str]:
    """What was changed, by whom, newest first."""
    given, asked = _asked(request)
    async with pool(request).connection() as conn:
        entries = await people.find_audit(
            conn, principal(request), asked, before=before, after=after, limit=PAGE + 1
        )
        actions = await people.list_actions(conn)
    more = len(entries) > PAGE
    # going back, the one too many is the newest
    entries = entries[-PAGE:] if after is not None else entries[:PAGE]
    newer = entries and (more if after is not None else before is not None)
    older = entries and (more if after is None else True)
    names = await read_names(pool(request), (one.account_id for one in entries))
    if asked.account_id is not None:
        names |= await read_names(pool(request), [asked.account_id])
    kept = urlencode(given)
    values: dict[str, Any] = {
        "entries": entries,
        "accounts": names,
        "actions": actions,
        "given": given,
        "asked": asked,
        "kept": kept,
        "newer": f"/operator/audit?{kept}&after={entries[0].id}" if newer else "",
        "older": f"/operator/audit?{kept}&before={entries[-1].id}" if older else "",
        "first": f"/operator/audit?{kept}" if before or after else "",
    }
    return show(request, "operator/audit.html", **values)


@get("/operator/audit.csv", opt=OPERATORS, include_in_schema=False)
async def audit_file(request: WebRequest) -> Stream:
    """The same entries as a file, all of them, newest first. That it was taken away is an entry
    too."""
    given, asked = _asked(request)
    async with pool(request).connection() as conn:
        await people.audit(conn, principal(request), "export.audit", "audit", "", given)
    headers = {
        "content-disposition": 'attachment; filename="audit.csv"',
        "cache-control": "no-store",
    }
    return Stream(_lines(request, asked), media_type="text/csv", headers=headers)


async def _lines(request: WebRequest, asked: Asked) -> AsyncIterator[bytes]:
    """A block at a time, each on a connection of its own: who reads slowly keeps none."""
    yield _written([HEAD])
    before: int | None = None
    while True:
        async with pool(request).connection() as conn:
            entries = await people.find_audit(
                conn, principal(request), asked, before=before, limit=BLOCK
            )
        names = await read_names(pool(request), (one.account_id for one in entries))
        yield _written([_line(one, names) for one in entries])
        if len(entries) < BLOCK:
            return
        before = entries[-1].id


def _line(one: Entry, names: dict[int, str]) -> list[str]:
    who = names.get(one.account_id or 0, "")
    detail = msgspec.json.encode(one.detail).decode()
    given = [one.id, iso(one.at_ms), one.account_id, who, one.api_key_id, one.client_id,
             one.action, one.subject, one.subject_id, detail]  # fmt: skip
    return ["" if cell is None else safe_cell(str(cell)) for cell in given]


def _written(lines: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()


def _asked(request: WebRequest) -> tuple[dict[str, str], Asked]:
    """What the form says, without what is empty, and what it means. What cannot be read asks for
    nothing."""
    names = ("account", "action", "from", "to", "subject", "of")
    given = {name: request.query_params.get(name, "").replace("\0", "").strip() for name in names}
    account, to = given["account"], day_ms(given["to"])
    asked = Asked(
        subject=given["subject"] or None,
        subject_id=given["of"] or None,
        action=given["action"] or None,
        account_id=int(account) if account.isascii() and account.isdigit() else None,
        since_ms=day_ms(given["from"]),
        until_ms=None if to is None else to + DAY_MS,
    )
    return {name: text for name, text in given.items() if text}, asked


ROUTES: list[Any] = [audit_log, audit_file]
