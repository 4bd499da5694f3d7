"""The steps of a new batch after its file. A form is kept as it was sent, right or wrong, before
anything is said about it: back, forth and away lose nothing."""

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from canut.channels.drafts import drafting
from canut.channels.drafts.composing import deadline_of
from canut.channels.drafts.model import STEPS, Draft, Form, Stale, first
from canut.channels.pictures import PREFIX
from canut.errors import Invalid, NotFound, Problem
from canut.insight.overview import read_names
from canut.processes.making import PARTS_MAX, form_of, parts
from canut.processes.store import read_version_async
from canut.processes.taxonomy import read_taxonomy
from canut.web.auth import WebRequest, principal
from canut.web.errors import wants_json
from canut.web.pages.drafts import launching, views
from canut.web.pages.drafts.preview import preview
from canut.web.pages.drafts.shared import (
    CLIENTS,
    NOT_SAID,
    Sight,
    find,
    looked,
    nav,
    saying,
    sight,
    skips,
)
from canut.web.pages.drafts.words import Sent
from canut.web.pages.pictures import draft_pictures
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, pool, problems_of, show, told
from canut.web.pages.work import read_form

PATHS = [f"/batches/new/{{draft_id:int}}/{step}" for step in STEPS]
#: of the question: what one view keeps while the other is shown
KEPT_OF_PUBLISHED = ("map.", "mapped", "skip")
KEPT_OF_MADE = (
    *("title", "name", "type", "options", "min", "max", "low", "high", "unit", "whole", "lines"),
    *("length", "part.", "instructions"),
)
#: largest file of classes, in bytes
CLASSES_BYTES_MAX = 64_000_000
CLASSES_MAX = 500_000
#: files that were left out, told by name
LEFT_OUT_SHOWN = 20


@get("/batches/new/{draft_id:int}", opt=CLIENTS, include_in_schema=False)
async def resume(request: WebRequest, draft_id: FromPath[int]) -> Response[Any]:
    """Where somebody was: the first step that is not done."""
    seen = await sight(request, await find(request, draft_id))
    ahead = next(place for place in nav(seen, "") if not place.done)
    return go(ahead.href)


@get(PATHS, opt=CLIENTS, include_in_schema=False)
async def show_step(request: WebRequest, draft_id: FromPath[int]) -> Response[Any]:
    """A step as it stands."""
    draft = await find(request, draft_id)
    if draft.batch_id is not None:
        return go(f"/batches/{draft.batch_id}")
    return await _page(request, draft, _step(request))


@post(
    PATHS,
    opt=CLIENTS,
    include_in_schema=False,
    request_max_body_size=CLASSES_BYTES_MAX,
)
async def take_step(request: WebRequest, draft_id: FromPath[int]) -> Response[Any]:
    """Keep what a step says (`act=keep`), and go on (`go`), back (`back`), or stay."""
    draft, step = await find(request, draft_id), _step(request)
    if draft.batch_id is not None:
        return go(f"/batches/{draft.batch_id}")
    sent = await read_form(request)
    act, revision = first(sent, "act", "go"), first(sent, "revision")
    form = {name: values for name, values in sent.items() if name not in NOT_SAID}
    try:
        form, problems = await _heard(request, draft, step, act, form)
        number = int(revision) if revision.isdecimal() and len(revision) < 10 else 0
        after = await drafting.say(
            pool(request), principal(request), draft, step, form, number, now_ms()
        )
    except Stale as stale:
        if wants_json(request):
            raise
        return await _page(request, saying(stale.draft, step, form), step, stale=stale.draft)
    problems += await _classes(request, draft, act)
    if wants_json(request):
        return await _kept(request, await find(request, draft_id), step, after)
    return await _onward(request, await find(request, draft_id), step, act, problems)


async def _heard(
    request: WebRequest, draft: Draft, step: str, act: str, form: Form
) -> tuple[Form, list[Problem]]:
    """What the form says, with what it said before of what it does not show."""
    if step != "question":
        return form, []
    before = draft.form("question")
    if act in ("choose", "another", "edit", "unedit"):
        return await _chosen(request, draft, act, {**before, **form})
    if act.startswith("drop."):
        gone = f"part.{act.removeprefix('drop.')}."
        form = {name: values for name, values in form.items() if not name.startswith(gone)}
    made = first(form, "way") == "made"
    kept = KEPT_OF_PUBLISHED if made else KEPT_OF_MADE
    other = {name: values for name, values in before.items() if name.startswith(kept)}
    return {**other, **form}, []


async def _chosen(
    request: WebRequest, draft: Draft, act: str, form: Form
) -> tuple[Form, list[Problem]]:
    if act == "another":
        return {**form, "way": [""], "version": [""]}, []
    if act == "unedit":
        return {**form, "way": ["published"]}, []
    if act == "edit":
        async with pool(request).connection() as conn:
            version = await read_version_async(conn, int(first(form, "version", "0") or "0"))
        if version is None or version.client_id not in (None, draft.client_id):
            raise NotFound("There is no such version of a process.")
        made = form_of(version.definition.steps[0], locale_of(request))
        if made is None or len(version.definition.steps) > 1:
            return form, [Problem("this question cannot be changed here", field="way")]
        return {"version": form["version"], "way": ["made"], **made}, []
    pick = first(form, "pick")
    if pick == "made":
        return {**form, "way": ["made"], "version": [""]}, []
    if not pick.isdecimal() or len(pick) > 18:
        return form, [Problem("no question is chosen", "choose one, or make your own", field="way")]
    return {**form, "way": ["published"], "version": [pick]}, []


