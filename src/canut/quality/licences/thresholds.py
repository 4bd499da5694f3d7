"""When somebody may decide alone: above which confidence, proved on which blind evidence.

Evidence is tasks drawn uniformly from live work and answered blind by people, after the
contributor's answer and its confidence are fixed, in the order of the draw. It is never gold chosen
by hand, tasks chosen by confidence, or tasks that the contributor, a stack or the ladder learned
from.
"""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from canut.truth.bounds import (
    audits_needed,
    binomial_tail,
    log_capital,
    upper_rate,
    upper_rate_once,
)
from canut.truth.votes import Float64, Int64

#: the first rung holds at least this many of the evidence tasks planned: on fewer, one early error
#: ends the climb before it began
LEAST = 60
#: rungs of a ladder, from the surest answers down to all of them: a fiftieth of the work each. More
#: of them cost nothing (each is tested at the same level), and the last are worth most: what is
#: below the lowest one proved goes to people, however few errors there are above it
RUNGS = 46
#: what an alarm gives back to people, at least, as a share of the work
GIVEN_BACK = 0.05
#: coverage of the rungs where a descent begins, besides the first: one who is nearly always right
#: need not prove the surest answers apart first
STARTS = (0.75,)


class Ladder(Struct, frozen=True):
    """Thresholds in the order in which they are tested, chosen before any evidence is seen."""

    #: float64 (rungs,), falling
    thresholds: Float64
    #: share of live work at or above each threshold, float64 (rungs,), rising
    coverage: Float64


class Shortfall(Struct, frozen=True):
    """What is missing to prove one more rung, in blind answers to tasks drawn uniformly."""

    #: the confidence that would be licensed
    threshold: float
    #: evidence tasks at or above it so far, and how many of them were wrong
    audits: int
    wrong: int
    #: as many more at least: if none of them finds an error
    least: int
    #: about so many more, if errors go on as so far; None where that proves nothing, ever
    about: int | None


class Finding(Struct, frozen=True):
    """What the evidence supports."""

    #: may decide alone at or above this confidence; None where nothing is provable yet
    threshold: float | None
    #: share of live work at or above it, 0 where nothing is provable
    coverage: float
    #: evidence tasks at or above it, and how many of them were wrong
    audits: int
    wrong: int
    #: the error rate above the threshold is at most this, at confidence 1 - delta, whenever one
    #: looks; for this threshold taken alone
    bound: float
    #: what the next rung needs; None where there is none
    shortfall: Shortfall | None
    #: thresholds that are proved, falling
    proved: list[float] = []
    #: share of its errors that went unseen, as far as is known, for one person was enough who
    #: agreed: `bound` allows for it
    unseen: float = 0.0


def ladder(
    confidence: ArrayLike, planned: int, error_max: float, delta: float, *, rungs: int = RUNGS
) -> Ladder:
    """Rungs at quantiles of the confidences of live work (float (n,), n >= 1; no right answers are
    looked at), for `planned` evidence tasks.

    The first holds `LEAST` of these, or as many as prove `error_max` with one error among them.
    """
    live = np.sort(np.asarray(confidence, np.float64))[::-1]
    if not len(live) or not np.isfinite(live).all():
        raise ValueError("a ladder needs confidences, all of them numbers")
    clean = audits_needed(error_max, delta, audits=1, wrong=1) or planned
    first = min(1.0, max(LEAST, clean) / max(planned, 1))
    wanted = np.linspace(first, 1.0, rungs)
    places = np.ceil(wanted * len(live)).astype(np.int64) - 1
    thresholds = np.unique(live[np.maximum(places, 0)])[::-1]
    coverage = np.searchsorted(-live, -thresholds, "right") / len(live)
    return Ladder(thresholds, coverage)


def raised(rungs: Sequence[tuple[float, float]], threshold: float) -> float | None:
    """The threshold after an alarm: the lowest of these rungs, (threshold, coverage), above which
    `GIVEN_BACK` less of the work is decided alone, or the highest; None where none is higher."""
    higher = [rung for rung in rungs if rung[0] > threshold]
    if not higher:
        return None
    held = max(coverage for at, coverage in rungs if at >= threshold)
    careful = [at for at, coverage in higher if coverage <= held - GIVEN_BACK + 1e-9]
    return min(careful) if careful else max(at for at, _ in higher)


def fixed_sequence(p_values: ArrayLike, delta: float) -> int:
    """How many hypotheses, in this order, are refuted: up to the first that is not.

    The chance that any of them is true is at most delta. Source: Angelopoulos, Bates, Candes,
    Jordan & Lei, "Learn then test", Annals of Applied Statistics 19 (2025), section 2.3.
    """
    kept = np.flatnonzero(np.asarray(p_values, np.float64) > delta)
    return int(kept[0]) if len(kept) else np.size(p_values)


def starts(coverage: ArrayLike) -> list[int]:
    """The rungs (of a ladder with these coverages, rising) where descents begin."""
    held = np.asarray(coverage, np.float64)
    places = np.searchsorted(held, np.array(STARTS) - 1e-9).tolist()
    return sorted({0, *(place for place in places if place < len(held))})


