"""More careful with an agent for a while: a higher threshold, a larger stream; and back.

What is narrowed here is narrowed as an alarm of the licence's own watch would narrow it: to a
higher rung, proved on the way down, as a new version that has to prove anew what is below.
"""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.quality.licences import slices, store
from canut.quality.licences.licensing import SUPERSEDED, Change, follow, review_licence
from canut.quality.licences.rules import Review
from canut.quality.licences.thresholds import raised
from canut.quality.model import Licence, LicencePlace
from canut.truth.designs import PPM

#: share of an agent's tasks that people answer blind while its work seems to change, in millionths
CAREFUL_PPM = 200_000


class Held(Struct, frozen=True):
    """What was done to a licence."""

    #: the version from now on; None where there is none
    licence_id: int | None
    did: str
    #: at or above it the agent decides alone, before and since
    threshold: float | None = None
    threshold_now: float | None = None


def open_licence(conn: SyncConn, place: LicencePlace) -> Licence | None:
    """The licence that an agent earns or holds, held against other engines."""
    found = store.open_of_agents(conn, place.process_id, place.step_slug, [place.contributor_id])
    return store.locked(conn, found[0].id) if found else None


def raise_threshold(conn: SyncConn, place: LicencePlace, seed: str, now_ms: int) -> Held:
    """To a higher rung (`thresholds.raised`), where there is one; `seed` as in `review_licence`."""
    licence = open_licence(conn, place)
    if licence is None or licence.state != "in_force" or licence.threshold is None:
        return Held(licence.id if licence else None, "it decides nothing alone")
    found = _narrowed(licence, licence.threshold)
    if found is None:
        return Held(
            licence.id, "no higher threshold is proved", licence.threshold, licence.threshold
        )
    change = follow(conn, licence, found, seed, now_ms)
    return Held(change.licence_id, "the threshold was raised", licence.threshold, change.threshold)


def _narrowed(licence: Licence, threshold: float) -> Review | None:
    """Higher, in every slice where there are slices; None where no rung is."""
    if licence.slices is not None:
        return slices.narrowed(licence)
    higher = raised(licence.rungs or [], threshold)
    if higher is None:
        return None
    return Review("narrowed", licence.rungs, higher, None, None, licence.stream_ppm)


def enlarge_stream(conn: SyncConn, place: LicencePlace) -> Held:
    """People answer at least `CAREFUL_PPM` of its tasks blind, from now on."""
    licence = open_licence(conn, place)
    if licence is None:
        return Held(None, "it has no licence")
    store.set_floor(conn, licence.id, CAREFUL_PPM)
    if licence.stream_ppm >= CAREFUL_PPM:
        return Held(licence.id, "people answer as much blind already")
    return Held(licence.id, "people answer more of its tasks blind")


def usual_stream(conn: SyncConn, place: LicencePlace, seed: str, now_ms: int) -> None:
    """People answer as much as the evidence asks for. A canary keeps its larger stream."""
    licence = open_licence(conn, place)
    if licence is not None and licence.canary_ppm == PPM:
        store.set_floor(conn, licence.id, 0)
        review_licence(conn, licence.id, seed, now_ms)


def ask_evidence(conn: SyncConn, place: LicencePlace, seed: str, now_ms: int) -> Held:
    """Whether the licence stands, by its blind answers: nothing else can revoke it."""
    licence = open_licence(conn, place)
    if licence is None or licence.state != "in_force":
        return Held(licence.id if licence else None, "it decides nothing alone")
    change: Change | None = review_licence(conn, licence.id, seed, now_ms)
    if change and change.becomes == "revoked":
        return Held(change.licence_id, "evidence revoked the licence", licence.threshold, None)
    after = change.threshold if change else licence.threshold
    number = change.licence_id if change else licence.id
    return Held(number, "evidence does not revoke the licence", licence.threshold, after)


def grow_canary(conn: SyncConn, licence: Licence, share_ppm: int) -> None:
    """A canary decides this share of its tasks from now on; with all of them it is none any more,
    and needs no larger stream."""
    store.set_canary(conn, licence.id, share_ppm)
    if share_ppm == PPM:
        store.set_floor(conn, licence.id, 0)


def restore(
    conn: SyncConn, place: LicencePlace, licence_id: int, seed: str, now_ms: int
) -> Licence | None:
    """A licence that another version's took the place of is in force again: what proved it stands,
    and it is watched anew, as a version with its own share of delta. None where evidence ended it,
    or it was never in force."""
    before = store.one(conn, licence_id)
    if before is None or before.granted_ms is None or before.reason != SUPERSEDED:
        return None
    store.end(conn, place, now_ms, SUPERSEDED)
    values = {
        "state": "in_force",
        "granted": now_ms,
        "basis": before.basis,
        "error_max": before.error_max,
        "delta": before.delta,
        "seed": seed,
        "ppm": before.stream_ppm,
        "threshold": before.threshold,
        "rungs": before.rungs,
        "finding": before.finding,
        "root": before.root,
        "slices": slices.restored(before),
    }
    return store.one(conn, store.begin(conn, place, now_ms, values))
