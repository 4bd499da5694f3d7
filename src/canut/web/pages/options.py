"""Long lists of options: fetched once by the combobox, or searched on a page without a script."""

import unicodedata
from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from canut.errors import NotFound
from canut.questions.base import HasOptions
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.kept import OptionList
from canut.web.pages.render import locale_of
from canut.web.pages.view import pool, show
from canut.web.pages.work import ANSWER, held_tasks, named_questions

#: options shown on the search page
FOUND_MAX = 50


@get("/work/steps/{step_id:int}/options.json", opt=requires("contributor"), include_in_schema=False)
async def options_json(
    request: WebRequest, step_id: FromPath[int], name: FromQuery[str] = ANSWER
) -> Response[bytes]:
    """Every option of one question of a step, for whoever holds a task of that step."""
    return listed_options(request, await _options(request, step_id, name))


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
    return found_options(request, await _options(request, step_id, name), name, q)


def found_options(request: WebRequest, listed: OptionList, name: str, q: str) -> Response[str]:
    """The page that finds options by their words."""
    found = search(listed.options, q)[:FOUND_MAX] if q.strip() else []
    return show(request, "work/search.html", name=name, q=q, found=found)


async def _options(request: WebRequest, step_id: int, name: str) -> OptionList:
    kept, contributor = house(request).kept, principal(request).contributor()
    held = await held_tasks(request, contributor)
    if all(task.ref.batch_step_id != step_id for task in held):
        raise NotFound("You hold no task of this step.", mend="claim a task first")
    step = await kept.steps.load(pool(request), step_id)
    question = dict(named_questions(step.question)).get(name)
    if not isinstance(question, HasOptions):
        raise NotFound("This question has no options.")
    return kept.option_list(step_id, name, locale_of(request), question)


def search(options: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Options that hold every word of the text, without regard to case and accents."""
    asked = fold(text).split()
    return [option for option in options if all(word in _haystack(option) for word in asked)]


def fold(text: str) -> str:
    """Lower case, without accents."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _haystack(option: dict[str, Any]) -> str:
    return fold(" ".join([option["label"], option["value"], *option["path"], *option["synonyms"]]))


ROUTES: list[Any] = [options_json, options_page]
