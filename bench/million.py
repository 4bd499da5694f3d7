"""A batch of a million items, most of them decided, in a minute: for measuring pages.

    from bench.million import fill
    batch = fill(conn, client_id, 1_000_000)

Rows are made inside the database, as intake and the engine would leave them; two in three items are
decided, by answers, experts, a licence or with all answers spent, with confidences of every height.
"""

import random
from typing import Any

from canut.db.pool import SyncConn
from canut.insight.search import weave_blocks
from canut.processes.model import ItemField, ItemShape, ProcessDefinition, StepDefinition
from canut.processes.store import publish
from canut.work.intake import open_batch

THINGS = ("kettle", "lamp", "toaster", "écharpe", "bicycle", "vase", "casserole", "tent")
WORDS = 3_000

# an item: two words of many, a thing, a number; the thousandth says something that few others say
ITEMS = """
insert into item (batch_id, key, payload)
select %(batch)s, 'SKU-' || lpad(n::text, 8, '0'), jsonb_build_object(
    'title', w.words[1 + n %% {words}] || ' ' || t.things[1 + n %% {things}] || ' '
             || w.words[1 + (n * 7919) %% {words}] || ' ' || n %% 97 || ' cm'
             || case when n %% 100000 = 5 then ' quetsche' else '' end,
    'price', (n * 37 %% 99999)::numeric / 100)
from generate_series(1, %(items)s::bigint) n,
     (select %(words)s::text[] as words) w, (select %(things)s::text[] as things) t
order by n"""
# one in three is open: of those, one in fifty waits for an expert
TASKS = """
insert into task (batch_step_id, item_id, wanted, slots, open, expert, decided)
select %(step)s, id, 2, case when n %% 3 = 0 then 2 else 0 end, n %% 3 = 0, n %% 150 = 0, n %% 3 > 0
from (select id, row_number() over (order by id) as n from item where batch_id = %(batch)s) i
order by id"""
DECISIONS = """
insert into decision (task_id, batch_step_id, item_id, value, confidence, method, n_answers,
                      evidence, decided_ms)
select t.id, t.batch_step_id, t.item_id,
       to_jsonb((%(things)s::text[])[1 + t.id %% {things}]),
       (1 - power((t.id * 7919 %% 1000) / 1000.0, 4) * 0.7)::real,
       case when t.id %% 5003 = 0 then 'exhausted' when t.id %% 97 = 0 then 'expert'
            when t.id %% 5 = 0 then 'licence' else 'answers' end,
       2, jsonb_build_array(1, jsonb_build_array(1, 0.98, 0.9),
                            jsonb_build_array(
                                2, case when t.id %% 9 = 0 then 0.1 else 0.98 end, 0.9)),
       %(now)s - 3600000 + t.id %% 3600000
from task t where t.batch_step_id = %(step)s and t.decided order by t.id"""
COUNT = """
update batch_step s set n_tasks = t.n, n_decided = d.n, n_answers = 2 * d.n, n_escalated = t.n / 150
from (select count(*) as n from task where batch_step_id = %(step)s) t,
     (select count(*) as n from decision where batch_step_id = %(step)s) d
where s.id = %(step)s"""
COUNT_BATCH = (
    "update batch set n_items = %(items)s, columns = '{{title,price}}' where id = %(batch)s"
)
# decided a little faster each hour
PULSES = """
insert into batch_pulse (batch_id, at_ms, n_answers, n_decided)
select %(batch)s, %(now)s - h * 1800000, s.n_answers * (100 - h) / 100,
       s.n_decided * (100 - h) / 100
from batch_step s, generate_series(0, 48) h where s.id = %(step)s"""
TABLES = "item, task, decision, item_block, batch_pulse, batch, batch_step"


def fill(conn: SyncConn, client_id: int, items: int, now_ms: int, *, key: str = "million") -> int:
    """The number of the batch. `conn` is in autocommit mode: statistics are gathered at the end."""
    batch = open_batch(
        conn, client_id, key, _version(conn, client_id, now_ms), now_ms, name="Every shelf"
    )
    found = conn.execute("select id from batch_step where batch_id = %s", [batch.id]).fetchone()
    assert found is not None
    values: dict[str, Any] = {
        "batch": batch.id,
        "step": found[0],
        "items": items,
        "now": now_ms,
        "words": _words(),
        "things": list(THINGS),
    }
    for statement in (ITEMS, TASKS, DECISIONS, COUNT, COUNT_BATCH, PULSES):
        conn.execute(statement.format(words=WORDS, things=len(THINGS)).encode(), values)
    while weave_blocks(conn):
        pass
    conn.execute(f"vacuum analyze {TABLES}")
    return batch.id


def _version(conn: SyncConn, client_id: int, now_ms: int) -> int:
    shape = ItemShape(
        (ItemField("title", "Title", required=True), ItemField("price", "Price", "number"))
    )
    question = {
        "type": "choice",
        "title": "What is it?",
        "options": [{"value": one, "label": one.title()} for one in THINGS],
    }
    step = StepDefinition("thing", "Thing", question, {"en": "Look."})
    definition = ProcessDefinition("bench/shelf", "Shelf", "", shape, (step,))
    return publish(conn, client_id, definition, now_ms).id


def _words() -> list[str]:
    chance = random.Random(7)
    return [
        "".join(chance.choices("abcdefghilmnoprstuvé", k=chance.randint(3, 9)))
        for _ in range(WORDS)
    ]
