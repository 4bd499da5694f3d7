"""Licences at work: how agents come to decide alone, and how that ends. See `licence_rules`."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, NotFound
from canut.quality.licences import store, store_blind
from canut.quality.licences.filing import named_as
from canut.quality.licences.rules import EARNING_PPM, Becomes, Review
from canut.quality.licences.slices import review
from canut.quality.model import Licence, LicencePlace
from canut.truth.designs import PPM

#: shares of its tasks that a version decides alone, one after the other, when it took over from
#: another; and the share of its stream meanwhile, at least: all that it leaves
CANARY_PPM = (800_000, PPM)
CANARY_STREAM_PPM = PPM - CANARY_PPM[0]
#: why a version ended where a new one of an agent or a new grant took its place; where evidence
#: ended it the reason is what it became (`licence_rules.Becomes`)
SUPERSEDED = "superseded"


class ShadowAnswer(Struct, frozen=True):
    """What a version said of a task that was drawn for the stream of another."""

    task_id: int
    #: None where it had no answer
    value: Any
    confidence: float
    #: None while people have not decided
    wrong: bool | None
    #: the group of the value (`filing.group`)
    group: str = ""
    #: people had decided the task when the version was fixed
    looked_back: bool = False
    #: one person was enough to settle it who agreed with the one it was drawn for
    lone: bool = False
    #: where two were asked: whether the first of them had said the same
    confirmed: bool | None = None


class Change(Struct, frozen=True):
    """What a review changed."""

    licence: Licence
    becomes: Becomes
    #: the version in force or earning from now on
    licence_id: int
    threshold: float | None


def begin_earning(
    conn: SyncConn,
    place: LicencePlace,
    basis: str,
    seed: str,
    now_ms: int,
    *,
    stream_ppm: int = EARNING_PPM,
) -> Licence:
    """An agent starts to earn a licence for what `basis` (the hash of its version) is; whatever
    licence it holds at the step ends. The same basis again changes nothing.

    `seed` is 32 random bytes in hexadecimal, that nobody knew before; `stream_ppm` is the share of
    its tasks that people answer blind until something is proved. Raises `NotFound` where the
    step has no batch yet.
    """
    terms = store.terms(conn, place.process_id, place.step_slug)
    if terms is None:
        raise NotFound(
            "This step has had no work yet, so there is nothing to earn a licence on.",
            mend="submit a batch first",
        )
    held = store.open_of_agents(conn, place.process_id, place.step_slug, [place.contributor_id])
    if held and held[0].basis == basis:
        return held[0]
    store.end(conn, place, now_ms, SUPERSEDED)
    values = {
        "state": "earning",
        "basis": basis,
        "error_max": terms.error_max,
        "delta": terms.delta,
        "seed": seed,
        "ppm": stream_ppm,
        "slices": _parted(terms),
    }
    return _read(conn, store.begin(conn, place, now_ms, values))


def succeed(
    conn: SyncConn,
    place: LicencePlace,
    basis: str,
    seed: str,
    now_ms: int,
    *,
    tried: int,
    said: Sequence[ShadowAnswer],
    stream_ppm: int = EARNING_PPM,
    canary: bool = False,
) -> Licence:
    """A new version takes its champion's place, and brings the evidence it has: what it `said`,
    after it was fixed, of tasks of the streams of versions before it that it never learned from,
    in the order in which they fell in.

    `tried` is how many challengers were dropped since the champion's licence began: each has had
    its chance to prove something, and spends a version's share of delta. `canary`: it decides a
    share of its tasks first (`canary`).
    """
    store.end(conn, place, now_ms, SUPERSEDED)
    terms = store.terms(conn, place.process_id, place.step_slug)
    assert terms is not None
    values = {
        "state": "earning",
        "basis": basis,
        "error_max": terms.error_max,
        "delta": terms.delta,
        "seed": seed,
        "ppm": stream_ppm,
        "skipped": tried,
        "slices": _parted(terms),
    }
    if canary:
        values |= {"canary": CANARY_PPM[0], "floor": CANARY_STREAM_PPM}
    licence = store.begin(conn, place, now_ms, values)
    if said:
        rows = [(licence, one.task_id, one.value, one.confidence) for one in said]
        groups = [(one.task_id, one.group) for one in said]
        names, lone = named_as(conn, _parted(terms), groups), [one.lone for one in said]
        store_blind.record(conn, rows, names, lone)
        for at, back in ((now_ms, True), (now_ms + 1, False)):
            told = {
                one.task_id: (one.wrong, one.confirmed)
                for one in said
                if one.looked_back is back and one.wrong is not None
            }
            store_blind.settle_of(conn, licence, told, at)
    return _read(conn, licence)


def grant_person(conn: SyncConn, place: LicencePlace, now_ms: int, finding: Any = None) -> Licence:
    """A person may work on the step from now on: an exam was passed, or an operator says so.

    Raises `Conflict` where a licence is in force.
    """
    terms = store.terms(conn, place.process_id, place.step_slug) or store.Terms(0.02, 0.05, 0.0)
    ended = store.end(conn, place, now_ms, SUPERSEDED)
    if ended is not None and _read(conn, ended).granted_ms is not None:
        raise Conflict("A licence for this step is in force already.")
    values = {
        "state": "in_force",
        "granted": now_ms,
        "error_max": terms.error_max,
        "delta": terms.delta,
        "finding": finding,
    }
    return _read(conn, store.begin(conn, place, now_ms, values))


def review_licence(conn: SyncConn, licence_id: int, seed: str, now_ms: int) -> Change | None:
    """Judge an agent's licence by its evidence and act on it; None where nothing changes.

    `seed` is for the stream of a new version, should there be one: 32 fresh random bytes in
    hexadecimal.
    """
    licence = store.locked(conn, licence_id)
    if licence is None or licence.state == "ended":
        return None
    terms = store.terms(conn, licence.process_id, licence.step_slug)
    permanent = round((terms.stream_share if terms else 0.03) * PPM)
    left = store.left(conn, licence.process_id, licence.step_slug)
    found = review(licence, store_blind.evidence(conn, licence.root), permanent, left)
    store.note(
        conn,
        licence_id,
        now_ms,
        (found.rungs or licence.rungs, found.finding, found.standing, found.slices),
        max(found.stream_ppm, licence.stream_floor_ppm) if found.becomes == "same" else None,
    )
    return None if found.becomes == "same" else follow(conn, licence, found, seed, now_ms)


def follow(conn: SyncConn, licence: Licence, found: Review, seed: str, now_ms: int) -> Change:
    """A new version, as a review found; hold the licence against others (`store.locked`)."""
    place = LicencePlace(licence.contributor_id, licence.process_id, licence.step_slug)
    store.end(conn, place, now_ms, found.becomes)
    new = store.begin(conn, place, now_ms, _version(licence, found, seed, now_ms))
    return Change(licence, found.becomes, new, found.threshold)


def _version(licence: Licence, found: Review, seed: str, now_ms: int) -> dict[str, Any]:
    """The columns of the version that follows."""
    values: dict[str, Any] = {
        "basis": licence.basis,
        "error_max": licence.error_max,
        "delta": licence.delta,
        "seed": seed,
        "ppm": max(found.stream_ppm, licence.stream_floor_ppm),
        "floor": licence.stream_floor_ppm,
        "slices": found.slices,
    }
    # each slice knows where its own evidence begins
    root = licence.root if found.slices else None
    if found.becomes == "revoked":
        return values | {
            "state": "earning",
            "root": root,
            "finding": found.slices and found.finding,
        }
    return values | {
        "state": "in_force",
        "granted": now_ms,
        "canary": licence.canary_ppm,
        "threshold": found.threshold,
        "rungs": found.rungs,
        "finding": found.finding,
        "root": root if found.becomes == "narrowed" else licence.root,
    }


def _parted(terms: store.Terms) -> dict[str, Any] | None:
    """How a licence is parted from its beginning on these terms."""
    return {"by": terms.slices, "most": terms.slices_max} if terms.slices else None


def _read(conn: SyncConn, licence_id: int) -> Licence:
    licence = store.locked(conn, licence_id)
    assert licence is not None
    return licence


def review_due(conn: SyncConn, seeds: Callable[[], str], now_ms: int) -> list[Change]:
    """Review every licence with new evidence, each in a transaction of its own; what changed.

    `seeds` gives 32 fresh random bytes in hexadecimal at each call.
    """
    changes = []
    for licence_id in store.due(conn):
        with conn.transaction():
            change = review_licence(conn, licence_id, seeds(), now_ms)
        if change:
            changes.append(change)
    return changes
