"""The SQL of gold."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of


class Unjudged(Struct, frozen=True):
    """An answer to a gold task, not compared yet."""

    gold_id: int
    contributor_id: int
    #: the gold's value and the contributor's answer, as JSON
    value: str
    answer: str
    submitted_ms: int


UNJUDGED = """
select g.id as gold_id, a.contributor_id, g.value::text as value, a.value::text as answer,
       a.submitted_ms
from gold_answer s
join gold g on g.id = s.gold_id
join answer a on a.task_id = s.task_id and a.contributor_id = s.contributor_id
where s.task_id = any (%s) and s.answered_ms is null
order by g.id, a.contributor_id"""

JUDGE = """
update gold_answer s
set value = u.value, agreement = u.agreement, answered_ms = u.answered_ms
from unnest(%s::bigint[], %s::bigint[], %s::jsonb[], %s::real[], %s::bigint[])
    as u (gold_id, contributor_id, value, agreement, answered_ms)
where s.gold_id = u.gold_id and s.contributor_id = u.contributor_id"""

# ordered, so that two engines never wait in a circle
RECORD = """
insert into track (process_id, step_slug, contributor_id, "right", judged, gold_right, gold_judged)
select %s, %s, u.contributor_id, 0, 0, sum(u.agreement), count(*)
from unnest(%s::bigint[], %s::float8[]) as u (contributor_id, agreement)
group by u.contributor_id order by u.contributor_id
on conflict (process_id, step_slug, contributor_id) do update
set gold_right = track.gold_right + excluded.gold_right,
    gold_judged = track.gold_judged + excluded.gold_judged"""


def unjudged(conn: Connection[Any], tasks: list[int]) -> list[Unjudged]:
    """Answers to these gold tasks that were not compared yet."""
    return conn.cursor(row_factory=of(Unjudged)).execute(UNJUDGED, [tasks]).fetchall()


def judge(
    conn: Connection[Any],
    process_id: int,
    step_slug: str,
    rows: Sequence[Unjudged],
    agreement: Sequence[float],
) -> None:
    """Keep how far each answer agrees, and add it to the record of who gave it."""
    if not rows:
        return
    contributors = [row.contributor_id for row in rows]
    conn.execute(
        JUDGE,
        [
            [row.gold_id for row in rows],
            contributors,
            [row.answer for row in rows],
            list(agreement),
            [row.submitted_ms for row in rows],
        ],
    )
    conn.execute(RECORD, [process_id, step_slug, contributors, list(agreement)])
