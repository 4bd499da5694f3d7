"""A licence in parts: slices of the work in which an agent may be good or bad apart. Pure rules.

A slice is a value of a field of the item, or a group of the agent's answer; either is known before
anybody decides. The slices of a licence are those that its first blind answers show, before any
outcome is looked at; what is rare is one slice together, and what comes up later belongs there, or,
where there is none, to people. Each slice has its own ladder, evidence, threshold and watch, by the
rules of an undivided licence (`rules.review`), and an equal part of what each version of the
licence may spend of delta. So the chance that any promise of any slice is ever broken is delta at
most, and while all hold, so does the promise over all that is decided alone.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from canut.quality.licences import rules
from canut.quality.licences import watch as drift
from canut.quality.licences.rules import CLIMBING_PPM, EARNING_PPM, PLANNED, RUNGS_FROM, Review
from canut.quality.licences.thresholds import Finding, Shortfall, raised
from canut.quality.model import BlindAnswer, Licence

#: what makes up less of the first answers has no slice of its own
RARE = 0.05


class Slice(Struct, frozen=True):
    """A part of a step's work, and what its licence is there."""

    #: the value of the field, or the group of the answer; empty: everything without a slice of its
    #: own, and what has no value
    name: str
    #: of the work, by the first answers
    share: float = 1.0
    #: the agent decides alone at or above it, here; None: nothing
    threshold: float | None = None
    rungs: list[tuple[float, float]] | None = None
    #: evidence counts from this licence on; None: from the version that says so
    root: int | None = None
    root_version: int | None = None
    #: the version whose threshold it is; None likewise
    since: int | None = None
    since_version: int | None = None
    finding: Finding | None = None
    standing: drift.Standing | None = None


class Slices(Struct, frozen=True):
    """How a licence is parted."""

    #: name of a field of the item, or `BY_ANSWER`
    by: str
    #: slices, at most
    most: int
    #: None until enough is seen
    parts: list[Slice] | None = None


def slices_of(licence: Licence) -> Slices | None:
    """How a licence is parted; None: it is not."""
    if licence.slices is None:
        return None
    held = msgspec.convert(licence.slices, Slices)
    if held.parts is None:
        return held
    return structs.replace(held, parts=[_resolved(licence, one) for one in held.parts])


def _resolved(licence: Licence, one: Slice) -> Slice:
    root = (licence.id, licence.version) if one.root is None else (one.root, one.root_version)
    since = (licence.id, licence.version) if one.since is None else (one.since, one.since_version)
    return structs.replace(
        one, root=root[0], root_version=root[1], since=since[0], since_version=since[1]
    )


def restored(licence: Licence) -> dict[str, Any] | None:
    """The slices of a licence that is in force again, each watched anew; None where it has none."""
    held = slices_of(licence)
    if held is None:
        return None
    parts = held.parts and [_anew(one, standing=None) for one in held.parts]
    return dict(msgspec.to_builtins(structs.replace(held, parts=parts)))


def slice_at(parts: Sequence[Slice], name: str) -> Slice | None:
    """The slice that work of this name belongs to; None: to none, people decide it."""
    named = next((one for one in parts if one.name == name), None)
    return named or next((one for one in parts if not one.name), None)


def threshold_at(licence: Licence, name: str) -> float | None:
    """From which confidence on the agent decides alone work of this name; None: never."""
    if licence.slices is None:
        return licence.threshold
    # as it is kept: this is asked for every answer
    parts: list[dict[str, Any]] = licence.slices.get("parts") or []
    held = {one["name"]: one["threshold"] for one in parts}
    threshold: float | None = held.get(name, held.get(""))
    return threshold


def laid_out(held: Slices, licence: Licence, answers: Sequence[BlindAnswer]) -> list[Slice] | None:
    """The slices that the first answers show; None while there are too few. Confidences and names
    are looked at, what came of the answers is not."""
    if len(answers) < RUNGS_FROM:
        return None
    seen = Counter(answer.slice for answer in answers[:RUNGS_FROM])
    ranked = sorted(seen.items(), key=lambda one: (-one[1], one[0]))
    common = [(name, n) for name, n in ranked if name and n >= RARE * RUNGS_FROM]
    if len(common) < len(ranked) or len(common) > held.most:
        common = common[: held.most - 1]
    left = RUNGS_FROM - sum(n for _, n in common)
    named = [*common, ("", left)] if left else common
    return [
        Slice(name, n / RUNGS_FROM, root=licence.root, root_version=licence.root_version)
        for name, n in named
    ]


def review(
    licence: Licence, answers: Sequence[BlindAnswer], stream_ppm: int, left: int | None = None
) -> Review:
    """What `answers`, all since the root began in their order, make of an agent's licence, parted
    or not; as `rules.review`, slice by slice."""
    held = slices_of(licence)
    if held is None:
        return rules.review(licence, answers, stream_ppm, left)
    parts = held.parts or laid_out(held, licence, answers)
    if parts is None:
        return Review("same", None, None, None, None, EARNING_PPM, licence.slices)
    filed: dict[str, list[BlindAnswer]] = {one.name: [] for one in parts}
    for answer in answers:
        at = slice_at(parts, answer.slice)
        if at is not None and at.root is not None and answer.licence_id >= at.root:
            filed[at.name].append(answer)
    terms = structs.replace(licence, delta=licence.delta / len(parts), slices=None)
    each = [
        rules.review(*_view(terms, one, filed[one.name]), stream_ppm, _left(left, one))
        for one in parts
    ]
    after = [_after(one, found) for one, found in zip(parts, each, strict=True)]
    becomes = _becomes(parts, after, [found.becomes for found in each])
    evidence = sum(len(rules.counted(own)) for own in filed.values())
    ppm = _stream(each, after, evidence, stream_ppm)
    return _together(becomes, structs.replace(held, parts=after), ppm)


