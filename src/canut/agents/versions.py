"""How one version of an agent follows another. Call these inside a transaction that holds the
agent's versions (`store.lock`)."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.model import Version
from canut.agents.running.model import AgentAtWork, VersionAtWork, Worth
from canut.agents.teaching.rules import earning_ppm
from canut.db.pool import SyncConn
from canut.quality.audits.draws import new_seed
from canut.quality.licences.caution import restore
from canut.quality.licences.licensing import ShadowAnswer, begin_earning, succeed
from canut.quality.model import Licence


def replace_champion(
    conn: SyncConn,
    agent: AgentAtWork,
    version: Version,
    state: str | None,
    why: str,
    now_ms: Callable[[], int],
    worth: Worth,
    said: Sequence[ShadowAnswer] = (),
    settings: dict[str, Any] | None = None,
) -> int:
    """A new version takes over at once, and earns its licence anew, with what it `said` of tasks
    held out as evidence; its number."""
    open_now = store.lock(conn, agent.id)
    # after the lock: whatever the old one handed in has an earlier time
    at = now_ms() + 1
    for role, one in open_now.items():
        store.end(conn, one.id, "replaced" if role == "champion" else "dropped", why, at)
    made = store.begin(
        conn, agent.id, version, state, "champion", at, lesson=worth, settings=settings
    )
    tried, place = store_duels.tried(conn, agent), agent.licence_place
    basis, ppm = version.hash(), earning_ppm(worth)
    succeed(conn, place, basis, new_seed(), at, tried=tried, said=said, stream_ppm=ppm)
    told = {"why": why, **msgspec.to_builtins(worth)}
    store.note(conn, agent.id, "replaced", told, at, version_id=made)
    return made


def begin_challenger(
    conn: SyncConn,
    agent: AgentAtWork,
    version: Version,
    state: str | None,
    now_ms: Callable[[], int],
    worth: Worth,
    settings: dict[str, Any] | None = None,
) -> int:
    """A new version answers in the shadow of the champion; one that did so before is dropped."""
    open_now = store.lock(conn, agent.id)
    at = now_ms() + 1
    if "challenger" in open_now:
        store.end(conn, open_now["challenger"].id, "dropped", "a newer one took its place", at)
    against = open_now["champion"].id
    made = store.begin(conn, agent.id, version, state, "challenger", at, against, worth, settings)
    store.note(conn, agent.id, "challenge", msgspec.to_builtins(worth), at, version_id=made)
    return made


def promote(
    conn: SyncConn,
    agent: AgentAtWork,
    challenger: VersionAtWork,
    said: Sequence[ShadowAnswer],
    why: str,
    now_ms: Callable[[], int],
    told: dict[str, Any],
) -> Licence:
    """The challenger takes over; what it said of the champion's stream, after it was fixed, is the
    beginning of its evidence."""
    open_now = store.lock(conn, agent.id)
    at = now_ms() + 1
    tried = store_duels.tried(conn, agent)
    before = store_duels.open_licence(conn, agent)
    # where nobody decided alone, there is nobody to go back to
    canary = before is not None and before.state == "in_force"
    store.end(conn, open_now["champion"].id, "replaced", why, at)
    store.promote(conn, challenger.id)
    place, basis = agent.licence_place, challenger.hash
    ppm = earning_ppm(challenger.lesson)
    new = succeed(
        conn, place, basis, new_seed(), at, tried=tried, said=said, stream_ppm=ppm, canary=canary
    )
    store.note(conn, agent.id, "promoted", {"why": why, **told}, at, version_id=challenger.id)
    return new


def roll_back(
    conn: SyncConn,
    agent: AgentAtWork,
    to: VersionAtWork,
    why: str,
    now_ms: Callable[[], int],
    told: dict[str, Any] | None = None,
    stood: int | None = None,
) -> None:
    """The version before the champion takes over again. It earns its licence anew, unless that
    which it held (`stood`) can be in force again."""
    open_now = store.lock(conn, agent.id)
    at = now_ms() + 1
    for one in open_now.values():
        store.end(conn, one.id, "dropped", why, at)
    store.promote(conn, to.id)
    place = agent.licence_place
    if stood is None or restore(conn, place, stood, new_seed(), at) is None:
        begin_earning(conn, place, to.hash, new_seed(), at)
    store.note(conn, agent.id, "rolled_back", {"why": why, **(told or {})}, at, version_id=to.id)


def changed(
    conn: SyncConn, agent: AgentAtWork, version: Version, now_ms: Callable[[], int]
) -> None:
    """What decides its answers was changed under the champion (its model, settings, or the words
    of the step): the agent is another version from now on, and earns its licence anew."""
    why = "its model, its settings or the words of the step were changed"
    with conn.transaction():
        champion = store.lock(conn, agent.id)["champion"]
        before = store.known(conn, agent.id, version.hash())
        if before is None:
            replace_champion(
                *(conn, agent, version, champion.state, why, now_ms, champion.lesson),
                settings=champion.settings,
            )
        elif before.id != champion.id:
            roll_back(conn, agent, before, why, now_ms)
