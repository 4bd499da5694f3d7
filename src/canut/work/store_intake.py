"""The SQL of intake: batches are opened, items and tasks are made by COPY and by sets."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.copy import LibpqWriter
from psycopg.errors import UniqueViolation

from canut.db.rows import of
from canut.processes.model import ItemShape
from canut.work.model import Batch
from canut.work.store import BATCH_BY_KEY

Conn = Connection[Any]

#: bytes handed to libpq at once; it copies them
COPY_BYTES = 16_000_000
#: first key of the advisory lock that keeps two imports into one batch apart
INTAKE_LOCK = 2

# open_batch: nothing is returned when the client has a batch of that key, whoever was first; and
# nothing is made of another client's process
OPEN = """
insert into batch (client_id, process_version_id, key, name, priority, deadline_ms, created_ms)
select %(client)s, v.id, %(key)s, %(name)s, %(priority)s, %(deadline_ms)s, %(now_ms)s
from process_version v join process p on p.id = v.process_id
where v.id = %(version)s and (p.client_id is null or p.client_id = %(client)s)
    and not exists (select from batch b where b.client_id = %(client)s and b.key = %(key)s)
on conflict (client_id, key) do nothing
returning id"""

# what claims must know of a step is copied into one narrow row of the batch; an empty expert
# skill means that nothing is escalated
OPEN_STEPS = """
insert into batch_step (batch_id, step_id, position, process_id, slug, weight, skills,
    expert_skill, licence, lease_ms, min_answers, max_answers, target, error_max, delta,
    audits_max, audit_share, panel, gold_share, stream_share, audit_skills,
    slices, slices_max)
