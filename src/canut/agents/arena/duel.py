"""Champion against challenger, on the same live items: promote, drop, or go on.

Both answer the same tasks, drawn uniformly and answered blind by people after both had answered.
Per pair d = 1 where only the challenger was wrong, -1 where only the champion was, else 0. Somebody
bets against "the mean of d is m or more": capital is multiplied by 1 + l (m - d), for each stake l
of `STAKES`, over which it is spread at the beginning. If the claim is true, capital ever reaches
1/delta with probability delta at most, over all looks together: look as often as you like.

Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS-B 86
(2024); Ville (1939). See also `canut.truth.bounds`.
"""

import math
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

Verdict = Literal["promote", "drop", "continue"]

#: small ones for small differences seen long, large ones for large differences seen soon; below 1,
#: so that no single pair loses everything
STAKES = np.array([0.01, 0.03, 0.08, 0.2, 0.45, 0.9])


class Pairs(Struct, frozen=True):
    """What blind evidence says of two agents, as sums: no test here depends on the order."""

    #: pairs judged
    judged: int
    #: in which only the challenger was wrong
    lost: int
    #: in which only the champion was wrong
    won: int


class Terms(Struct, frozen=True):
    """What a duel is about, fixed before it begins."""

    #: by how much more often a cheaper challenger may be wrong, between 0 and 1
    margin: float
    #: probability of promoting one that should not be, at most, over the whole duel
    delta: float
    #: a challenger that has proved nothing by then is dropped
    pairs_max: int


class Result(Struct, frozen=True):
    """Where a duel stands."""

    verdict: Verdict
    #: why, in a few words
    why: str
    #: evidence that the challenger is better, that it is not worse by the margin, and that it is
    #: worse (than the margin allows, if it is cheaper): capital, 1 at the beginning
    better: float
    near_enough: float
    worse: float
    #: mean of d: how much more often the challenger is wrong
    difference: float


def judge(pairs: Pairs, terms: Terms, *, cheaper: bool) -> Result:
    """Where the duel stands.

    Better is promoted, whatever it costs; cheaper, and worse by less than the margin, is promoted
    too. The stakes of both tests are the same, so whatever proves the first proves the second, and
    both together promote falsely with probability delta at most.
    """
    _check(pairs, terms)
    n, lost, won = pairs.judged, pairs.lost, pairs.won
    better, near = (float(capital(n, lost, won, bound)) for bound in (0.0, terms.margin))
    worse = float(capital(n, won, lost, -terms.margin if cheaper else 0.0))
    verdict, why = _verdict(pairs, terms, (better, near, worse), cheaper)
    difference = (pairs.lost - pairs.won) / pairs.judged if pairs.judged else 0.0
    told = [math.exp(min(one, 700.0)) for one in (better, near, worse)]
    return Result(verdict, why, told[0], told[1], told[2], difference)


def _verdict(
    pairs: Pairs, terms: Terms, capitals: tuple[float, float, float], cheaper: bool
) -> tuple[Verdict, str]:
    bar = -math.log(terms.delta)
    better, near, worse = (one >= bar for one in capitals)
    if better:
        return "promote", "proved to be wrong less often"
    if cheaper and near:
        return "promote", "cheaper, and proved not to be wrong more often than agreed"
    if worse:
        return "drop", "proved to be wrong more often than agreed"
    if pairs.judged >= terms.pairs_max:
        return "drop", "nothing proved in the time agreed"
    return "continue", "nothing proved yet"


def capital(judged: ArrayLike, lost: ArrayLike, won: ArrayLike, bound: float) -> Float64:
    """Log capital against "the mean of d is `bound` or more", after sums of pairs that broadcast;
    `bound` from -1 to 1."""
    n, k, w = (np.asarray(sums, np.float64)[..., None] for sums in (judged, lost, won))
    # scaled so that the worst pair leaves something of every stake
    stakes = STAKES / (1 - min(bound, 0.0))
    terms = (
        k * np.log1p(stakes * (bound - 1))
        + w * np.log1p(stakes * (bound + 1))
        + (n - k - w) * np.log1p(stakes * bound)
    )
    told: Float64 = np.logaddexp.reduce(terms, axis=-1) - math.log(len(STAKES))
    return told


def _check(pairs: Pairs, terms: Terms) -> None:
    if min(pairs.lost, pairs.won) < 0 or pairs.lost + pairs.won > pairs.judged:
        raise ValueError("more pairs were decided than judged")
    if not (0 <= terms.margin < 1 and 0 < terms.delta < 1 and terms.pairs_max >= 1):
        raise ValueError("margin is in [0, 1), delta inside (0, 1), pairs_max at least 1")
