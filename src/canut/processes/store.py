"""The SQL of processes: published versions, which never change.

A batch points at a version, so what is published later does not touch what is running.
"""

from typing import Any

import msgspec
from msgspec import Struct
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from canut.processes.model import ProcessDefinition
from canut.questions.base import Localised

Async = AsyncConnection[Any]
Sync = Connection[Any]

# lock_process: the process, made if it is new; the update that changes nothing takes the row's
# lock, so that two publishers of one process number their versions one after the other
LOCK_PROCESS = """
insert into process (client_id, slug, created_ms) values (%(client)s, %(slug)s, %(now)s)
on conflict (client_id, slug) do update set slug = excluded.slug
returning id"""

# publish_version: nothing comes back where this content is a version already; a statement of its
# own after the lock, because it must see what the publisher before us has committed
PUBLISH_VERSION = """
insert into process_version (process_id, number, definition, content_hash, adapted, created_ms)
select %(process)s, coalesce(max(number), 0) + 1, %(definition)s::jsonb, %(hash)s, %(adapted)s,
       %(now)s
from process_version where process_id = %(process)s
on conflict (process_id, content_hash) do nothing
returning id"""

# a version made for one batch, published in its own right later
OWN = """
update process_version set adapted = false
where process_id = %(process)s and content_hash = %(hash)s and adapted"""

# insert_steps: the steps of the version just made, from its own definition; positions from 1
INSERT_STEPS = """
insert into step (process_version_id, position, slug, definition)
select v.id, s.position, s.definition ->> 'slug', s.definition
from process_version v,
     jsonb_array_elements(v.definition -> 'steps') with ordinality s (definition, position)
where v.id = %s"""

_COLUMNS = """
select v.id, v.process_id, p.client_id, p.slug, v.number, v.content_hash, v.created_ms,
       v.definition
from process_version v join process p on p.id = v.process_id"""

VERSION = f"{_COLUMNS} where v.id = %(id)s"
VERSION_OF_CONTENT = f"{_COLUMNS} where p.id = %(process)s and v.content_hash = %(hash)s"

# find_version: a client's own process hides the shared one of that slug; newest unless numbered.
# Versions adapted for one batch (another taxonomy) are never the newest and hide nothing.
FIND_VERSION = f"""{_COLUMNS}
where p.slug = %(slug)s and (p.client_id = %(client)s or p.client_id is null)
  and p.id = (select q.id from process q
              where q.slug = %(slug)s and (q.client_id = %(client)s or q.client_id is null)
                and exists (select from process_version w
                            where w.process_id = q.id and not w.adapted)
              order by q.client_id nulls last limit 1)
  and (v.number = %(number)s or (%(number)s::int is null and not v.adapted))
order by v.number desc limit 1"""  # noqa: S608 - nothing but our own columns is put in

# where work of this client goes on: its own process, be it of versions adapted for batches alone
FIND_PLACE = f"""{_COLUMNS}
where p.slug = %(slug)s and (p.client_id = %(client)s or p.client_id is null)
order by p.client_id nulls last, v.adapted, v.number desc limit 1"""

# list_processes: what a client may submit to, each with its newest version; its own hide shared
LIST_PROCESSES = """
select distinct on (p.slug) p.id as process_id, p.client_id, p.slug, v.id as version_id, v.number,
       v.created_ms, v.definition -> 'title' as title, v.definition -> 'description' as description
from process p join process_version v on v.process_id = p.id
where (p.client_id = %(client)s or p.client_id is null) and not v.adapted
order by p.slug, p.client_id nulls last, v.number desc"""


class ProcessVersion(Struct, frozen=True):
    """A published version of a process."""

    id: int
    process_id: int
    #: None: the library shared by all clients
    client_id: int | None
    slug: str
    #: from 1 within the process
    number: int
    content_hash: str
    created_ms: int
    definition: ProcessDefinition


class ProcessSummary(Struct, frozen=True):
    """A process in a list, with its newest version."""

    process_id: int
    client_id: int | None
    slug: str
    version_id: int
    number: int
    created_ms: int
    title: Localised
    description: Localised


