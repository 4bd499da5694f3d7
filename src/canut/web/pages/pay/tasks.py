"""My pay, task by task: the time that each took, what it earned, and a time that is wrong."""

import re
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from canut.db.pool import SyncConn
from canut.errors import CanutError, Conflict, Invalid, Problem
from canut.insight import own_pay
from canut.pay.deciding import REASON_CHARS_MAX
from canut.pay.time import state_time
from canut.web.api.common import in_thread, task_names
from canut.web.auth import WebRequest, principal, requires
from canut.web.errors import STATUS
from canut.web.pages.forms import read_form
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, problems_of, show, told

CONTRIBUTORS = requires("contributor")


@get("/pay/tasks", opt=CONTRIBUTORS, include_in_schema=False)
async def list_tasks(request: WebRequest, before: FromQuery[str] = "") -> Response[str]:
    """The tasks that ended, newest first; on the first page the times that were stated too."""
    who, names = principal(request).contributor(), await task_names(request)

    def read(conn: SyncConn) -> dict[str, Any]:
        return {
            "page": own_pay.read_task_pay(conn, names, who, before),
            "stated": [] if before else own_pay.read_statements(conn, names, who),
        }

    values = await in_thread(request, read)
    return show(request, "pay/tasks.html", first=not before, **values)


@get("/pay/tasks/{task:str}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_task(request: WebRequest, task: FromPath[str]) -> Response[str]:
    """One of them."""
    return await _page(request, task)


@post("/pay/tasks/{task:str}", opt=CONTRIBUTORS, include_in_schema=False)
async def state(request: WebRequest, task: FromPath[str]) -> Response[Any]:
    """State its time: `minutes`, `seconds`, and a `reason`. A person decides."""
    form, who, names = await read_form(request), principal(request), await task_names(request)
    contributor, reason = who.contributor(), form.get("reason", "")

    def write(conn: SyncConn) -> None:
        one = own_pay.read_own_task(conn, names, contributor, task)
        stated = _stated(form, one.line.pay.ended_ms - one.claimed_ms)
        state_time(conn, who, names.read(task).task_id, stated, reason, now_ms())

    try:
        await in_thread(request, write)
    except (Invalid, Conflict) as error:
        return await _page(request, task, error, form)
    return go(f"/pay/tasks/{task}#time")


def _stated(form: dict[str, str], held_ms: int) -> int:
    """The time of the form, milliseconds: not more than the task was theirs. Raises `Invalid`."""
    minutes, seconds = (form.get(name, "").strip() for name in ("minutes", "seconds"))
    whole = re.fullmatch(r"[0-9]{0,4}", minutes)
    part = re.fullmatch(r"([0-9]{0,5})(?:[.,]([0-9]{1,3}))?", seconds)
    if not whole or not part or not (minutes or seconds):
        text, mend = "this is no time", "write minutes and seconds, such as 1 and 35"
        raise Invalid("This cannot be stated.", problems=[Problem(text, mend, field="time")])
    ms = (int(minutes or 0) * 60 + int(part[1] or 0)) * 1000 + int((part[2] or "0").ljust(3, "0"))
    if ms > held_ms:
        # as the room says it, in the words of the form
        problem = Problem(
            f"the task was yours for {held_ms / 1000} seconds",
            "state that much at most",
            field="time",
        )
        raise Invalid("This cannot be stated.", problems=[problem])
    return ms


async def _page(
    request: WebRequest,
    task: str,
    error: CanutError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    who, names = principal(request).contributor(), await task_names(request)
    one = await in_thread(request, lambda conn: own_pay.read_own_task(conn, names, who, task))
    values: dict[str, Any] = {
        "one": one,
        "given": given or {},
        "reason_max": REASON_CHARS_MAX,
        "problems": told(request, problems_of(error)),
    }
    status = STATUS[error.code] if error else 200
    return show(request, "pay/task.html", status=status, **values)


ROUTES: list[Any] = [list_tasks, show_task, state]