def descents(p_values: ArrayLike, begun: Sequence[int], delta: float) -> NDArray[np.bool_]:
    """Which hypotheses are refuted, bool: from each of the places `begun` on, in this order up to
    the first that is not, at an equal share of delta each.

    The chance that any true one is refuted is at most delta: at most its share in each descent.
    Source: "Learn then test" (see `fixed_sequence`), fixed sequences with multiple starts.
    """
    p = np.asarray(p_values, np.float64)
    refuted = np.zeros(len(p), bool)
    for place in begun:
        refuted[place : place + fixed_sequence(p[place:], delta / (1 + len(STARTS)))] = True
    return refuted


def choose(
    confidence: ArrayLike,
    wrong: ArrayLike,
    rungs: Ladder,
    error_max: ArrayLike,
    delta: float,
    *,
    looked: int = 0,
) -> Finding:
    """The lowest threshold above which the error rate is proved to be at most `error_max` (for all
    rungs, or float (rungs,)).

    `confidence` float (n,) and `wrong` bool (n,) are the evidence, in its order. Valid at whatever
    moment one looks, and at every look. `looked`: the first so many were there when the contributor
    became what it is. Nobody chose that number by what it says of them, so they are looked at once,
    at half of delta, for which fewer tasks are enough; all of them, at every look, at the other.
    """
    sure = np.asarray(confidence, np.float64)
    bad = np.asarray(wrong, bool)
    above = sure[None, :] >= rungs.thresholds[:, None]
    n, k = above.sum(axis=1), (above & bad).sum(axis=1)
    allowed = np.broadcast_to(np.asarray(error_max, np.float64), n.shape)
    p: Float64 = np.exp(-np.maximum(log_capital(allowed, n, k), 0))
    first = above[:, :looked]
    n_once, k_once = first.sum(axis=1), (first & bad[:looked]).sum(axis=1)
    if looked:
        each = zip(k_once.tolist(), n_once.tolist(), allowed.tolist(), strict=True)
        tails = [binomial_tail(b, a, rate) for b, a, rate in each]
        p = 2 * np.minimum(p, tails)
    refuted = descents(p, starts(rungs.coverage), delta)
    lowest = int(np.flatnonzero(refuted)[-1]) if refuted.any() else -1
    share = delta / (1 + len(STARTS)) / (2 if looked else 1)
    missing = _missing(rungs, lowest, n, k, allowed, share)
    if lowest < 0:
        return Finding(None, 0.0, 0, 0, 1.0, missing)
    audits, errors = int(n[lowest]), int(k[lowest])
    bound = upper_rate(audits, errors, share)
    if looked:
        bound = min(bound, upper_rate_once(int(n_once[lowest]), int(k_once[lowest]), share))
    return Finding(
        float(rungs.thresholds[lowest]),
        float(rungs.coverage[lowest]),
        audits,
        errors,
        bound,
        missing,
        rungs.thresholds[refuted].tolist(),
    )


def _missing(
    rungs: Ladder, lowest: int, audits: Int64, wrong: Int64, allowed: Float64, delta: float
) -> Shortfall | None:
    """What the next rung needs; while none is proved, the start that needs least."""
    if lowest + 1 >= len(rungs.thresholds):
        return None
    places = [lowest + 1] if lowest >= 0 else starts(rungs.coverage)
    needs = [
        _shortfall(rungs, place, int(n), int(k), float(rate), delta)
        for place, n, k, rate in zip(
            places, audits[places], wrong[places], allowed[places], strict=True
        )
    ]
    return min(needs, key=lambda one: (one.about is None, one.about or one.least))


def _shortfall(
    rungs: Ladder, rung: int, audits: int, wrong: int, error_max: float, delta: float
) -> Shortfall:
    coverage = float(rungs.coverage[rung])
    rate = wrong / audits if audits else 0.0

    def more(at_rate: float) -> int | None:
        total = audits_needed(error_max, delta, audits=audits, wrong=wrong, rate=at_rate)
        return None if total is None else math.ceil(round((total - audits) / coverage, 6))

    least = more(0.0)
    assert least is not None
    return Shortfall(float(rungs.thresholds[rung]), audits, wrong, least, more(rate))


def delta_share(delta: float, version: int) -> float:
    """What the licence of this version (1, 2, ...) of a contributor on a step may spend of delta:
    over all versions there will ever be, this sums to delta. A new model, pool, ladder or threshold
    is a new version.

    Half falls by a tenth from version to version, for agents that learn have some twenty and the
    first are seldom the best; half as 1 / (v (v + 1)), which leaves something for the thousandth.
    """
    if version < 1 or not 0 < delta < 1:
        raise ValueError("versions count from 1, delta is inside (0, 1)")
    return delta * (0.05 * 0.9 ** (version - 1) + 0.5 / (version * (version + 1)))
