"""The SQL of evidence about people's licences."""

from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.db.rows import of
from canut.quality.beliefs.model import StepPlace
from canut.quality.licences.people_watch_rules import Evidence

Sync = Connection[Any]

# steps with a person's licence in force about which something is new: hidden gold was answered or
# retired, or an audit was judged
DUE = """
select distinct l.process_id, l.step_slug
from licence l join contributor c on c.id = l.contributor_id and c.kind = 'person'
where l.state = 'in_force' and (
    exists (
        select from gold_answer a join gold g on g.id = a.gold_id
        where a.contributor_id = l.contributor_id and a.exam_id is null
          and g.process_id = l.process_id and g.step_slug = l.step_slug
          and (a.answered_ms >= l.reviewed_ms or g.retired_ms >= l.reviewed_ms))
    or exists (
        select from batch_step s join frame f on f.batch_step_id = s.id
        join audit a on a.frame_id = f.id
        where s.process_id = l.process_id and s.slug = l.step_slug
          and a.judged_ms >= l.reviewed_ms))
order by l.process_id, l.step_slug"""

# people's licences in force at a step, each with the level that its exam proved; without an exam,
# the level that the exam of the step would prove now. One of them, or all (null)
HELD = """
select l.id, l.contributor_id, l.version, l.delta, l.flagged_ms, l.standing,
       coalesce((e.rules ->> 'level')::float8, asked.level, 0.7) as level
from licence l join contributor c on c.id = l.contributor_id and c.kind = 'person'
left join exam e on e.id = (l.finding ->> 'exam')::bigint
left join lateral (
    select (s.definition ->> 'exam')::float8 as level
    from process_version v join step s on s.process_version_id = v.id and s.slug = l.step_slug
    where v.process_id = l.process_id order by v.adapted, v.number desc limit 1
) asked on true
where l.process_id = %(process)s and l.step_slug = %(step)s and l.state = 'in_force'
  and (%(licence)s::bigint is null or l.id = %(licence)s)
order by l.id for update of l"""

# hidden gold that counts, answered under these licences
GOLD = """
select l.id as licence_id, a.answered_ms, a.agreement
from licence l
join gold g on g.process_id = l.process_id and g.step_slug = l.step_slug
join gold_answer a on a.contributor_id = l.contributor_id and a.gold_id = g.id
where l.id = any (%s) and a.exam_id is null and a.counted and a.answered_ms >= l.granted_ms
order by a.answered_ms, a.gold_id"""

# audits of what was answered under these licences
AUDITS = """
select l.id as licence_id, f.batch_step_id, f.kind, f.seed, f.uniform_ppm, a.frame_id, a.draw,
       a.task_id, a.judged_ms, p.resolved, p.value::text as panel, w.value::text as answer
from licence l
join batch_step s on s.process_id = l.process_id and s.slug = l.step_slug
join frame f on f.batch_step_id = s.id and f.closed_ms >= l.granted_ms
join audit a on a.frame_id = f.id
join answer w on w.task_id = a.task_id and w.contributor_id = l.contributor_id
    and w.submitted_ms >= l.granted_ms
join panel p on p.task_id = a.audit_task
where l.id = any (%s)
order by l.id, a.frame_id, a.draw"""

NOTE = "update licence set standing = %s, reviewed_ms = %s where id = %s"


class Held(Struct, frozen=True):
    """A person's licence in force."""

    id: int
    contributor_id: int
    version: int
    delta: float
    flagged_ms: int | None
    standing: dict[str, Any] | None
    level: float


class Gold(Struct, frozen=True):
    """An answer to hidden gold."""

    licence_id: int
    answered_ms: int
    agreement: float


class Audit(Struct, frozen=True):
    """An audit of an answer, with the design of its draw; values as JSON."""

    licence_id: int
    batch_step_id: int
    kind: Any
    seed: str
    uniform_ppm: int
    frame_id: int
    draw: int
    task_id: int
    judged_ms: int | None
    resolved: bool | None
    panel: str | None
    answer: str


def due(conn: Sync) -> list[StepPlace]:
    """Steps to look at."""
    return [StepPlace(*row) for row in conn.execute(DUE)]


def held(conn: Sync, place: StepPlace, licence_id: int | None = None) -> list[Held]:
    """People's licences in force, locked."""
    values = {"process": place.process_id, "step": place.step_slug, "licence": licence_id}
    return conn.cursor(row_factory=of(Held)).execute(HELD, values).fetchall()


def gold(conn: Sync, licences: list[int]) -> list[Gold]:
    """In the order of the answers."""
    return conn.cursor(row_factory=of(Gold)).execute(GOLD, [licences]).fetchall()


def audits(conn: Sync, licences: list[int]) -> list[Audit]:
    """By licence, list and draw."""
    return conn.cursor(row_factory=of(Audit)).execute(AUDITS, [licences]).fetchall()


def note(conn: Sync, licence_id: int, said: Evidence, now_ms: int) -> None:
    """Keep what was found."""
    conn.execute(NOTE, [Jsonb(msgspec.to_builtins(said)), now_ms, licence_id])
