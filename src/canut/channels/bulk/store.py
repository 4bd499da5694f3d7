"""The SQL of the bulk lane: which tasks rows became, and what was decided of them."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Conn = Connection[Any]

# tasks of these items at the first step, the only one: found by the unique key of items
TASKS = """
select i.key, t.id from item i
join batch_step s on s.batch_id = i.batch_id and s.slug = %(step)s
join task t on t.item_id = i.id and t.batch_step_id = s.id and t.kind = 'work'
where i.batch_id = %(batch)s and i.key = any (%(keys)s)"""

RESULTS = """
select i.key, d.value, d.confidence, d.method, d.n_answers, d.decided_ms
from item i
join batch_step s on s.batch_id = i.batch_id and s.slug = %(step)s
left join decision d on d.batch_step_id = s.id and d.item_id = i.id
where i.batch_id = %(batch)s and i.key = any (%(keys)s)"""

# read once before a merge, by two indexes in the order of items
UNDECIDED = """
select count(*) from item i
join batch_step s on s.batch_id = i.batch_id and s.slug = %(step)s
where i.batch_id = %(batch)s
  and not exists (select from decision d where d.batch_step_id = s.id and d.item_id = i.id)"""


class Decided(Struct, frozen=True):
    """What became of an item at the step; `method` None: nothing yet."""

    key: str
    value: Any
    confidence: float | None
    method: str | None
    n_answers: int | None
    decided_ms: int | None


def tasks(conn: Conn, batch_id: int, step: str, keys: Sequence[str]) -> dict[str, int]:
    """The task of each key that is in the batch."""
    values = {"batch": batch_id, "step": step, "keys": list(keys)}
    return dict(conn.execute(TASKS, values).fetchall())


def results(conn: Conn, batch_id: int, step: str, keys: Sequence[str]) -> dict[str, Decided]:
    """What was decided of each key that is in the batch."""
    values = {"batch": batch_id, "step": step, "keys": list(keys)}
    cursor = conn.cursor(row_factory=of(Decided))
    return {found.key: found for found in cursor.execute(RESULTS, values)}


def undecided(conn: Conn, batch_id: int, step: str) -> int:
    row = conn.execute(UNDECIDED, {"batch": batch_id, "step": step}).fetchone()
    return int(row[0]) if row else 0
