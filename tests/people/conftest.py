"""A connection for asynchronous verbs whose work is rolled back, and people to work with."""

from collections.abc import AsyncIterator

import pytest

from canut.db.pool import Conn, connect_async
from canut.people import store
from canut.people.model import SignUp

PASSWORD = "seven silver bobbins"
BY = store.COMMAND_LINE


@pytest.fixture
async def conn(worker_url: str) -> AsyncIterator[Conn]:
    """Rolled back after the test."""
    async with connect_async(worker_url) as made, made.transaction(force_rollback=True):
        yield made


@pytest.fixture
async def account(conn: Conn) -> int:
    """An account that may do nothing yet."""
    return await store.create_account(conn, BY, SignUp("ada@example.org", "Ada", PASSWORD))


@pytest.fixture
async def client(conn: Conn) -> int:
    """A client without members."""
    return await store.create_client(conn, BY, "soierie", "La Soierie")
