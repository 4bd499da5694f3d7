"""The SQL of the watch over drift: what is new in an agent's stream, and what was noted of it."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.agents.arena.drift import Step, Watch
from canut.agents.running.model import AgentAtWork
from canut.db.rows import of

Sync = Connection[Any]

GLIMPSE = """
insert into agent_glimpse (agent_id, version_id, n, tasks) values (%s, %s, %s, %s)"""

# agents with something new to look at: tasks they were asked about, blind answers that were
# settled, another champion
WAITING = """
select a.id from agent a
join agent_version v on v.agent_id = a.id and v.role = 'champion'
left join agent_watch w on w.agent_id = a.id
where w.version_id is distinct from v.id
   or exists (select from agent_glimpse g where g.agent_id = a.id)
   or exists (select from blind_answer b join licence l on l.id = b.licence_id
              where b.settled_ms > w.audited_ms and b.contributor_id = a.id and l.basis = v.hash)
order by a.id"""

# one engine at a time watches an agent; another goes on to the next one
HOLD = """
select agent_id, version_id, step, step_ms, since, alarmed_ms, alarms, seen, audits, audited_ms,
       lesson, memory::text as memory
from agent_watch where agent_id = %s for update skip locked"""
IS_THERE = "select exists (select from agent_watch where agent_id = %s)"
OF_AGENT = """
select agent_id, version_id, step, step_ms, since, alarmed_ms, alarms, seen, audits, audited_ms,
       lesson, '{}' as memory
from agent_watch where agent_id = %s"""
BEGIN = """
insert into agent_watch (agent_id, version_id, step_ms) values (%(agent)s, %(version)s, %(now)s)
on conflict (agent_id) do update set version_id = excluded.version_id, step = 'steady',
    step_ms = excluded.step_ms, since = 0, alarmed_ms = null, alarms = '[]', seen = 0, audits = 0,
    audited_ms = 0, lesson = null, memory = '{}'"""
SAVE = """
update agent_watch set step = %(step)s, step_ms = %(step_ms)s, since = %(since)s,
    alarmed_ms = %(alarmed_ms)s, alarms = %(alarms)s, seen = %(seen)s, audits = %(audits)s,
    audited_ms = %(audited_ms)s, lesson = %(lesson)s, memory = %(memory)s::jsonb
where agent_id = %(agent)s"""

TAKE = """
delete from agent_glimpse where id in (
    select id from agent_glimpse where agent_id = %s order by id limit %s for update skip locked)
returning id, version_id, n, tasks"""

# one look by key for each task, whatever the planner knows of the tables: `limit` keeps it from
# joining them with each other first
SEEN = """
select u.task_id, i.payload, p.value::text as value, p.confidence
from unnest(%(tasks)s::bigint[]) with ordinality as u (task_id, place)
cross join lateral (
    select value, confidence from agent_prediction
    where version_id = %(version)s and task_id = u.task_id limit 1) p
cross join lateral (
    select s.batch_id, t.item_id from task t join batch_step s on s.id = t.batch_step_id
    where t.id = u.task_id limit 1) t
cross join lateral (
    select payload from item where batch_id = t.batch_id and id = t.item_id limit 1) i
order by u.place"""

# the newest blind answers about a version, in the order in which people settled them
AUDITED = """
select wrong, settled_ms from (
    select b.wrong, b.settled_ms, b.id from blind_answer b join licence l on l.id = b.licence_id
    where b.contributor_id = %(agent)s and l.process_id = %(process)s and l.step_slug = %(step)s
      and l.basis = %(basis)s and b.wrong is not null and b.value <> 'null'
    order by b.settled_ms desc, b.id desc limit %(limit)s) newest
