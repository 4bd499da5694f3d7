"""The SQL of answering: claim in bulk, keep what was predicted, hand in, give back."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.agents.model import Prediction
from canut.agents.running.model import AgentAtWork, Claimed
from canut.db.rows import of
from canut.work.store import SUBMIT

Sync = Connection[Any]

CLAIM = """
select c.task_id, c.key, c.payload, b.client_id
from claim_for_agent(%s, %s, %s, %s, %s, %s, %s) c, batch_step s
join batch b on b.id = s.batch_id
where s.id = %s"""
RETURN = "select return_many(%s, %s, %s, %s)"

# items as they are, without claiming: whether an agent has anything to say yet
SAMPLE = """
select t.id as task_id, i.key, i.payload, b.client_id
from task t join batch_step s on s.id = t.batch_step_id
join batch b on b.id = s.batch_id
join item i on i.batch_id = s.batch_id and i.id = t.item_id
where t.batch_step_id = %s and not t.expert and t.kind = 'work' and t.open
order by t.id limit %s"""

# the licence under which an agent decides alone, and the share of its tasks if it is a canary
IN_FORCE = """
select id, canary_ppm from licence
where contributor_id = %s and process_id = %s and step_slug = %s and ended_ms is null
  and state = 'in_force'"""

# tasks that wait behind an agent which has answered them: to be weighed again, though nobody said
# anything new (`canut.work.store_decide.TAKE`)
WEIGH_AGAIN = """
insert into inbox (task_id, contributor_id, batch_step_id, submitted_ms)
select t.id, -1, t.batch_step_id, %(now)s
from agent_cursor c
join task t on t.batch_step_id = c.batch_step_id and not t.expert and t.kind = 'work' and t.open
    and t.id <= c.reached and not t.decided
where c.agent_id = %(agent)s and c.batch_step_id = %(step)s and exists (
    select from answer a where a.task_id = t.id and a.contributor_id = %(agent)s)
order by t.id"""

KEPT = """
select task_id, value::text, confidence, evidence, cost_micro, currency, latency_ms, stage
from agent_prediction where version_id = %s and task_id = any (%s)"""

# a prediction is made once: what another engine has kept meanwhile stands
KEEP = """
insert into agent_prediction (version_id, task_id, value, confidence, evidence, cost_micro,
                              currency, latency_ms, stage, predicted_ms)
select %(version)s, u.task, u.value, u.confidence, u.evidence, u.cost, u.currency, u.latency,
       u.stage, %(now)s
from unnest(%(tasks)s::bigint[], %(values)s::jsonb[], %(sure)s::real[], %(evidence)s::jsonb[],
            %(costs)s::bigint[], %(currencies)s::text[], %(latencies)s::int[], %(stages)s::text[])
    as u (task, value, confidence, evidence, cost, currency, latency, stage)
order by u.task
on conflict (version_id, task_id) do nothing
returning task_id"""

COST = """
insert into agent_cost as c (version_id, batch_step_id, currency, predictions, answered,
                             cost_micro, latency_ms)
