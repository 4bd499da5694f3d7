"""Hosted models end: their successors are tried in time, and nothing waits for one that is gone.

The days, and which model follows, are the operator's to write into the file of models. An engine
looks every hour; what it does, it does once.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import date

from msgspec import structs

from canut.agents import store
from canut.agents.arena import duels, store_calendar
from canut.agents.arena.store_calendar import Did, Ending
from canut.agents.llm.calendar import Due, due
from canut.agents.llm.confidence import Calibration
from canut.agents.llm.kind import LLM
from canut.agents.llm.models import Model
from canut.agents.llm.state import pack_state, unpack_state
from canut.agents.model import Step
from canut.agents.running.model import AgentAtWork, Hands, VersionAtWork, Worth, as_version
from canut.agents.versions import begin_challenger
from canut.db.pool import SyncConn
from canut.errors import CanutError

log = logging.getLogger("canut.agents")

StepOf = Callable[[AgentAtWork], Step | None]


def look(
    conn: SyncConn,
    models: Mapping[str, Model],
    hands: Hands,
    step_of: StepOf,
    today: date,
    now_ms: Callable[[], int],
) -> list[Ending]:
    """Note which agents' models end, open challengers, and pause what is gone; what is new.

    `models` as the file has them, and `hands` that know them; `conn` commits by itself.
    """
    agents = {one.id: one for one in store.agents(conn) if one.type == LLM.name}
    named = {str(one.id): _model(conn, one) for one in agents.values()}
    shutdowns = {one.name: one.shutdown for one in models.values() if one.shutdown}
    before = {one.agent_id: one for one in store_calendar.endings(conn)}
    ends = {int(one.step): one for one in due(shutdowns, named, today)}
    for agent_id in before.keys() - ends.keys():
        store_calendar.forget(conn, agent_id)
    changed = []
    for agent_id, one in ends.items():
        with conn.transaction():
            store.lock(conn, agent_id)
            successor = models[one.model].successor
            known = before.get(agent_id)
            did = _act(conn, agents[agent_id], one, successor, hands, step_of, now_ms, known)
            told = (one.model, one.shutdown, one.state, successor, did)
            if known and told == _told(known):
                continue
            _note(conn, agents[agent_id], one, successor, did, now_ms())
        changed.append(agent_id)
    return [one for one in store_calendar.endings(conn) if one.agent_id in changed]


def _model(conn: SyncConn, agent: AgentAtWork) -> str:
    """The model whose answers are handed in."""
    champion = store.open_versions(conn, agent.id).get("champion")
    return str(as_version(agent, champion).settings.get("model", ""))


def _told(known: Ending) -> tuple[str, date, str, str, str]:
    return known.model, known.shutdown, known.state, known.successor, known.did


def _act(
    conn: SyncConn,
    agent: AgentAtWork,
    one: Due,
    successor: str,
    hands: Hands,
    step_of: StepOf,
    now_ms: Callable[[], int],
    known: Ending | None,
) -> Did:
    """Do what is due; what was done, or what is missing."""
    if one.state == "later":
        return ""
    challenger = _run(conn, agent, successor)
    if one.state == "gone":
        return _gone(conn, agent, challenger, step_of, now_ms, known)
    if not successor:
        return "no successor"
    if challenger is not None:
        return "dropped" if challenger.role == "dropped" else "challenger"
    return _opened(conn, agent, successor, hands, step_of(agent), now_ms)


def _run(conn: SyncConn, agent: AgentAtWork, successor: str) -> VersionAtWork | None:
    """The newest version with the successor's model, if one was tried."""
    for version in store.versions(conn, agent.id):
        if successor and version.settings.get("model") == successor:
            return version
    return None


def _opened(
    conn: SyncConn,
    agent: AgentAtWork,
    successor: str,
    hands: Hands,
    step: Step | None,
    now_ms: Callable[[], int],
) -> Did:
    """A challenger with the successor's model, and the precedents of the champion."""
    champion = store.open_versions(conn, agent.id).get("champion")
    if champion is None or step is None:
        return "no work"
    settings = {"model": successor}
    try:
        state, name = None, None
        if champion.state and champion.schema == step.schema_hash():
            learned = unpack_state(store.state(conn, champion.state), step)
            # what scores are worth is another matter with another model
            state = pack_state(type(learned)(learned.precedents, Calibration()), step)
            name = store.keep_state(conn, state, now_ms(), champion.n_examples, champion.state)
        version = hands.version(as_version(agent, _with(champion, settings)), step, state)
    except CanutError as error:
        log.warning("agent %d: %s cannot be tried: %s", agent.id, successor, error)
        return "not loaded"
    worth = Worth(champion.n_examples if state else 0)
    begin_challenger(conn, agent, version, name, now_ms, worth, settings)
    return "challenger"


def _with(version: VersionAtWork, settings: dict[str, str]) -> VersionAtWork:
    return structs.replace(version, settings={**version.settings, **settings})


def _gone(
    conn: SyncConn,
    agent: AgentAtWork,
    challenger: VersionAtWork | None,
    step_of: StepOf,
    now_ms: Callable[[], int],
    known: Ending | None,
) -> Did:
    """The model answers no more: its successor takes over with what is proved of it so far; where
    there is none, people do the work."""
    if challenger is not None and challenger.role == "challenger":
        step = step_of(agent)
        if step is not None:
            duels.take_over(conn, agent, step.question, "the model before it has ended", now_ms)
            return "follows"
    # once: an operator may have it resume, to try again
    if known is None or known.state != "gone":
        store.set_state(conn, agent.id, "paused")
    return "paused"


def _note(
    conn: SyncConn, agent: AgentAtWork, one: Due, successor: str, did: Did, now_ms: int
) -> None:
    told = {
        "model": one.model,
        "shutdown": one.shutdown,
        "begin_by": one.begin_by,
        "state": one.state,
        "successor": successor,
        "did": did,
    }
    store.note(conn, agent.id, "calendar", told, now_ms)
    store_calendar.put(conn, {**told, "agent_id": agent.id, "told_ms": now_ms})
