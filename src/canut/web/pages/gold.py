"""Gold, for operators and for clients of their own processes: what there is, how it does, what
enters it and what is taken out."""

from pathlib import Path
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, Problem
from canut.quality.gold import pool as gold_pool
from canut.quality.gold.files import read_gold
from canut.quality.gold.store_pool import Place
from canut.quality.gold.values import Gold, GoldStep, Imported, Proposal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages.forms import whole_number
from canut.web.pages.items import PrivatePictures, Shown, shown_fields
from canut.web.pages.pictures import private_pictures
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, say, show, told
from canut.web.pages.work import read_form

KEEPERS = requires("operator", "client")
#: gold on a page
PAGE = 50
#: largest file of gold, in bytes
BYTES_MAX = 10_000_000
#: problems shown
PROBLEMS_SHOWN = 200
#: where gold came from, and why it was retired, for people
ORIGINS: dict[str, str] = {
    "process": N_("came with the process"),
    "operator": N_("imported"),
    "expert": N_("experts and contributors agreed"),
}
CAUSES: dict[str, str] = {
    "edited": N_("what it came from says otherwise now"),
    "leaked": N_("it leaked"),
    "disputed": N_("good contributors disagree with it"),
    "person": N_("a person retired it"),
}


@get("/gold", opt=KEEPERS, include_in_schema=False)
async def list_pools(request: WebRequest) -> Response[str]:
    """The steps, and how much gold each has."""
    who = principal(request)
    pools = await in_thread(request, lambda conn: gold_pool.list_pools(conn, who))
    return show(request, "gold/pools.html", pools=pools)


@get("/gold/{process_id:int}/{step:str}", opt=KEEPERS, include_in_schema=False)
async def show_pool(
    request: WebRequest,
    process_id: FromPath[int],
    step: FromPath[str],
    view: FromQuery[str] = "active",
    before: FromQuery[int] = 0,
) -> Response[str]:
    """The gold of a step."""
    return await _page(request, Place(process_id, step), view=view, before=before)


@post("/gold/{process_id:int}/{step:str}/import", opt=KEEPERS, include_in_schema=False)
async def import_gold(
    request: WebRequest, process_id: FromPath[int], step: FromPath[str]
) -> Response[Any]:
    """Add the gold of a file; all of it or none."""
    who, place = principal(request), Place(process_id, step)
    sent = (await request.form()).get("file")

    def add(conn: SyncConn, data: bytes, name: str) -> Imported:
        at = gold_pool.find_step(conn, who, place)
        return gold_pool.add_gold(conn, who, at, read_gold(data, name, at), now_ms())

    try:
        data, name = await _file(sent)
        done = await in_thread(request, lambda conn: add(conn, data, name))
    except Invalid as error:
        return await _page(request, place, error=error)
    return await _page(request, place, done=done)


@post("/gold/{process_id:int}/{step:str}/retire", opt=KEEPERS, include_in_schema=False)
async def retire(
    request: WebRequest, process_id: FromPath[int], step: FromPath[str]
) -> Response[Any]:
    """Take one out of use, with a reason."""
    form, who = await read_form(request), principal(request)
    gold, reason = _number(form, "gold"), next(iter(form.get("reason", [])), "")
    try:
        await in_thread(
            request, lambda conn: gold_pool.retire_gold(conn, who, gold, reason, now_ms())
        )
    except CanutError as error:
        return await _page(request, Place(process_id, step), error=error)
    return go(f"/gold/{process_id}/{step}")


@post("/gold/{process_id:int}/{step:str}/proposals", opt=KEEPERS, include_in_schema=False)
async def propose(
    request: WebRequest, process_id: FromPath[int], step: FromPath[str]
) -> Response[Any]:
    """`act`: accept or decline a proposal."""
    form, who = await read_form(request), principal(request)
    task, place = _number(form, "task"), Place(process_id, step)
    accepted = form.get("act") == ["accept"]

    def decide(conn: SyncConn) -> None:
        at = gold_pool.find_step(conn, who, place)
        act = gold_pool.accept_proposal if accepted else gold_pool.decline_proposal
        act(conn, who, at, task, now_ms())

    try:
        await in_thread(request, decide)
    except CanutError as error:
        return await _page(request, place, error=error)
    return go(f"/gold/{process_id}/{step}")


async def _page(
    request: WebRequest,
    place: Place,
    *,
    view: str = "active",
    before: int = 0,
    done: Imported | None = None,
    error: CanutError | None = None,
) -> Response[str]:
    who, retired = principal(request), view == "retired"

    def read(conn: SyncConn) -> tuple[GoldStep, list[Gold], list[Proposal]]:
        step = gold_pool.find_step(conn, who, place)
        start = before or gold_pool.NEWEST
        wanted = "retired" if retired else "active"
        golds = gold_pool.list_gold(conn, step, state=wanted, before=start, limit=PAGE + 1)
        return step, golds, gold_pool.list_proposals(conn, step)

    step, golds, proposals = await in_thread(request, read)
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    private = await private_pictures(request, step.client_id)
    values: dict[str, Any] = {
        "step": step,
        "golds": [(one, _item(request, step, one, private)) for one in golds[:PAGE]],
        "older": golds[PAGE - 1].id if len(golds) > PAGE else None,
        "before": before,
        "retired": retired,
        "proposals": [(one, _item(request, step, one, private)) for one in proposals],
        "describe": lambda value: step.question.describe(value, locale_of(request)),
        "problems": told(request, problems[:PROBLEMS_SHOWN]),
        "n_problems": len(problems),
        "done": done,
        "said": lambda text: say(request, text) if text else "",
        "origins": ORIGINS,
        "causes": CAUSES,
    }
    return show(request, "gold/pool.html", status=422 if error else 200, **values)


def _item(
    request: WebRequest, step: GoldStep, one: Gold | Proposal, private: PrivatePictures
) -> list[Shown]:
    fields, locale = step.item.fields, locale_of(request)
    return shown_fields(fields, one.payload, step.process_slug, locale, private)


async def _file(sent: Any) -> tuple[bytes, str]:
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise Invalid("Choose a file.", problems=[Problem("Choose a file.", field="file")])
    data = await sent.read(BYTES_MAX + 1)
    if len(data) > BYTES_MAX:
        raise Invalid("The file is too large.", mend="split it into several")
    return data, Path(sent.filename).name


def _number(form: dict[str, list[str]], name: str) -> int:
    return whole_number(next(iter(form.get(name, [])), "")) or 0


ROUTES: list[Any] = [list_pools, show_pool, import_gold, retire, propose]