values (%(version)s, %(step)s, %(currency)s, %(n)s, %(answered)s, %(cost)s, %(latency)s)
on conflict (version_id, batch_step_id, currency) do update set
    predictions = c.predictions + excluded.predictions, answered = c.answered + excluded.answered,
    cost_micro = c.cost_micro + excluded.cost_micro,
    latency_ms = c.latency_ms + excluded.latency_ms"""

# claims that could not be looked at now end as if their time were over: they may be had again
RELEASE = """
with back as (
    update assignment set state = 'expired', ended_ms = %(now)s
    where contributor_id = %(agent)s and batch_step_id = %(step)s and task_id = any (%(tasks)s)
      and state = 'claimed'
    returning task_id
)
update task t set slots = t.slots + 1, open = true
from back where t.id = back.task_id and not t.decided and t.kind <> 'gold'"""

PASSED_EXAM = """
select exists (select from exam where contributor_id = %s and process_id = %s
                 and step_slug = %s and state = 'passed')"""
RETAKE = """
select max(retake_ms) from exam where contributor_id = %s and process_id = %s and step_slug = %s"""

_encode = msgspec.json.Encoder().encode


def claim(
    conn: Sync,
    agent_id: int,
    batch_step_id: int,
    count: int,
    *,
    ahead: int,
    after: int | None,
    again_ms: int,
    now_ms: int,
) -> list[Claimed]:
    """Up to `count` tasks; see db/functions/agents.sql for what the others mean."""
    values = [agent_id, batch_step_id, count, ahead, after, again_ms, now_ms, batch_step_id]
    return conn.cursor(row_factory=of(Claimed)).execute(CLAIM, values).fetchall()


def sample(conn: Sync, batch_step_id: int, count: int) -> list[Claimed]:
    """Open tasks as they are, held by nobody."""
    cursor = conn.cursor(row_factory=of(Claimed))
    return cursor.execute(SAMPLE, [batch_step_id, count]).fetchall()


def kept(conn: Sync, version_id: int, hashed: str, tasks: Sequence[int]) -> dict[int, Prediction]:
    """Task -> what this version predicted of it before."""
    decode = msgspec.json.Decoder().decode
    rows = conn.execute(KEPT, [version_id, list(tasks)]).fetchall()
    return {
        task: Prediction(
            task,
            None if value is None else decode(value),
            sure,
            hashed,
            stage,
            evidence,
            cost,
            currency,
            latency,
        )
        for task, value, sure, evidence, cost, currency, latency, stage in rows
    }


def keep(
    conn: Sync,
    version_id: int,
    batch_step_id: int,
    predictions: Sequence[Prediction],
    now_ms: int,
) -> None:
    """Keep predictions (`key` is the task) and what they cost, each once. In a transaction."""
    values = {
        "version": version_id,
        "now": now_ms,
        "tasks": [p.key for p in predictions],
        "values": [None if p.value is None else _encode(p.value).decode() for p in predictions],
        "sure": [p.confidence for p in predictions],
        "evidence": [Jsonb(p.evidence) for p in predictions],
        "costs": [p.cost_micro for p in predictions],
        "currencies": [p.currency for p in predictions],
        "latencies": [p.latency_ms for p in predictions],
        "stages": [p.stage for p in predictions],
    }
    new = {row[0] for row in conn.execute(KEEP, values)}
    for currency in sorted({p.currency for p in predictions}):
        of_it = [p for p in predictions if p.currency == currency and p.key in new]
        if of_it:
            sums = {
                "version": version_id,
                "step": batch_step_id,
                "currency": currency,
                "n": len(of_it),
                "answered": sum(p.value is not None for p in of_it),
                "cost": sum(p.cost_micro for p in of_it),
                "latency": sum(p.latency_ms for p in of_it),
            }
            conn.execute(COST, sums)


def submit(
    conn: Sync, agent_id: int, batch_step_id: int, predictions: Sequence[Prediction], now_ms: int
) -> dict[int, str]:
    """Hand in answers with how sure the agent is of each; outcome by task."""
    tasks = [p.key for p in predictions]
    values = [_encode(p.value).decode() for p in predictions]
    sure = [p.confidence for p in predictions]
    steps = [batch_step_id] * len(tasks)
    given = [agent_id, tasks, steps, values, now_ms, sure]
    return dict(conn.execute(SUBMIT, given).fetchall())


def give_back(
    conn: Sync, agent_id: int, batch_step_id: int, tasks: Sequence[int], now_ms: int
) -> int:
    """Return what it holds of these; how many that were."""
    row = conn.execute(RETURN, [agent_id, list(tasks), batch_step_id, now_ms]).fetchone()
    return int(row[0]) if row else 0


def release(
    conn: Sync, agent_id: int, batch_step_id: int, tasks: Sequence[int], now_ms: int
) -> None:
    """End its claims on these as if their time were over: it may have them again."""
    values = {"agent": agent_id, "step": batch_step_id, "tasks": list(tasks), "now": now_ms}
    conn.execute(RELEASE, values)


def passed_exam(conn: Sync, agent_id: int, process_id: int, step_slug: str) -> bool:
    """Whether it has passed the exam of this step."""
    row = conn.execute(PASSED_EXAM, [agent_id, process_id, step_slug]).fetchone()
    return bool(row and row[0])


def retake_ms(conn: Sync, agent_id: int, process_id: int, step_slug: str) -> int | None:
    """When it may sit the exam again; None where it never failed it."""
    row = conn.execute(RETAKE, [agent_id, process_id, step_slug]).fetchone()
    return row[0] if row else None


def in_force(conn: Sync, agent: AgentAtWork) -> tuple[int, int] | None:
    """The licence under which an agent decides alone, and its share in millionths; None: none."""
    values = [agent.id, agent.process_id, agent.step_slug]
    return conn.execute(IN_FORCE, values).fetchone()


def weigh_again(conn: Sync, agent_id: int, batch_step_id: int, now_ms: int) -> int:
    """Tasks of a step that wait behind an agent, among the fresh ones; how many."""
    values = {"agent": agent_id, "step": batch_step_id, "now": now_ms}
    return conn.execute(WEIGH_AGAIN, values).rowcount