async def _classes(request: WebRequest, draft: Draft, act: str) -> list[Problem]:
    """Classes that came as a file: kept, or every row of it that is wrong."""
    if act in ("no-classes", "another", "choose"):
        if draft.n_options:
            await drafting.set_options(pool(request), draft, None)
        return []
    sent = (await request.form()).get("taxonomy")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return []
    problems: list[Problem] = []
    name = sent.filename[:200]
    data = await sent.read()
    options = read_taxonomy(Sent(data), name, problems)  # type: ignore[arg-type]
    if len(options) > CLASSES_MAX:
        message = f"there are more than {CLASSES_MAX:,} classes"
        problems.append(Problem(message, "leave out those that nobody needs", name))
    if not problems:
        await drafting.set_options(pool(request), draft, options)
    return [_told_of(one) for one in problems[: views.CLASS_PROBLEMS_MAX]]


def _told_of(problem: Problem) -> Problem:
    """What is wrong with a file of classes, at the field it came by."""
    message = problem.message
    if problem.row:
        message = f"row {problem.row}: {message}"
    return Problem(message, problem.mend, field="taxonomy")


async def _kept(request: WebRequest, draft: Draft, step: str, revision: int) -> Response[Any]:
    """For the script: the new revision, and the question as it looks now."""
    html = ""
    if step == "question":
        html = str(await preview(request, await sight(request, draft)))
    content = {"revision": max(revision, draft.revision), "preview": html}
    return Response(content, headers={"cache-control": "no-store"}, status_code=200)


async def _onward(
    request: WebRequest, draft: Draft, step: str, act: str, problems: Sequence[Problem]
) -> Response[Any]:
    here = f"/batches/new/{draft.id}/{step}"
    if act == "back":
        order = ["file", *STEPS]
        return go(f"/batches/new/{draft.id}/{order[order.index(step) - 1]}")
    if act == "launch":
        return await launching.launch(request, draft, _page)
    if act != "go":
        return await _page(request, draft, step, problems) if problems else go(here)
    seen = await sight(request, draft)
    wrong = [*problems, *_wrong_here(seen, step)]
    if not wrong and step in ("columns", "question"):
        wrong += await _wrong_rows(request, seen)
    if wrong:
        return await _page(request, draft, step, wrong)
    return go(f"/batches/new/{draft.id}/{STEPS[STEPS.index(step) + 1]}")


def _wrong_here(seen: Sight, step: str) -> list[Problem]:
    found = list(seen.plan.problems.get(step, []))
    if step == "target":
        deadline_of(seen.draft.form("target"), now_ms(), found)
    return found


async def _wrong_rows(request: WebRequest, seen: Sight) -> list[Problem]:
    """What keeps the rows from being imported as they are."""
    try:
        found = await looked(request, seen)
    except Invalid as error:
        return problems_of(error)
    if found.rejected == found.rows:
        return [Problem("no row can be used", "see what is wrong below", field="skip")]
    if found.rejected and not skips(seen.draft):
        mend = "mend them in your file and hand it in again, or leave them out"
        return [Problem("some rows have something wrong", mend, field="skip")]
    return []


async def _page(
    request: WebRequest,
    draft: Draft,
    step: str,
    problems: Sequence[Problem] = (),
    *,
    stale: Draft | None = None,
    status: int = 0,
) -> Response[Any]:
    seen, came = await sight(request, draft), draft.facts.pictures
    values = await views.VIEWS[step](request, seen)
    by = ""
    if stale is not None:
        by = (await read_names(pool(request), [stale.changed_by])).get(stale.changed_by, "")
    return show(
        request,
        f"client/draft/{step}.html",
        status=status or (409 if stale else 422 if problems else 200),
        draft=draft,
        seen=seen,
        form=draft.form(step),
        first=first,
        problems=told(request, problems),
        stale=stale,
        stale_by=by,
        steps=nav(seen, step),
        parts_shown=list(parts(draft.form("question"))),
        parts_max=PARTS_MAX,
        picture=await _pictures(request, draft),
        left_out=told(request, came.left_out[:LEFT_OUT_SHOWN]) if came else [],
        **values,
    )


async def _pictures(request: WebRequest, draft: Draft) -> Callable[[str], str]:
    """Where a value of the file is to be seen, for one that is a picture; "" for any other."""
    private = await draft_pictures(request, draft.client_id, draft.file)
    return lambda value: private(value.removeprefix(PREFIX)) if value.startswith(PREFIX) else ""


def _step(request: WebRequest) -> str:
    return str(request.scope["path"]).rstrip("/").rpartition("/")[2]


ROUTES: list[Any] = [resume, show_step, take_step]
