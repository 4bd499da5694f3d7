"""What becomes of an agent's licence when evidence comes in: pure rules.

    earning -> in force    a threshold is proved on the stream
    in force -> in force   a lower threshold is proved, or an alarm raises it to a higher rung, all
                           of which were proved on the way down: a new version
    in force -> earning    errors have become likelier than allowed: revoked, earned anew

Thresholds are proved on all blind answers since the root version began, however many versions
follow; each version is then watched by an e-process of its own. Each spends its own share of delta:
over all versions of a contributor at a step, the chance that a promise is broken is at most delta,
and so is the chance that one that is kept is revoked.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from canut.quality.licences import watch as drift
from canut.quality.licences.thresholds import Finding, Ladder, choose, delta_share, ladder, raised
from canut.quality.licences.unseen import passed_over
from canut.quality.model import BlindAnswer, Licence
from canut.truth.votes import Float64

#: confidences that set the rungs, or as many as a version finds when it begins; what came of these
#: answers is not looked at
RUNGS_FROM = 100
#: evidence that a ladder is laid out for: enough for an error rate of 2% and a few errors
PLANNED = 600
#: share of an agent's tasks in its stream until `PLANNED` answers are in, while it earns, where
#: nobody says otherwise (`begin_earning`): people answer nearly everything then
EARNING_PPM = 300_000
#: the same after `PLANNED` answers that proved nothing yet, but may; and of a licence in force
#: while rungs are left to prove
CLIMBING_PPM = 100_000
#: tasks left for each answer that the next rung may take: a rung is some fiftieth of the work, a
#: blind answer costs some answers of people that deciding alone would not, and the next
#: version may need none of it
WORTH = 100

Becomes = Literal["same", "granted", "widened", "narrowed", "revoked"]


class Review(Struct, frozen=True):
    """What the evidence makes of a licence."""

    becomes: Becomes
    #: the rungs, set now if they were not
    rungs: list[tuple[float, float]] | None
    #: the threshold from now on, None while nothing is proved
    threshold: float | None
    #: what is proved, and what is missing for more; None before there are rungs
    finding: Finding | None
    #: what the stream says about a licence in force
    standing: drift.Standing | None
    #: share of its tasks in the stream from now on, in millionths
    stream_ppm: int
    #: how the licence is parted from now on (`slices.Slices`); None: it is not
    slices: dict[str, Any] | None = None


def counted(answers: Sequence[BlindAnswer]) -> Sequence[BlindAnswer]:
    """The evidence: answers in their order, up to the first that is open. To leave out what takes
    long would leave out what is hard."""
    for place, answer in enumerate(answers):
        if answer.wrong is None:
            return answers[:place]
    return answers


def looked_back(evidence: Sequence[BlindAnswer]) -> int:
    """How many of these, from the first on without a gap, were decided before what the licence is
    about was fixed."""
    return next((i for i, one in enumerate(evidence) if not one.looked_back), len(evidence))


def review(
    licence: Licence, answers: Sequence[BlindAnswer], stream_ppm: int, left: int | None = None
) -> Review:
    """What `answers`, all since the root began in their order, make of an agent's licence.

    `stream_ppm` is the share of the permanent stream, `left` how many tasks of the step are not
    decided yet, None where that is not known. A narrowed version is a root: what was proved before
    the alarm is no reason to lower the threshold again.
    """
    proof = delta_share(licence.delta, licence.root_version)
    rungs = licence.rungs or _rungs(licence, answers, proof)
    if rungs is None:
        return Review("same", None, None, None, None, licence.stream_ppm or EARNING_PPM)
    evidence = counted(answers)
    sure, wrong = _outcomes(evidence)
    steps = np.array(rungs, np.float64)
    laid = Ladder(steps[:, 0], steps[:, 1])
    lone = [answer.lone for answer in evidence]
    confirmed = [answer.confirmed is True for answer in evidence]
    over = passed_over(laid.thresholds, sure, wrong, lone, confirmed)
    allowed = licence.error_max * (1 - over)
    found = choose(sure, wrong, laid, allowed, proof, looked=looked_back(evidence))
    if found.threshold is not None:
        unseen = float(over[laid.thresholds == found.threshold][0])
        bound = min(1.0, found.bound / (1 - unseen))
        found = structs.replace(found, bound=bound, unseen=unseen)
    ppm = max(stream_ppm, CLIMBING_PPM) if climbing(found, len(evidence), left) else stream_ppm
    if licence.threshold is None:
        if found.threshold is None:
            return Review(
                "same", rungs, None, found, None, _earning(licence, evidence, found, stream_ppm)
            )
        return Review("granted", _kept(rungs, found), found.threshold, found, None, ppm)
    own = np.array([answer.licence_id == licence.id for answer in evidence], bool)
    # another promise, to the agent: nobody loses a licence that is kept, but for delta
    watch = delta_share(licence.delta, licence.version)
    standing = drift.judge(wrong[own & (sure >= licence.threshold)], licence.error_max, watch)
    if standing.revoked_after is not None:
        return Review("revoked", None, None, found, standing, EARNING_PPM)
    if standing.alarm:
        higher = raised(rungs, licence.threshold)
        if higher is None:
            return Review("revoked", None, None, found, standing, EARNING_PPM)
        return Review("narrowed", rungs, higher, found, standing, ppm)
    if found.threshold is not None and found.threshold < licence.threshold:
        kept = _kept(rungs, found, licence.threshold)
        return Review("widened", kept, found.threshold, found, standing, ppm)
    return Review("same", rungs, licence.threshold, found, standing, ppm)


def _outcomes(answers: Sequence[BlindAnswer]) -> tuple[Float64, NDArray[np.bool_]]:
    """Confidence of each, and whether it was wrong."""
    sure = np.array([answer.confidence for answer in answers], np.float64)
    return sure, np.array([answer.wrong for answer in answers], bool)


def climbing(found: Finding, evidence: int, left: int | None) -> bool:
    """Whether a licence in force gathers evidence for its next rung: where the work that is `left`
    would gain by it. Where nobody knows how much that is, until `PLANNED` answers are in."""
    missing = found.shortfall
    if missing is None:
        return False
    if left is None:
        return evidence < PLANNED
    return missing.about is not None and missing.about * WORTH <= left


def _kept(
    rungs: list[tuple[float, float]], found: Finding, held: float = math.inf
) -> list[tuple[float, float]]:
    """Rungs without those above the threshold that are not proved: an alarm raises it to the next
    one there is, and that has to hold. From `held` on all were proved before."""
    assert found.threshold is not None
    proved = set(found.proved)
    return [
        rung for rung in rungs if rung[0] in proved or rung[0] < found.threshold or rung[0] >= held
    ]


def _earning(
    licence: Licence, evidence: Sequence[BlindAnswer], found: Finding, stream_ppm: int
) -> int:
    """Share of the stream while nothing is proved. What would prove nothing, however much there
    were of it, is gathered no faster than in force."""
    if len(evidence) < PLANNED:
        return licence.stream_ppm or EARNING_PPM
    provable = found.shortfall is not None and found.shortfall.about is not None
    return CLIMBING_PPM if provable else min(stream_ppm, CLIMBING_PPM)


def _rungs(
    licence: Licence, answers: Sequence[BlindAnswer], delta: float
) -> list[tuple[float, float]] | None:
    if len(answers) < RUNGS_FROM:
        return None
    # as many as were there at the beginning: nobody chose that number by what came of them
    first = answers[: max(RUNGS_FROM, looked_back(answers))]
    laid = ladder([one.confidence for one in first], PLANNED, licence.error_max, delta)
    return list(zip(laid.thresholds.tolist(), laid.coverage.tolist(), strict=True))
