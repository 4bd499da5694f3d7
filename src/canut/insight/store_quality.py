"""The SQL of the operator's look at quality. Everything here reads."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from canut.db.rows import of
from canut.insight.quality_model import Alike, Counts, Ended
from canut.quality.beliefs.model import StepPlace

Sync = Connection[Any]

# every step with work, gold or a licence; each count from its own table, grouped once
COUNTS = """
with place as (
    select process_id, slug as step_slug from batch_step
    union select process_id, step_slug from licence
    union select process_id, step_slug from gold
), held as (
    select l.process_id, l.step_slug,
           count(*) filter (where c.kind = 'person' and l.state = 'in_force') as people,
           count(*) filter (where l.state = 'in_force' and l.flagged_ms is not null) as flagged,
           count(*) filter (where l.state = 'in_force' and l.threshold is not null) as agents,
           count(*) filter (where l.state = 'earning') as earning,
           count(*) filter (where l.reason = 'revoked' and l.ended_ms >= %(since)s) as revoked,
           count(*) filter (where l.reason = 'narrowed' and l.ended_ms >= %(since)s) as narrowed
    from licence l join contributor c on c.id = l.contributor_id
    group by l.process_id, l.step_slug
), golds as (
    select process_id, step_slug, count(*) filter (where state = 'active') as gold,
           count(*) filter (where cause in ('leaked', 'disputed')
               and retired_ms >= %(since)s) as gold_bad
    from gold group by process_id, step_slug
), told as (
    select g.process_id, g.step_slug, count(*) as gold_answers,
           count(*) filter (where a.agreement >= %(right)s) as gold_right
    from gold_answer a join gold g on g.id = a.gold_id
    where a.counted group by g.process_id, g.step_slug
), heard as (
    select s.process_id, s.slug as step_slug, count(*) as audited
    from panel p join batch_step s on s.id = p.batch_step_id
    where p.resolved group by s.process_id, s.slug
), pairs as (
    select process_id, step_slug, count(*) as alike from alike group by process_id, step_slug
)
select place.process_id, place.step_slug, coalesce(people, 0) as people,
       coalesce(flagged, 0) as flagged, coalesce(agents, 0) as agents,
       coalesce(earning, 0) as earning, coalesce(revoked, 0) as revoked,
       coalesce(narrowed, 0) as narrowed, coalesce(alike, 0) as alike, coalesce(gold, 0) as gold,
       coalesce(gold_answers, 0) as gold_answers, coalesce(gold_right, 0) as gold_right,
       coalesce(gold_bad, 0) as gold_bad, coalesce(audited, 0) as audited, m.parameters
from place
left join held using (process_id, step_slug)
left join golds using (process_id, step_slug)
left join told using (process_id, step_slug)
left join heard using (process_id, step_slug)
left join pairs using (process_id, step_slug)
left join step_model m using (process_id, step_slug)
where %(process)s::bigint is null or (place.process_id, place.step_slug) = (%(process)s, %(step)s)
order by place.process_id, place.step_slug"""

STEP_OF = "select id, process_id from batch_step where id = any (%s)"

# those that chance explains least come first
ALIKE = """
select k.one, k.other, a.name as one_name, b.name as other_name, k.common, k.same_wrong, k.chance,
       k.p_value, k.found_ms
from alike k join contributor a on a.id = k.one join contributor b on b.id = k.other
where k.process_id = %s and k.step_slug = %s
order by k.p_value, k.one, k.other limit %s"""

ENDED = """
select l.id, c.name, l.reason, l.ended_ms
from licence l join contributor c on c.id = l.contributor_id
where l.process_id = %s and l.step_slug = %s and l.reason in ('revoked', 'narrowed')
  and l.ended_ms >= %s
order by l.ended_ms desc limit 50"""


def counts(
    conn: Sync, since_ms: int, right_from: float, place: StepPlace | None = None
) -> list[Counts]:
    """Of every step, or of one."""
    values = {
        "since": since_ms,
        "right": right_from,
        "process": place.process_id if place else None,
        "step": place.step_slug if place else None,
    }
    return conn.cursor(row_factory=of(Counts)).execute(COUNTS, values).fetchall()


def processes_of(conn: Sync, batch_steps: Sequence[int]) -> dict[int, int]:
    """The process of each of these steps of batches."""
    return dict(conn.execute(STEP_OF, [list(batch_steps)]).fetchall())


def alike(conn: Sync, place: StepPlace, limit: int) -> list[Alike]:
    """Pairs of contributors who give the same wrong answers."""
    values = [place.process_id, place.step_slug, limit]
    return conn.cursor(row_factory=of(Alike)).execute(ALIKE, values).fetchall()


def ended(conn: Sync, place: StepPlace, since_ms: int) -> list[Ended]:
    """Agents' licences that evidence ended since then, the newest first."""
    values = [place.process_id, place.step_slug, since_ms]
    return conn.cursor(row_factory=of(Ended)).execute(ENDED, values).fetchall()
