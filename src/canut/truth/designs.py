"""Which decisions are audited: draws that anybody can repeat from a seed.

Chance comes from SHA-256 over the seed and the number of the draw, and is used as whole numbers
only, so that a draw can be repeated in any language, on any machine, in any year. The seed is made
when the list of decisions is closed, and kept with it: who knows it before could foresee audits.

Source of the construction: Rivest & Stark's sampler for election audits ("Sampler", 2011).
"""

import hashlib
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from canut.truth.votes import Float64, Int64

#: a millionth: risks, shares and rates of draws are whole numbers of these
PPM = 1_000_000
#: share of the risk design's draws that are uniform; below 0.6 the bound gets worse
UNIFORM_PPM = 800_000


class Design(Struct, frozen=True):
    """How decisions are drawn from a closed list. `uniform`: each at most once. `risk`: with
    replacement, a share `uniform_ppm` uniformly, the rest in proportion to calibrated risk."""

    kind: Literal["uniform", "risk"]
    #: 32 random bytes in hexadecimal
    seed: str
    #: only of `risk`: at most `PPM`, above 0
    uniform_ppm: int = UNIFORM_PPM


def draw(design: Design, size: int, count: int, risk_ppm: ArrayLike = ()) -> Int64:
    """The first `count` draws from a list of `size` decisions: int64 (count,), positions in the
    list, from 0. More draws of the same design begin with the same ones.

    `risk_ppm` (only of `risk`) is the probability that each decision is wrong, in millionths.
    """
    if design.kind == "uniform":
        return _without_replacement(design.seed, size, count)
    return _by_risk(design, _risks(risk_ppm, size), count)


def weights(design: Design, size: int, risk_ppm: ArrayLike = ()) -> Float64:
    """What each decision counts when it is drawn and wrong, float64 (size,): 1 / (size x its
    probability in one draw). All 1 in the uniform design; in the risk design at most
    `PPM / uniform_ppm`."""
    if design.kind == "uniform":
        return np.ones(size)
    risk = _risks(risk_ppm, size)
    total = int(risk.sum())
    if not total:
        return np.ones(size)
    uniform = _share(design) / PPM
    return 1 / (uniform + (1 - uniform) * (risk * (size / total)))


def drawn_uniformly(design: Design, place: int) -> bool:
    """Whether the draw at this place, from 0, gave every decision the same chance: all draws of the
    uniform design, and of the risk design those that did not follow risk."""
    return design.kind == "uniform" or _chance(design.seed, f"{place}:how") % PPM < _share(design)


def in_stream(seed: str, keys: Sequence[str], rate_ppm: int) -> NDArray[np.bool_]:
    """Which of these decisions fall into a permanent random stream, bool (len(keys),).

    Each on its own, with probability `rate_ppm` millionths, whatever came before; asked again with
    the same key, the answer is the same. For licences in force.
    """
    return np.array([_chance(seed, key) % PPM < rate_ppm for key in keys], bool)


def _without_replacement(seed: str, size: int, count: int) -> Int64:
    """The first places of a Fisher-Yates shuffle; only what was moved is kept in memory."""
    if not 0 <= count <= size:
        raise ValueError("cannot draw more decisions than there are")
    moved: dict[int, int] = {}
    drawn = np.empty(count, np.int64)
    for place in range(count):
        other = place + _chance(seed, str(place)) % (size - place)
        drawn[place] = moved.get(other, other)
        moved[other] = moved.pop(place, place)
    return drawn


def _by_risk(design: Design, risk: Int64, count: int) -> Int64:
    below = np.cumsum(risk)
    total = int(below[-1])
    drawn = np.empty(count, np.int64)
    for place in range(count):
        where = _chance(design.seed, f"{place}:where")
        uniform = drawn_uniformly(design, place) or not total
        size = len(risk)
        drawn[place] = where % size if uniform else np.searchsorted(below, where % total, "right")
    return drawn


def _chance(seed: str, name: str) -> int:
    """A whole number below 2^256, as good as random for who does not know the seed. Taken modulo
    n, it favours none of n values by more than n / 2^256."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest(), "big")


def _share(design: Design) -> int:
    if not 0 < design.uniform_ppm <= PPM:
        raise ValueError("the uniform share must be above 0, and at most a million millionths")
    return design.uniform_ppm


def _risks(risk_ppm: ArrayLike, size: int) -> Int64:
    risk = np.asarray(risk_ppm, np.int64)
    if risk.shape != (size,) or not size or risk.min() < 0 or risk.max() > PPM:
        raise ValueError("one risk for each decision, from 0 to a million millionths")
    return risk


def probability(design: Design, size: int, risk_ppm: ArrayLike, position: int) -> Fraction:
    """The probability that one draw of the risk design takes this decision, exactly."""
    risk = _risks(risk_ppm, size)
    total, share = int(risk.sum()), _share(design)
    if not total:
        return Fraction(1, size)
    return Fraction(share, PPM * size) + Fraction((PPM - share) * int(risk[position]), PPM * total)
