"""The file of a new batch: uploaded or pasted, told by its content; replaced; deleted."""

import asyncio
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from canut.channels.cells import safe_cell
from canut.channels.drafts import drafting
from canut.channels.drafts.files import PASTED, pasted
from canut.channels.drafts.model import Draft, Form
from canut.channels.drafts.pictured import FILES_MAX, Called, Sent
from canut.channels.drafts.taking import take_in
from canut.config import Settings
from canut.errors import CanutError, Invalid, Problem
from canut.people.store import clients_of
from canut.processes.making import form_of
from canut.processes.store import read_version_async
from canut.web.auth import WebRequest, house, principal
from canut.web.i18n import N_
from canut.web.pages.drafts.shared import (
    CLIENTS,
    column_names,
    find,
    nav,
    readable,
    sight,
    size_words,
    uploads,
)
from canut.web.pages.forms import whole_number
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, pool, problems_of, say, show, told
from canut.web.pages.work import read_form

#: longest table that is pasted, in characters
PASTED_MAX = 5_000_000
#: characters of a pasted table shown again where it could not be used
SHOWN_AGAIN = 200_000


@get("/batches/new", opt=CLIENTS, include_in_schema=False)
async def show_start(
    request: WebRequest, version: FromQuery[str] = "", way: FromQuery[str] = ""
) -> Response[str]:
    """The form for a file; `version` is the process it is for, if that was chosen before, and `way`
    "made" where it is to be changed."""
    await drafting.sweep(pool(request), uploads(request), now_ms())
    return await _form(request, {"version": version, "way": way})


async def receive(request: WebRequest) -> Response[Any]:
    """Take the file, make a draft of it, and go on to its columns."""
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    who = principal(request)
    try:
        client = who.client(whole_number(form.get("client", "")))
        said = await _chosen(request, form, client)
        upload = await _keep(request, form, client)
        made = await drafting.begin(
            pool(request), who, client, uploads(request), upload, said, now_ms()
        )
    except CanutError as error:
        return await _form(request, form, error)
    return go(f"/batches/new/{made}/columns")


@get("/batches/new/{draft_id:int}/file", opt=CLIENTS, include_in_schema=False)
async def show_file(request: WebRequest, draft_id: FromPath[int]) -> Response[Any]:
    """The file there is, and the form for another."""
    draft = await find(request, draft_id)
    if draft.batch_id is not None:
        return go(f"/batches/{draft.batch_id}")
    return await _form(request, {}, draft=draft)


async def replace(request: WebRequest, draft_id: FromPath[int]) -> Response[Any]:
    """Another file in its place."""
    draft = await find(request, draft_id)
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    try:
        upload = await _keep(request, form, draft.client_id, draft)
        await drafting.replace(
            pool(request), principal(request), draft, uploads(request), upload, now_ms()
        )
    except CanutError as error:
        return await _form(request, form, error, draft)
    uploads(request).forget(draft.file)
    return go(f"/batches/new/{draft_id}/columns")


@post("/batches/new/{draft_id:int}/delete", opt=CLIENTS, include_in_schema=False)
async def delete(request: WebRequest, draft_id: FromPath[int]) -> Response[Any]:
    """Delete a draft, and its file."""
    draft = await find(request, draft_id)
    await drafting.delete(pool(request), principal(request), draft)
    uploads(request).forget(draft.file)
    return go("/batches")


@get("/batches/new/{draft_id:int}/wrong.csv", opt=CLIENTS, include_in_schema=False)
async def wrong_rows(request: WebRequest, draft_id: FromPath[int]) -> Stream:
    """Every row that is wrong, as a table for a spreadsheet."""
    draft = await find(request, draft_id)
    names = column_names(readable(await sight(request, draft))[0])
    head = [N_("Row"), N_("Column"), N_("Value"), N_("What is wrong"), N_("How to mend it")]
    lines = uploads(request).wrong(draft.file)

    def pieces() -> Iterator[bytes]:
        # spreadsheets tell UTF-8 by this mark
        yield "\ufeff".encode() + _line([say(request, name) for name in head])
        for problem, value in lines:
            said = [say(request, text) if text else "" for text in (problem.message, problem.mend)]
            column = names.get(problem.field, problem.field)
            yield _line([str(problem.row or ""), column, value, *said])

    headers = {
        "content-disposition": 'attachment; filename="rows-to-mend.csv"',
        "cache-control": "no-store",
    }
    return Stream(pieces(), media_type="text/csv", headers=headers)


