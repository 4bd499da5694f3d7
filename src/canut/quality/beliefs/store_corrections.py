"""The SQL of putting records right: answers that were judged against a decision that was wrong."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Conn = Connection[Any]


class Wronged(Struct, frozen=True):
    """A decision that its settled panel contradicts, perhaps; values as JSON."""

    audit_task: int
    task_id: int
    process_id: int
    step_slug: str
    #: as it was decided
    decided: str
    #: the panel's
    value: str


class Judged(Struct, frozen=True):
    """An answer that counted in its contributor's record when its task was decided."""

    task_id: int
    contributor_id: int
    value: str
    #: what was added to the record
    agreement: float


# panels that most of them stand behind, on decisions whose records were not put right yet; a task
# that was escalated taught by its expert's word, which is the decision
OPEN = """
select p.task_id as audit_task, p.of_task as task_id, s.process_id, s.slug as step_slug,
       d.value::text as decided, p.value::text as value
from panel p
join decision d on d.task_id = p.of_task
join batch_step s on s.id = p.batch_step_id
where p.task_id = any (%s) and p.settled_ms is not null and p.resolved and not p.corrected
  and d.method <> 'panel'
order by p.task_id"""

# a lone answer taught nothing, nor did an expert's; evidence is as `canut.work.evidence` has it
JUDGED = """
select d.task_id, a.contributor_id, a.value::text as value, (pair ->> 1)::float8 as agreement
from decision d
cross join lateral jsonb_array_elements(d.evidence) as evidence (pair)
join answer a on a.task_id = d.task_id and a.contributor_id = (pair ->> 0)::bigint
where d.task_id = any (%s) and d.n_answers > 1 and not a.expert and jsonb_typeof(pair) = 'array'
order by d.task_id, a.contributor_id"""

# in the order of contributors, as everywhere, so that two engines never wait in a circle
HOLD = """
select from track where process_id = %s and step_slug = %s and contributor_id = any (%s)
order by contributor_id for update"""
CORRECT = """
update track t set "right" = least(t.judged, greatest(0, t."right" + u.difference))
from unnest(%s::bigint[], %s::float8[]) as u (contributor_id, difference)
where t.process_id = %s and t.step_slug = %s and t.contributor_id = u.contributor_id"""
DONE = "update panel set corrected = true where task_id = any (%s)"


def wronged(conn: Conn, audit_tasks: Sequence[int]) -> list[Wronged]:
    return conn.cursor(row_factory=of(Wronged)).execute(OPEN, [list(audit_tasks)]).fetchall()


def judged(conn: Conn, tasks: Sequence[int]) -> list[Judged]:
    return conn.cursor(row_factory=of(Judged)).execute(JUDGED, [list(tasks)]).fetchall()


def correct(conn: Conn, process_id: int, step_slug: str, difference: dict[int, float]) -> None:
    """Add to the expected right answers of each contributor, between none and all."""
    who = sorted(difference)
    conn.execute(HOLD, [process_id, step_slug, who])
    values = [who, [difference[one] for one in who], process_id, step_slug]
    conn.execute(CORRECT, values)


def done(conn: Conn, audit_tasks: Sequence[int]) -> None:
    conn.execute(DONE, [list(audit_tasks)])
