"""The SQL of gold in use: what contributors answered, compared and counted."""

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

# judge: keep how far each answer agrees, and add it to the record of who gave it; retired gold
# counts for nobody. In the order of contributors, so that two engines never wait in a circle
JUDGE = """
with judged as (
    update gold_answer s
    set value = u.value, agreement = u.agreement, answered_ms = u.answered_ms,
        counted = g.state = 'active'
    from unnest(%(golds)s::bigint[], %(contributors)s::bigint[], %(values)s::jsonb[],
                %(agreement)s::real[], %(at)s::bigint[])
        as u (gold_id, contributor_id, value, agreement, answered_ms)
    join gold g on g.id = u.gold_id
    where s.gold_id = u.gold_id and s.contributor_id = u.contributor_id and s.answered_ms is null
    returning s.contributor_id, s.agreement, s.counted
)
insert into track (process_id, step_slug, contributor_id, "right", judged, gold_right, gold_judged)
select %(process)s, %(step)s, contributor_id, 0, 0, sum(agreement), count(*)
from judged where counted
group by contributor_id order by contributor_id
on conflict (process_id, step_slug, contributor_id) do update
set gold_right = track.gold_right + excluded.gold_right,
    gold_judged = track.gold_judged + excluded.gold_judged"""

# uncount: answers to retired gold leave the records they are in. What an engine counted while the
# gold was being retired goes at the next call
UNCOUNT = """
with gone as (
    update gold_answer s set counted = false
    from gold g
    where g.id = s.gold_id and g.state = 'retired' and s.counted
    returning g.process_id, g.step_slug, s.contributor_id, s.agreement
), sums as (
    select process_id, step_slug, contributor_id, sum(agreement) as agreed, count(*) as n
    from gone group by process_id, step_slug, contributor_id
)
update track t set gold_right = greatest(t.gold_right - sums.agreed, 0),
                   gold_judged = greatest(t.gold_judged - sums.n, 0)
from sums where t.process_id = sums.process_id and t.step_slug = sums.step_slug
  and t.contributor_id = sums.contributor_id"""


class Told(Struct, frozen=True):
    """An answer to a gold, with what is known of who gave it from everything else."""

    gold_id: int
    agreement: float
    #: right answers and answers at the step, this one left out
    elsewhere: float
    judged: float
    #: which of the contributor's answers to gold of the step it was, from 1
    nth: int


class Reviewed(Struct, frozen=True):
    """A gold with answers that no review has looked at."""

    id: int
    answers: int


# golds with answers that no review has looked at
TO_REVIEW = """
select g.id, n.answers
from gold g
join lateral (select count(*)::int as answers from gold_answer a
              where a.gold_id = g.id and a.agreement is not null) n on true
where g.state = 'active' and n.answers > g.reviewed
order by g.id limit %s"""

# told: answers to these golds in the order in which they came. What else is known of a contributor
# is the record (decisions, and gold hidden in the work) and the step's exams
TOLD = """
select a.gold_id, a.agreement,
       coalesce(t."right" + t.gold_right, 0) + coalesce(exam.agreed, 0)
           - case when a.counted or a.exam_id is not null then a.agreement else 0 end as elsewhere,
       coalesce(t.judged + t.gold_judged, 0) + coalesce(exam.n, 0)
           - case when a.counted or a.exam_id is not null then 1 else 0 end as judged,
       (select count(*)::int from gold_answer o join gold og on og.id = o.gold_id
        where o.contributor_id = a.contributor_id and og.process_id = g.process_id
          and og.step_slug = g.step_slug and o.shown_ms <= a.shown_ms) as nth
from gold_answer a
join gold g on g.id = a.gold_id
left join track t on t.process_id = g.process_id and t.step_slug = g.step_slug
    and t.contributor_id = a.contributor_id
left join lateral (
    select sum(o.agreement) as agreed, count(*) as n
    from gold_answer o join gold og on og.id = o.gold_id
    where o.contributor_id = a.contributor_id and o.exam_id is not null
      and o.agreement is not null and og.state = 'active'
      and og.process_id = g.process_id and og.step_slug = g.step_slug
) exam on true
where a.gold_id = any (%s) and a.agreement is not null
order by a.gold_id, a.answered_ms, a.contributor_id"""

LOOKED_AT = """
update gold g set reviewed = u.n from unnest(%s::bigint[], %s::int[]) as u (id, n)
where g.id = u.id"""


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
    conn.execute(
        JUDGE,
        {
            "golds": [row.gold_id for row in rows],
            "contributors": [row.contributor_id for row in rows],
            "values": [row.answer for row in rows],
            "agreement": list(agreement),
            "at": [row.submitted_ms for row in rows],
            "process": process_id,
            "step": step_slug,
        },
    )


def uncount(conn: Connection[Any]) -> None:
    """Take answers to retired gold out of the records they are in."""
    conn.execute(UNCOUNT)


def to_review(conn: Connection[Any], limit: int) -> list[Reviewed]:
    """Golds with answers that no review has looked at."""
    return conn.cursor(row_factory=of(Reviewed)).execute(TO_REVIEW, [limit]).fetchall()


def told(conn: Connection[Any], golds: list[int]) -> list[Told]:
    """Every answer to these golds, by gold and in the order in which they came."""
    return conn.cursor(row_factory=of(Told)).execute(TOLD, [golds]).fetchall()


def looked_at(conn: Connection[Any], golds: Sequence[Reviewed]) -> None:
    """A review has looked at these."""
    conn.execute(LOOKED_AT, [[gold.id for gold in golds], [gold.answers for gold in golds]])
