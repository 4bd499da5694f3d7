"""Where contributors work: open batches, and the task screen.

Every form works by itself. `task.js` sends the same forms with `Accept: application/json`, claims
the next task while the present one is answered, and paints it at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.status_codes import HTTP_200_OK
from markupsafe import Markup

from canut.errors import Conflict, Expired, Invalid, NotFound, Problem
from canut.questions.base import Question, localise
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.errors import wants_json
from canut.web.i18n import N_
from canut.web.pages.forms import storable
from canut.web.pages.guide import to_html
from canut.web.pages.items import shown_fields
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import fragment, now_ms, pool, say, show, told
from canut.work import tasks
from canut.work.model import ClaimedTask, LoadedStep, OpenBatch

ANSWER = "answer"
#: names of fields that hold one value a line (a list of options, written without a script)
LINES = "_lines"
#: tasks a page may hold besides the one shown
AHEAD_MAX = 3
#: what happened to the form before, told on the page after it
SAID: dict[str, str] = {
    "saved": N_("Saved."),
    "back": N_("Given back."),
    "late": N_("That answer came too late and was not needed any more."),
}
CONTRIBUTORS = requires("contributor")

Form = Mapping[str, Sequence[str]]


@get("/work", opt=CONTRIBUTORS, include_in_schema=False)
async def list_work(request: WebRequest) -> Response[str]:
    """What this contributor could do now."""
    contributor = principal(request).contributor()
    held = await held_tasks(request, contributor)
    batches = await tasks.open_batches(pool(request), contributor)
    return show(request, "work/list.html", batches=batches, held=held)


@get("/work/{batch_id:int}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_batch(
    request: WebRequest, batch_id: FromPath[int], said: FromQuery[str] = ""
) -> Response[str]:
    """The task in hand, or the door to the batch."""
    contributor = principal(request).contributor()
    held = await held_tasks(request, contributor)
    here = [task for task in held if task.batch_id == batch_id]
    notice = say(request, SAID[said]) if said in SAID else ""
    if not here:
        return await _door(request, batch_id, notice, none_left=said == "none")
    later = [await _painted(request, task) for task in here[1 : 1 + AHEAD_MAX]]
    return await _screen(request, here[0], notice=notice, later=later)


@post("/work/{batch_id:int}/claim", opt=CONTRIBUTORS, include_in_schema=False)
async def claim(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Take a task: for a browser the way to its screen, for a script the task itself."""
    contributor = principal(request).contributor()
    claimed = await _claim(request, contributor, batch_id)
    if not wants_json(request):
        return go(f"/work/{batch_id}" if claimed else f"/work/{batch_id}?said=none")
    painted = [await _painted(request, task) for task in claimed]
    return Response({"tasks": painted}, status_code=HTTP_200_OK, headers=_FRESH)


