"""The processes that a client may use: their versions, how each did, which batches ran it."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from canut.channels.drafts.composing import OWN
from canut.insight.versions import process_view, processes
from canut.processes.making import form_of
from canut.questions.base import localise
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.guide import to_html
from canut.web.pages.render import locale_of
from canut.web.pages.view import pool, show

CLIENTS = requires("client", "operator")


@get("/processes", opt=CLIENTS, include_in_schema=False)
async def list_processes(request: WebRequest) -> Response[str]:
    """What batches can be made of."""
    found = await processes(pool(request), principal(request))
    return show(request, "processes/list.html", processes=found)


@get("/processes/{process_id:int}", opt=CLIENTS, include_in_schema=False)
async def show_process(request: WebRequest, process_id: FromPath[int]) -> Response[str]:
    """One process."""
    seen = await process_view(pool(request), principal(request), process_id)
    locale, definition = locale_of(request), seen.definition
    guides = house(request).kept.guides
    steps = []
    for step in definition.steps:
        text = localise(step.instructions, locale) if step.instructions else ""
        guide = text and (guides.get(text) or guides.keep(text, to_html(text)))
        steps.append((step, localise(step.question.get("title", ""), locale), guide))
    changeable = len(steps) == 1 and form_of(definition.steps[0], locale) is not None
    values: dict[str, Any] = {"seen": seen, "steps": steps, "changeable": changeable, "made": OWN}
    return show(request, "processes/process.html", **values)


ROUTES: list[Any] = [list_processes, show_process]
