"""Keys that the program makes for itself: once a database, by the first migration that finds them
missing. They are never logged and never exported."""

import secrets
from typing import Any

from psycopg import Connection

from canut.db.pool import Conn
from canut.errors import Unavailable

#: name -> bytes of chance
SECRETS = {
    # of the permutation that makes the public names of tasks
    "task_names": 16,
    # of the links to pictures that clients keep with us
    "picture_links": 32,
}

# make: what is there stays, for names made with it are in use
MAKE = """
insert into secret (name, value, created_ms)
values (%s, %s, (extract(epoch from clock_timestamp()) * 1000)::bigint)
on conflict (name) do nothing"""

READ = "select value from secret where name = %s"


def make_secrets(conn: Connection[Any]) -> None:
    """Make those that are missing. Under the lock of migrations, so that each is made once."""
    for name, size in SECRETS.items():
        conn.execute(MAKE, [name, secrets.token_bytes(size)])


async def read_secret(conn: Conn, name: str) -> bytes:
    """One of `SECRETS`. Raises `Unavailable` in a database that was not migrated."""
    row = await (await conn.execute(READ, [name])).fetchone()
    if row is None:
        raise Unavailable(f"The database holds no secret {name}.", mend="run canut db migrate")
    return bytes(row[0])
