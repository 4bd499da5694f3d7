"""When gold is no good any more: it leaked, or good contributors disagree with it. Pure rules.

Both look at answers to one gold, in the order in which they came, with what is known of each
contributor elsewhere (everything but this answer).
"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from canut.truth.bounds import log_capital, proves
from canut.truth.votes import Float64

#: answers at the first look for a leak; the next looks come at twice as many each
FIRST_LOOK = 24
#: the chance that gold which did not leak is ever retired as leaked, at most
LEAK_DELTA = 0.01
#: good contributors: right so often elsewhere, on at least so many answers
GOOD_FROM = 0.9
GOOD_JUDGED = 20.0
#: right gold, however hard: so many good contributors agree with it, at least
HARD_AGREED = 0.75
#: the chance that such gold is ever retired as disputed, at most
DISPUTE_DELTA = 0.01
#: disputed gold is agreed with by this share of the good contributors at most
DISPUTED_AT = 0.5


class Dispute(Struct, frozen=True):
    """What good contributors say about a gold."""

    #: how many of them answered, and how many agreed
    good: int
    agreed: int
    disputed: bool


class Leak(Struct, frozen=True):
    """How the answers to a gold changed as more and more people saw it."""

    #: share of right answers in the earlier and in the later half, and what the skill of those who
    #: gave the later half predicts
    before: float
    after: float
    expected: float
    #: chance of a rise like this, or a steeper one, if nothing leaked
    p: float
    leaked: bool


def skill(right: ArrayLike, judged: ArrayLike) -> Float64:
    """How often somebody is right, from what is known of them; 0.7 of strangers. float64 (n,)."""
    return (np.asarray(right, np.float64) + 7) / (np.asarray(judged, np.float64) + 10)


def disputed(right: ArrayLike, elsewhere: ArrayLike, judged: ArrayLike) -> Dispute:
    """Whether good contributors refute "at least `HARD_AGREED` of us agree with right gold", and
    half of them at most agree. `right` bool (n,); `elsewhere` and `judged` float (n,): right
    answers and answers of each elsewhere. Anytime-valid, see `canut.truth.bounds`."""
    known = np.asarray(judged, np.float64)
    good = (known >= GOOD_JUDGED) & (skill(elsewhere, known) >= GOOD_FROM)
    agreed, n = int((np.asarray(right, bool) & good).sum()), int(good.sum())
    if not n:
        return Dispute(0, 0, disputed=False)
    capital = float(log_capital(HARD_AGREED, n, agreed))
    return Dispute(n, agreed, proves(capital, DISPUTE_DELTA) and agreed <= DISPUTED_AT * n)


def leak(right: ArrayLike, predicted: ArrayLike) -> Leak | None:
    """Whether the right rate rose, from the earlier half of the answers to the later one, beyond
    what the skill of those who answered explains. None where there are too few to look at.

    Gold may be easy or hard: its log odds are those of the contributor's skill plus an unknown
    constant. Given how many answers were right in all, the constant drops out and the number of
    right ones in the later half has a known distribution (Cox, "Analysis of Binary Data", 1970,
    chapter 4; Fisher's exact test where all are equally skilled): its tail is the p-value, exact.
    The looks are at 24, 48, 96, ... answers, whenever one asks; look i may spend LEAK_DELTA / 2^i.
    """
    x, skills = np.asarray(right, bool), np.asarray(predicted, np.float64)
    looks = int(math.log2(len(x) / FIRST_LOOK)) + 1 if len(x) >= FIRST_LOOK else 0
    found = None
    for look in range(1, looks + 1):
        found = _look(x, skills, FIRST_LOOK * 2 ** (look - 1), look)
        if found.leaked:
            break
    return found


def _look(right: np.ndarray, skills: Float64, n: int, look: int) -> Leak:
    half = n // 2
    before, after = right[:half], right[half:n]
    total, later = int(right[:n].sum()), int(after.sum())
    first, second = _counts(skills[:half]), _counts(skills[half:n])
    # how many right answers may fall into the later half, given how many there are
    places = np.arange(max(0, total - half), min(n - half, total) + 1)
    weight = second[places] + first[total - places]
    weight = np.exp(weight - weight.max())
    p = float(weight[places >= later].sum() / weight.sum())
    expected = float(skills[half:n].mean())
    rose = p <= LEAK_DELTA / 2**look and float(after.mean()) > expected
    return Leak(float(before.mean()), float(after.mean()), expected, p, rose)


def _counts(skills: Float64) -> Float64:
    """Log of P(k of these answers are right) for each k, float64 (len + 1,)."""
    chance = np.zeros(len(skills) + 1)
    chance[0] = 1.0
    for p in np.clip(skills, 0.01, 0.99):
        chance[1:] = chance[1:] * (1 - p) + chance[:-1] * p
        chance[0] *= 1 - p
    with np.errstate(divide="ignore"):
        return np.log(chance)