def _line(cells: list[str]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow([safe_cell(cell) for cell in cells])
    return out.getvalue().encode()


async def _keep(
    request: WebRequest, form: dict[str, str], client_id: int, draft: Draft | None = None
) -> drafting.Upload:
    """What was sent, kept and looked at. Nothing stays of what cannot be used."""
    files = await sent_files(request)
    text = form.get("text", "")
    if text.strip():
        if len(text) > PASTED_MAX:
            problem = Problem("this is too long to paste", "hand it in as a file", field="text")
            raise Invalid("Some of what you entered is not right.", problems=[problem])
        # it is the table, so a file that is one too is told to be too many
        files.insert(0, Sent(PASTED, pasted(text, headed="headed" in form)))
    if not files:
        problem = Problem("there is no file and no table", "choose a file, or paste rows",
                          field="file")  # fmt: skip
        raise Invalid("Some of what you entered is not right.", problems=[problem])
    shared, loop = house(request), asyncio.get_running_loop()
    await drafting.make_room(pool(request), uploads(request), client_id, draft, now_ms())
    leave = shared.busy.enter(client_id)
    try:
        return await loop.run_in_executor(
            shared.imports,
            take_in,
            uploads(request),
            files,
            client_id,
            called(request),
        )
    finally:
        leave()


def called(request: WebRequest) -> Called:
    """What pictures without a table are called, in the language of the request."""
    return Called(
        say(request, N_("Pictures")), say(request, N_("file")), say(request, N_("picture"))
    )


async def sent_files(request: WebRequest) -> list[Sent]:
    """The files of a form."""
    return [
        Sent(Path(one.filename.replace("\\", "/")).name[:200], cast(IO[bytes], one.file))
        for one in (await request.form()).getall("file", [])
        if isinstance(one, UploadFile) and one.filename
    ]


async def _chosen(request: WebRequest, form: dict[str, str], client: int) -> dict[str, Form]:
    """The question, where it was chosen before the file."""
    version = form.get("version", "")
    if not (version.isdecimal() and len(version) < 19):
        return {}
    async with pool(request).connection() as conn:
        found = await read_version_async(conn, int(version))
    if found is None or found.client_id not in (None, client):
        return {}
    edited = form_of(found.definition.steps[0], locale_of(request))
    if form.get("way") == "made" and edited is not None and len(found.definition.steps) == 1:
        return {"question": {**edited, "way": ["made"], "version": [version]}}
    return {"question": {"way": ["published"], "version": [version]}}


async def _form(
    request: WebRequest,
    form: dict[str, str],
    error: CanutError | None = None,
    draft: Draft | None = None,
) -> Response[str]:
    who = principal(request)
    async with pool(request).connection() as conn:
        clients = await clients_of(conn, who.client_ids)
    text = form.get("text", "")
    shown = form | {"text": text if len(text) <= SHOWN_AGAIN else ""}
    seen = await sight(request, draft) if draft is not None else None
    return show(
        request,
        "client/draft/file.html",
        status=422 if error else 200,
        problems=told(request, problems_of(error)),
        form=shown,
        draft=draft,
        seen=seen,
        clients=clients,
        bytes_max=house(request).settings.upload_bytes_max,
        files_max=FILES_MAX,
        steps=nav(seen, "file"),
        size=lambda count: size_words(count, locale_of(request)),
    )


def routes(settings: Settings) -> list[Any]:
    """The routes; an upload may be as large as the settings say."""
    large: dict[str, Any] = {"request_max_body_size": settings.upload_bytes_max}
    taking = post("/batches/new", opt=CLIENTS, include_in_schema=False, **large)(receive)
    again = post("/batches/new/{draft_id:int}/file", opt=CLIENTS, include_in_schema=False, **large)(
        replace
    )
    return [show_start, taking, show_file, again, delete, wrong_rows]
