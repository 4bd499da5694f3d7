"""The SQL of the pool of gold: what there is, what enters, what is retired, what is proposed."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import dict_row

from canut.db.rows import of
from canut.processes.model import ItemShape, StepDefinition
from canut.quality.gold.values import Gold, GoldStep, NewGold, PoolSize, Proposal
from canut.questions.registry import load_question

Sync = Connection[Any]

# a step of the newest version of a process of these clients (None: of anybody, for operators);
# versions adapted for one batch count where there is no other
STEP = """
select p.id as process_id, p.client_id, p.slug as process_slug, v.id as version_id, s.slug,
       s.definition, v.definition -> 'item' as item, v.definition -> 'title' as title
from process p
join lateral (
    select id, definition from process_version
    where process_id = p.id order by adapted, number desc limit 1
) v on true
join step s on s.process_version_id = v.id
where (%(clients)s::bigint[] is null or p.client_id = any (%(clients)s))
  and p.id = %(process)s and s.slug = %(step)s"""

# the steps whose gold these clients may see, with how much there is
SIZES = """
select p.id as process_id, p.slug as process_slug, p.client_id,
       v.definition -> 'title' as title, s.slug as step_slug,
       s.definition -> 'title' as step_title,
       count(g.id) filter (where g.state = 'active')::int as active,
       count(g.id) filter (where g.state = 'retired')::int as retired
from process p
join lateral (
    select id, definition from process_version
    where process_id = p.id order by adapted, number desc limit 1
) v on true
join step s on s.process_version_id = v.id
left join gold g on g.process_id = p.id and g.step_slug = s.slug
where %(clients)s::bigint[] is null or p.client_id = any (%(clients)s)
group by p.id, p.slug, p.client_id, v.definition, s.position, s.slug, s.definition
order by p.slug, p.id, s.position limit 500"""

_GOLD = """
select g.id, g.process_id, g.step_slug, g.payload, g.value, g.origin, g.reference, g.state, g.cause,
       g.reason, g.shown, coalesce(n.answered, 0)::int as answered,
       coalesce(n.correct, 0)::int as correct, g.created_ms, g.retired_ms
from gold g
left join lateral (
    select count(*) as answered, count(*) filter (where a.agreement >= %(right)s) as correct
    from gold_answer a where a.gold_id = g.id and a.agreement is not null
) n on true
"""
# newest first, from before one on: keyset pages
GOLDS = (
    _GOLD
    + """where g.process_id = %(process)s and g.step_slug = %(step)s and g.id < %(before)s
  and (%(state)s::text is null or g.state = %(state)s)
order by g.id desc limit %(limit)s"""
)
ONE = _GOLD + "where g.id = %(id)s"

# enter: the same gold is kept once; what was edited away and comes back is active again
ENTER = """
insert into gold (process_id, step_slug, payload, value, origin, reference, digest, of_task,
                  created_ms)
select %(process)s, u.step, u.payload, u.value, %(origin)s, u.reference, u.digest, u.task, %(now)s
from unnest(%(steps)s::text[], %(payloads)s::jsonb[], %(values)s::jsonb[],
            %(references)s::text[], %(digests)s::text[], %(tasks)s::bigint[])
    with ordinality as u (step, payload, value, reference, digest, task, place)
order by u.place
on conflict (process_id, step_slug, digest) do update
set state = 'active', cause = null, reason = '', retired_ms = null, origin = excluded.origin,
    reference = excluded.reference
where gold.state = 'retired' and gold.cause = 'edited'
returning id"""

# what a folder says no more
DROPPED = """
select g.id from gold g
where g.process_id = %(process)s and g.origin = 'process' and g.state = 'active'
  and not exists (
      select from unnest(%(steps)s::text[], %(digests)s::text[]) as u (step, digest)
      where u.step = g.step_slug and u.digest = g.digest)
order by g.id"""

# the same names with other contents, entered before
REPLACED = """
select g.id from gold g
join unnest(%(references)s::text[], %(digests)s::text[]) as u (reference, digest)
    on u.reference = g.reference and u.digest <> g.digest
where g.process_id = %(process)s and g.step_slug = %(step)s and g.origin = 'operator'
  and g.state = 'active' and g.reference <> ''
order by g.id"""

RETIRE = """
update gold set state = 'retired', cause = u.cause, reason = u.reason, retired_ms = %(now)s
from unnest(%(ids)s::bigint[], %(causes)s::text[], %(reasons)s::text[]) as u (id, cause, reason)
where gold.id = u.id and gold.state = 'active'
returning gold.id"""

# proposals: decisions of experts that two contributors or more had given as well, which nobody took
# or declined; of the client's own processes only, or its items would be shown in the work of others
PROPOSALS = """
select d.task_id, i.payload, d.value, count(*)::int as agreed
from batch_step s
join batch b on b.id = s.batch_id
join process p on p.id = s.process_id and p.client_id = b.client_id
join decision d on d.batch_step_id = s.id and d.method = 'expert'
join item i on i.batch_id = s.batch_id and i.id = d.item_id
join answer a on a.task_id = d.task_id and not a.expert and a.value = d.value
where s.process_id = %(process)s and s.slug = %(step)s
  and (%(task)s::bigint is null or d.task_id = %(task)s)
  and not exists (select from gold g where g.of_task = d.task_id)
  and not exists (select from gold_declined n where n.task_id = d.task_id)
