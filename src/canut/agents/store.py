"""The SQL of agents: who stands where, in which versions, and what happened to them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.agents.artefact import name_of
from canut.agents.model import Version
from canut.agents.running.model import AgentAtWork, AgentEvent, VersionAtWork, Worth
from canut.db.rows import of

Sync = Connection[Any]

_AGENT = """
select a.id, c.name, c.family, a.process_id, a.step_slug, a.type, a.settings, a.place,
       case when c.state = 'active' then a.state else 'paused' end as state, a.trouble, a.next_ms
from agent a join contributor c on c.id = a.id left join agent_turn u on u.agent_id = a.id
"""
AGENT = _AGENT + "where a.id = %s"
ALL = _AGENT + "order by a.process_id, a.step_slug, coalesce(u.turn, a.place), a.id"
# those that may work now, and have something to do it on; measured order before the given places
READY = (
    _AGENT
    + """where a.state = 'active' and c.state = 'active' and a.next_ms <= %s
  and coalesce(u.asked, true)
  and exists (select from batch_step s
              where s.process_id = a.process_id and s.slug = a.step_slug and s.open)
order by a.process_id, a.step_slug, coalesce(u.turn, a.place), a.id"""
)
AT_STEP = (
    _AGENT
    + """where a.process_id = %s and a.step_slug = %s
order by coalesce(u.turn, a.place), a.id"""
)

# an agent masters what the step asks: its licence says more than a skill could
CONTRIBUTOR = """
insert into contributor (kind, name, family, skills, created_ms)
values ('agent', %(name)s, %(family)s, coalesce((
    select s.skills from batch_step s where s.process_id = %(process)s and s.slug = %(step)s
    order by s.id desc limit 1), %(skills)s), %(now)s) returning id"""

# places are counted in tens, so that one fits in between
ADD = """
insert into agent (id, process_id, step_slug, type, settings, place, created_ms)
select %(id)s, %(process)s, %(step)s, %(type)s, %(settings)s,
       coalesce(%(place)s, 10 + (select coalesce(max(place), 0) from agent
                                 where process_id = %(process)s and step_slug = %(step)s)),
       %(now)s"""
PLACE = "update agent set place = %s where id = %s and place <> %s"
SET_STATE = "update agent set state = %s where id = %s and state <> %s"
TROUBLE = """
update agent set trouble = %s, next_ms = %s where id = %s and (trouble, next_ms) <> (%s, %s)"""

_VERSION = """
select v.id, v.agent_id, v.hash, v.version, v.state, v.role, v.fixed_ms, v.lesson,
       v.ended_ms, v.why, v.against, coalesce(s.n_examples, 0) as n_examples, v.settings
from agent_version v left join agent_artefact s on s.sha256 = v.state
"""
OPEN = _VERSION + "where v.agent_id = %s and v.ended_ms is null"
VERSIONS = _VERSION + "where v.agent_id = %s order by v.id desc limit %s"
VERSION = _VERSION + "where v.id = %s"
KNOWN = _VERSION + "where v.agent_id = %s and v.hash = %s"

# nobody may replace the champion while answers of it are handed in, nor the other way round
HOLD = """
select id from agent_version where agent_id = %s and role = 'champion' for share"""
# both open versions, so that one engine at a time judges or replaces them
LOCK = """
select id from agent_version where agent_id = %s and ended_ms is null order by id for update"""
TRY_LOCK = "select pg_try_advisory_lock(%s, (%s %% 2147483647)::integer)"
UNLOCK = "select pg_advisory_unlock(%s, (%s %% 2147483647)::integer)"

BEGIN = """
insert into agent_version (agent_id, hash, version, state, role, fixed_ms, against, lesson,
                           settings)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning id"""
END = "update agent_version set role = %s, ended_ms = %s, why = %s where id = %s"
PROMOTE = "update agent_version set role = 'champion', ended_ms = null, why = '' where id = %s"

KEEP_STATE = """
insert into agent_artefact (sha256, bytes, learned_ms, n_examples, parent)
values (%s, %s, %s, %s, %s) on conflict (sha256) do nothing"""
STATE = "select bytes from agent_artefact where sha256 = %s"

NOTE = """
insert into agent_event (agent_id, version_id, kind, detail, at_ms)
values (%s, %s, %s, %s, %s)"""
EVENTS = """
select id, agent_id, version_id, kind, detail, at_ms from agent_event
where agent_id = %s order by id desc limit %s"""

# open steps of batches where an agent of this step could work, the most urgent first
OPEN_STEPS = """
select s.id from batch_step s where s.process_id = %s and s.slug = %s and s.open
order by s.weight desc, s.id"""

# agents at whose step nothing is open, and whose open batches run in another process of that slug
IDLE = """
select a.id, array(
    select distinct coalesce(c.slug, '') from process q left join client c on c.id = q.client_id
    where q.slug = p.slug and exists (
        select from batch_step s where s.process_id = q.id and s.slug = a.step_slug and s.open)
    order by 1 limit 5)
