"""More items for a batch that is there: a file like the one before, checked row by row."""

import asyncio
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from canut.channels.columns import Columns
from canut.channels.drafts.columns import match
from canut.channels.drafts.pictured import Sent, pictured
from canut.channels.drafts.taking import take_in
from canut.channels.files import read_stream
from canut.channels.submit import add
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import CanutError, Invalid, Problem
from canut.people.model import Principal
from canut.processes.model import REFERENCE
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.drafts.file import called, sent_files
from canut.web.pages.listing import step_of
from canut.web.pages.render import go
from canut.web.pages.view import pool, problems_of, show, told
from canut.web.pages.work import read_form
from canut.work import batches
from canut.work.intake import IntakeReport, OnError
from canut.work.model import Batch

CLIENTS = requires("client")
#: problems shown on a page; all are counted
SHOWN = 100


@get("/batches/{batch_id:int}/add", opt=CLIENTS, include_in_schema=False)
async def show_add(request: WebRequest, batch_id: FromPath[int]) -> Response[str]:
    """The form for a file."""
    batch = await batches.read_batch(pool(request), principal(request), batch_id)
    return show(request, "client/add.html", batch=batch, problems=[], skip=False)


async def receive(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Add its rows, all or none; or, where that was asked, those that are right."""
    who = principal(request)
    batch = await batches.read_batch(pool(request), who, batch_id)
    step = (await batches.read_progress(pool(request), batch_id))[0].batch_step_id
    skip = "skip" in await read_form(request)
    shared, loop = house(request), asyncio.get_running_loop()
    leave = shared.busy.enter(batch.client_id)
    try:
        sent = await sent_files(request)
        if not sent:
            raise Invalid("Choose a file.", problems=[Problem("Choose a file.", field="file")])
        on_error: OnError = "skip" if skip else "stop"
        what = (request, who, batch, step, sent, on_error)
        await loop.run_in_executor(shared.imports, _add, *what)
    except CanutError as error:
        found = told(request, problems_of(error)[:SHOWN])
        return show(request, "client/add.html", status=422, batch=batch, problems=found, skip=skip)
    finally:
        leave()
    return go(f"/batches/{batch_id}")


def _add(
    request: WebRequest,
    who: Principal,
    batch: Batch,
    step: int,
    sent: list[Sent],
    on_error: OnError,
) -> IntakeReport:
    """The columns are told by their names and by what they hold, as for a new batch."""
    uploads = house(request).uploads
    came = take_in(uploads, sent, batch.client_id, called(request))
    try:
        with (
            connect(house(request).settings.database_url) as conn,
            uploads.open(came.file) as stream,
        ):
            shape = step_of(conn, step).item
            found = match(shape.fields, came.facts.columns)
            key = found.pop(REFERENCE, "")
            renamed = {
                field: column for field, column in found.items() if column not in ("", field)
            }
            columns, told = Columns(renamed, key), came.facts.pictures
            if told is not None and told.left_out and on_error == "stop":
                raise Invalid("Some files are no pictures.", problems=list(told.left_out))
            uploads.keep_pictures(came.file, batch.client_id)
            blocks = read_stream(
                stream, came.file_name, shape, columns, bytes_max=uploads.bytes_max
            )
            blocks = pictured(blocks, columns, told, uploads, came.file)
            return add(conn, who, batch, blocks, on_error=on_error)
    finally:
        uploads.forget(came.file)


def routes(settings: Settings) -> list[Any]:
    """The routes; a file may be as large as the settings say."""
    taking = post(
        "/batches/{batch_id:int}/add",
        opt=CLIENTS,
        include_in_schema=False,
        request_max_body_size=settings.upload_bytes_max,
    )(receive)
    return [show_add, taking]