order by settled_ms, id"""

OWED = "select agent_id, lesson, alarmed_ms from agent_watch where lesson is not null"
PAID = "update agent_watch set lesson = null where agent_id = %s"


class WatchRow(Struct, frozen=True):
    """What was noted of an agent; see migration 0012."""

    agent_id: int
    version_id: int
    step: Step
    step_ms: int
    since: int
    alarmed_ms: int | None
    alarms: list[dict[str, Any]]
    seen: int
    audits: int
    audited_ms: int
    lesson: str | None
    #: JSON of a `Watch`
    memory: str


class Glimpse(Struct, frozen=True):
    """Some tasks of a chunk that a champion was asked about."""

    id: int
    version_id: int
    n: int
    tasks: list[int]


class SeenRow(Struct, frozen=True):
    """A task that was watched."""

    task_id: int
    payload: dict[str, Any]
    #: JSON; None where it passed the task on
    value: str | None
    confidence: float


class Owed(Struct, frozen=True):
    """A lesson that is due because the work has changed."""

    agent_id: int
    lesson: str
    alarmed_ms: int


def glimpse(conn: Sync, agent_id: int, version_id: int, n: int, tasks: Sequence[int]) -> None:
    """Leave tasks to be watched."""
    conn.execute(GLIMPSE, [agent_id, version_id, n, list(tasks)])


def waiting(conn: Sync) -> list[int]:
    """Agents with something new to look at."""
    return [row[0] for row in conn.execute(WAITING)]


def hold(conn: Sync, agent_id: int, version_id: int, now_ms: int) -> WatchRow | None:
    """What was noted, until the transaction ends; None while another engine looks."""
    found = _hold(conn, agent_id)
    if found or conn.execute(IS_THERE, [agent_id]).fetchone() == (True,):
        return found
    begin(conn, agent_id, version_id, now_ms)
    return _hold(conn, agent_id)


def _hold(conn: Sync, agent_id: int) -> WatchRow | None:
    return conn.cursor(row_factory=of(WatchRow)).execute(HOLD, [agent_id]).fetchone()


def of_agent(conn: Sync, agent_id: int) -> WatchRow | None:
    """To look at; without what the detectors remember."""
    return conn.cursor(row_factory=of(WatchRow)).execute(OF_AGENT, [agent_id]).fetchone()


def begin(conn: Sync, agent_id: int, version_id: int, now_ms: int) -> None:
    """Watch this version, from nothing."""
    conn.execute(BEGIN, {"agent": agent_id, "version": version_id, "now": now_ms})


def save(conn: Sync, row: WatchRow, watch: Watch) -> None:
    """What is known from now on."""
    values = msgspec.to_builtins(row) | {
        "agent": row.agent_id,
        "alarms": Jsonb(row.alarms),
        "memory": msgspec.json.encode(watch).decode(),
    }
    conn.execute(SAVE, values)


def take(conn: Sync, agent_id: int, limit: int) -> list[Glimpse]:
    """The oldest tasks left to be watched; they are left no more."""
    rows = conn.cursor(row_factory=of(Glimpse)).execute(TAKE, [agent_id, limit]).fetchall()
    return sorted(rows, key=lambda one: one.id)


def seen(conn: Sync, version_id: int, tasks: Sequence[int]) -> list[SeenRow]:
    """What a version said of these tasks, in their order."""
    values = {"version": version_id, "tasks": list(tasks)}
    return conn.cursor(row_factory=of(SeenRow)).execute(SEEN, values).fetchall()


def audited(conn: Sync, agent: AgentAtWork, basis: str, limit: int) -> list[tuple[bool, int]]:
    """(wrong, settled_ms) of the newest blind answers about a version, the oldest of them first."""
    values = {
        "agent": agent.id,
        "process": agent.process_id,
        "step": agent.step_slug,
        "basis": basis,
        "limit": limit,
    }
    return conn.execute(AUDITED, values).fetchall()


def owed(conn: Sync) -> dict[int, Owed]:
    """Lessons that are due because the work has changed, by agent."""
    rows = conn.cursor(row_factory=of(Owed)).execute(OWED).fetchall()
    return {row.agent_id: row for row in rows}


def paid(conn: Sync, agent_id: int) -> None:
    """It was taught."""
    conn.execute(PAID, [agent_id])
