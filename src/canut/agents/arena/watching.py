"""The watch over drift in a running engine: reads what agents have just said, and acts in order.

Everything is in the database: any engine goes on where another one was killed. What is done is
noted with the alarms that were the reason, and undone step by step when it is calm again.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from canut.agents import store
from canut.agents.arena import drift, store_watch
from canut.agents.arena.drift import (
    STEPS,
    Alarm,
    Seen,
    Watch,
    Watchfulness,
    audit_alarms,
    react,
    words_of,
)
from canut.agents.arena.store_watch import SeenRow, WatchRow
from canut.agents.model import Step
from canut.agents.running.model import AgentAtWork, VersionAtWork
from canut.db.pool import SyncConn
from canut.processes.model import ItemShape
from canut.quality.audits.draws import new_seed
from canut.quality.licences import caution

log = logging.getLogger("canut.agents")

#: chunks looked at in one pass
CHUNKS = 20
#: blind answers about a version that are looked at, the newest
AUDITS = 5000
#: alarms that are remembered
ALARMS = 20

StepOf = Callable[[AgentAtWork], Step | None]


class Moved(Struct, frozen=True):
    """A step that was taken, or taken back."""

    agent_id: int
    before: drift.Step
    after: drift.Step
    did: str


def watch_due(conn: SyncConn, step_of: StepOf, now_ms: Callable[[], int]) -> list[Moved]:
    """Look at every agent that has said something new; what was done. `conn` commits by itself.

    `step_of` gives the step as an agent may see it, None where there is no work yet.
    """
    done = []
    for agent_id in store_watch.waiting(conn):
        agent = store.agent(conn, agent_id)
        step = step_of(agent) if agent else None
        if agent is None or step is None:
            continue
        with conn.transaction():
            moved = _watched(conn, agent, step.shape, now_ms())
        if moved:
            log.warning("agent %d: %s after %s: %s", agent_id, moved.after, moved.before, moved.did)
            done.append(moved)
    return done


def _watched(conn: SyncConn, agent: AgentAtWork, shape: ItemShape, now_ms: int) -> Moved | None:
    champion = store.open_versions(conn, agent.id).get("champion")
    if champion is None:
        return None
    row = store_watch.hold(conn, agent.id, champion.id, now_ms)
    if row is None:
        return None
    if row.version_id != champion.id:
        return _anew(conn, agent, champion, row, now_ms)
    watch = msgspec.json.decode(row.memory, type=Watch)
    items, alarms = _stream(conn, agent, champion, shape, watch)
    row, audits = _audits(conn, agent, champion, row)
    alarms += audits
    state = react(Watchfulness(row.step, row.since), alarms, items)
    row = structs.replace(
        row,
        since=state.since,
        seen=row.seen + items,
        alarmed_ms=row.alarmed_ms or (now_ms if alarms else None),
        alarms=[*row.alarms, *(_told(alarm, now_ms) for alarm in alarms)][-ALARMS:],
    )
    moved = None
    if state.step != row.step:
        row, moved = _moved(conn, agent, champion, row, state, now_ms)
    store_watch.save(conn, row, watch)
    return moved


def _stream(
    conn: SyncConn,
    agent: AgentAtWork,
    champion: VersionAtWork,
    shape: ItemShape,
    watch: Watch,
) -> tuple[int, list[Alarm]]:
    """How many items passed, and what their stream says."""
    items, alarms = 0, []
    names = [field.name for field in shape.fields if not field.personal]
    for glimpse in store_watch.take(conn, agent.id, CHUNKS):
        if glimpse.version_id != champion.id:
            continue
        items += glimpse.n
        rows = store_watch.seen(conn, champion.id, glimpse.tasks)
        alarms += watch.see([_seen(row, names) for row in rows])
    return items, alarms


def _seen(row: SeenRow, names: Sequence[str]) -> Seen:
    none = row.value in (None, "null", "[]", '""')
    words = words_of({name: row.payload.get(name) for name in names})
    return Seen(words, row.confidence, "" if none else str(row.value), none)


def _audits(
    conn: SyncConn, agent: AgentAtWork, champion: VersionAtWork, row: WatchRow
) -> tuple[WatchRow, list[Alarm]]:
    """What people's blind answers say that were settled since the last look."""
    told = store_watch.audited(conn, agent, champion.hash, AUDITS)
    read = sum(settled <= row.audited_ms for _, settled in told)
    if read == len(told):
        return row, []
    alarms = audit_alarms([wrong for wrong, _ in told], read)
    new = len(told) - read
    return structs.replace(row, audits=row.audits + new, audited_ms=told[-1][1]), alarms


