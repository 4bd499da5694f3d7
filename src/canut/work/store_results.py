"""The SQL of results: decisions leave a page at a time, so that no reader, however slow, holds a
snapshot that keeps the database from cleaning up."""

from typing import Any

import msgspec
from psycopg import Connection
from psycopg.types.json import set_json_loads

from canut.processes.model import ItemShape, StepDefinition

Conn = Connection[Any]

SHEET = """
select b.key, b.columns, p.slug, v.number, v.definition -> 'item',
       (select jsonb_agg(jsonb_build_array(bs.id, s.definition) order by bs.position)
        from batch_step bs join step s on s.id = bs.step_id where bs.batch_id = b.id)
from batch b
join process_version v on v.id = b.process_version_id
join process p on p.id = v.process_id
where b.id = %s"""

# results_page: a row per item and decision, one row for an item without; after a given item, so
# that each page is one short statement that two indexes answer
PAGE = """
select i.id, i.key, i.payload, d.batch_step_id, d.value, d.confidence, d.method, d.n_answers,
       d.decided_ms
from (
    select id, key, payload from item
    where batch_id = %(batch)s and id > %(after)s order by id limit %(limit)s
) i
left join decision d on d.batch_step_id = any (%(steps)s) and d.item_id = i.id
order by i.id"""


def sheet(conn: Conn, batch_id: int) -> tuple[Any, ...] | None:
    """(key, columns, slug, version, item shape, [(batch step, definition)])."""
    row = conn.execute(SHEET, [batch_id]).fetchone()
    if row is None:
        return None
    key, columns, slug, number, item, steps = row
    defined = [(step, msgspec.convert(defn, StepDefinition)) for step, defn in steps or []]
    return key, columns, slug, number, msgspec.convert(item, ItemShape), defined


def page(
    conn: Conn, batch_id: int, steps: list[int], after: int, limit: int
) -> list[tuple[Any, ...]]:
    values = {"batch": batch_id, "steps": steps, "after": after, "limit": limit}
    with conn.cursor() as cursor:
        # in half the time of the standard library's
        set_json_loads(msgspec.json.decode, cursor)
        return cursor.execute(PAGE, values).fetchall()