from agent a join process p on p.id = a.process_id
where not exists (
    select from batch_step s where s.process_id = a.process_id and s.slug = a.step_slug and s.open)
order by a.id"""
# whose process each agent works at: slug of the process, and of its client
WHERE = """
select a.id, p.slug, coalesce(c.slug, '') from agent a join process p on p.id = a.process_id
left join client c on c.id = p.client_id"""

#: first key of the advisory lock that keeps two engines from teaching one agent
TEACH_LOCK = 5


def _versions(conn: Sync) -> Any:
    def made(**row: Any) -> VersionAtWork:
        row["lesson"] = msgspec.convert(row["lesson"], Worth)
        return VersionAtWork(**row)

    return conn.cursor(row_factory=of(made))  # type: ignore[arg-type]


def agent(conn: Sync, agent_id: int) -> AgentAtWork | None:
    return conn.cursor(row_factory=of(AgentAtWork)).execute(AGENT, [agent_id]).fetchone()


def agents(conn: Sync) -> list[AgentAtWork]:
    """All there are, by step, in the order in which they are asked."""
    return conn.cursor(row_factory=of(AgentAtWork)).execute(ALL).fetchall()


def ready(conn: Sync, now_ms: int) -> list[AgentAtWork]:
    """Those that may work now at steps that are open, in the order in which they are asked."""
    return conn.cursor(row_factory=of(AgentAtWork)).execute(READY, [now_ms]).fetchall()


def at_step(conn: Sync, process_id: int, step_slug: str) -> list[AgentAtWork]:
    cursor = conn.cursor(row_factory=of(AgentAtWork))
    return cursor.execute(AT_STEP, [process_id, step_slug]).fetchall()


def idle(conn: Sync) -> dict[int, list[str]]:
    """Agents at whose step no batch is open, and clients whose open batches run that step of
    another process of the same name ("": the shared library)."""
    return dict(conn.execute(IDLE).fetchall())


def where(conn: Sync) -> dict[int, tuple[str, str]]:
    """Agent -> slug of its process, and of its client ("": the shared library)."""
    return {agent_id: (process, client) for agent_id, process, client in conn.execute(WHERE)}


def add(conn: Sync, values: dict[str, Any]) -> int:
    """A new contributor at a step, with the values of CONTRIBUTOR and ADD; its number. `place` None
    puts it last."""
    row = conn.execute(CONTRIBUTOR, values).fetchone()
    assert row is not None
    conn.execute(ADD, values | {"id": row[0], "settings": Jsonb(values["settings"])})
    return int(row[0])


def place(conn: Sync, agent_id: int, number: int) -> bool:
    """Whether that is another place than before."""
    return bool(conn.execute(PLACE, [number, agent_id, number]).rowcount)


def set_state(conn: Sync, agent_id: int, state: str) -> bool:
    """Whether that is another state than before."""
    return bool(conn.execute(SET_STATE, [state, agent_id, state]).rowcount)


def trouble(conn: Sync, agent_id: int, why: str, next_ms: int) -> None:
    """Why it cannot work until then; empty and 0 once it can."""
    conn.execute(TROUBLE, [why, next_ms, agent_id, why, next_ms])


def open_versions(conn: Sync, agent_id: int) -> dict[str, VersionAtWork]:
    """Role -> version: the champion, and the challenger if there is one."""
    rows: list[VersionAtWork] = _versions(conn).execute(OPEN, [agent_id]).fetchall()
    return {row.role: row for row in rows}


def versions(conn: Sync, agent_id: int, limit: int = 100) -> list[VersionAtWork]:
    """The newest first."""
    found: list[VersionAtWork]
    found = _versions(conn).execute(VERSIONS, [agent_id, limit]).fetchall()
    return found


def version(conn: Sync, version_id: int) -> VersionAtWork | None:
    found: VersionAtWork | None = _versions(conn).execute(VERSION, [version_id]).fetchone()
    return found


def known(conn: Sync, agent_id: int, hashed: str) -> VersionAtWork | None:
    """The version of this hash, whatever became of it."""
    found: VersionAtWork | None = _versions(conn).execute(KNOWN, [agent_id, hashed]).fetchone()
    return found


def hold_champion(conn: Sync, agent_id: int) -> int | None:
    """The champion there is, until the transaction ends."""
    row = conn.execute(HOLD, [agent_id]).fetchone()
    return int(row[0]) if row else None


def lock(conn: Sync, agent_id: int) -> dict[str, VersionAtWork]:
    """The open versions, by role, and nobody else changes them until the transaction ends."""
    conn.execute(LOCK, [agent_id])
    return open_versions(conn, agent_id)


def try_lock(conn: Sync, agent_id: int) -> bool:
    """Whether nobody else teaches this agent; `unlock` when done. Not of a transaction."""
    row = conn.execute(TRY_LOCK, [TEACH_LOCK, agent_id]).fetchone()
    return bool(row and row[0])


def unlock(conn: Sync, agent_id: int) -> None:
    conn.execute(UNLOCK, [TEACH_LOCK, agent_id])


def begin(
    conn: Sync,
    agent_id: int,
    version: Version,
    state: str | None,
    role: str,
    fixed_ms: int,
    against: int | None = None,
    lesson: Worth | None = None,
    settings: dict[str, Any] | None = None,
) -> int:
    """A version from now on; its number."""
    told = Jsonb(msgspec.to_builtins(version))
    values = [agent_id, version.hash(), told, state, role, fixed_ms, against]
    values += [Jsonb(msgspec.to_builtins(lesson or Worth())), Jsonb(settings or {})]
    row = conn.execute(BEGIN, values).fetchone()
    assert row is not None
    return int(row[0])


def end(conn: Sync, version_id: int, role: str, why: str, now_ms: int) -> None:
    """It is the champion or the challenger no more."""
    conn.execute(END, [role, now_ms, why, version_id])


def promote(conn: Sync, version_id: int) -> None:
    """It is the champion from now on; the one before must have ended."""
    conn.execute(PROMOTE, [version_id])


def keep_state(
    conn: Sync, state: bytes, learned_ms: int, n_examples: int, parent: str | None
) -> str:
    """The SHA-256 under which it is kept from now on."""
    name = name_of(state)
    conn.execute(KEEP_STATE, [name, state, learned_ms, n_examples, parent])
    return name


def state(conn: Sync, sha256: str) -> bytes:
    """What was kept under this name; raises `LookupError`."""
    row = conn.execute(STATE, [sha256]).fetchone()
    if row is None:
        raise LookupError(f"the state {sha256} is gone")
    return bytes(row[0])


def note(
    conn: Sync,
    agent_id: int,
    kind: str,
    detail: dict[str, Any],
    now_ms: int,
    version_id: int | None = None,
) -> None:
    """For the record of an agent."""
    told = Jsonb(msgspec.to_builtins(detail))
    conn.execute(NOTE, [agent_id, version_id, kind, told, now_ms])


def events(conn: Sync, agent_id: int, limit: int = 50) -> list[AgentEvent]:
    """The newest first."""
    cursor = conn.cursor(row_factory=of(AgentEvent))
    return cursor.execute(EVENTS, [agent_id, limit]).fetchall()


def open_steps(conn: Sync, process_id: int, step_slug: str) -> Sequence[int]:
    """Steps of batches that are open."""
    return [row[0] for row in conn.execute(OPEN_STEPS, [process_id, step_slug])]
