"""What clients do with batches."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get, patch, post

from canut.channels.store import audit
from canut.db.pool import SyncConn
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number, pool
from canut.web.api.describe import Operation, described
from canut.web.api.once import create
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, page, reply
from canut.web.auth import WebRequest, principal
from canut.work import batches, intake
from canut.work.model import Batch, BatchState, StepProgress

NEW_BATCH = Reader(v.NewBatch)
PRIORITY = Reader(v.Priority)
READ, WRITE = ("batches:read",), ("batches:write",)

BATCH = v.Batch(
    id=12,
    key="spring",
    name="Spring collection",
    process="catalogue/categorise",
    version=1,
    state="running",
    priority=0,
    items=2_400,
    created_ms=1_790_000_000_000,
    steps=[
        v.BatchStep(
            step=41,
            slug="category",
            title={"en": "Category", "fr": "Catégorie"},
            open=True,
            tasks=2_400,
            answers=3_120,
            decided=1_208,
            escalated=14,
        )
    ],
)
IN_LIST = msgspec.structs.replace(BATCH, steps=[])


def _change(name: str, summary: str, description: str) -> Operation:
    return Operation(
        name=name,
        summary=summary,
        description=description,
        tag="batches",
        scopes=WRITE,
        reply=v.Batch,
        reply_example=BATCH,
        refuses=(404, 409),
    )


LIST = Operation(
    name="list_batches",
    summary="List batches",
    description="Newest first, without their steps.",
    tag="batches",
    scopes=READ,
    query=PageQuery,
    reply=v.Page[v.Batch],
    reply_example=v.Page(data=[IN_LIST], next="MTI="),
)
CREATE = Operation(
    name="create_batch",
    summary="Make a batch",
    description="The same key again is the same batch. Send its items afterwards.",
    tag="batches",
    scopes=WRITE,
    body=v.NewBatch,
    body_example=v.NewBatch(
        process="catalogue/categorise",
        key="spring",
        name="Spring collection",
        taxonomy=["kettles", "toasters"],
    ),
    status=201,
    reply=v.Batch,
    reply_example=BATCH,
    idempotent=True,
    refuses=(400, 404, 409, 415, 422),
)
GET = Operation(
    name="get_batch",
    summary="Read a batch",
    description="Its state, and how far each step is.",
    tag="batches",
    scopes=READ,
    reply=v.Batch,
    reply_example=BATCH,
    refuses=(404,),
)
PRIORITISE = Operation(
    name="prioritise_batch",
    summary="Change the priority",
    tag="batches",
    scopes=WRITE,
    body=v.Priority,
    body_example=v.Priority(2),
    reply=v.Batch,
    reply_example=BATCH,
    refuses=(400, 404, 415, 422),
)
PAUSE = _change(
    "pause_batch",
    "Pause a batch",
    "No more tasks are handed out; answers to those in hand are still taken.",
)
RESUME = _change("resume_batch", "Resume a batch", "Tasks are handed out again.")
CANCEL = _change("cancel_batch", "Cancel a batch", "For good. What was decided stays.")


@get(f"{PREFIX}/batches", opt=described(LIST))
async def list_batches(request: WebRequest) -> Json:
    """A page of batches."""
    query = read_query(request, PageQuery)
    before = after(query, batches.NEWEST)
    found = await batches.list_batches(
        pool(request), principal(request), before=before, limit=query.limit + 1
    )
    return page(request, query, found, shown, lambda one: one.id)


@post(f"{PREFIX}/batches", opt=described(CREATE))
async def create_batch(request: WebRequest) -> Json:
    """A batch, once per Idempotency-Key and once per key of its own."""
    return await create(request, NEW_BATCH, _create)


@get(f"{PREFIX}/batches/{{id:str}}", opt=described(GET))
async def get_batch(request: WebRequest) -> Json:
    """A batch with its progress."""
    batch = await batches.read_batch(pool(request), principal(request), number(request))
    return await _with_progress(request, batch)


@patch(f"{PREFIX}/batches/{{id:str}}", opt=described(PRIORITISE))
async def prioritise(request: WebRequest) -> Json:
    """Another priority."""
    asked = await PRIORITY.read(request)
    batch = await batches.set_priority(
        pool(request), principal(request), number(request), asked.priority
    )
    return await _with_progress(request, batch)


@post(f"{PREFIX}/batches/{{id:str}}/pause", opt=described(PAUSE), status_code=200)
async def pause(request: WebRequest) -> Json:
    """Pause."""
    return await _set_state(request, "paused")


@post(f"{PREFIX}/batches/{{id:str}}/resume", opt=described(RESUME), status_code=200)
async def resume(request: WebRequest) -> Json:
    """Resume."""
    return await _set_state(request, "running")


@post(f"{PREFIX}/batches/{{id:str}}/cancel", opt=described(CANCEL), status_code=200)
async def cancel(request: WebRequest) -> Json:
    """Cancel."""
    return await _set_state(request, "cancelled")


async def _set_state(request: WebRequest, state: BatchState) -> Json:
    who = principal(request)
    batch = await batches.set_state(pool(request), who, number(request), state)
    return await _with_progress(request, batch)


async def _with_progress(request: WebRequest, batch: Batch) -> Json:
    return reply(shown(batch, await batches.read_progress(pool(request), batch.id)))


async def _create(request: WebRequest, new: v.NewBatch) -> v.Batch:
    who = principal(request)
    client_id = who.client(new.client)

    def make(conn: SyncConn) -> Batch:
        batch = _open(conn, client_id, new)
        detail = {"key": batch.key, "process": batch.process_slug}
        audit(conn, who, "open.batch", "batch", batch.id, detail, client_id)
        return batch

    batch = await in_thread(request, make)
    return shown(batch, await batches.read_progress(pool(request), batch.id))


def _open(conn: SyncConn, client_id: int, new: v.NewBatch) -> Batch:
    version = batches.choose_version(
        conn,
        client_id,
        new.key,
        new.process,
        now_ms(),
        options=None if new.taxonomy is None else [_option(one) for one in new.taxonomy],
        step=new.step,
    )
    return intake.open_batch(
        conn,
        client_id,
        new.key,
        version.id,
        now_ms(),
        name=new.name,
        priority=new.priority,
        deadline_ms=new.deadline_ms,
    )


def _option(one: str | v.TaxonomyOption) -> dict[str, Any]:
    """A class as the definition of a choice has it; what is not said is left out."""
    if isinstance(one, str):
        return {"value": one}
    said: dict[str, Any] = msgspec.to_builtins(one)
    return said


def shown(batch: Batch, steps: Sequence[StepProgress] = ()) -> v.Batch:
    """A batch as it travels."""
    return v.Batch(
        id=batch.id,
        key=batch.key,
        name=batch.name,
        process=batch.process_slug,
        version=batch.version,
        state=batch.state,
        priority=batch.priority,
        items=batch.n_items,
        created_ms=batch.created_ms,
        deadline_ms=batch.deadline_ms,
        delivered_ms=batch.delivered_ms,
        steps=[
            v.BatchStep(
                step=one.batch_step_id,
                slug=one.slug,
                title=one.title,
                open=one.open,
                tasks=one.n_tasks,
                answers=one.n_answers,
                decided=one.n_decided,
                escalated=one.n_escalated,
            )
            for one in steps
        ],
    )


ROUTES = [list_batches, create_batch, get_batch, prioritise, pause, resume, cancel]