def publish(
    conn: Sync,
    client_id: int | None,
    definition: ProcessDefinition,
    now_ms: int,
    *,
    adapted: bool = False,
) -> ProcessVersion:
    """The version with this content: the one there is, else a new one with its steps.

    `client_id` None publishes to the library shared by all; `adapted` is for a version that one
    batch needs (another taxonomy) and that later batches do not get unasked. In the caller's
    transaction, or one of its own.
    """
    content_hash = definition.content_hash()
    values: dict[str, Any] = {
        "client": client_id,
        "slug": definition.slug,
        "definition": definition.encode().decode(),
        "hash": content_hash,
        "adapted": adapted,
        "now": now_ms,
    }
    with conn.transaction():
        values["process"] = _value(conn, LOCK_PROCESS, values)
        made = conn.execute(PUBLISH_VERSION, values).fetchone()
        if made:
            conn.execute(INSERT_STEPS, [made[0]])
        elif not adapted:
            conn.execute(OWN, values)
        row = conn.cursor(row_factory=dict_row).execute(VERSION_OF_CONTENT, values).fetchone()
    assert row is not None
    return _version(row)


def read_version(conn: Sync, version_id: int) -> ProcessVersion | None:
    """The version of this id."""
    row = conn.cursor(row_factory=dict_row).execute(VERSION, {"id": version_id}).fetchone()
    return _version(row) if row else None


async def read_version_async(conn: Async, version_id: int) -> ProcessVersion | None:
    """The same, for requests."""
    cursor = conn.cursor(row_factory=dict_row)
    row = await (await cursor.execute(VERSION, {"id": version_id})).fetchone()
    return _version(row) if row else None


def find_version(
    conn: Sync, client_id: int | None, slug: str, number: int | None = None
) -> ProcessVersion | None:
    """The newest version (or the one of this number) of a process that this client may use."""
    values = {"client": client_id, "slug": slug, "number": number}
    row = conn.cursor(row_factory=dict_row).execute(FIND_VERSION, values).fetchone()
    return _version(row) if row else None


def find_place(conn: Sync, client_id: int | None, slug: str) -> ProcessVersion | None:
    """The newest version of the process in which work of this client goes on (None: of the shared
    library). What is said of a step (agents, licences, gold) is said of its process: a client that
    brings its own classes has one of its own, though nothing was published for it."""
    values = {"client": client_id, "slug": slug}
    row = conn.cursor(row_factory=dict_row).execute(FIND_PLACE, values).fetchone()
    return _version(row) if row else None


async def find_version_async(
    conn: Async, client_id: int | None, slug: str, number: int | None = None
) -> ProcessVersion | None:
    """The same, for requests."""
    values = {"client": client_id, "slug": slug, "number": number}
    cursor = conn.cursor(row_factory=dict_row)
    row = await (await cursor.execute(FIND_VERSION, values)).fetchone()
    return _version(row) if row else None


def list_processes(conn: Sync, client_id: int | None) -> list[ProcessSummary]:
    """What this client may submit to, by slug; None: the shared library."""
    cursor = conn.cursor(row_factory=dict_row).execute(LIST_PROCESSES, {"client": client_id})
    return [ProcessSummary(**row) for row in cursor]


async def list_processes_async(conn: Async, client_id: int | None) -> list[ProcessSummary]:
    """The same, for requests."""
    cursor = conn.cursor(row_factory=dict_row)
    await cursor.execute(LIST_PROCESSES, {"client": client_id})
    return [ProcessSummary(**row) async for row in cursor]


def _value(conn: Sync, sql: str, values: dict[str, Any]) -> Any:
    row = conn.execute(sql, values).fetchone()
    assert row is not None
    return row[0]


def _version(row: dict[str, Any]) -> ProcessVersion:
    definition = msgspec.convert(row.pop("definition"), ProcessDefinition)
    return ProcessVersion(**row, definition=definition)
