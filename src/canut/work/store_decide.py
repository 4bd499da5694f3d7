"""The SQL of deciding: read what is fresh, write what was decided, a batch of tasks at a time.

Everything here happens inside one transaction of `canut.work.decide`: killed at any moment, the
inbox is as it was and the next pass starts over.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import dict_row

from canut.db.rows import of
from canut.work.evidence import Evidence, encode_evidence

Sync = Connection[Any]


class FreshTask(Struct, frozen=True):
    """A task with answers that were not weighed yet; locked until the transaction ends."""

    task_id: int
    batch_step_id: int
    item_id: int
    wanted: int
    expert: bool
    decided: bool
    #: work, gold or audit
    kind: str
    #: the task that an audit answers again
    of_task: int | None
    #: answers taken from the inbox for it; 0: to be weighed again, though nobody said anything new
    n_fresh: int
    #: people could not answer it, and call its expert
    called: bool = False


class StepRules(Struct, frozen=True):
    """How a step of a batch decides; a batch may differ from its process version."""

    batch_step_id: int
    batch_id: int
    position: int
    process_id: int
    slug: str
    min_answers: int
    max_answers: int
    target: float
    #: errors that are allowed among all decisions together
    error_max: float
    #: sum of the chances that a decision is wrong, over so many decisions
    doubt: float
    doubted: int
    expert_skill: str | None
    #: the step that decided items go on to
    next_step_id: int | None
    next_min_answers: int | None


class NewDecision(Struct, frozen=True):
    """A decision on its way into the database."""

    task_id: int
    item_id: int
    value: Any
    confidence: float
    method: str
    n_answers: int
    evidence: Evidence
    #: the chance that it is wrong, as far as is believed
    doubt: float


# take answers out of the inbox and lock their tasks, in the order of ids as everywhere. Another
# engine skips the rows we hold and waits at the tasks it shares with us; after the wait it gets
# them as we left them. Rows of contributor -1 are no answers: the task is to be weighed again; -2
# calls its expert. What its contributor may still take back is left.
TAKE = """
with taken as (
    delete from inbox where ctid = any (array(
        select ctid from inbox where after_ms <= %s limit %s for update skip locked))
    returning task_id, contributor_id
), fresh as (
    select task_id, count(*) filter (where contributor_id >= 0) as n_fresh,
           bool_or(contributor_id = -2) as called
    from taken group by task_id
)
select t.id as task_id, t.batch_step_id, t.item_id, t.wanted, t.expert, t.decided, t.kind,
       t.of_task, fresh.n_fresh, fresh.called
from task t join fresh on fresh.task_id = t.id
order by t.id
for update of t"""

# answers that could not be weighed, back for the next pass
PUT_BACK = """
insert into inbox (task_id, contributor_id, batch_step_id, submitted_ms)
select t.id, who, t.batch_step_id, %s
from unnest(%s::bigint[], %s::int[], %s::bool[]) as u (task_id, n, called)
join task t on t.id = u.task_id
cross join unnest(case when u.called then array[-2] when u.n = 0 then array[-1] else '{}' end
                  || array_fill(0, array[u.n])) as who"""

RULES = """
select s.id as batch_step_id, s.batch_id, s.position, s.process_id, s.slug, s.min_answers,
       s.max_answers, s.target, s.error_max, s.doubt, s.doubted, s.expert_skill,
       n.id as next_step_id, n.min_answers as next_min_answers
from batch_step s
left join batch_step n on n.batch_id = s.batch_id and n.position = s.position + 1
where s.id = any (%s) order by s.id"""

ANSWERS = """
select task_id, contributor_id, value::text, expert, confidence, submitted_ms
from answer where task_id = any (%s) order by task_id, submitted_ms, contributor_id"""

AGENTS = "select id from contributor where id = any (%s) and kind = 'agent'"

# who of these has mastered a skill
HOLDERS = "select id from contributor where id = any (%s) and %s = any (skills)"

DECIDE = """
insert into decision (task_id, batch_step_id, item_id, value, confidence, method, n_answers,
                      evidence, decided_ms)
select u.task_id, %(step)s, u.item_id, u.value, u.confidence, u.method, u.n_answers, u.evidence,
       %(now)s
from unnest(%(tasks)s::bigint[], %(items)s::bigint[], %(values)s::jsonb[],
            %(confidences)s::real[], %(methods)s::text[], %(n_answers)s::int2[],
            %(evidence)s::jsonb[])
    as u (task_id, item_id, value, confidence, method, n_answers, evidence)"""

CLOSE = """
update task set decided = true, open = false, slots = 0 where id = any (%s)"""

# one more answer; an escalated task goes to experts only, a doubtful one to the better contributors
# first
ASK = """
update task t set wanted = t.wanted + 1, slots = t.slots + 1, open = true, expert = u.expert,
       doubtful = u.doubtful
