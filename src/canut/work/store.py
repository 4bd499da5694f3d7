"""The SQL of the task loop. Claims and submits are SQL functions (db/functions): one round trip."""

from typing import Any

import msgspec
from psycopg import AsyncConnection, Connection
from psycopg.rows import dict_row

from canut.db.rows import of
from canut.processes.model import ItemShape, StepDefinition
from canut.questions.registry import load_question
from canut.work.model import (
    EXPERT_COUNTED,
    Batch,
    LoadedStep,
    OpenBatch,
    StepProgress,
    Submitted,
)

Async = AsyncConnection[Any]
Sync = Connection[Any]

CLAIM = "select * from claim_tasks(%s, %s, %s, %s, %s)"
LIVE = "select * from live_tasks(%s, %s)"
SUBMIT = "select * from submit_answers(%s, %s, %s, %s::jsonb[], %s, %s::real[])"
RETURN = "select return_task(%s, %s, %s, %s)"
EXPIRE = "select expire_assignments(%s, %s)"

# a step of a batch with all that answering it needs; both are immutable once made
STEP = """
select s.id as batch_step_id, s.batch_id, s.step_id, b.client_id, s.process_id,
       p.slug as process_slug, v.number as version, s.position,
       step.definition, v.definition -> 'item' as item
from batch_step s
join batch b on b.id = s.batch_id
join step on step.id = s.step_id
join process_version v on v.id = b.process_version_id
join process p on p.id = v.process_id
where s.id = %s"""

# what a contributor could work on, as a list to choose from. Of a step with few tasks left, those
# that they had or that others must settle are left out; of more, the engine's count is told.
# Audits count like other tasks, those of delivered batches too: the list must not tell them from
# others. Tasks that wait for experts are counted up to a bound, by the index of open tasks (which
# has only work).
OPEN_BATCHES = """
select b.id as batch_id, b.name, p.slug as process_slug, v.definition -> 'title' as title,
       c.name as client_name,
       sum(own.n_left + audits.n)::bigint as n_left,
       coalesce(sum((
           select count(*) from (
               select from task t
               where t.batch_step_id = s.id and t.expert and t.open and t.kind = 'work'
               limit %(bound)s) counted
       )) filter (where s.expert_skill = any (me.skills)), 0)::bigint as n_expert
from contributor me
join batch_step s on s.id in (
    select id from batch_step where open
    union select batch_step_id from task where open and kind = 'audit')
cross join lateral (
    select case
        when not s.open
             or not (s.skills <@ me.skills or coalesce(s.expert_skill = any (me.skills), false))
        then 0
        when s.n_tasks - s.n_decided > %(bound)s then s.n_tasks - s.n_decided
        else (
            select count(*) from task t
            where t.batch_step_id = s.id and not t.decided and t.kind = 'work'
              and case when t.expert then s.expert_skill = any (me.skills)
                       else s.skills <@ me.skills end
              -- what they gave back or let go is not given to them again
              and coalesce((select a.state from assignment a
                            where a.task_id = t.id and a.contributor_id = me.id), 'claimed')
                  = 'claimed')
        end as n_left
) own
cross join lateral (
    select count(*) as n from task t
    where t.batch_step_id = s.id and t.open and t.kind = 'audit'
      and me.kind = 'person' and s.audit_skills <@ me.skills
      and not exists (select from assignment a
                      where a.contributor_id = me.id and a.task_id in (t.id, t.of_task))
) audits
join batch b on b.id = s.batch_id
join client c on c.id = b.client_id
join process_version v on v.id = b.process_version_id
join process p on p.id = v.process_id
where me.id = %(who)s and me.state = 'active'
  and (not s.licence or exists (
      select from licence l where l.contributor_id = me.id and l.process_id = s.process_id
        and l.step_slug = s.slug and l.ended_ms is null
        and (l.state = 'in_force' or me.kind = 'agent')))
group by b.id, b.name, b.priority, p.slug, v.definition -> 'title', c.name
having sum(own.n_left + audits.n) > 0
order by b.priority desc, b.id
limit 100"""

BATCH_COLUMNS = """
select b.id, b.client_id, b.key, b.name, b.state, b.priority, b.deadline_ms, b.n_items,
       b.created_ms, b.delivered_ms, p.slug as process_slug, v.number as version
from batch b
join process_version v on v.id = b.process_version_id
join process p on p.id = v.process_id"""

BATCH = f"{BATCH_COLUMNS} where b.id = %(batch)s and b.client_id = any (%(clients)s)"
BATCH_BY_KEY = f"{BATCH_COLUMNS} where b.key = %(key)s and b.client_id = %(client)s"

# newest first, from before a batch on: keyset pages
BATCHES = f"""{BATCH_COLUMNS}
where b.client_id = any (%(clients)s) and b.id < %(before)s
order by b.id desc limit %(limit)s"""

# for operators: every client's
ALL_BATCHES = f"{BATCH_COLUMNS} where b.id < %(before)s order by b.id desc limit %(limit)s"
ANY_BATCH = f"{BATCH_COLUMNS} where b.id = %(batch)s"

