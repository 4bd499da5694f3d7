"""The SQL of drafts."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from canut.channels.drafts.model import Draft, DraftLine, Facts, Form, Found

Async = AsyncConnection[Any]
Sync = Connection[Any]

INSERT = """
insert into draft (client_id, account_id, changed_by, file, file_name, bytes, said, facts,
    created_ms, changed_ms, expires_ms)
values (%(client)s, %(account)s, %(account)s, %(file)s, %(file_name)s, %(bytes)s, %(said)s,
    %(facts)s, %(now_ms)s, %(now_ms)s, %(expires_ms)s)
returning id"""

_COLUMNS = """id, client_id, account_id, revision, file, file_name, bytes, said, facts, found,
    coalesce(jsonb_array_length(options), 0) as n_options, changed_by, changed_ms, expires_ms,
    batch_id"""

# a draft of these clients (null: of every client) that has not expired
FIND = f"""
select {_COLUMNS} from draft
where id = %(draft)s and expires_ms > %(now_ms)s
  and (%(clients)s::bigint[] is null or client_id = any (%(clients)s))"""  # noqa: S608 - our own columns

# launching: the row is held, so that pressing twice makes one batch
LOCK = f"select {_COLUMNS} from draft where id = %s for update"  # noqa: S608 - our own columns

OPTIONS = "select options from draft where id = %s"

# what a step says; nothing happens where somebody was faster
SAY = """
update draft set said = said || jsonb_build_object(%(step)s::text, %(form)s::jsonb),
    revision = revision + 1, changed_by = %(account)s, changed_ms = %(now_ms)s,
    expires_ms = %(expires_ms)s
where id = %(draft)s and revision = %(revision)s and batch_id is null
returning revision"""

# another file: what was said about the question stays
REPLACE = """
update draft set file = %(file)s, file_name = %(file_name)s, bytes = %(bytes)s,
    facts = %(facts)s, found = null, said = said - 'columns', revision = revision + 1,
    changed_by = %(account)s, changed_ms = %(now_ms)s, expires_ms = %(expires_ms)s
where id = %(draft)s and batch_id is null
returning id"""

# two uploads at once must not both find the last of the room
LOCK_CLIENT = "select 1 from client where id = %s for no key update"

# what a client's drafts hold, but for one that gets another file
HELD = """
select count(*), coalesce(sum(bytes), 0)::bigint from draft
where client_id = %(client)s and batch_id is null and expires_ms > %(now_ms)s
  and id is distinct from %(draft)s"""

SET_FOUND = "update draft set found = %(found)s where id = %(draft)s"
SET_OPTIONS = """
update draft set options = %(options)s, revision = revision + 1
where id = %(draft)s and batch_id is null returning revision"""

# the drafts of these clients, the last touched first
LIST = """
select id, client_id, file_name, coalesce(said #>> '{launch,name,0}', '') as name, changed_ms,
    expires_ms, array(select jsonb_object_keys(said)) as steps
from draft where client_id = any (%(clients)s) and batch_id is null and expires_ms > %(now_ms)s
order by changed_ms desc limit %(limit)s"""

DELETE = "delete from draft where id = %s returning file"
LAUNCHED = "update draft set batch_id = %(batch)s where id = %(draft)s"

# what expired, by its index; files of launched drafts are gone already
EXPIRED = "delete from draft where expires_ms <= %s returning file"

# which of these files belong to a draft that is not launched
WANTED = "select file from draft where file = any (%s) and batch_id is null"


async def insert(conn: Async, values: dict[str, Any]) -> int:
    row = await (await conn.execute(INSERT, _packed(values))).fetchone()
    assert row is not None
    return int(row[0])


async def replace(conn: Async, values: dict[str, Any]) -> bool:
    """Whether it was not launched before."""
    return await (await conn.execute(REPLACE, _packed(values))).fetchone() is not None


async def held(conn: Async, client_id: int, draft_id: int | None, now_ms: int) -> tuple[int, int]:
    """How many other drafts a client has and the bytes of their files; the client is held."""
    await conn.execute(LOCK_CLIENT, [client_id])
    values = {"client": client_id, "draft": draft_id, "now_ms": now_ms}
    row = await (await conn.execute(HELD, values)).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


async def find(
    conn: Async, draft_id: int, clients: Sequence[int] | None, now_ms: int
) -> Draft | None:
    held = None if clients is None else list(clients)
    values = {"draft": draft_id, "clients": held, "now_ms": now_ms}
    row = await (await conn.cursor(row_factory=dict_row).execute(FIND, values)).fetchone()
    return _draft(row) if row else None


def lock(conn: Sync, draft_id: int) -> Draft | None:
    row = conn.cursor(row_factory=dict_row).execute(LOCK, [draft_id]).fetchone()
    return _draft(row) if row else None


def options(conn: Sync, draft_id: int) -> list[dict[str, Any]]:
    row = conn.execute(OPTIONS, [draft_id]).fetchone()
    return list(row[0]) if row and row[0] else []


async def options_async(conn: Async, draft_id: int) -> list[dict[str, Any]]:
    row = await (await conn.execute(OPTIONS, [draft_id])).fetchone()
    return list(row[0]) if row and row[0] else []


async def say(conn: Async, step: str, form: Form, values: dict[str, Any]) -> int | None:
    given = values | {"step": step, "form": Jsonb(form)}
    row = await (await conn.execute(SAY, given)).fetchone()
    return int(row[0]) if row else None


async def set_found(conn: Async, draft_id: int, found: Found) -> None:
    values = {"draft": draft_id, "found": Jsonb(msgspec.to_builtins(found))}
    await conn.execute(SET_FOUND, values)


async def set_options(conn: Async, draft_id: int, options: list[dict[str, Any]] | None) -> int:
    values = {"draft": draft_id, "options": Jsonb(options) if options else None}
    row = await (await conn.execute(SET_OPTIONS, values)).fetchone()
    return int(row[0]) if row else 0


async def listed(conn: Async, clients: list[int], now_ms: int, limit: int) -> list[DraftLine]:
    values = {"clients": clients, "now_ms": now_ms, "limit": limit}
    cursor = conn.cursor(row_factory=dict_row)
    await cursor.execute(LIST, values)
    return [msgspec.convert(row, DraftLine) async for row in cursor]


async def delete(conn: Async, draft_id: int) -> str | None:
    row = await (await conn.execute(DELETE, [draft_id])).fetchone()
    return str(row[0]) if row else None


def launched(conn: Sync, draft_id: int, batch_id: int) -> None:
    conn.execute(LAUNCHED, {"draft": draft_id, "batch": batch_id})


async def expired(conn: Async, now_ms: int) -> list[str]:
    return [str(row[0]) for row in await (await conn.execute(EXPIRED, [now_ms])).fetchall()]


async def wanted(conn: Async, files: list[str]) -> set[str]:
    return {str(row[0]) for row in await (await conn.execute(WANTED, [files])).fetchall()}


def _packed(values: dict[str, Any]) -> dict[str, Any]:
    facts: Facts = values["facts"]
    packed = values | {"facts": Jsonb(msgspec.to_builtins(facts))}
    return packed | {"said": Jsonb(values.get("said", {}))}


def _draft(row: dict[str, Any]) -> Draft:
    return msgspec.convert(row, Draft)
