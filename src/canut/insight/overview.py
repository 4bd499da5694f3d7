"""What operators and clients ask for at a glance."""

from collections.abc import Iterable, Sequence

from canut.db.pool import Pool
from canut.insight import store
from canut.insight.model import BatchShare, Overview, Queue, Told, Worker

#: contributors on a page
WORKERS_PAGE = 50


async def read_overview(pool: Pool) -> tuple[Overview, list[Queue]]:
    """How the platform is doing, and its open queues."""
    async with pool.connection() as conn:
        return await store.overview(conn), await store.queues(conn)


async def read_workers(pool: Pool, after: int = 0, limit: int = WORKERS_PAGE) -> list[Worker]:
    """A page of contributors; `after` is the id of the last one already shown."""
    async with pool.connection() as conn:
        return await store.workers(conn, after, limit)


async def read_shares(pool: Pool, batch_ids: Sequence[int]) -> dict[int, BatchShare]:
    """How far each of these batches is, by batch."""
    if not batch_ids:
        return {}
    async with pool.connection() as conn:
        return {one.batch_id: one for one in await store.shares(conn, list(batch_ids))}


async def read_names(pool: Pool, account_ids: Iterable[int | None]) -> dict[int, str]:
    """Names of these accounts, by account."""
    ids = sorted({one for one in account_ids if one is not None})
    async with pool.connection() as conn:
        return await store.account_names(conn, ids)


async def read_deliveries(pool: Pool, client_ids: list[int]) -> list[Told]:
    """What these clients were told last, newest first."""
    async with pool.connection() as conn:
        return await store.deliveries(conn, client_ids)
