"""What a client does with its batches: look, pause, resume, cancel, prioritise, open one.

Every change is written to the audit log in its transaction.
"""

from collections.abc import Sequence
from typing import Any

from canut.db.pool import Pool, SyncConn
from canut.errors import Conflict, Invalid, NotFound
from canut.people.model import Principal
from canut.people.store import audit
from canut.processes.library import with_options
from canut.processes.store import ProcessVersion, find_version, publish, read_version
from canut.work import store, store_access
from canut.work.model import Batch, BatchState, StepProgress

#: state asked for -> states it can be reached from, and whether contributors may claim in it
CHANGES: dict[BatchState, tuple[list[str], bool]] = {
    "paused": (["running"], False),
    "running": (["paused"], True),
    "cancelled": (["running", "paused"], False),
}
#: `before` of the first page of a list
NEWEST = 2**63 - 1


async def read_batch(pool: Pool, who: Principal, batch_id: int) -> Batch:
    """A batch that this principal may see. Raises `NotFound`."""
    async with pool.connection() as conn:
        found = await store.batch(conn, batch_id, who.clients)
    if found is None:
        raise NotFound("There is no such batch, or it is not yours to see.")
    return found


async def read_progress(pool: Pool, batch_id: int) -> list[StepProgress]:
    """How far each step is."""
    async with pool.connection() as conn:
        return await store.progress(conn, batch_id)


async def list_batches(
    pool: Pool, who: Principal, *, before: int = NEWEST, limit: int = 50
) -> list[Batch]:
    """Batches that this principal may see, newest first."""
    async with pool.connection() as conn:
        return await store.batches(conn, who.clients, before, limit)


async def set_state(pool: Pool, who: Principal, batch_id: int, state: BatchState) -> Batch:
    """Pause ("paused"), resume ("running") or cancel ("cancelled"). Nothing happens to a batch
    that is so already. Raises `NotFound`, `Conflict` where it cannot be reached from what is."""
    from_, open_ = CHANGES[state]
    batch = await read_batch(pool, who, batch_id)
    async with pool.connection() as conn, conn.transaction():
        if await store.set_state(conn, batch.id, state, from_, open_):
            detail = {"state": state}
            await audit(
                conn, who, "change.batch", "batch", batch.id, detail, client_id=batch.client_id
            )
    batch = await read_batch(pool, who, batch_id)
    if batch.state != state:
        raise Conflict(f"The batch is {batch.state}.", mend="only a running or paused one changes")
    return batch


async def set_priority(pool: Pool, who: Principal, batch_id: int, priority: int) -> Batch:
    """Give a batch another share of the work. Raises `NotFound`, `Invalid`."""
    if not -5 <= priority <= 5:
        raise Invalid(f"The priority is {priority}.", mend="give a priority from -5 to 5")
    batch = await read_batch(pool, who, batch_id)
    async with pool.connection() as conn, conn.transaction():
        await store.set_priority(conn, batch.id, priority)
        detail = {"priority": priority}
        await audit(conn, who, "change.batch", "batch", batch.id, detail, client_id=batch.client_id)
    return await read_batch(pool, who, batch_id)


def choose_version(
    conn: SyncConn,
    client_id: int,
    key: str,
    process: str,
    now_ms: int,
    *,
    options: Sequence[dict[str, Any]] | None = None,
    step: str = "",
) -> ProcessVersion:
    """The version of a process that a batch of this key runs: the one it has, if there is such a
    batch; else the newest, with `options` as the taxonomy of one of its choices.

    Raises `NotFound` for a process that is not there, `Invalid` for options that do not fit.
    """
    there = store_access.version_of_key(conn, client_id, key)
    if there is not None and options is None:
        kept = read_version(conn, there)
        if kept is not None and kept.slug == process:
            return kept
    base = find_version(conn, client_id, process)
    if base is None:
        raise NotFound(f"There is no process {process[:100]!r}.", mend="list the processes first")
    if options is None:
        return base
    changed = with_options(base.definition, list(options), step)
    return publish(conn, client_id, changed, now_ms, adapted=True)


async def check_may_see_step(
    pool: Pool, who: Principal, batch_step_id: int, client_id: int
) -> None:
    """Whoever may claim there, or sees the batch, may read the question. Raises `NotFound`."""
    if "batches:read" in who.scopes and who.sees(client_id):
        return
    if who.contributor_id is None:
        raise NotFound("There is no such step, or it is not yours to see.")
    async with pool.connection() as conn:
        may = await store_access.may_claim(conn, batch_step_id, who.contributor_id)
    if not may:
        raise NotFound("There is no such step, or it is not yours to see.")
