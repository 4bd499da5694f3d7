"""Where contributors work: open batches, and the task screen.

Every form works by itself. `task.js` sends the same forms with `Accept: application/json`, holds
a packet of tasks ahead, paints the next at once, and sends what was answered after.
"""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK

from canut.errors import Conflict, Expired, Invalid, NotFound, Problem
from canut.questions.base import localise
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.errors import wants_json
from canut.web.i18n import N_
from canut.web.pages.forms import storable
from canut.web.pages.offers import read_offers
from canut.web.pages.render import go, locale_of
from canut.web.pages.screen import (
    ANSWER,
    PACKET_MAX,
    Form,
    held_tasks,
    painted,
    screen,
)
from canut.web.pages.view import now_ms, pool, say, show
from canut.work import screen as verbs
from canut.work import tasks
from canut.work.model import ClaimedTask, OpenBatch
from canut.work.names import LENGTH
from canut.work.screen import Handed
from canut.work.screen_model import read_moment, read_spans

#: names of fields that hold one value a line (a list of options, written without a script)
LINES = "_lines"
#: what happened to the form before, told on the page after it
SAID: dict[str, str] = {
    "saved": N_("Saved."),
    "back": N_("Given back."),
    "noted": N_("Noted, thank you. The task goes to others."),
    "late": N_("That answer came too late and was not needed any more."),
    "again": N_("Taken back. Change it and submit it again."),
    "stands": N_("It was counted already: your answer stands."),
}
CONTRIBUTORS = requires("contributor")


@get("/work/{batch_id:int}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_batch(
    request: WebRequest,
    batch_id: FromPath[int],
    said: FromQuery[str] = "",
    last: FromQuery[str] = "",
    task: FromQuery[str] = "",
) -> Response[str]:
    """The tasks in hand, `task` first; or the door to the batch. `last` was answered before."""
    held = await _held_here(request, batch_id)
    notice = say(request, SAID[said]) if said in SAID else ""
    if not held:
        return await _door(request, batch_id, notice, none_left=said == "none")
    held.sort(key=lambda one: one.name != task)
    undo = last if said == "saved" and len(last) == LENGTH else ""
    return await screen(request, held, notice=notice, undo=undo)


