"""Errors of an agent that one person would let pass: pure rules.

Of most tasks of a blind stream one person is enough who agrees with the agent, and only where they
differ are more asked. That finds fewer errors than there are: those that this person makes too go
unseen, and to count as if there were none would prove too much (Hadgu, "The discrepancy in
discrepant analysis", Lancet 348, 1996). So of the rest of the stream, drawn at random, two people
are asked at least, whatever the first of them says; of the errors that show there, the share that
the first had made too is the share that goes unseen elsewhere. It is taken off what is allowed: who
may err in 5% of tasks, and is one of whose errors in ten goes unseen, must show no more than 4.5%.
(Verification of a part, drawn at random: Begg & Greenes, Biometrics 39, 1983.)
"""

from msgspec import Struct

#: share of a stream where one who agrees is enough, in millionths
LONE_PPM = 800_000
#: where more than this share of errors goes unseen, two people are always asked: evidence on what
#: is left of the allowance would cost more answers than it saves
UNSEEN_MAX = 0.15
#: before anything is measured it counts as if one error of ten had gone unseen
LEAN_WRONG, LEAN_CONFIRMED = 10, 1


class Confirmed(Struct, frozen=True):
    """An agent's errors on tasks of which two people at least were asked."""

    wrong: int = 0
    #: those that the first person to answer had made too
    confirmed: int = 0

    @property
    def unseen(self) -> float:
        """Share of its errors that one person alone would let pass, inside (0, 1)."""
        return (self.confirmed + LEAN_CONFIRMED) / (self.wrong + LEAN_WRONG)

    @property
    def one_is_enough(self) -> bool:
        """Whether one who agrees may settle tasks of its stream."""
        return self.unseen <= UNSEEN_MAX