select %(batch)s, s.id, s.position, v.process_id, s.slug, power(2, %(priority)s)::real,
    array(select jsonb_array_elements_text(s.definition -> 'skills')),
    nullif(s.definition ->> 'expert_skill', ''),
    (s.definition ->> 'licence')::boolean,
    (s.definition ->> 'lease_s')::bigint * 1000,
    (s.definition ->> 'min_answers')::smallint,
    (s.definition ->> 'max_answers')::smallint,
    (s.definition ->> 'target_confidence')::real,
    coalesce((s.definition #>> '{promise,error_max}')::real, 0.02),
    coalesce((s.definition #>> '{promise,delta}')::real, 0.05),
    coalesce((s.definition #>> '{promise,audits_max}')::integer, 400),
    coalesce((s.definition #>> '{promise,audit_share}')::real, 0.1),
    coalesce((s.definition #>> '{promise,panel}')::smallint, 2),
    coalesce((s.definition #>> '{promise,gold_share}')::real, 0.05),
    coalesce((s.definition #>> '{promise,stream_share}')::real, 0.03),
    array_remove(array(select jsonb_array_elements_text(s.definition -> 'skills')) || coalesce(
        nullif(s.definition #>> '{promise,audit_skill}', ''),
        nullif(s.definition ->> 'expert_skill', '')), null),
    coalesce(s.definition #>> '{promise,slices}', ''),
    coalesce((s.definition #>> '{promise,slices_max}')::smallint, 8)
from step s join process_version v on v.id = s.process_version_id
where v.id = %(version)s
order by s.position"""

VERSION = "select process_version_id from batch where id = %s"
OWN_VERSION = """
select p.slug from process_version v join process p on p.id = v.process_id
where v.id = %(version)s and (p.client_id is null or p.client_id = %(client)s)"""

TARGET = """
select b.state, b.columns, v.definition -> 'item' as item, s.id as batch_step_id, s.min_answers
from batch b
join process_version v on v.id = b.process_version_id
join batch_step s on s.batch_id = b.id
where b.id = %s order by s.position limit 1"""

LOCK = "select pg_try_advisory_xact_lock(%s, (%s %% 2147483647)::integer)"

# the mark after which the items are this import's: only one import runs in a batch
LAST_ITEM = "select coalesce(max(id), 0) from item where batch_id = %s"

COPY = "copy item (batch_id, key, payload) from stdin"

# the same bytes go to the stage when a block holds keys that are already there; its position
# leads back to the row of the file
STAGE = """
create temporary table if not exists intake_stage (
    position bigint generated always as identity,
    batch_id bigint not null, key text not null, payload jsonb not null
) on commit drop"""
EMPTY_STAGE = "truncate intake_stage restart identity"
COPY_STAGE = "copy intake_stage (batch_id, key, payload) from stdin"

# first come, first kept, in the order of the file
FROM_STAGE = """
insert into item (batch_id, key, payload)
select batch_id, key, payload from (
    select *, row_number() over (partition by key order by position) as nth from intake_stage
) s
where nth = 1
order by position
on conflict (batch_id, key) do nothing"""

# rows of the stage that did not become an item: whether they say the same as the item there, and
# whether that item was there before this block
NOT_TAKEN = """
select s.position, s.key, i.payload = s.payload as same, i.id <= %(mark)s as before
from (
    select *, row_number() over (partition by key order by position) as nth from intake_stage
) s
join item i on i.batch_id = s.batch_id and i.key = s.key
where s.nth > 1 or i.id <= %(mark)s
order by s.position"""

# a task per new item at the first step, claimable when the transaction commits; the new mark
TASKS = """
with made as (
    insert into task (batch_step_id, item_id, wanted, slots)
    select %(step)s, id, %(wanted)s, %(wanted)s
    from item where batch_id = %(batch)s and id > %(mark)s order by id
)
select max(id) from item where batch_id = %(batch)s"""

# counts are written once, at the end: the batch is locked for a moment, not for the import.
# New items reopen a batch that was delivered.
COUNT = """
update batch set n_items = n_items + %(added)s, columns = %(columns)s,
    state = case when state = 'delivered' and %(added)s > 0 then 'running' else state end,
    delivered_ms = case when %(added)s > 0 then null else delivered_ms end
where id = %(batch)s
returning state"""
COUNT_TASKS = "update batch_step set n_tasks = n_tasks + %(added)s where id = %(step)s"
REOPEN = "update batch_step set open = true where batch_id = %(batch)s and not open"


class Target(Struct, frozen=True):
    """Where an import goes."""

    state: str
    columns: list[str]
    item: ItemShape
    batch_step_id: int
    min_answers: int


class NotTaken(Struct, frozen=True):
    """A row of a block whose key was taken."""

    #: place in the block, from 1
    position: int
    key: str
    same: bool
    #: the key was in the batch before this block; else it came twice in the block
    before: bool


def find_batch(conn: Conn, client_id: int, key: str) -> Batch | None:
    cursor = conn.cursor(row_factory=of(Batch))
    row: Batch | None = cursor.execute(BATCH_BY_KEY, {"client": client_id, "key": key}).fetchone()
    return row


def insert_batch(conn: Conn, values: dict[str, Any]) -> bool:
    """Make the batch and its steps; False when the key is taken or the version is not theirs."""
    row = conn.execute(OPEN, values).fetchone()
    if row is not None:
        conn.execute(OPEN_STEPS, {**values, "batch": row[0]})
    return row is not None


def may_use(conn: Conn, client_id: int, version_id: int) -> bool:
    values = {"version": version_id, "client": client_id}
    return conn.execute(OWN_VERSION, values).fetchone() is not None


def version_of(conn: Conn, batch_id: int) -> int:
    row = conn.execute(VERSION, [batch_id]).fetchone()
    assert row is not None
    return int(row[0])


def target(conn: Conn, batch_id: int) -> Target | None:
    row = conn.execute(TARGET, [batch_id]).fetchone()
    if row is None:
        return None
    state, columns, item, step, wanted = row
    return Target(state, columns, msgspec.convert(item, ItemShape), step, wanted)


def lock(conn: Conn, batch_id: int) -> bool:
    """Be the only import into this batch until the transaction ends; False if another is."""
    row = conn.execute(LOCK, [INTAKE_LOCK, batch_id]).fetchone()
    return bool(row and row[0])


def last_item(conn: Conn, batch_id: int) -> int:
    row = conn.execute(LAST_ITEM, [batch_id]).fetchone()
    assert row is not None
    return int(row[0])


def copy_items(conn: Conn, lines: bytes) -> bool:
    """Append items, in COPY's text format; False, and nothing done, if a key is taken."""
    try:
        with conn.transaction():
            _copy(conn, COPY, lines)
    except UniqueViolation:
        return False
    return True


def _copy(conn: Conn, sql: str, lines: bytes) -> None:
    with conn.cursor() as cursor, cursor.copy(sql, writer=_Blocking(cursor)) as copy:
        copy.write(lines)


class _Blocking(LibpqWriter):
    """Sends a block in calls that do without the interpreter lock. The driver's own writer asks
    for the lock each time the socket's buffer is empty, and waits for the thread that encodes:
    an import then takes half as long again."""

    def write(self, data: Any) -> None:
        self._pgconn.nonblocking = 0
        try:
            for start in range(0, len(data), COPY_BYTES):
                self._pgconn.put_copy_data(data[start : start + COPY_BYTES])
        finally:
            self._pgconn.nonblocking = 1


def merge_items(conn: Conn, lines: bytes, mark: int) -> Iterator[NotTaken]:
    """Append the items whose key is free; the rows that were not taken, in their order."""
    conn.execute(STAGE)
    conn.execute(EMPTY_STAGE)
    _copy(conn, COPY_STAGE, lines)
    conn.execute(FROM_STAGE)
    cursor = conn.cursor(row_factory=of(NotTaken))
    yield from cursor.execute(NOT_TAKEN, {"mark": mark})


def make_tasks(conn: Conn, batch_id: int, to: Target, mark: int) -> int:
    """Tasks for the items after `mark`; the last of these items, the next mark."""
    values = {"step": to.batch_step_id, "wanted": to.min_answers, "batch": batch_id, "mark": mark}
    row = conn.execute(TASKS, values).fetchone()
    assert row is not None
    return int(row[0])


def count(conn: Conn, batch_id: int, to: Target, added: int, columns: list[str]) -> None:
    values = {"batch": batch_id, "step": to.batch_step_id, "added": added, "columns": columns}
    row = conn.execute(COUNT, values).fetchone()
    conn.execute(COUNT_TASKS, values)
    if added and row and row[0] == "running":
        conn.execute(REOPEN, values)
