"""A contributor's own answers, and what became of each. Checks look like all the others."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from canut.insight import own_pay
from canut.insight.explain_words import own_told
from canut.insight.model import AskedAnswers
from canut.insight.operations_model import DAY_MS
from canut.insight.own_answers import read_own_answers, read_titles, read_worked
from canut.insight.story import own_answer
from canut.web.api.common import in_thread, steps, task_names
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.forms import day_ms
from canut.web.pages.render import locale_of
from canut.web.pages.view import pool, show

CONTRIBUTORS = requires("contributor")


@get("/answers", opt=CONTRIBUTORS, include_in_schema=False)
async def list_answers(request: WebRequest, before: FromQuery[str] = "") -> Response[str]:
    """What the contributor answered, newest first; of one step or of some days, where they ask."""
    who, names = principal(request).contributor(), await task_names(request)
    given, asked = _asked(request)
    page = await read_own_answers(pool(request), steps(request), names, who, before, asked)
    tasks = [one.task for one in page.lines]
    values: dict[str, Any] = {
        "page": page,
        "pays": await in_thread(request, lambda conn: own_pay.read_pay_of(conn, names, who, tasks)),
        "first": not before,
        "given": given,
        "kept": urlencode(given),
        "worked": await read_worked(pool(request), who),
    }
    return show(request, "answers/list.html", **values)


@get("/answers/{task:str}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_answer(request: WebRequest, task: FromPath[str]) -> Response[str]:
    """What became of one of them."""
    who, names = principal(request).contributor(), await task_names(request)
    own, pays = await in_thread(
        request,
        lambda conn: (
            own_answer(conn, names, who, task),
            own_pay.read_pay_of(conn, names, who, [task]),
        ),
    )
    step = names.read(task).batch_step_id
    titles = (await read_titles(pool(request), [step]))[step]
    told = own_told(own, "fr" if locale_of(request) == "fr" else "en")
    values: dict[str, Any] = {
        "titles": titles,
        "own": own,
        "told": told,
        "pay": pays.get(task),
        "task": task,
    }
    return show(request, "answers/answer.html", **values)


def _asked(request: WebRequest) -> tuple[dict[str, str], AskedAnswers]:
    """What the form says, without what is empty, and what it means. What cannot be read asks for
    nothing."""
    given = {name: request.query_params.get(name, "") for name in ("step", "from", "to")}
    process, _, slug = given["step"].partition(":")
    known = process.isascii() and process.isdigit() and len(process) < 19 and "\0" not in slug
    to = day_ms(given["to"])
    asked = AskedAnswers(
        step=(int(process), slug) if known else None,
        since_ms=day_ms(given["from"]) or 0,
        until_ms=None if to is None else to + DAY_MS,
    )
    return {name: text for name, text in given.items() if text}, asked


ROUTES = [list_answers, show_answer]
