"""The SQL of a list of items: each page is a walk along one index, of bounded length.

A walk gives items in an order, from a place on; conditions pick among what it passed. Conditions
are scalar subqueries, so that they are looked up item by item and the walk stops early: as joins,
PostgreSQL may read everything first.
"""

from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

Conn = Connection[Any]

# name of the order -> the walk: item_id, and what it is sorted by besides. {past} and {way} say in
# which direction.
WALKS = {
    "file": """
select id as item_id, null::text as sort from item
where batch_id = %(batch)s and id {past} %(item)s order by id {way} limit %(window)s""",
    "key": """
select id as item_id, key as sort from item
where batch_id = %(batch)s and key >= %(key)s and key < %(key_end)s and key {past} %(sort)s
order by key {way} limit %(window)s""",
    "open": """
select item_id, null::text as sort from (
    (select item_id from task where batch_step_id = %(step)s and not decided and kind = 'work'
        and not expert and item_id {past} %(item)s order by item_id {way} limit %(window)s)
    union all
    (select item_id from task where batch_step_id = %(step)s and not decided and kind = 'work'
        and expert and item_id {past} %(item)s order by item_id {way} limit %(window)s)
) t order by item_id {way} limit %(window)s""",
    "expert": """
select item_id, null::text as sort from task
where batch_step_id = %(step)s and not decided and kind = 'work' and expert
  and item_id {past} %(item)s order by item_id {way} limit %(window)s""",
    "decided": """
select item_id, null::text as sort from decision
where batch_step_id = %(step)s and item_id {past} %(item)s
order by item_id {way} limit %(window)s""",
    "method": """
select item_id, null::text as sort from decision
where batch_step_id = %(step)s and method = %(method)s and item_id {past} %(item)s
order by item_id {way} limit %(window)s""",
    "value": """
select item_id, null::text as sort from decision
where batch_step_id = %(step)s
  and jsonb_hash_extended(value, 0) = jsonb_hash_extended(%(value)s::jsonb, 0)
  and value = %(value)s::jsonb and item_id {past} %(item)s
order by item_id {way} limit %(window)s""",
    "sure": """
select item_id, confidence::text as sort from decision
where batch_step_id = %(step)s and (confidence, item_id) {past} (%(sort)s::real, %(item)s) {under}
order by confidence {way}, item_id {way} limit %(window)s""",
    "contested": """
select distinct item_id, null::text as sort from dispute
where batch_step_id = %(step)s and item_id {past} %(item)s
order by item_id {way} limit %(window)s""",
    # blocks that have the words, then what is in no block yet
    "words": """
select i.id as item_id, null::text as sort from (
    select * from (
        (select first_item, last_item
         from item_blocks(%(query)s::tsquery, %(item)s, {back}, %(blocks)s))
        union all
        (select coalesce((select last_item from item_block where batch_id = %(batch)s
                          order by first_item desc limit 1), 0) + 1, 9223372036854775807)
    ) b order by first_item {way}
) b,
lateral (
    select id from item
    where batch_id = %(batch)s and id between b.first_item and b.last_item and id {past} %(item)s
    order by id {way} limit %(window)s
) i
limit %(window)s""",
}

# conditions on s.item_id, by name
CONDITIONS = {
    "open": """(select true from task t where t.item_id = s.item_id
        and t.batch_step_id = %(step)s and t.kind = 'work' and not t.decided)""",
    "expert": """(select t.expert from task t where t.item_id = s.item_id
        and t.batch_step_id = %(step)s and t.kind = 'work' and not t.decided)""",
    "decided": "(select true {decision})",
    "method": "(select d.method = %(method)s {decision})",
    "value": "(select d.value = %(value)s::jsonb {decision})",
    "sure": "(select d.confidence < %(under)s::real {decision})",
    "contested": """(select true from dispute x
        where x.batch_step_id = %(step)s and x.item_id = s.item_id limit 1)""",
    "key": """(select i.key >= %(key)s and i.key < %(key_end)s from item i
        where i.batch_id = %(batch)s and i.id = s.item_id)""",
    # what is quick to tell first: whether the letters are there at all
    "words": """(select case when item_folded(i.payload::text) like all (%(holds)s::text[])
        then item_text(i.payload) ~ all (%(begins)s::text[]) end from item i
        where i.batch_id = %(batch)s and i.id = s.item_id)""",
}
DECISION = "from decision d where d.batch_step_id = %(step)s and d.item_id = s.item_id"

# how many the walk passed and where it ended, and of them those that were asked for, at most a page
PAGE = """
with seen as materialized ({walk}),
kept as (select s.item_id, s.sort from seen s where {conditions} limit %(page)s + 1)
select (select count(*) from seen),
       (select array[item_id::text, sort] from seen
        offset greatest((select count(*) from seen), 1) - 1),
       array(select array[item_id::text, sort] from kept)"""

# whether there is a key that begins so
HAS_KEY = """
select exists (select from item
               where batch_id = %(batch)s and key >= %(key)s and key < %(key_end)s)"""
WORDS = "select item_words(item_folded(%s)) limit %s"

# what a list shows of these items at a step
ROWS = """
select i.id as item_id, i.key, i.payload, d.value, d.confidence, d.method,
       coalesce(d.n_answers, (select count(*) from answer a where a.task_id = t.id)) as n_answers,
       d.task_id is not null as decided, coalesce(t.expert, false) as expert,
       t.id is not null as begun,
       exists (select from dispute x where x.batch_step_id = %(step)s and x.item_id = i.id
               and x.settled_ms is null) as contested
from item i
left join task t on t.item_id = i.id and t.batch_step_id = %(step)s and t.kind = 'work'
left join decision d on d.task_id = t.id
where i.batch_id = %(batch)s and i.id = any (%(items)s)"""


def page(
    conn: Conn, walk: str, conditions: list[str], *, back: bool, values: dict[str, Any]
) -> tuple[int, list[str] | None, list[list[str]]]:
    """How many items the walk passed, the place of the last, and the places of those kept."""
    # going back, the place is the bound; of two PostgreSQL may begin at the wrong one
    under = "" if back else "and confidence < %(under)s::real"
    way = {"past": "<", "way": "desc"} if back else {"past": ">", "way": "asc"}
    way |= {"back": str(back).lower(), "under": under}
    kept = [CONDITIONS[name].format(decision=DECISION) for name in conditions]
    sql = PAGE.format(
        walk=WALKS[walk].format(**way),
        conditions=" and ".join(kept) or "true",
    )
    row = conn.execute(sql.encode(), values).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def has_key(conn: Conn, batch_id: int, key: str, key_end: str) -> bool:
    row = conn.execute(HAS_KEY, {"batch": batch_id, "key": key, "key_end": key_end}).fetchone()
    return bool(row and row[0])


def words(conn: Conn, text: str, most: int) -> list[str]:
    """Its first words, as searches compare them."""
    return [row[0] for row in conn.execute(WORDS, [text, most])]


def rows(conn: Conn, batch_id: int, step: int, items: list[int]) -> list[tuple[Any, ...]]:
    return conn.execute(ROWS, {"batch": batch_id, "step": step, "items": items}).fetchall()


def json(value: Any) -> Jsonb:
    """A value to compare decisions with."""
    return Jsonb(value)
