"""Long lists of options: fetched once by the combobox, searched here where they are too long for
that, or searched on a page without a script."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from canut.errors import NotFound
from canut.questions.base import HasOptions
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.kept import OptionList
from canut.web.option_index import ARROW, OptionIndex
from canut.web.pages.render import locale_of
from canut.web.pages.screen import ANSWER, held_tasks, index_of, named_questions
from canut.web.pages.view import pool, show

#: options found at once
FOUND_MAX = 50
#: options of one level
LEVEL_MAX = 500


@get("/work/steps/{step_id:int}/options.json", opt=requires("contributor"), include_in_schema=False)
async def options_json(
    request: WebRequest, step_id: FromPath[int], name: FromQuery[str] = ANSWER
) -> Response[bytes]:
    """Every option of one question of a step, for whoever holds a task of that step."""
    question = await _question(request, step_id, name)
    listed = house(request).kept.option_list(step_id, name, locale_of(request), question)
    return listed_options(request, listed)


def listed_options(request: WebRequest, listed: OptionList) -> Response[bytes]:
    """The list for the combobox, or word that it is the one the browser has."""
    headers = {"etag": listed.etag, "cache-control": "private, no-cache", "vary": "cookie"}
    if request.headers.get("if-none-match") == listed.etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(listed.body, media_type="application/json", headers=headers)


@get("/work/steps/{step_id:int}/options", opt=requires("contributor"), include_in_schema=False)
async def options_page(
    request: WebRequest,
    step_id: FromPath[int],
    name: FromQuery[str] = ANSWER,
    q: FromQuery[str] = "",
) -> Response[str]:
    """Look for an option without a script."""
    index = await index_of(request, step_id, name, await _question(request, step_id, name))
    return found_options(request, index, name, q)


def found_options(request: WebRequest, index: OptionIndex, name: str, q: str) -> Response[str]:
    """The page that finds options by their words."""
    found = index.rows(index.find(q, FOUND_MAX)[0]) if q.strip() else []
    return show(request, "work/search.html", name=name, q=q, found=found)


@get("/work/steps/{step_id:int}/options/find", opt=requires("contributor"), include_in_schema=False)
async def find_options(
    request: WebRequest,
    step_id: FromPath[int],
    name: FromQuery[str] = ANSWER,
    q: FromQuery[str] = "",
    at: FromQuery[str | None] = None,
) -> Response[Any]:
    """Options by what was typed, the best first; or with `at`, the level under that path."""
    index = await index_of(request, step_id, name, await _question(request, step_id, name))
    return answered_options(index, q, at)


def answered_options(index: OptionIndex, q: str, at: str | None) -> Response[Any]:
    """`found`: rows of value, label, hint, path; `count`: how many there are; `levels`: names and
    counts of what is under the path `at`."""
    levels: list[tuple[str, int]] = []
    if at is None:
        found, count = index.find(q, FOUND_MAX)
    else:
        levels, found = index.below(tuple(at.split(ARROW)) if at else (), LEVEL_MAX)
        count = len(found)
    # the options of a step never change
    headers = {"cache-control": "private, max-age=86400", "vary": "cookie"}
    content = {"found": index.rows(found), "count": count, "levels": levels}
    return Response(content, headers=headers)


async def _question(request: WebRequest, step_id: int, name: str) -> HasOptions:
    kept, contributor = house(request).kept, principal(request).contributor()
    held = await held_tasks(request, contributor)
    if all(task.ref.batch_step_id != step_id for task in held):
        raise NotFound("You hold no task of this step.", mend="claim a task first")
    step = await kept.steps.load(pool(request), step_id)
    question = dict(named_questions(step.question)).get(name)
    if not isinstance(question, HasOptions):
        raise NotFound("This question has no options.")
    return question


ROUTES: list[Any] = [options_json, options_page, find_options]
