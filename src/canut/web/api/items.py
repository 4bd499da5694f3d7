"""Items come in as a stream: a thread reads and imports while the bytes arrive."""

import asyncio
from collections.abc import AsyncIterator
from typing import IO, Annotated, Any, Literal, cast

from litestar import post
from litestar.exceptions import HTTPException
from msgspec import Meta, Struct

from canut.channels.columns import Columns, parse_map
from canut.channels.files import read_stream
from canut.channels.submit import add
from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, NotFound, Problem
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, number, pool
from canut.web.api.describe import Operation, described
from canut.web.api.reading import read_query
from canut.web.api.replying import Json, reply
from canut.web.auth import WebRequest, house, principal
from canut.work import store_intake
from canut.work.batches import read_batch
from canut.work.intake import IntakeReport
from canut.work.model import Batch

#: format by media type; the name tells the reader, and stands in problems
NAMES = {
    "text/csv": "items.csv",
    "application/x-ndjson": "items.ndjson",
    "application/jsonl": "items.ndjson",
    "application/vnd.apache.parquet": "items.parquet",
}
#: problems told in a reply
PROBLEMS_MAX = 1_000
#: bytes of a refused upload that are still read, so that the sender gets to read why
DRAIN_BYTES_MAX = 64 << 20
#: seconds without a byte after which a sender is given up
STALL_S = 60


class ItemsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """How to read the items."""

    on_error: Annotated[
        Literal["stop", "skip"],
        Meta(description="When a row is wrong: take nothing, or leave it out.", examples=["skip"]),
    ] = "stop"
    reference: Annotated[
        str,
        Meta(description="Column with your own key of an item.", examples=["sku"]),
    ] = ""
    map: Annotated[
        list[str],
        Meta(description="FIELD=COLUMN, where names differ.", examples=[["title=Product name"]]),
    ] = []


ADD = Operation(
    name="add_items",
    summary="Send items",
    description="CSV, NDJSON or Parquet by Content-Type, packed with gzip or Zstandard or not, as "
    "a stream of any length. All or nothing: with `on_error=stop` a wrong row means that nothing "
    "is imported, and the 422 lists every problem. Sending the same items again creates nothing "
    "twice, so a retry needs no Idempotency-Key.",
    tag="batches",
    scopes=("batches:write",),
    query=ItemsQuery,
    stream={
        "text/csv": "sku,title\nA1,Stainless kettle 1.7 l\n",
        "application/x-ndjson": '{"reference": "A1", "title": "Stainless kettle 1.7 l"}\n',
        "application/vnd.apache.parquet": "",
    },
    reply=v.Received,
    reply_example=v.Received(
        added=2_398,
        known=0,
        rejected=2,
        problems=[v.ProblemAt("the title is missing", "fill it in", "items.csv", 17, "title")],
    ),
    refuses=(404, 409, 413, 415, 422),
)


class Body:
    """The body of a request as a file that another thread reads."""

    def __init__(self, stream: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop):
        self._stream = stream
        self._loop = loop
        self._rest = b""
        #: the sender stopped in the middle: there is nothing to wait for
        self._gone = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end. Waits for the sender, in bounded memory."""
        while not self._rest:
            asking = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            try:
                block = asking.result(STALL_S)
            except TimeoutError as error:
                asking.cancel()
                self._gone = True
                raise Invalid(
                    f"Nothing came for {STALL_S} seconds; nothing was imported.",
                    mend="send it again",
                ) from error
            if block is None:
                return b""
            self._rest = block
        given, self._rest = self._rest[:size], self._rest[size:]
        return given

    async def _next(self) -> bytes | None:
        return await anext(self._stream, None)

    async def drain(self) -> None:
        """Read what is left of a refused upload, within bounds."""
        left = 0 if self._gone else DRAIN_BYTES_MAX
        while left > 0 and (block := await self._next()) is not None:
            left -= len(block)


def routes(bytes_max: int) -> list[Any]:
    """The route, with the largest upload in bytes."""

    @post(
        f"{PREFIX}/batches/{{id:str}}/items",
        opt=described(ADD),
        status_code=200,
        request_max_body_size=bytes_max,
    )
    async def send(request: WebRequest) -> Json:
        """Items of a batch."""
        query = read_query(request, ItemsQuery, lists=("map",))
        columns = Columns(parse_map(query.map), query.reference)
        name = _name(request)
        batch = await read_batch(pool(request), principal(request), number(request))
        report = await _import(request, batch, name, columns, query.on_error)
        return reply(_received(report))

    return [send]


async def _import(
    request: WebRequest,
    batch: Batch,
    name: str,
    columns: Columns,
    on_error: Literal["stop", "skip"],
) -> IntakeReport:
    body = Body(request.stream(), asyncio.get_running_loop())
    bytes_max = house(request).settings.upload_bytes_max

    def run(conn: SyncConn) -> IntakeReport:
        target = store_intake.target(conn, batch.id)
        if target is None:
            raise NotFound("There is no such batch, or it is not yours to see.")
        stream = cast(IO[bytes], body)
        blocks = read_stream(stream, name, target.item, columns, bytes_max=bytes_max)
        return add(conn, principal(request), batch, blocks, on_error=on_error)

    leave = house(request).busy.enter(batch.client_id)
    try:
        return await in_thread(request, run, threads=house(request).imports)
    except CanutError:
        await body.drain()
        raise
    finally:
        leave()


def _name(request: WebRequest) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in NAMES:
        raise HTTPException(
            f"Send {', '.join(NAMES)}, not {kind or 'a body of no kind'}.", status_code=415
        )
    return NAMES[kind]


def _received(report: IntakeReport) -> v.Received:
    problems = [_problem(problem) for problem in report.problems[:PROBLEMS_MAX]]
    return v.Received(report.added, report.known, report.rejected, problems)


def _problem(problem: Problem) -> v.ProblemAt:
    return v.ProblemAt(problem.message, problem.mend, problem.file, problem.row, problem.field)
