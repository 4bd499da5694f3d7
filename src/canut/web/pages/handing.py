"""Handing a file over: choose a process and a file, say which column is which, read what is wrong
row by row, and the batch runs."""

import asyncio
from pathlib import Path
from typing import IO, Any, cast, get_args

from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath, FromQuery

from canut.channels.columns import Columns
from canut.channels.submit import Order, submit
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import CanutError, Invalid, NotFound, Problem
from canut.people.store import list_clients
from canut.processes.model import REFERENCE, ItemShape
from canut.processes.store import find_version_async, list_processes_async
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.forms import whole_number
from canut.web.pages.render import go
from canut.web.pages.uploads import Preview, Upload, Uploads, guess_columns
from canut.web.pages.view import now_ms, pool, show, told
from canut.web.pages.work import read_form
from canut.work.intake import IntakeReport, OnError, Refused
from canut.work.model import Batch

CLIENTS = requires("client")
#: problems shown on a page; all are counted
PROBLEMS_SHOWN = 200


@get("/batches/new", opt=CLIENTS, include_in_schema=False)
async def show_form(request: WebRequest, process: FromQuery[str] = "") -> Response[str]:
    """The form for a file."""
    return await _form(request, {"process": process})


async def receive(request: WebRequest) -> Response[Any]:
    """Take the file, and go on to its columns."""
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    sent = (await request.form()).get("file")
    try:
        upload = await _checked(request, form, sent)
    except CanutError as error:
        return await _form(request, form, error)
    stream = cast(UploadFile, sent).file
    kept = await asyncio.to_thread(_uploads(request).keep, cast(IO[bytes], stream), upload)
    try:
        await asyncio.to_thread(_uploads(request).preview, kept)
    except Invalid as error:
        _uploads(request).forget(kept.token)
        return await _form(request, form, error)
    return go(f"/batches/new/{kept.token}")


@get("/batches/new/{token:str}", opt=CLIENTS, include_in_schema=False)
async def show_columns(request: WebRequest, token: FromPath[str]) -> Response[str]:
    """Which column is which."""
    return await _columns(request, _find(request, token))


@post("/batches/new/{token:str}", opt=CLIENTS, include_in_schema=False)
async def import_file(request: WebRequest, token: FromPath[str]) -> Response[Any]:
    """Import it; or show every row that is wrong."""
    upload, form = _find(request, token), await read_form(request)
    given = {name: values[0] for name, values in form.items()}
    on_error: OnError = "skip" if given.get("on_error") == "skip" else upload.on_error
    columns = _read_columns(given)
    try:
        batch, report = await _run(request, upload, columns, on_error)
    except Refused as error:
        return _refused(request, upload, given, error.report)
    except CanutError as error:
        return await _columns(request, upload, error, given)
    _uploads(request).forget(upload.token)
    if report.rejected:
        return _imported(request, upload, batch, report)
    return go(f"/batches/{batch.id}")


async def _checked(request: WebRequest, form: dict[str, str], sent: Any) -> Upload:
    who, problems = principal(request), []
    if not isinstance(sent, UploadFile) or not sent.filename:
        problems.append(Problem("Choose a file.", field="file"))
    if not form.get("process"):
        problems.append(Problem("Choose a process.", field="process"))
    if not form.get("key", "").strip():
        problems.append(
            Problem("Give the batch a key.", mend="your own short name for it", field="key")
        )
    client = form.get("client", "")
    if problems:
        raise Invalid("Some of what you entered is not right.", problems=problems)
    on_error = form.get("on_error", "stop")
    return Upload(
        token="",
        account_id=who.account_id or 0,
        client_id=who.client(whole_number(client)),
        file=Path(cast(UploadFile, sent).filename).name,
        process=form["process"],
        key=form["key"].strip(),
        name=form.get("name", "").strip(),
        on_error=cast(OnError, on_error if on_error in get_args(OnError) else "stop"),
    )


