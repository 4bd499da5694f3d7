"""The SQL of the order at a step: what agents said of the same blind tasks, and who is next."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.db.rows import of

Sync = Connection[Any]

# tasks that people decided blind of these agents, the newest; each once, with the share of the
# stream that it was drawn into, and what every version said of it
COMMON = """
with drawn as (
    select b.task_id, min(l.stream_ppm) as ppm
    from licence l join blind_answer b on b.licence_id = l.id and b.root = coalesce(l.root, l.id)
    where l.process_id = %(process)s and l.step_slug = %(step)s
      and l.contributor_id = any (%(agents)s) and l.stream_ppm > 0 and b.wrong is not null
    group by b.task_id order by b.task_id desc limit %(limit)s)
select t.task_id, t.ppm, d.value::text as decided, p.version_id, p.value::text as value,
       p.confidence
from drawn t
join decision d on d.task_id = t.task_id and d.method <> 'licence'
join agent_prediction p on p.task_id = t.task_id and p.version_id = any (%(versions)s)
order by t.task_id, p.version_id"""

SETTLED = """
select count(*) from licence l
join blind_answer b on b.licence_id = l.id and b.root = coalesce(l.root, l.id)
where l.process_id = %s and l.step_slug = %s and l.contributor_id = any (%s)
  and b.wrong is not null"""

_TURN = """
select a.id as agent_id, coalesce(t.turn, a.place) as turn, coalesce(t.asked, true) as asked,
       coalesce(t.reason, 'placed') as reason, coalesce(t.figures, '{}') as figures,
       coalesce(t.measured_ms, 0) as measured_ms, coalesce(t.basis, '') as basis
from agent a left join agent_turn t on t.agent_id = a.id
"""
AT_STEP = _TURN + "where a.process_id = %s and a.step_slug = %s order by 2, a.id"
PUT = """
insert into agent_turn (agent_id, turn, asked, reason, figures, measured_ms, basis)
values (%s, %s, %s, %s, %s, %s, %s)
on conflict (agent_id) do update set turn = excluded.turn, asked = excluded.asked,
    reason = excluded.reason, figures = excluded.figures, measured_ms = excluded.measured_ms,
    basis = excluded.basis"""
WAITED = """
select coalesce(sum(latency_ms)::float8 / nullif(sum(predictions), 0), 0)
from agent_cost where version_id = %s"""


class CommonRow(Struct, frozen=True):
    """What a version said of a task that people decided blind."""

    task_id: int
    #: share of the stream that the task was drawn into
    ppm: int
    #: JSON
    decided: str
    version_id: int
    #: JSON; None where it passed the task on
    value: str | None
    confidence: float


class TurnRow(Struct, frozen=True):
    """When an agent is asked at its step, and why; see `order`."""

    agent_id: int
    #: in rising order
    turn: int
    asked: bool
    reason: str
    figures: dict[str, Any]
    #: 0: never measured
    measured_ms: int
    basis: str


def common(
    conn: Sync,
    process_id: int,
    step_slug: str,
    agents: Sequence[int],
    versions: Sequence[int],
    limit: int,
) -> list[CommonRow]:
    """What these versions said of the newest tasks that people decided blind."""
    values = {
        "process": process_id,
        "step": step_slug,
        "agents": list(agents),
        "versions": list(versions),
        "limit": limit,
    }
    return conn.cursor(row_factory=of(CommonRow)).execute(COMMON, values).fetchall()


def settled(conn: Sync, process_id: int, step_slug: str, agents: Sequence[int]) -> int:
    """Blind answers of these agents that people have decided."""
    row = conn.execute(SETTLED, [process_id, step_slug, list(agents)]).fetchone()
    return int(row[0]) if row else 0


def turns(conn: Sync, process_id: int, step_slug: str) -> list[TurnRow]:
    """Agents of a step as they are asked."""
    cursor = conn.cursor(row_factory=of(TurnRow))
    return cursor.execute(AT_STEP, [process_id, step_slug]).fetchall()


def put(conn: Sync, row: TurnRow) -> None:
    """When it is asked from now on."""
    values = [row.agent_id, row.turn, row.asked, row.reason, Jsonb(row.figures)]
    conn.execute(PUT, [*values, row.measured_ms, row.basis])


def waited(conn: Sync, version_id: int) -> float:
    """Mean waiting for a version's answer to one item, in ms."""
    row = conn.execute(WAITED, [version_id]).fetchone()
    return float(row[0]) if row else 0.0
