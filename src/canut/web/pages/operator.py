"""Where operators see how the whole platform is doing, and put right what is not: the overview, a
batch with its levers, and what waits for experts."""

import shutil
from pathlib import Path
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.channels import webhooks
from canut.errors import CanutError, Forbidden, Invalid
from canut.insight import operations
from canut.insight.operations_model import COUNTED_MAX, DAY_MS
from canut.people.store import Asked, find_audit
from canut.quality.gold.pool import check_keeper
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.render import go
from canut.web.pages.screen import REMARKS
from canut.web.pages.view import now_ms, pool, problems_of, say, show, told
from canut.web.pages.work import read_form
from canut.work import batches

OPERATORS = requires("operator")
#: an answer that waits longer for the engine is a fault
LAG_MS_MAX = 60_000
#: engines look once a minute
SILENT_MS = 5 * 60_000
#: a copy older than that, or a disk with less than that free, is told
BACKUP_MS_MAX = 7 * DAY_MS
FREE_MIN = 0.1
#: share of the connections from which on somebody should look
BUSY_MIN = 0.8
QUEUES_SHOWN = 20
ENTRIES = 10


@get("/operator", opt=OPERATORS, include_in_schema=False)
async def overview(request: WebRequest) -> Response[str]:
    """What needs somebody, then queues, the engine, webhooks and the database, each with what is
    usual."""
    return await _overview(request)


@post("/operator/webhooks/{delivery_id:int}", opt=OPERATORS, include_in_schema=False)
async def retry_webhook(request: WebRequest, delivery_id: FromPath[int]) -> Response[Any]:
    """Try again to tell a client of an event."""
    who = principal(request)
    try:
        await in_thread(request, lambda conn: webhooks.retry(conn, who, delivery_id, now_ms()))
    except CanutError as error:
        return await _overview(request, error)
    return go("/operator#webhooks")


@get("/operator/batches/{batch_id:int}", opt=OPERATORS, include_in_schema=False)
async def show_batch(request: WebRequest, batch_id: FromPath[int]) -> Response[str]:
    """A batch: where it stands, who could work on it, and the levers."""
    return await _batch(request, batch_id)


@post("/operator/batches/{batch_id:int}", opt=OPERATORS, include_in_schema=False)
async def change_batch(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """`act`: paused, running or cancelled; or priority, with a `priority`."""
    form, who = await read_form(request), principal(request)
    act, priority = (next(iter(form.get(name, [])), "") for name in ("act", "priority"))
    try:
        if act == "priority":
            given = int(priority) if priority.lstrip("+-").isdecimal() else 99
            await batches.set_priority(pool(request), who, batch_id, given)
        elif act in batches.CHANGES:
            await batches.set_state(pool(request), who, batch_id, act)
        else:
            raise Invalid("There is no such action.")
    except CanutError as error:
        return await _batch(request, batch_id, error)
    return go(f"/operator/batches/{batch_id}")


@get("/operator/queue", opt=OPERATORS, include_in_schema=False)
async def queue(request: WebRequest, after: FromQuery[int] = 0) -> Response[str]:
    """What waits for experts, and what was said of checks."""
    expected = await operations.read_expected(pool(request), after)
    older = expected.waiting[operations.PAGE - 1].task_id if _more(expected.waiting) else None
    values: dict[str, Any] = {
        "expected": expected,
        "waiting": expected.waiting[: operations.PAGE],
        "older": older,
        "first": not after,
        "now": now_ms(),
        **_checks(request),
    }
    return show(request, "operator/queue.html", **values)


def _more(found: list[Any]) -> bool:
    return len(found) > operations.PAGE


def _checks(request: WebRequest) -> dict[str, Any]:
    """What pages that show remarks on checks need. Who answers tasks themselves sees none: they
    must not learn what is a check."""
    try:
        check_keeper(principal(request))
    except Forbidden:
        keeper = False
    else:
        keeper = True
    words = {key: say(request, text) for key, text in REMARKS.items()}
    return {"keeper": keeper, "words": words, "counted_max": COUNTED_MAX}


async def _overview(request: WebRequest, error: CanutError | None = None) -> Response[str]:
    sight = await operations.read_sight(pool(request))
    disk = shutil.disk_usage(_existing(Path(house(request).settings.data)))
    health, at_ms = sight.health, sight.now.at_ms
    seen = sight.course.seen_ms
    wrong = {
        "lag": sight.now.lag_ms > LAG_MS_MAX,
        "silent": seen is None or at_ms - seen > SILENT_MS,
        "backup": health.backup_ms is None or at_ms - health.backup_ms > BACKUP_MS_MAX,
        "disk": disk.free < FREE_MIN * disk.total,
        "connections": health.connections > BUSY_MIN * health.connections_max,
    }
    values: dict[str, Any] = {
        "sight": sight,
        "disk": disk,
        "wrong": wrong,
        "queues": sight.queues[:QUEUES_SHOWN],
        "expert": sum(one.expert for one in sight.queues),
        "counted_max": COUNTED_MAX,
        "problems": told(request, problems_of(error)),
    }
    return show(request, "operator/overview.html", status=422 if error else 200, **values)


async def _batch(
    request: WebRequest, batch_id: int, error: CanutError | None = None
) -> Response[str]:
    who = principal(request)
    batch = await batches.read_batch(pool(request), who, batch_id)
    sight = await operations.read_batch_sight(pool(request), batch_id)
    asked = Asked(subject="batch", subject_id=str(batch_id))
    async with pool(request).connection() as conn:
        log = await find_audit(conn, who, asked, limit=ENTRIES)
    values: dict[str, Any] = {
        "batch": batch,
        "sight": sight,
        "log": log,
        "problems": told(request, problems_of(error)),
        **_checks(request),
    }
    return show(request, "operator/batch.html", status=422 if error else 200, **values)


def _existing(path: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    path = path.absolute()
    return path if path.exists() else _existing(path.parent)


ROUTES: list[Any] = [overview, retry_webhook, show_batch, change_batch, queue]
