"""A version that took over decides a share of its tasks first: more while its stream stays clean,
and none any more where it does not.

It was proved in the shadow before. What a canary is for is what a shadow cannot show: that it was
loaded as it was tried, and that the work is what it was. The rest of its tasks people decide blind.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.running.model import AgentAtWork
from canut.agents.versions import roll_back
from canut.db.pool import SyncConn
from canut.quality.licences import caution
from canut.quality.licences.licensing import CANARY_PPM
from canut.quality.licences.watch import judge
from canut.quality.model import Licence
from canut.truth.designs import PPM

#: blind answers to what it would have decided alone, at each share
CLEAN = 20
#: probability of a roll-back while it errs as often as it may, at most, over all looks
DELTA = 0.05
#: from such evidence against it on, it does not decide more
DOUBT = 4.0


class Canary(Struct, frozen=True):
    """How far a version is that took over."""

    #: of its tasks, decided alone now
    share_ppm: int
    #: as its evidence has it: more, or 0 where it is to be rolled back
    next_ppm: int
    #: blind answers to what it would have decided alone, and how many of them were wrong
    answers: int
    wrong: int
    #: blind answers at which the next share is due
    needed: int
    #: evidence that it errs more often than it may; 1 at the beginning
    capital: float


def progress(wrong: Sequence[bool], share_ppm: int, error_max: float) -> Canary:
    """Where a canary stands, by its blind answers in their order. Pure."""
    found = judge(list(wrong), error_max, DELTA)
    stage = CANARY_PPM.index(share_ppm) if share_ppm in CANARY_PPM else 0
    needed = CLEAN * (stage + 1)
    if found.revoked_after is not None:
        after = 0
    elif len(wrong) >= needed and found.capital < DOUBT:
        after = CANARY_PPM[min(stage + 1, len(CANARY_PPM) - 1)]
    else:
        after = share_ppm
    return Canary(share_ppm, after, len(wrong), found.wrong, needed, found.capital)


def canary(conn: SyncConn, agent: AgentAtWork, licence: Licence | None) -> Canary | None:
    """How far it is; None where the agent's licence is held to no share."""
    if licence is None or licence.state != "in_force" or licence.canary_ppm == PPM:
        return None
    wrong = store_duels.canary(conn, agent, licence.basis)
    return progress(wrong, licence.canary_ppm, licence.error_max)


def advance(conn: SyncConn, agent: AgentAtWork, now_ms: Callable[[], int]) -> str:
    """Let a canary decide more, or roll it back; what was done. Hold the agent's versions."""
    licence = caution.open_licence(conn, agent.licence_place)
    found = canary(conn, agent, licence)
    if found is None or licence is None or found.next_ppm == found.share_ppm:
        return ""
    champion = store.open_versions(conn, agent.id)["champion"]
    told = msgspec.to_builtins(found)
    if found.next_ppm:
        caution.grow_canary(conn, licence, found.next_ppm)
        store.note(conn, agent.id, "canary", told, now_ms(), version_id=champion.id)
        return f"canary at {found.next_ppm / PPM:.0%}"
    before = store.version(conn, champion.against) if champion.against else None
    if before is None or before.role != "replaced":
        # nobody to go back to: the watch over its licence decides, and it decides no more till then
        return ""
    why = "its stream as a canary is proved to err more often than it may"
    stood = store_duels.stood(conn, agent, before.hash)
    roll_back(conn, agent, before, why, now_ms, told, stood)
    return "canary rolled back"
