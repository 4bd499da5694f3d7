"""Evidence that a contributor has become worse than its licence allows.

Somebody bets that errors have become likelier than `error_max`, since the beginning or since any
later moment. While they have not, capital reaches 1/delta with probability delta at most, over the
whole life of the licence. Source: Ramdas, Gruenwald, Vovk & Shafer, "Game-theoretic statistics and
safe anytime-valid inference", Statistical Science 38 (2023); Shin, Ramdas & Rinaldo, "E-detectors",
New England Journal of Statistics in Data Science 2 (2024).
"""

import math

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from canut.truth.votes import Float64

#: error rates that are bet on, as multiples of the one allowed
MULTIPLES = np.array([1.5, 2.0, 3.0, 5.0, 8.0])
#: half of the capital that is kept for later beginnings is bet within this many answers
PATIENCE = 1000.0
#: answers between two false alarms, on average and at least
ALARM_EVERY = 1000.0


class Standing(Struct, frozen=True):
    """What the permanent blind stream says about a licence in force."""

    answers: int
    wrong: int
    #: against "errors are at most as many as allowed"; 1 at the beginning
    capital: float
    #: after how many answers the licence is revoked, None while it holds
    revoked_after: int | None
    #: errors seem to become more: raise the threshold (any higher rung of the ladder is proved
    #: already), and look
    alarm: bool


def judge(wrong: ArrayLike, error_max: float, delta: float) -> Standing:
    """Where a licence stands. `wrong` bool (n,): the blind stream since the licence began, in the
    order of the draw, up to the first task that is not answered yet."""
    bad = np.asarray(wrong, bool)
    capital = revocation_capital(bad, error_max)
    over = np.flatnonzero(capital >= _bar(delta))
    last = float(capital[-1]) if len(bad) else 0.0
    alarms = alarm_level(bad, error_max)
    return Standing(
        len(bad),
        int(bad.sum()),
        math.exp(min(last, 700.0)),
        int(over[0]) + 1 if len(over) else None,
        bool(len(bad)) and float(alarms[-1]) >= math.log(ALARM_EVERY),
    )


def revocation_capital(wrong: ArrayLike, error_max: float) -> Float64:
    """Log capital against "the error rate is at most `error_max`" after each answer, float64 (n,).

    Half is bet from the first answer on; of the rest, a share c / ((j + c) (j + c - 1)) from answer
    j on, c = `PATIENCE`: over all j these sum to one. So good years do not weaken the evidence of a
    bad week. Capital is each share times its likelihood ratio since, plus what is not bet yet.
    """
    gains = _log_gains(wrong, error_max)
    j = np.arange(1, len(gains) + 1)
    share = 0.5 * PATIENCE / ((j + PATIENCE) * (j + PATIENCE - 1))
    kept = np.log(0.5 * PATIENCE / (j + PATIENCE))
    share[:1] += 0.5
    capital: Float64 = np.logaddexp(_restarted(gains, np.log(share)), kept)
    return capital


def alarm_level(wrong: ArrayLike, error_max: float) -> Float64:
    """Log of the sum over all beginnings of the capital since, float64 (n,).

    Sooner than `revocation_capital`, but not a proof: while nothing is wrong it first reaches
    `ALARM_EVERY` after so many answers at least, on average."""
    gains = _log_gains(wrong, error_max)
    return _restarted(gains, np.zeros(len(gains)))


def _log_gains(wrong: ArrayLike, error_max: float) -> Float64:
    """Log likelihood ratio of each answer for each bet, float64 (n, bets)."""
    if not 0 < error_max < 1:
        raise ValueError("the error rate allowed is inside (0, 1)")
    bad = np.asarray(wrong, bool)[:, None]
    bet = np.minimum(MULTIPLES * error_max, (1 + error_max) / 2)
    gains: Float64 = np.where(bad, np.log(bet / error_max), np.log1p(-bet) - math.log1p(-error_max))
    return gains


def _restarted(gains: Float64, share: Float64) -> Float64:
    """Log of mean over bets of sum over j <= n of share_j x product of gains j..n."""
    total = np.cumsum(gains, axis=0)
    begun = share[:, None] - (total - gains)
    capital = total + np.logaddexp.accumulate(begun, axis=0)
    mean: Float64 = np.logaddexp.reduce(capital, axis=1) - math.log(len(MULTIPLES))
    return mean


def _bar(delta: float) -> float:
    if not 0 < delta < 1:
        raise ValueError("delta must be inside (0, 1)")
    return -math.log(delta)
