"""How the versions of a process did, for one client: what its own batches came to."""

from msgspec import Struct

from canut.db.pool import Pool
from canut.errors import NotFound
from canut.insight import store_versions
from canut.insight.store_versions import BatchOf, ProcessLine, VersionLine
from canut.people.model import Principal
from canut.processes.model import ProcessDefinition
from canut.processes.store import read_version_async

#: batches shown of a process
BATCHES = 50


class ProcessView(Struct, frozen=True):
    """A process with everything its page shows."""

    process: ProcessLine
    #: the newest first
    versions: list[VersionLine]
    #: batches that ran it, the newest first
    batches: list[BatchOf]
    #: what the newest version says
    definition: ProcessDefinition


async def processes(pool: Pool, who: Principal) -> list[ProcessLine]:
    """The processes that one's clients may use, their own first."""
    async with pool.connection() as conn:
        return await store_versions.processes(conn, _clients(who))


async def process_view(pool: Pool, who: Principal, process_id: int) -> ProcessView:
    """A process. Raises `NotFound` for one of another client."""
    clients = _clients(who)
    async with pool.connection() as conn:
        found = await store_versions.processes(conn, clients, process_id)
        if not found:
            raise NotFound("There is no such process, or it is not yours to see.")
        versions = await store_versions.versions(conn, clients, process_id)
        batches = await store_versions.batches(conn, clients, process_id, BATCHES)
        newest = await read_version_async(conn, found[0].version_id)
    assert newest is not None
    return ProcessView(found[0], versions, batches, newest.definition)


def _clients(who: Principal) -> list[int] | None:
    return who.clients
