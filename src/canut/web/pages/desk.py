"""A contributor's home: what is open to them and why, their week, what they are told, and the next
useful thing to do where there is no work."""

from typing import Any

from litestar import Response, get, post

from canut.insight import own_pay
from canut.insight.desk import read_desk
from canut.people import store as people
from canut.quality.exams import sitting as exams
from canut.quality.exams.values import OpenExam
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.offers import read_offers
from canut.web.pages.render import go
from canut.web.pages.screen import held_tasks
from canut.web.pages.view import now_ms, pool, show
from canut.work import tasks

CONTRIBUTORS = requires("contributor")


@get("/work", opt=CONTRIBUTORS, include_in_schema=False)
async def home(request: WebRequest) -> Response[str]:
    """What this contributor could do now."""
    contributor, now = principal(request).contributor(), now_ms()
    held = await held_tasks(request, contributor)
    batches = await tasks.open_batches(pool(request), contributor)
    desk = await read_desk(pool(request), contributor, [one.batch_id for one in batches], now)
    doors, present = await in_thread(
        request,
        lambda conn: (
            exams.list_open(conn, contributor),
            own_pay.read_present(conn, contributor, now),
        ),
    )
    ready = [one for one in doors if _ready(one, now)]
    values: dict[str, Any] = {
        "held": held,
        "batches": batches,
        "desk": desk,
        "offers": await read_offers(request, [one.batch_id for one in batches]),
        "present": present,
        # an exam that opens a door comes before one that opens none yet
        "exams": {(one.process_id, one.step_slug): one for one in doors},
        "ready": {(one.process_id, one.step_slug) for one in ready},
        "practise": sorted(ready, key=lambda one: not _opens(one, desk.closed)),
        "now": now,
    }
    return show(request, "work/list.html", **values)


@post("/work/read", opt=CONTRIBUTORS, include_in_schema=False)
async def read(request: WebRequest) -> Response[Any]:
    """The messages have been read."""
    async with pool(request).connection() as conn:
        await people.mark_told_seen(conn, principal(request).contributor())
    return go("/work#messages")


def _ready(one: OpenExam, now: int) -> bool:
    """Whether the exam can be begun, or gone on with, at once."""
    if one.exam_id is not None:
        return True
    rules = exams.rules_of(one)
    return rules.most >= rules.clean and not (one.retake_ms and one.retake_ms > now)


def _opens(one: OpenExam, closed: list[Any]) -> bool:
    return any((one.process_id, one.step_slug) == (door.process_id, door.slug) for door in closed)


ROUTES: list[Any] = [home, read]
