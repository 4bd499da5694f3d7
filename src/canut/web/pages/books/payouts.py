"""Payouts: what waits for a run, the runs, and what the bank's statements have said."""

from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromQuery
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, Problem
from canut.insight.books import is_open
from canut.pay.identity import read_coop
from canut.pay.payouts import runs
from canut.pay.payouts.model import Run
from canut.pay.payouts.reconciling import Report, read_statement, statements_read
from canut.pay.payouts.store_runs import Waiting
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal
from canut.web.pages.books.shared import KEEPERS, PAGE, committing, page
from canut.web.pages.books.words import RUNS, spoken
from canut.web.pages.forms import read_form
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, told

#: statements on the page
STATEMENTS = 10
#: bytes of a statement: 20,000 lines of a bank that writes at length
STATEMENT_MAX = 64_000_000


class Seen(Struct, frozen=True):
    """A statement of the bank that was read."""

    id: int
    report: Report
    read_ms: int
    #: those of the report, in the language of the request
    faults: list[Problem] = []


class Sight(Struct, frozen=True):
    """What the page shows."""

    waiting: list[Waiting]
    runs: list[Run]
    statements: list[Seen]


@get("/operator/pay/payouts", opt=KEEPERS, include_in_schema=False)
async def show_payouts(request: WebRequest, before: FromQuery[int | None] = None) -> Response[str]:
    """What waits, and the runs, newest first."""
    return await _page(request, before=before)


@post("/operator/pay/payouts", opt=KEEPERS, include_in_schema=False)
async def assemble(request: WebRequest) -> Response[Any]:
    """Take what waits into a run: `way`, `currency`."""
    form, who = await read_form(request), principal(request)
    way, currency = form.get("way", ""), form.get("currency", "")
    try:
        made = await in_thread(
            request, lambda conn: runs.assemble_run(conn, who, way, currency, now_ms())
        )
    except CanutError as error:
        return await _page(request, error)
    return go(f"/operator/pay/payouts/{made.id}")


@post(
    "/operator/pay/statements",
    opt=KEEPERS,
    include_in_schema=False,
    request_max_body_size=STATEMENT_MAX,
)
async def receive_statement(request: WebRequest) -> Response[Any]:
    """Read a statement of the bank (camt.053): a `file`."""
    who, sent = principal(request), (await request.form()).get("file")
    file = house(request).settings.coop_file
    try:
        if not isinstance(sent, UploadFile) or not sent.filename:
            raise Invalid("Choose a file.", problems=[Problem("Choose a file.", field="file")])
        content, name = await sent.read(), Path(sent.filename).name[:200]
        await committing(
            request,
            lambda conn: read_statement(conn, who, read_coop(file), content, now_ms(), name),
        )
    except CanutError as error:
        return await _page(request, error)
    return go("/operator/pay/payouts#statements")


async def _page(
    request: WebRequest, error: CanutError | None = None, *, before: int | None = None
) -> Response[str]:
    who, settings = principal(request), house(request).settings
    sight = await in_thread(request, lambda conn: _sight(conn, who, before))
    values: dict[str, Any] = {
        "sight": sight,
        "statements": [
            msgspec.structs.replace(one, faults=told(request, one.report.faults))
            for one in sight.statements
        ],
        "runs": sight.runs[:PAGE],
        "open": [run.id for run in sight.runs if is_open(run)],
        "older": sight.runs[PAGE - 1].id if len(sight.runs) > PAGE else None,
        "first": before is None,
        "states": spoken(request, RUNS),
        "coop_file": settings.coop_file,
        "coop": settings.coop_file.exists(),
        "key": settings.bank_key_file.exists(),
        "key_file": settings.bank_key_file,
        "approvals": runs.APPROVALS_NEEDED,
    }
    return page(request, "payouts.html", error, **values)


def _sight(conn: SyncConn, who: Principal, before: int | None) -> Sight:
    return Sight(
        waiting=runs.waiting(conn, who),
        runs=runs.list_runs(conn, who, before=before, limit=PAGE + 1),
        statements=[
            Seen(one.id, msgspec.convert(one.report, Report), one.read_ms)
            for one in statements_read(conn, who, limit=STATEMENTS)
        ],
    )


ROUTES: list[Any] = [show_payouts, assemble, receive_statement]