def narrowed(licence: Licence) -> Review | None:
    """Every slice in force higher, where it has a higher rung: for an alarm that does not say
    where. None where no slice has one, or the licence is not parted."""
    held = slices_of(licence)
    if held is None or held.parts is None:
        return None
    after = [_raised(one) for one in held.parts]
    if after == held.parts:
        return None
    return _together("narrowed", structs.replace(held, parts=after), licence.stream_ppm)


def _raised(one: Slice) -> Slice:
    higher = None if one.threshold is None else raised(one.rungs or [], one.threshold)
    if higher is None:
        return one
    above = _anew(one, threshold=higher, standing=None)
    return structs.replace(above, root=None, root_version=None)


def _view(
    terms: Licence, one: Slice, answers: Sequence[BlindAnswer]
) -> tuple[Licence, list[BlindAnswer]]:
    """One slice as an undivided licence of its own, on these terms, and its answers."""
    view = structs.replace(
        terms,
        id=one.since or terms.id,
        version=one.since_version or terms.version,
        root=one.root,
        root_version=one.root_version,
        state="earning" if one.threshold is None else "in_force",
        threshold=one.threshold,
        rungs=one.rungs,
    )
    own = [
        structs.replace(answer, licence_id=view.id if answer.licence_id >= view.id else -1)
        for answer in answers
    ]
    return view, own


def _left(left: int | None, one: Slice) -> int | None:
    return None if left is None else round(left * one.share)


def _after(one: Slice, found: Review) -> Slice:
    """The slice as a review leaves it."""
    new = found.finding
    if one.threshold is not None and found.becomes == "same":
        # what proved it stays told, while errors since have not spoken
        proved = new is not None and new.threshold is not None and new.threshold <= one.threshold
        new = new if proved else one.finding
    seen = structs.replace(one, rungs=found.rungs, finding=new, standing=found.standing)
    match found.becomes:
        case "same":
            return seen
        case "granted" | "widened":
            return _anew(seen, threshold=found.threshold, standing=None)
        case "narrowed":
            above = _anew(seen, threshold=found.threshold, standing=None)
            return structs.replace(above, root=None, root_version=None)
        case _:
            return Slice(one.name, one.share)


def _anew(one: Slice, **values: Any) -> Slice:
    return structs.replace(one, since=None, since_version=None, **values)


def _becomes(
    before: Sequence[Slice], after: Sequence[Slice], each: Sequence[rules.Becomes]
) -> rules.Becomes:
    did = any(one.threshold is not None for one in before)
    does = any(one.threshold is not None for one in after)
    if not did:
        return "granted" if does else "same"
    if not does:
        return "revoked"
    if "revoked" in each or "narrowed" in each:
        return "narrowed"
    return "widened" if "granted" in each or "widened" in each else "same"


def _stream(each: Sequence[Review], after: Sequence[Slice], evidence: int, ppm: int) -> int:
    """The share of the one stream of all slices: the largest that one of them asks for. Once any is
    in force, or there is as much evidence as all could ask for, no more than in force."""
    wanted = max(one.stream_ppm for one in each)
    enough = evidence >= PLANNED * len(each)
    if all(one.threshold is None for one in after):
        return min(wanted, CLIMBING_PPM) if enough else wanted
    return ppm if enough else max(ppm, min(wanted, CLIMBING_PPM))


def _together(becomes: rules.Becomes, held: Slices, ppm: int) -> Review:
    """The slices, and the same in figures over all."""
    parts = held.parts or []
    alone = [one for one in parts if one.threshold is not None]
    top = max((one.threshold for one in alone if one.threshold is not None), default=None)
    return Review(
        becomes, None, top, _finding(parts, alone, top), _standing(alone), ppm,
        msgspec.to_builtins(held),
    )  # fmt: skip


def _finding(parts: Sequence[Slice], alone: Sequence[Slice], top: float | None) -> Finding | None:
    found = [one.finding for one in alone if one.finding is not None]
    if not found and all(one.finding is None for one in parts):
        return None
    missing = [short for one in parts if (short := over_all(one)) is not None]
    missing.sort(key=lambda one: (one.about is None, one.about or one.least))
    return Finding(
        top,
        sum(one.share * one.finding.coverage for one in alone if one.finding is not None),
        sum(one.audits for one in found),
        sum(one.wrong for one in found),
        max((one.bound for one in found), default=1.0),
        missing[0] if missing else None,
        unseen=max((one.unseen for one in found), default=0.0),
    )


def over_all(one: Slice) -> Shortfall | None:
    """What a slice lacks, in blind answers to tasks of all slices; None where it lacks nothing that
    is known."""
    missing = None if one.finding is None else one.finding.shortfall
    if missing is None:
        return None
    return structs.replace(
        missing,
        least=round(missing.least / one.share),
        about=None if missing.about is None else round(missing.about / one.share),
    )


def _standing(alone: Sequence[Slice]) -> drift.Standing | None:
    seen = [one.standing for one in alone if one.standing is not None]
    if not seen:
        return None
    return drift.Standing(
        sum(one.answers for one in seen),
        sum(one.wrong for one in seen),
        max(one.capital for one in seen),
        None,
        any(one.alarm for one in seen),
    )