PROGRESS = """
select s.id as batch_step_id, s.position, s.slug, step.definition -> 'title' as title, s.open,
       s.n_tasks, s.n_answers, s.n_decided, s.n_escalated
from batch_step s join step on step.id = s.step_id
where s.batch_id = %s order by s.position"""

# a state change that only applies from certain states; tells the new state, or nothing
SET_STATE = """
update batch set state = %(state)s where id = %(batch)s and state = any (%(from)s) returning id"""
OPEN_STEPS = "update batch_step set open = %(open)s where batch_id = %(batch)s"
SET_PRIORITY = "update batch set priority = %(priority)s where id = %(batch)s"
WEIGH_STEPS = """
update batch_step set weight = power(2, %(priority)s)::real where batch_id = %(batch)s"""

_one = msgspec.json.Encoder().encode


async def claim_tasks(
    conn: Async, contributor_id: int, count: int, now_ms: int, batch_id: int | None, live_max: int
) -> list[tuple[Any, ...]]:
    cursor = await conn.execute(CLAIM, [contributor_id, count, now_ms, batch_id, live_max])
    return await cursor.fetchall()


async def live_tasks(conn: Async, contributor_id: int, now_ms: int) -> list[tuple[Any, ...]]:
    return await (await conn.execute(LIVE, [contributor_id, now_ms])).fetchall()


async def submit_answers(
    conn: Async, contributor_id: int, answers: list[Submitted], now_ms: int
) -> dict[int, str]:
    """Outcome by task."""
    tasks = [answer.ref.task_id for answer in answers]
    steps = [answer.ref.batch_step_id for answer in answers]
    values = [_one(answer.value).decode() for answer in answers]
    sure = [answer.confidence for answer in answers]
    cursor = await conn.execute(SUBMIT, [contributor_id, tasks, steps, values, now_ms, sure])
    return dict(await cursor.fetchall())


async def return_task(conn: Async, contributor_id: int, task: int, step: int, now_ms: int) -> bool:
    row = await (await conn.execute(RETURN, [contributor_id, task, step, now_ms])).fetchone()
    return bool(row and row[0])


async def read_step(conn: Async, batch_step_id: int) -> LoadedStep | None:
    cursor = conn.cursor(row_factory=dict_row)
    row = await (await cursor.execute(STEP, [batch_step_id])).fetchone()
    return _loaded(row) if row else None


def read_step_sync(conn: Sync, batch_step_id: int) -> LoadedStep | None:
    """The same, for the engine."""
    row = conn.cursor(row_factory=dict_row).execute(STEP, [batch_step_id]).fetchone()
    return _loaded(row) if row else None


def _loaded(row: dict[str, Any]) -> LoadedStep:
    definition = msgspec.convert(row.pop("definition"), StepDefinition)
    item = msgspec.convert(row.pop("item"), ItemShape)
    question = load_question(definition.question)
    return LoadedStep(**row, definition=definition, question=question, item=item)


async def open_batches(conn: Async, contributor_id: int) -> list[OpenBatch]:
    cursor = conn.cursor(row_factory=of(OpenBatch))
    values = {"who": contributor_id, "bound": EXPERT_COUNTED + 1}
    return await (await cursor.execute(OPEN_BATCHES, values)).fetchall()


async def batch(conn: Async, batch_id: int, clients: list[int] | None) -> Batch | None:
    """A batch of these clients; of any client for None (operators only)."""
    sql = ANY_BATCH if clients is None else BATCH
    cursor = conn.cursor(row_factory=of(Batch))
    found = await cursor.execute(sql, {"batch": batch_id, "clients": clients})
    row: Batch | None = await found.fetchone()
    return row


async def batches(conn: Async, clients: list[int] | None, before: int, limit: int) -> list[Batch]:
    sql = ALL_BATCHES if clients is None else BATCHES
    cursor = conn.cursor(row_factory=of(Batch))
    values = {"clients": clients, "before": before, "limit": limit}
    return await (await cursor.execute(sql, values)).fetchall()


async def progress(conn: Async, batch_id: int) -> list[StepProgress]:
    cursor = conn.cursor(row_factory=of(StepProgress))
    return await (await cursor.execute(PROGRESS, [batch_id])).fetchall()


async def set_state(conn: Async, batch_id: int, state: str, from_: list[str], open_: bool) -> bool:
    values = {"batch": batch_id, "state": state, "from": from_, "open": open_}
    changed = await (await conn.execute(SET_STATE, values)).fetchone()
    if changed:
        await conn.execute(OPEN_STEPS, values)
    return changed is not None


async def set_priority(conn: Async, batch_id: int, priority: int) -> None:
    values = {"batch": batch_id, "priority": priority}
    await conn.execute(SET_PRIORITY, values)
    await conn.execute(WEIGH_STEPS, values)


def expire_assignments(conn: Sync, now_ms: int, limit: int) -> int:
    row = conn.execute(EXPIRE, [now_ms, limit]).fetchone()
    return int(row[0]) if row else 0
