"""Replies kept for requests that named an Idempotency-Key, so that a retry does nothing twice."""

from msgspec import Struct

from canut.db.pool import Conn
from canut.people.store.log import row

#: how long a reply is kept
KEEP_MS = 24 * 3600 * 1000
#: a request that has had no reply for so long died with its server: it may be made again
DEAD_MS = 60_000

# take the key: a row comes back when it is ours (new, past its time, or of a dead request)
TAKE = """
insert into idempotency as i (principal, key, request_hash, created_ms)
values (%(principal)s, %(key)s, %(hash)s, now_ms())
on conflict (principal, key) do update
set request_hash = excluded.request_hash, status = null, response = null,
    created_ms = excluded.created_ms
where i.created_ms < now_ms() - %(keep)s
   or (i.status is null and i.created_ms < now_ms() - %(dead)s)
returning true"""

KEPT = """
select request_hash, status, response from idempotency
where principal = %(principal)s and key = %(key)s"""

KEEP = """
update idempotency set status = %(status)s, response = %(response)s
where principal = %(principal)s and key = %(key)s"""

FORGET = """
delete from idempotency
where principal = %(principal)s and key = %(key)s and status is null"""

# a few of those past their time go with every new one, so that nobody has to sweep
SWEEP = """
delete from idempotency where (principal, key) in (
    select principal, key from idempotency where created_ms < now_ms() - %s
    order by created_ms limit 100 for update skip locked)"""


class Kept(Struct, frozen=True):
    """What is known of a request made before."""

    request_hash: bytes
    #: None: it is still being served
    status: int | None
    response: bytes | None


async def take_key(conn: Conn, principal: str, key: str, request_hash: bytes) -> Kept | None:
    """None when the request is to be served now; else what became of the one before."""
    await conn.execute(SWEEP.encode(), [KEEP_MS])
    values = {"principal": principal, "key": key, "hash": request_hash}
    taken = await conn.execute(TAKE.encode(), values | {"keep": KEEP_MS, "dead": DEAD_MS})
    if await taken.fetchone():
        return None
    kept = await row(conn, Kept, KEPT, values)
    # swept between the two statements: as good as new
    return kept if kept is not None else await take_key(conn, principal, key, request_hash)


async def keep_reply(conn: Conn, principal: str, key: str, status: int, response: bytes) -> None:
    """Remember the reply."""
    values = {"principal": principal, "key": key, "status": status, "response": response}
    await conn.execute(KEEP.encode(), values)


async def forget_key(conn: Conn, principal: str, key: str) -> None:
    """The request failed and changed nothing: it may be made again."""
    await conn.execute(FORGET.encode(), {"principal": principal, "key": key})