group by d.task_id, i.payload, d.value
having count(*) >= 2
order by d.task_id desc limit %(limit)s"""

# whoever had the item itself never gets it as gold
KNOWN = """
insert into gold_answer (contributor_id, gold_id, shown_ms)
select a.contributor_id, %s, %s from assignment a where a.task_id = %s
on conflict do nothing"""

DECLINE = """
insert into gold_declined (task_id, declined_ms) values (%s, %s) on conflict do nothing"""


class Place(Struct, frozen=True):
    """A step of a process, of all its versions."""

    process_id: int
    step_slug: str


def step(conn: Sync, clients: list[int] | None, place: Place) -> GoldStep | None:
    """The step, if these clients may see its gold."""
    values = {"clients": clients, "process": place.process_id, "step": place.step_slug}
    row = conn.cursor(row_factory=dict_row).execute(STEP, values).fetchone()
    if row is None:
        return None
    definition = msgspec.convert(row.pop("definition"), StepDefinition)
    item = msgspec.convert(row.pop("item"), ItemShape)
    question = load_question(definition.question)
    return GoldStep(**row, definition=definition, item=item, question=question)


def sizes(conn: Sync, clients: list[int] | None) -> list[PoolSize]:
    """How much gold each step has."""
    return conn.cursor(row_factory=of(PoolSize)).execute(SIZES, {"clients": clients}).fetchall()


def golds(
    conn: Sync, place: Place, right_from: float, before: int, limit: int, state: str | None
) -> list[Gold]:
    """Gold of a step, the newest first."""
    values = {"process": place.process_id, "step": place.step_slug, "right": right_from}
    values |= {"before": before, "limit": limit, "state": state}
    return conn.cursor(row_factory=of(Gold)).execute(GOLDS, values).fetchall()


def one(conn: Sync, gold_id: int, right_from: float) -> Gold | None:
    """A gold."""
    values = {"id": gold_id, "right": right_from}
    return conn.cursor(row_factory=of(Gold)).execute(ONE, values).fetchone()


def enter(
    conn: Sync, process_id: int, origin: str, new: Sequence[NewGold], now_ms: int
) -> list[int]:
    """The ids of what was not there, or was edited away and is back."""
    values = {"process": process_id, "origin": origin, "now": now_ms, **_columns(new)}
    return [row[0] for row in conn.execute(ENTER, values)]


def dropped(conn: Sync, process_id: int, kept: Sequence[NewGold]) -> list[int]:
    """Gold of the process's folder that is not among what the folder says now."""
    values = {"process": process_id, **_columns(kept)}
    return [row[0] for row in conn.execute(DROPPED, values)]


def replaced(conn: Sync, place: Place, new: Sequence[NewGold]) -> list[int]:
    """Gold entered before under one of these references, with other contents."""
    values = {"process": place.process_id, "step": place.step_slug, **_columns(new)}
    return [row[0] for row in conn.execute(REPLACED, values)]


def retire(
    conn: Sync, ids: Sequence[int], causes: Sequence[str], reasons: Sequence[str], now_ms: int
) -> list[int]:
    """Retire what is active of these; the ids of what was."""
    values = {"ids": list(ids), "causes": list(causes), "reasons": list(reasons), "now": now_ms}
    return [row[0] for row in conn.execute(RETIRE, values)]


def proposals(
    conn: Sync, place: Place, limit: int = 50, task_id: int | None = None
) -> list[Proposal]:
    """Items that experts and contributors agreed on, the newest first."""
    values = {"process": place.process_id, "step": place.step_slug, "task": task_id}
    values["limit"] = limit
    return conn.cursor(row_factory=of(Proposal)).execute(PROPOSALS, values).fetchall()


def known(conn: Sync, gold_id: int, task_id: int, now_ms: int) -> None:
    """Whoever had the task never gets the gold."""
    conn.execute(KNOWN, [gold_id, now_ms, task_id])


def decline(conn: Sync, task_id: int, now_ms: int) -> None:
    """Propose this no more."""
    conn.execute(DECLINE, [task_id, now_ms])


def _columns(new: Sequence[NewGold]) -> dict[str, Any]:
    encode = msgspec.json.Encoder().encode
    return {
        "steps": [gold.step_slug for gold in new],
        "payloads": [encode(gold.payload).decode() for gold in new],
        "values": [encode(gold.value).decode() for gold in new],
        "references": [gold.reference for gold in new],
        "digests": [gold.digest for gold in new],
        "tasks": [gold.of_task for gold in new],
    }