@post("/work/{batch_id:int}/answer", opt=CONTRIBUTORS, include_in_schema=False)
async def answer(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Hand in the answer, or give the task back (`act=skip`)."""
    contributor = principal(request).contributor()
    form = await read_form(request)
    task = next(iter(form.get("task", [])), "")
    skipped = form.get("act") == ["skip"]
    try:
        if skipped:
            names = await house(request).task_names()
            await tasks.give_back(pool(request), names, contributor, now_ms(), task)
        else:
            await _submit(request, contributor, task, form)
        said = "back" if skipped else "saved"
    except (Conflict, Expired, NotFound):
        if wants_json(request):
            raise
        said = "late"
    except Invalid as error:
        if wants_json(request):
            raise
        return await _again(request, contributor, task, form, error)
    if wants_json(request):
        return Response({"outcome": said}, status_code=HTTP_200_OK, headers=_FRESH)
    return await _onward(request, contributor, batch_id, said)


async def _submit(request: WebRequest, contributor: int, task: str, form: Form) -> None:
    steps = house(request).kept.steps
    names = await house(request).task_names()
    step = await steps.load(pool(request), names.read(task).batch_step_id)
    raw = step.question.from_form(form, ANSWER)
    await tasks.submit_one(pool(request), steps, names, contributor, now_ms(), task, raw)


async def _again(
    request: WebRequest, contributor: int, task: str, form: Form, error: Invalid
) -> Response[str]:
    """The same task with what was written, and what is wrong beside it."""
    for one in await held_tasks(request, contributor):
        if one.name == task:
            problems = error.problems or [Problem(error.message, error.mend)]
            return await _screen(request, one, status=422, given=form, problems=problems)
    raise error


async def _onward(request: WebRequest, contributor: int, batch_id: int, said: str) -> Response[Any]:
    held = await held_tasks(request, contributor)
    here = [task for task in held if task.batch_id == batch_id]
    if not here:
        here = await _claim(request, contributor, batch_id)
    return go(f"/work/{batch_id}?said={said}" if here else f"/work/{batch_id}?said=none")


async def held_tasks(request: WebRequest, contributor: int) -> list[ClaimedTask]:
    """The tasks this contributor holds, the first due first."""
    steps, names = house(request).kept.steps, await house(request).task_names()
    return await tasks.live(pool(request), steps, names, contributor, now_ms())


async def _claim(request: WebRequest, contributor: int, batch_id: int) -> list[ClaimedTask]:
    steps, names = house(request).kept.steps, await house(request).task_names()
    return await tasks.claim(pool(request), steps, names, contributor, now_ms(), batch_id=batch_id)


async def _door(
    request: WebRequest, batch_id: int, notice: str, *, none_left: bool
) -> Response[str]:
    batches = await tasks.open_batches(pool(request), principal(request).contributor())
    batch: OpenBatch | None = next((one for one in batches if one.batch_id == batch_id), None)
    title = localise(batch.title, locale_of(request)) if batch else say(request, N_("Work"))
    values: dict[str, Any] = {"batch": batch, "title": title, "none_left": none_left}
    return show(request, "work/start.html", notice=notice, **values)


async def _screen(
    request: WebRequest,
    task: ClaimedTask,
    *,
    status: int = 200,
    notice: str = "",
    given: Form | None = None,
    problems: Sequence[Problem] = (),
    later: Sequence[dict[str, Any]] = (),
) -> Response[str]:
    values = await _task_values(request, task, given or {}, problems)
    return show(request, "work/task.html", status=status, notice=notice, later=later, **values)


async def _painted(request: WebRequest, task: ClaimedTask) -> dict[str, Any]:
    """A task as `task.js` keeps it."""
    values = await _task_values(request, task, {}, ())
    html = fragment(request, "work/fragment.html", **values)
    return {"task": task.name, "deadline_ms": task.deadline_ms, "html": html}


async def _task_values(
    request: WebRequest, task: ClaimedTask, given: Form, problems: Sequence[Problem]
) -> dict[str, Any]:
    kept, locale = house(request).kept, locale_of(request)
    step: LoadedStep = await kept.steps.load(pool(request), task.ref.batch_step_id)
    widget = step.question.widget(locale, ANSWER)
    said = told(request, problems, ANSWER)
    names = {name for name, _ in named_questions(step.question)}
    markdown = (
        localise(step.definition.instructions, locale) if step.definition.instructions else ""
    )
    guide = markdown and (
        kept.guides.get(markdown) or kept.guides.keep(markdown, to_html(markdown))
    )
    return {
        "task": task,
        "step_title": localise(step.definition.title, locale),
        "fields": shown_fields(step.item.fields, task.item, step.process_slug, locale),
        "widget": widget.template,
        "data": widget.data,
        "given": given,
        "problems": said,
        "stray": [problem for problem in said if problem.field not in names],
        "instructions": Markup(guide),  # noqa: S704 - cleaned by `to_html`
    }


def named_questions(question: Question, name: str = ANSWER) -> list[tuple[str, Question]]:
    """A question and those it is made of, by the names of their form fields."""
    found = [(name, question)]
    for field in getattr(question, "fields", ()):
        found += named_questions(field.question, f"{name}.{field.name}")
    return found


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


_FRESH = {"cache-control": "no-store"}

ROUTES: list[Any] = [list_work, show_batch, claim, answer]

__all__ = ["ROUTES", "held_tasks", "named_questions", "read_form"]
