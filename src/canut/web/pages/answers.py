"""A contributor's own answers, and what became of each. Checks look like all the others."""

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from canut.insight.explain_words import own_told
from canut.insight.own_answers import read_own_answers, read_titles
from canut.insight.story import own_answer
from canut.web.api.common import in_thread, steps, task_names
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.render import locale_of
from canut.web.pages.view import pool, show

CONTRIBUTORS = requires("contributor")


@get("/answers", opt=CONTRIBUTORS, include_in_schema=False)
async def list_answers(request: WebRequest, before: FromQuery[str] = "") -> Response[str]:
    """What the contributor answered, newest first."""
    who, names = principal(request).contributor(), await task_names(request)
    page = await read_own_answers(pool(request), steps(request), names, who, before)
    return show(request, "answers/list.html", page=page, first=not before)


@get("/answers/{task:str}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_answer(request: WebRequest, task: FromPath[str]) -> Response[str]:
    """What became of one of them."""
    who, names = principal(request).contributor(), await task_names(request)
    own = await in_thread(request, lambda conn: own_answer(conn, names, who, task))
    step = names.read(task).batch_step_id
    titles = (await read_titles(pool(request), [step]))[step]
    told = own_told(own, "fr" if locale_of(request) == "fr" else "en")
    return show(request, "answers/answer.html", titles=titles, own=own, told=told)


ROUTES = [list_answers, show_answer]
