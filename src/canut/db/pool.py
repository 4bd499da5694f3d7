"""Connections: one kind, opened in one place."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from canut.errors import Unavailable

#: the connection that verbs take: the pages and a command run the same ones
Conn = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Conn]
#: the connection of long work: imports, exports, the engine, the command line
SyncConn = Connection[Any]

#: what the driver raises when the database cannot serve now and may a moment later
UNREACHABLE = (psycopg.OperationalError, PoolTimeout, PoolClosed, TooManyRequests)
#: what it raises for a value that no column of ours takes
UNSTORABLE = psycopg.DataError

#: every statement is prepared at its second use: requests repeat a handful of statements
PREPARE_AFTER = 1


@contextmanager
def connect(url: str, *, autocommit: bool = False) -> Iterator[Connection[tuple[Any, ...]]]:
    """A connection for a command or a job; commits at the end unless an error passes through.

    Raises `Unavailable` when the database does not answer.
    """
    try:
        conn = psycopg.connect(url, autocommit=autocommit, prepare_threshold=PREPARE_AFTER)
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not answer: {error}") from error
    with conn:
        yield conn


@asynccontextmanager
async def connect_async(url: str) -> AsyncIterator[Conn]:
    """One autocommit connection like those of the pool, for a command that runs verbs with
    `asyncio.run`. Raises `Unavailable` when the database does not answer."""
    try:
        conn = await AsyncConnection.connect(url, autocommit=True, prepare_threshold=PREPARE_AFTER)
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not answer: {error}") from error
    async with conn:
        yield conn


@asynccontextmanager
async def open_pool(url: str, size: int) -> AsyncIterator[Pool]:
    """A pool of autocommit connections: one statement is one round trip and one transaction.
    Use `async with conn.transaction()` where there are more."""
    pool: Pool = AsyncConnectionPool(
        url,
        min_size=min(2, size),
        max_size=size,
        open=False,
        timeout=10,
        kwargs={"autocommit": True, "prepare_threshold": PREPARE_AFTER},
        configure=_for_requests,
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def _for_requests(conn: Conn) -> None:
    """Requests repeat a handful of small statements: planning one anew at each call, as
    PostgreSQL may, costs three times what a claim does. A plan kept from when a table was empty
    would read it whole ever after; no request should read a whole table."""
    await conn.execute("set plan_cache_mode = force_generic_plan")
    await conn.execute("set enable_seqscan = off")