def _told(alarm: Alarm, now_ms: int) -> dict[str, Any]:
    return {**msgspec.to_builtins(alarm), "at_ms": now_ms}


def _anew(
    conn: SyncConn, agent: AgentAtWork, champion: VersionAtWork, row: WatchRow, now_ms: int
) -> Moved | None:
    """Another version stands there: what was noted was about the one before."""
    store_watch.begin(conn, agent.id, champion.id, now_ms)
    if row.step == "steady":
        return None
    caution.usual_stream(conn, agent.licence_place, new_seed(), now_ms)
    did = "another version took over"
    _note(conn, agent, champion, (row.step, "steady"), row.alarms, {"did": did}, now_ms)
    return Moved(agent.id, row.step, "steady", did)


def _moved(
    conn: SyncConn,
    agent: AgentAtWork,
    champion: VersionAtWork,
    row: WatchRow,
    state: Watchfulness,
    now_ms: int,
) -> tuple[WatchRow, Moved]:
    """Take a step, or take one back."""
    careful = STEPS.index(state.step) > STEPS.index(row.step)
    did = (_act if careful else _relax)(conn, agent, row.step, state.step, now_ms)
    between = (row.step, state.step)
    _note(conn, agent, champion, between, row.alarms, did, now_ms)
    lesson = state.step if state.step in ("retrain", "challenge") and careful else row.lesson
    calm = state.step == "steady"
    moved = Moved(agent.id, row.step, state.step, str(did["did"]))
    after = structs.replace(
        row,
        step=state.step,
        step_ms=now_ms,
        lesson=None if calm else lesson,
        alarmed_ms=None if calm else row.alarmed_ms,
        alarms=[] if calm else row.alarms,
    )
    return after, moved


def _act(
    conn: SyncConn, agent: AgentAtWork, before: drift.Step, step: drift.Step, now_ms: int
) -> dict[str, Any]:
    place = agent.licence_place
    if step == "threshold":
        held = caution.raise_threshold(conn, place, new_seed(), now_ms)
    elif step == "people":
        held = caution.enlarge_stream(conn, place)
    elif step == "revoke":
        held = caution.ask_evidence(conn, place, new_seed(), now_ms)
    else:
        soon = "as soon as there is a tenth more to learn from"
        at_once = "at once, from what was decided since the first alarm"
        return {"did": f"a lesson is due {soon if step == 'retrain' else at_once}"}
    told: dict[str, Any] = msgspec.to_builtins(held)
    return told


def _relax(
    conn: SyncConn, agent: AgentAtWork, before: drift.Step, step: drift.Step, now_ms: int
) -> dict[str, Any]:
    if before != "people":
        return {"did": "calm again"}
    caution.usual_stream(conn, agent.licence_place, new_seed(), now_ms)
    return {"did": "calm again: people answer as much as the evidence asks for"}


def _note(
    conn: SyncConn,
    agent: AgentAtWork,
    champion: VersionAtWork,
    between: tuple[drift.Step, drift.Step],
    alarms: Sequence[dict[str, Any]],
    did: dict[str, Any],
    now_ms: int,
) -> None:
    before, after = between
    told = {"before": before, "after": after, "alarms": alarms[-5:], **did}
    store.note(conn, agent.id, "drift", told, now_ms, version_id=champion.id)