from unnest(%s::bigint[], %s::boolean[], %s::boolean[]) as u (task_id, expert, doubtful)
where t.id = u.task_id"""

GO_ON = """
insert into task (batch_step_id, item_id, wanted, slots)
select %s, item_id, %s, %s from unnest(%s::bigint[]) as item_id order by item_id
on conflict do nothing"""

COUNT = """
update batch_step set n_answers = n_answers + %s, n_decided = n_decided + %s,
       n_escalated = n_escalated + %s, doubt = doubt + %s, doubted = doubted + %s where id = %s"""
COUNT_TASKS = "update batch_step set n_tasks = n_tasks + %s where id = %s"

# batches whose every item was decided at every step
DELIVER = """
update batch b set state = 'delivered', delivered_ms = %(now)s
where b.id = any (%(batches)s) and b.state in ('running', 'paused') and b.n_items > 0
  and not exists (select from batch_step s where s.batch_id = b.id and s.n_decided < b.n_items)
returning b.id, b.client_id, b.key, b.name, b.n_items"""
SHUT = "update batch_step set open = false where batch_id = any (%s)"


def take_fresh(conn: Sync, now_ms: int, limit: int) -> list[FreshTask]:
    """Tasks with fresh answers, locked, as they are after the lock."""
    return conn.cursor(row_factory=of(FreshTask)).execute(TAKE, [now_ms, limit]).fetchall()


def put_back(conn: Sync, tasks: Sequence[FreshTask], now_ms: int) -> None:
    """Fresh again, as many times as they were."""
    ids = [task.task_id for task in tasks]
    fresh, called = [task.n_fresh for task in tasks], [task.called for task in tasks]
    conn.execute(PUT_BACK, [now_ms, ids, fresh, called])


def rules(conn: Sync, batch_steps: list[int]) -> dict[int, StepRules]:
    rows = conn.cursor(row_factory=of(StepRules)).execute(RULES, [batch_steps]).fetchall()
    return {row.batch_step_id: row for row in rows}


def answers(conn: Sync, tasks: list[int]) -> list[tuple[int, int, str, bool, float | None, int]]:
    """(task, contributor, value as JSON text, expert, stated confidence, submitted_ms) in the order
    of tasks."""
    return conn.execute(ANSWERS, [tasks]).fetchall()


def agents(conn: Sync, contributors: list[int]) -> set[int]:
    """Those of the contributors who are agents."""
    return {row[0] for row in conn.execute(AGENTS, [contributors])}


def holders(conn: Sync, contributors: list[int], skill: str) -> set[int]:
    """Those of the contributors who have the skill."""
    return {row[0] for row in conn.execute(HOLDERS, [contributors, skill])}


def decide(conn: Sync, batch_step_id: int, decisions: Sequence[NewDecision], now_ms: int) -> None:
    encode = msgspec.json.Encoder().encode
    conn.execute(
        DECIDE,
        {
            "step": batch_step_id,
            "now": now_ms,
            "tasks": [d.task_id for d in decisions],
            "items": [d.item_id for d in decisions],
            "values": [encode(d.value).decode() for d in decisions],
            "confidences": [d.confidence for d in decisions],
            "methods": [d.method for d in decisions],
            "n_answers": [d.n_answers for d in decisions],
            "evidence": [encode_evidence(d.evidence).decode() for d in decisions],
        },
    )
    conn.execute(CLOSE, [[d.task_id for d in decisions]])


def ask(conn: Sync, tasks: list[int], expert: list[bool], doubtful: list[bool]) -> None:
    """One more answer for each task, from an expert where so marked."""
    conn.execute(ASK, [tasks, expert, doubtful])


def go_on(conn: Sync, batch_step_id: int, min_answers: int, items: list[int]) -> int:
    """Tasks of the next step for these items; returns how many are new."""
    return conn.execute(GO_ON, [batch_step_id, min_answers, min_answers, items]).rowcount


def count(
    conn: Sync, batch_step_id: int, answers: int, decisions: Sequence[NewDecision], escalated: int
) -> None:
    """Add to the counts of a step of a batch."""
    doubt, decided = sum(decision.doubt for decision in decisions), len(decisions)
    conn.execute(COUNT, [answers, decided, escalated, doubt, decided, batch_step_id])


def count_tasks(conn: Sync, batch_step_id: int, tasks: int) -> None:
    conn.execute(COUNT_TASKS, [tasks, batch_step_id])


def deliver(conn: Sync, batches: list[int], now_ms: int) -> list[dict[str, Any]]:
    """Mark what is complete as delivered; returns those batches."""
    values = {"batches": batches, "now": now_ms}
    done = conn.cursor(row_factory=dict_row).execute(DELIVER, values).fetchall()
    if done:
        conn.execute(SHUT, [[batch["id"] for batch in done]])
    return done
