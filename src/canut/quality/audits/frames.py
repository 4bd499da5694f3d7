"""How a closed list of decisions is audited: its risks, its design, its budget. Pure rules."""

import math
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from canut.truth.bounds import (
    RATIOS,
    SPREAD_WEIGHTED,
    errors_allowed,
    log_capital_batch,
    proves,
)
from canut.truth.designs import PPM, UNIFORM_PPM, Design, weights
from canut.truth.votes import Float64, Int64

#: draws made at once, at most, and (where more would be in vain if no error came) at least: few
#: enough that little is spent once the promise is proved, enough that auditors have work
ROUND, ROUND_MIN = 50, 5
#: nobody knows confidences beyond this: 0.9999 and 0.99999 are the same risk
RISK_MIN = 0.002
#: share of delta that the first list of a step of a batch spends; most batches have no other
FIRST_SHARE = 0.8


class Choice(Struct, frozen=True):
    """A design, and why it was chosen."""

    kind: Literal["uniform", "risk"]
    #: audits expected until the promise is proved, by design; None: never
    uniform: int | None
    risk: int | None

    @property
    def reason(self) -> str:
        """In figures, for whoever checks."""
        words = [
            f"{name}: {'not provable' if count is None else f'about {count} audits'}"
            for name, count in (("uniform", self.uniform), ("by risk", self.risk))
        ]
        return ", ".join(words)


def risks(confidence: ArrayLike) -> Int64:
    """The chance that each decision is wrong, in millionths, int64 (n,), from its confidence,
    float64 (n,). Bad risks cost audits, never validity."""
    sure = np.asarray(confidence, np.float64)
    return np.rint(np.clip(1.0 - sure, RISK_MIN, 1.0) * PPM).astype(np.int64)


def choose(confidence: ArrayLike, error_max: float, delta: float, audits_max: int) -> Choice:
    """The design that is expected to prove the promise with fewer audits, were the confidences
    true. Uniform where neither does within `audits_max`: without replacement it ends in certainty.
    """
    risk = risks(confidence)
    uniform = _uniform(risk, error_max, delta)
    weighted = _weighted(risk, error_max, delta)
    by_risk = (
        weighted is not None and weighted <= audits_max and (uniform is None or weighted < uniform)
    )
    return Choice("risk" if by_risk else "uniform", uniform, weighted)


def round_of(least: int | None) -> int:
    """Draws to make now, where `least` more would prove the promise if none of them were wrong;
    None: that many would not. When draws are made depends on what is proved, never which are."""
    return ROUND if least is None else min(ROUND, max(ROUND_MIN, least))


def budget(size: int, audits_max: int, audit_share: float) -> int:
    """Draws from a list of this size, at most."""
    return min(size, audits_max, math.ceil(audit_share * size - 1e-9))


def frame_delta(delta: float, number: int) -> float:
    """What list `number` (1, 2, ...) of a step of a batch may spend of delta.

    Each certificate holds on its own whatever came before it, for its seed is new. The shares make
    sure that with probability 1 - delta all of a step's certificates hold at once: nobody gains by
    adding an item and having the batch drawn again until luck proves it.
    """
    if number < 1:
        raise ValueError("lists count from 1")
    if number == 1:
        return delta * FIRST_SHARE
    return delta * (1 - FIRST_SHARE) / (number * (number - 1))


def _uniform(risk: Int64, error_max: float, delta: float) -> int | None:
    """Audits without replacement, errors at the rate that the risks expect."""
    size, rate = len(risk), float(risk.mean()) / PPM
    allowed = errors_allowed(error_max, size)
    if allowed >= size:
        return 0

    def enough(n: int) -> bool:
        return proves(log_capital_batch(allowed + 1, n, round(rate * n), size), delta)

    if not enough(size):
        return None
    low, high = 0, size
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _weighted(risk: Int64, error_max: float, delta: float) -> int | None:
    """Audits with replacement, by the mean growth of each bet."""
    size = len(risk)
    weight = weights(Design("risk", "", UNIFORM_PPM), size, risk)
    most = float(weight.max())
    if most <= 1:
        # all risks are the same: uniform, and with replacement
        return None
    chance: Float64 = 1.0 / (size * weight)
    wrong = risk / PPM
    stake = (1 - RATIOS) / (most - error_max)
    gain = np.log1p(stake * error_max) * float((chance * (1 - wrong)).sum())
    with np.errstate(divide="ignore"):
        for i, one in enumerate(stake):
            gain[i] += float(
                (chance * wrong) @ np.log(np.maximum(1 + one * (error_max - weight), 0))
            )
    if not gain.max() > 0:
        return None

    def enough(n: int) -> bool:
        return proves(float(np.logaddexp.reduce(n * gain + np.log(SPREAD_WEIGHTED))), delta)

    high = 1
    while not enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