@post("/work/{batch_id:int}/claim", opt=CONTRIBUTORS, include_in_schema=False)
async def claim(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Take a task: for a browser the way to its screen; for a script up to `count` tasks, without
    the instructions it says it has (`guide`)."""
    form = await read_form(request)
    wanted = _first(form, "count") or "1"
    count = min(int(wanted), PACKET_MAX) if wanted.isascii() and wanted.isdigit() else 1
    claimed = await _claim(request, batch_id, max(count, 1))
    if not wants_json(request):
        return go(f"/work/{batch_id}" if claimed else f"/work/{batch_id}?said=none")
    known = set(form.get("guide", []))
    made = [await painted(request, task, known) for task in claimed]
    return _fresh({"tasks": made, "now_ms": now_ms()})


@post("/work/{batch_id:int}/answer", opt=CONTRIBUTORS, include_in_schema=False)
async def answer(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Hand in the answer (`act=answer`), give the task back (`skip`), or remark on it
    (`remark`)."""
    form = await read_form(request)
    act, task = _first(form, "act"), _first(form, "task")
    said = {"skip": "back", "remark": "noted"}.get(act, "saved")
    try:
        await _finish(request, act, task, form)
    except (Conflict, Expired, NotFound):
        if wants_json(request):
            raise
        said = "late"
    except Invalid as error:
        if wants_json(request):
            raise
        return await _again(request, task, form, error)
    if wants_json(request):
        return _fresh({"outcome": said})
    return await _onward(request, batch_id, said, task)


@post("/work/{batch_id:int}/undo", opt=CONTRIBUTORS, include_in_schema=False)
async def undo(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Take back the answer to a task, if nobody has counted it yet."""
    form, contributor = await read_form(request), principal(request).contributor()
    task, at_ms = _first(form, "task"), now_ms()
    names = await house(request).task_names()
    acted = read_moment(_first(form, "acted_ms"), at_ms)
    try:
        await verbs.withdraw(pool(request), names, contributor, at_ms, task, acted)
    except (Conflict, NotFound, Invalid):
        if wants_json(request):
            raise
        return go(f"/work/{batch_id}?said=stands")
    if wants_json(request):
        return _fresh({"outcome": "again", "deadline_ms": at_ms + verbs.AGAIN_MS})
    return go(f"/work/{batch_id}?said=again&task={task}")


@post("/work/{batch_id:int}/leave", opt=CONTRIBUTORS, include_in_schema=False)
async def leave(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Give back every task of the batch in hand: others get them at once."""
    contributor, names = principal(request).contributor(), await house(request).task_names()
    for task in await _held_here(request, batch_id):
        await tasks.give_back(pool(request), names, contributor, now_ms(), task.name)
    return go("/work")


async def _finish(request: WebRequest, act: str, task: str, form: Form) -> None:
    steps, at_ms = house(request).kept.steps, now_ms()
    names, value = await house(request).task_names(), None
    if act not in ("skip", "remark"):
        step = await steps.load(pool(request), names.read(task).batch_step_id)
        value = step.question.from_form(form, ANSWER)
    kind, _, reason = _first(form, "remark").partition(":")
    handed = Handed(
        task,
        "skip" if act == "skip" else "remark" if act == "remark" else "answer",
        value,
        kind=kind or "unsure",
        reason=reason,
        note=_first(form, "note"),
        spans=read_spans(_first(form, "spans"), at_ms),
        acted_ms=read_moment(_first(form, "acted_ms"), at_ms),
    )
    contributor = principal(request).contributor()
    undo_ms = round(house(request).settings.undo_s * 1000)
    await verbs.finish(pool(request), steps, names, contributor, at_ms, handed, undo_ms=undo_ms)


async def _again(request: WebRequest, task: str, form: Form, error: Invalid) -> Response[str]:
    """The same task with what was written, and what is wrong beside it."""
    for one in await held_tasks(request, principal(request).contributor()):
        if one.name == task:
            problems = error.problems or [Problem(error.message, error.mend)]
            return await screen(request, [one], status=422, given=form, problems=problems)
    raise error


async def _onward(request: WebRequest, batch_id: int, said: str, task: str) -> Response[Any]:
    here = await _held_here(request, batch_id) or await _claim(request, batch_id, 1)
    last = f"&last={task}" if said == "saved" else ""
    return go(f"/work/{batch_id}?said={said}{last}" if here else f"/work/{batch_id}?said=none")


async def _held_here(request: WebRequest, batch_id: int) -> list[ClaimedTask]:
    held = await held_tasks(request, principal(request).contributor())
    return [task for task in held if task.batch_id == batch_id]


async def _claim(request: WebRequest, batch_id: int, count: int) -> list[ClaimedTask]:
    steps, names = house(request).kept.steps, await house(request).task_names()
    who = principal(request).contributor()
    return await tasks.claim(
        pool(request), steps, names, who, now_ms(), count=count, batch_id=batch_id
    )


async def _door(
    request: WebRequest, batch_id: int, notice: str, *, none_left: bool
) -> Response[str]:
    me = principal(request).contributor()
    batches = await tasks.open_batches(pool(request), me)
    batch: OpenBatch | None = next((one for one in batches if one.batch_id == batch_id), None)
    title = localise(batch.title, locale_of(request)) if batch else say(request, N_("Work"))
    offers = (await read_offers(request, [batch_id]))[batch_id] if batch else []
    values: dict[str, Any] = {"batch": batch, "title": title, "none_left": none_left}
    values["offers"] = offers
    return show(request, "work/start.html", notice=notice, **values)


async def read_form(request: WebRequest) -> dict[str, list[str]]:
    """The fields of a form, each with every value it was sent with; no files."""
    sent = await request.form()
    form: dict[str, list[str]] = {}
    for name, value in sent.multi_items():
        if isinstance(value, str):
            form.setdefault(name, []).append(storable(value))
    for name in form.get(LINES, []):
        lines = "\n".join(form.get(name, [])).splitlines()
        form[name] = [line.strip() for line in lines if line.strip()]
    return form


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, [])), "")


def _fresh(content: dict[str, Any]) -> Response[Any]:
    return Response(content, status_code=HTTP_200_OK, headers={"cache-control": "no-store"})


ROUTES: list[Any] = [show_batch, claim, answer, undo, leave]