async def _form(
    request: WebRequest, form: dict[str, str], error: CanutError | None = None
) -> Response[str]:
    who = principal(request)
    async with pool(request).connection() as conn:
        first = who.client_ids[0] if who.client_ids else None
        processes = await list_processes_async(conn, first)
        clients = [one for one in await list_clients(conn) if one.id in who.client_ids]
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    values: dict[str, Any] = {"processes": processes, "clients": clients, "form": form}
    status = 422 if error else 200
    return show(
        request, "client/new.html", status=status, problems=told(request, problems), **values
    )


async def _columns(
    request: WebRequest,
    upload: Upload,
    error: CanutError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    shape = await _shape(request, upload)
    seen: Preview = await asyncio.to_thread(_uploads(request).preview, upload)
    chosen = {name: (given or {}).get(f"field.{name}", column) for name, column in
              guess_columns(shape.fields, seen.columns).items()}  # fmt: skip
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    return show(
        request,
        "client/columns.html",
        status=422 if error else 200,
        upload=upload,
        fields=shape.fields,
        preview=seen,
        chosen=chosen,
        reference=REFERENCE,
        problems=told(request, problems),
    )


def _refused(
    request: WebRequest, upload: Upload, given: dict[str, str], report: IntakeReport
) -> Response[str]:
    shown = told(request, sorted(report.problems, key=lambda one: one.row)[:PROBLEMS_SHOWN])
    mapped = {name: value for name, value in given.items() if name.startswith("field.")}
    values: dict[str, Any] = {
        "upload": upload,
        "report": report,
        "problems": shown,
        "mapped": mapped,
    }
    return show(request, "client/refused.html", status=422, batch=None, **values)


def _imported(
    request: WebRequest, upload: Upload, batch: Batch, report: IntakeReport
) -> Response[str]:
    shown = told(request, sorted(report.problems, key=lambda one: one.row)[:PROBLEMS_SHOWN])
    values: dict[str, Any] = {"upload": upload, "report": report, "problems": shown, "mapped": {}}
    return show(request, "client/refused.html", batch=batch, **values)


async def _shape(request: WebRequest, upload: Upload) -> ItemShape:
    async with pool(request).connection() as conn:
        version = await find_version_async(conn, upload.client_id, upload.process)
    if version is None:
        raise NotFound("There is no such process.")
    return version.definition.item


async def _run(
    request: WebRequest, upload: Upload, columns: Columns, on_error: OnError
) -> tuple[Batch, IntakeReport]:
    shared, loop = house(request), asyncio.get_running_loop()
    leave = shared.busy.enter(upload.client_id)
    try:
        return await loop.run_in_executor(
            shared.imports, _submit, request, upload, columns, on_error
        )
    finally:
        leave()


def _submit(
    request: WebRequest, upload: Upload, columns: Columns, on_error: OnError
) -> tuple[Batch, IntakeReport]:
    order = Order(upload.client_id, upload.process, upload.key, upload.name)
    uploads = _uploads(request)
    with connect(house(request).settings.database_url) as conn:
        return submit(
            conn,
            principal(request),
            order,
            lambda shape: uploads.open(upload, shape, columns),
            now_ms(),
            on_error=on_error,
        )


def _read_columns(form: dict[str, str]) -> Columns:
    chosen = {
        name.removeprefix("field."): column
        for name, column in form.items()
        if name.startswith("field.") and column
    }
    key = chosen.pop(REFERENCE, "")
    return Columns({name: column for name, column in chosen.items() if name != column}, key)


def _find(request: WebRequest, token: str) -> Upload:
    who = principal(request)
    upload = _uploads(request).find(token, who.account_id or 0)
    # they may have left the client since
    who.check_sees(upload.client_id)
    return upload


def _uploads(request: WebRequest) -> Uploads:
    settings = house(request).settings
    return Uploads(Path(settings.data) / "uploads", settings.upload_bytes_max)


def routes(settings: Settings) -> list[Any]:
    """The routes; an upload may be as large as the settings say."""
    taking = post(
        "/batches/new",
        opt=CLIENTS,
        include_in_schema=False,
        request_max_body_size=settings.upload_bytes_max,
    )(receive)
    return [show_form, taking, show_columns, import_file]
