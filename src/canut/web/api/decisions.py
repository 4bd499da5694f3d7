"""Decisions leave as a stream, while a batch runs or after."""

from typing import Annotated, Any, Literal

from litestar import get
from litestar.response import Stream
from msgspec import Meta, Struct

from canut.channels.export import MEDIA_TYPES, Format
from canut.sdk import values as v
from canut.web.api.common import PREFIX, number, pool
from canut.web.api.describe import Operation, described
from canut.web.api.reading import read_query
from canut.web.api.replying import encode
from canut.web.auth import WebRequest, house, principal
from canut.web.exports import open_export
from canut.work.batches import read_batch

RESULT = v.Result(
    key="A1",
    done=True,
    decisions={
        "category": v.Decided("kettles", 0.982, "answers", 3, "2026-09-21T12:26:40.000+00:00")
    },
    process="catalogue/categorise",
    version=1,
    item={"title": "Stainless kettle 1.7 l"},
)


class DecisionsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which decisions, and how."""

    format: Annotated[
        Literal["jsonl", "csv", "parquet"] | None,
        Meta(description="Format; by Accept if left out, NDJSON if that says nothing."),
    ] = None
    items: Annotated[bool, Meta(description="With the items' own fields.")] = True
    undecided: Annotated[bool, Meta(description="With items that are not done.")] = True


GET = Operation(
    name="get_decisions",
    summary="Stream decisions",
    description="Every item with what was decided about it so far, in the order of intake.",
    tag="batches",
    scopes=("batches:read",),
    query=DecisionsQuery,
    reply_stream={
        "application/x-ndjson": encode(RESULT).decode() + "\n",
        "text/csv": "key,done,item.title,category,category.confidence\n"
        "A1,true,Stainless kettle 1.7 l,kettles,0.982\n",
        "application/vnd.apache.parquet": "",
    },
    refuses=(404, 422),
)


@get(f"{PREFIX}/batches/{{id:str}}/decisions", opt=described(GET))
async def get_decisions(request: WebRequest) -> Stream:
    """The decisions of a batch."""
    query = read_query(request, DecisionsQuery)
    batch = await read_batch(pool(request), principal(request), number(request))
    format = query.format or _accepted(request.headers.get("accept", ""))
    pieces = await open_export(
        house(request), batch, format, items=query.items, undecided=query.undecided
    )
    name = f"batch-{batch.id}.{format}"
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Stream(pieces, media_type=MEDIA_TYPES[format], headers=headers)


def _accepted(accept: str) -> Format:
    """The first of our formats that the header names."""
    known: dict[str, Format] = {
        "text/csv": "csv",
        "application/vnd.apache.parquet": "parquet",
        "application/x-ndjson": "jsonl",
    }
    for part in accept.split(","):
        format = known.get(part.partition(";")[0].strip().lower())
        if format is not None:
            return format
    return "jsonl"


ROUTES: list[Any] = [get_decisions]
