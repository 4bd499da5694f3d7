"""What operators do with agents at work: put one at a step, pause it, have it taught, end it."""

import time
from typing import Any

from msgspec import Struct

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.llm.kind import LLM
from canut.agents.registry import agent_type, agent_types
from canut.agents.running.model import AgentAtWork
from canut.agents.teaching import store as store_teaching
from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.people import rules
from canut.people.model import Principal
from canut.people.store.log import audit_sync
from canut.processes.model import ProcessDefinition
from canut.quality.audits.draws import new_seed
from canut.quality.licences import acts
from canut.quality.licences.licensing import begin_earning

#: who is asked first where nothing was measured yet; a type that is not here comes before language
#: models
ORDER = {"rules": 10, "learner": 20, "english": 25, "embeddings": 30, LLM.name: 90}


class NewAgent(Struct, frozen=True):
    """An agent to put to work."""

    #: name of its type
    type: str
    process_id: int
    step_slug: str
    name: str = ""
    #: agents of one family are one voice; its type where it is left out
    family: str | None = None
    #: only of `llm`: which language model
    model: str = ""
    place: int | None = None


def put_to_work(
    conn: SyncConn, by: Principal, new: NewAgent, definition: ProcessDefinition, now_ms: int
) -> int:
    """A contributor at this step from now on; its number. It decides nothing alone until it has
    earned a licence. Raises `Invalid`, `NotFound`, `Unavailable`."""
    step = definition.step(new.step_slug)
    if step is None:
        known = ", ".join(one.slug for one in definition.steps)
        raise NotFound(f"There is no step {new.step_slug!r}.", mend=f"known are: {known}")
    if new.type == LLM.name and not new.model:
        raise Invalid("An agent with a language model needs its name.", mend="give --model")
    # an error now, not in the engine
    agent_type(new.type)
    name = new.name or f"{new.type} {new.model}".strip()
    rules.check(rules.name_problems(name))
    family = new.family or new.model or new.type
    rules.check_family(family)
    with conn.transaction():
        made = store.add(
            conn,
            {
                "name": name,
                "family": family,
                "process": new.process_id,
                "step": new.step_slug,
                "skills": sorted(step.skills),
                "type": new.type,
                "settings": {"model": new.model} if new.model else {},
                "place": ORDER.get(new.type, 50) if new.place is None else new.place,
                "now": now_ms,
            },
        )
        detail: dict[str, Any] = {
            "type": new.type,
            "process": new.process_id,
            "step": new.step_slug,
            "family": family,
        }
        audit_sync(conn, by, "create.agent", "contributor", made, detail)
    return made


def pause(conn: SyncConn, by: Principal, agent_id: int) -> None:
    """No tasks for it from now on; what it decided stands."""
    _set(conn, by, agent_id, "paused")


def resume(conn: SyncConn, by: Principal, agent_id: int) -> None:
    """Tasks for it again. Where its work had been ended, it earns a licence anew."""
    with conn.transaction():
        agent = find(conn, agent_id)
        _set(conn, by, agent_id, "active")
        champion = store.open_versions(conn, agent_id).get("champion")
        if champion and store_duels.open_licence(conn, agent) is None:
            now_ms = time.time_ns() // 1_000_000
            begin_earning(conn, agent.licence_place, champion.hash, new_seed(), now_ms)


def ask_lesson(conn: SyncConn, by: Principal, agent_id: int) -> None:
    """Have the engine teach it as soon as it can, whatever the rules say of the use of it. Raises
    `NotFound`, `Conflict` while it is paused."""
    if find(conn, agent_id).state == "paused":
        raise Conflict("The agent is paused.", mend="let it resume first")
    with conn.transaction():
        store_teaching.set_looked(conn, agent_id, store_teaching.ASKED)
        audit_sync(conn, by, "teach.agent", "contributor", agent_id, {})


def end_work(conn: SyncConn, by: Principal, agent_id: int, reason: str, now_ms: int) -> None:
    """Pause it for good, and end the licence that it holds or earns; what it decided stands. Raises
    `Invalid` without a reason, `NotFound`, `Forbidden`."""
    agent = find(conn, agent_id)
    reason = reason.strip()
    if not reason or len(reason) > acts.REASON_MAX:
        message = "Say why, in 500 characters or less."
        raise Invalid(message, problems=[Problem(message, field="reason")])
    with conn.transaction():
        pause(conn, by, agent_id)
        licence = store_duels.open_licence(conn, agent)
        if licence:
            acts.end(conn, by, licence.id, "withdrawn", reason, now_ms)
        audit_sync(conn, by, "end.agent", "contributor", agent_id, {"reason": reason})


def find(conn: SyncConn, agent_id: int) -> AgentAtWork:
    """The agent; raises `NotFound`."""
    found = store.agent(conn, agent_id)
    if found is None:
        raise NotFound(f"There is no agent {agent_id}.", mend="see canut agent list")
    return found


def known_types() -> list[str]:
    """Types that can be put to work."""
    return agent_types()


def _set(conn: SyncConn, by: Principal, agent_id: int, state: str) -> None:
    find(conn, agent_id)
    with conn.transaction():
        if store.set_state(conn, agent_id, state):
            audit_sync(conn, by, "change.agent", "contributor", agent_id, {"state": state})
