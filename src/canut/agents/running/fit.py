"""Which version of an agent answers a step: the one that is its champion, as it is set up today."""

from collections.abc import Callable

from canut.agents import store
from canut.agents.model import Step
from canut.agents.running.model import AgentAtWork, Hands, VersionAtWork, as_version
from canut.agents.versions import changed
from canut.db.pool import SyncConn
from canut.quality.audits.draws import new_seed
from canut.quality.licences.licensing import begin_earning


def champion(
    conn: SyncConn,
    hands: Hands,
    agent: AgentAtWork,
    step: Step,
    state_of: Callable[[VersionAtWork], bytes | None],
    now_ms: Callable[[], int],
    *,
    newest: bool,
) -> VersionAtWork | None:
    """The version whose answers are handed in; a beginner where there is none yet.

    One that is told things in words (a language model) is another version where its model, its
    settings or the words were changed: then that becomes the champion, if `step` is the `newest`
    of those open; at an older one None, for nobody is licensed to answer that."""
    known = store.open_versions(conn, agent.id).get("champion")
    if known is None:
        return _beginner(conn, hands, agent, step, now_ms)
    if not known.version.get("prompt") or known.schema != step.schema_hash():
        return known
    version = hands.version(as_version(agent, known), step, state_of(known))
    if version.hash() == known.hash:
        return known
    if not newest:
        return None
    changed(conn, agent, version, now_ms)
    return store.open_versions(conn, agent.id)["champion"]


def _beginner(
    conn: SyncConn, hands: Hands, agent: AgentAtWork, step: Step, now_ms: Callable[[], int]
) -> VersionAtWork:
    version = hands.version(agent, step, None)
    with conn.transaction():
        at = now_ms()
        store.begin(conn, agent.id, version, None, "champion", at)
        begin_earning(conn, agent.licence_place, version.hash(), new_seed(), at)
    return store.open_versions(conn, agent.id)["champion"]
