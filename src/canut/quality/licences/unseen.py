"""Errors of an agent that one person would let pass: pure rules.

Of most tasks of a blind stream one person is enough who agrees with the agent, and only where they
differ are more asked. That finds fewer errors than there are: those that this person makes too go
unseen, and to count as if there were none would prove too much (Hadgu, "The discrepancy in
discrepant analysis", Lancet 348, 1996). So of the rest of the stream, drawn at random, two people
are asked at least, whatever the first of them says; of the errors that show there, the share that
the first had made too is the share that goes unseen elsewhere. (Verification of a part, drawn at
random: Begg & Greenes, Biometrics 39, 1983.)

It is measured for each version by its own errors, and for each threshold by those above it, if they
are shared more often: what an agent is sure of and gets wrong is what people get wrong too.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from canut.truth.votes import Float64

#: share of a stream where one who agrees is enough, in millionths
LONE_PPM = 800_000
#: where more than this share of errors goes unseen, two people are always asked: evidence on what
#: is left of the allowance would cost more answers than it saves
UNSEEN_MAX = 0.15
#: before anything is measured it counts as if two errors of ten had gone unseen: then two are
#: always asked until four errors were found, none of them shared
LEAN_WRONG, LEAN_CONFIRMED = 10, 2


class Confirmed(Struct, frozen=True):
    """A version's answers to tasks of which two people at least were asked."""

    judged: int = 0
    wrong: int = 0
    #: wrong ones that the first person to answer had given too
    confirmed: int = 0

    @property
    def unseen(self) -> float:
        """Share of its errors that one person alone would let pass, inside (0, 1]."""
        return (self.confirmed + LEAN_CONFIRMED) / (self.wrong + LEAN_WRONG)

    def one_is_enough(self, doubt_max: float) -> bool:
        """Whether one who agrees may settle tasks of its stream: few errors go unseen, and what the
        two agree on is wrong with a chance of `doubt_max` at most."""
        rate = (self.wrong + 1) / (self.judged + LEAN_WRONG)
        return self.unseen <= UNSEEN_MAX and rate * self.unseen <= doubt_max


def passed_over(
    thresholds: ArrayLike,
    confidence: ArrayLike,
    wrong: ArrayLike,
    lone: ArrayLike,
    confirmed: ArrayLike,
) -> Float64:
    """Share of the errors above each threshold that went unseen in this evidence, float64
    (thresholds,), inside [0, 1): the share of answers that one person settled, times what one lets
    pass. The others bool (n,); `confirmed`: the first person had given the answer too, where two
    were asked."""
    sure, bad, one = np.asarray(confidence), np.asarray(wrong, bool), np.asarray(lone, bool)
    two = bad & ~one
    both = two & np.asarray(confirmed, bool)
    above = sure[None, :] >= np.asarray(thresholds)[:, None]
    over_all = Confirmed(wrong=int(two.sum()), confirmed=int(both.sum())).unseen
    # of few errors above a threshold little is known: they lean on all
    shared, found = (above & both).sum(axis=1), (above & two).sum(axis=1)
    here = (shared + LEAN_WRONG * over_all) / (found + LEAN_WRONG)
    share = (above & one).sum(axis=1) / np.maximum(above.sum(axis=1), 1)
    passed: Float64 = np.minimum(np.maximum(here, over_all) * share, 0.95)
    return passed
