"""The SQL of teaching: what was decided, without what evidence rests on."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.agents.running.model import AgentAtWork
from canut.db.rows import of
from canut.quality.licences.store_blind import FIRST_GIVEN

Sync = Connection[Any]

# steps of batches with decisions, the newest first: what an agent could learn from
STEPS = """
select s.id, s.n_decided from batch_step s
where s.process_id = %s and s.slug = %s and s.n_decided > 0 order by s.id desc limit %s"""

DECIDED_COUNT = """
select coalesce(sum(n_decided), 0)::bigint from batch_step where process_id = %s and slug = %s"""
#: "looked" of an agent for which a person asked for a lesson
ASKED = -1
LOOKED = "select looked_n from agent where id = %s"
SET_LOOKED = "update agent set looked_n = %s where id = %s"

# never what an agent decided alone, never a task of the agent's own blind stream, never one that
# a panel has heard for an audit or a dispute: licences and certificates rest on these, for good
DECIDED = """
select d.task_id, i.key, i.payload, d.value::text as value, d.confidence, d.method, d.decided_ms,
       batch.client_id
from decision d
join batch_step s on s.id = d.batch_step_id
join batch on batch.id = s.batch_id
join item i on i.batch_id = s.batch_id and i.id = d.item_id
where d.batch_step_id = any (%(steps)s) and d.method <> 'licence'
  and not exists (select from blind_answer b
                  where b.task_id = d.task_id and b.contributor_id = %(agent)s)
  and not exists (select from panel p where p.of_task = d.task_id)
order by d.decided_ms desc, d.task_id desc
limit %(limit)s"""

# what of these a licence or a certificate rests on: nothing, or the query above is wrong
PROTECTED = """
select task_id from blind_answer where contributor_id = %(agent)s and task_id = any (%(tasks)s)
union select of_task from panel where of_task = any (%(tasks)s)"""

# tasks that people judge this agent by, the newest, with what they decided where they have: of the
# streams of all versions since evidence last spoke against one, for the work may have changed then
HELD_OUT = f"""
select b.task_id, i.key, i.payload, t.batch_step_id, d.value::text as value, batch.client_id,
       coalesce((select min(p.predicted_ms) from agent_prediction p where p.task_id = b.task_id), 0)
           as drawn_ms, b.lone,
       case when not b.lone and d.task_id is not null then {FIRST_GIVEN} end as first_said
from (
    select b.task_id, min(b.id) as place, bool_and(b.lone) as lone
    from licence l join blind_answer b on b.root = l.id
    where l.contributor_id = %(agent)s and l.process_id = %(process)s and l.step_slug = %(step)s
      and b.licence_id > coalesce((
          select max(o.id) from licence o
          where o.contributor_id = l.contributor_id and o.process_id = l.process_id
            and o.step_slug = l.step_slug and o.reason in ('revoked', 'narrowed')), 0)
    group by b.task_id order by place desc limit %(limit)s
) b
join task t on t.id = b.task_id and t.batch_step_id = any (%(steps)s)
join batch_step s on s.id = t.batch_step_id
join batch on batch.id = s.batch_id and batch.state <> 'cancelled'
join item i on i.batch_id = s.batch_id and i.id = t.item_id
left join decision d on d.task_id = b.task_id
order by b.place"""  # noqa: S608 - a query of ours

DECISIONS = "select task_id, value::text from decision where task_id = any (%s)"

# predictions and answers of the agent's versions that learned something
ANSWERED = """
select coalesce(sum(c.predictions), 0)::bigint, coalesce(sum(c.answered), 0)::bigint
from agent_version v join agent_cost c on c.version_id = v.id
where v.agent_id = %s and v.role in ('champion', 'replaced')"""

MOST_LEARNED = """
select coalesce(max(s.n_examples), 0) from agent_version v
join agent_artefact s on s.sha256 = v.state
where v.agent_id = %s and v.version ->> 'schema' = %s"""


class DecidedRow(Struct, frozen=True):
    """A decided item, as it may be learned from."""

    task_id: int
    key: str
    payload: dict[str, Any]
    #: JSON
    value: str
    confidence: float
    method: str
    decided_ms: int
    client_id: int


class HeldOutRow(Struct, frozen=True):
    """A task that an agent is judged by."""

    task_id: int
    key: str
    payload: dict[str, Any]
    batch_step_id: int
    #: what people decided, JSON; None while they have not
    value: str | None
    client_id: int
    #: when an agent was first asked about it; 0: nobody knows
    drawn_ms: int = 0
    #: one person is enough who agrees with the version that it was drawn for
    lone: bool = False
    #: what the first person to answer said, JSON, where two were asked and have decided
    first_said: str | None = None


def steps(conn: Sync, agent: AgentAtWork, limit: int) -> list[int]:
    """Steps of batches with decisions, the newest first."""
    rows = conn.execute(STEPS, [agent.process_id, agent.step_slug, limit])
    return [row[0] for row in rows]


def decided_count(conn: Sync, agent: AgentAtWork) -> int:
    """Decisions at the step, whoever took them."""
    row = conn.execute(DECIDED_COUNT, [agent.process_id, agent.step_slug]).fetchone()
    return int(row[0]) if row else 0


def looked(conn: Sync, agent_id: int) -> int:
    """How many decisions there were when somebody looked last whether to teach; `ASKED`."""
    row = conn.execute(LOOKED, [agent_id]).fetchone()
    return int(row[0]) if row else 0


def set_looked(conn: Sync, agent_id: int, count: int) -> None:
    conn.execute(SET_LOOKED, [count, agent_id])


def decided(conn: Sync, agent_id: int, steps: Sequence[int], limit: int) -> list[DecidedRow]:
    """The newest decisions that may be learned from, the oldest of them first."""
    values = {"agent": agent_id, "steps": list(steps), "limit": limit}
    rows = conn.cursor(row_factory=of(DecidedRow)).execute(DECIDED, values).fetchall()
    return rows[::-1]


def protected(conn: Sync, agent_id: int, tasks: Sequence[int]) -> set[int]:
    """Those of the tasks that nobody may learn from."""
    values = {"agent": agent_id, "tasks": list(tasks)}
    return {row[0] for row in conn.execute(PROTECTED, values)}


def most_learned(conn: Sync, agent_id: int, schema: str) -> int:
    """Examples that the best taught version for such a step has seen, whatever became of it."""
    row = conn.execute(MOST_LEARNED, [agent_id, schema]).fetchone()
    return int(row[0]) if row else 0


def held_out(conn: Sync, agent: AgentAtWork, steps: Sequence[int], limit: int) -> list[HeldOutRow]:
    """The newest tasks that the agent is judged by, in the order in which they were drawn."""
    values = {
        "agent": agent.id,
        "process": agent.process_id,
        "step": agent.step_slug,
        "steps": list(steps),
        "limit": limit,
    }
    return conn.cursor(row_factory=of(HeldOutRow)).execute(HELD_OUT, values).fetchall()


def decisions(conn: Sync, tasks: Sequence[int]) -> dict[int, str]:
    """Task -> what people decided, JSON, of those that are decided."""
    return dict(conn.execute(DECISIONS, [list(tasks)]).fetchall())


def answered_share(conn: Sync, agent_id: int) -> float:
    """Share of what its champions were asked that they answered; 0 where that was nothing."""
    row = conn.execute(ANSWERED, [agent_id]).fetchone()
    return int(row[1]) / int(row[0]) if row and row[0] else 0.0
