"""When an exam has shown enough: a sequential test that ends early for the clearly good and bad.

Two claims are tested at once, each by betting against it at fair odds: "the skill is at most
`level`" (refuted: passed) and "the skill is at least `good`" (refuted: failed), where `good` is the
skill at which errors are a third as frequent. With k right and w wrong answers the capital against
the first is

    E = (good / level)^k (1/3)^w,      good = 1 - (1 - level) / 3

and against the second 1 / E. Under its claim each is a martingale that starts at 1, so the chance
that it ever reaches 1/a is at most a (Ville 1939): whoever is below `level` passes with probability
`false_pass` at most, however long the exam. Stopping at both bars is Wald's sequential probability
ratio test (Wald, "Sequential Analysis", 1947, chapter 3), here cut at `most` questions: what is
unclear then is not passed. `chances` computes exactly what that costs.

E falls as `level` rises, so the levels refuted form an interval from 0: its end is what the answers
prove, at confidence 1 - false_pass, at whatever moment one looks.
"""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from msgspec import Struct

from canut.quality.model import RIGHT_FROM

#: how much rarer the errors of a good contributor are than those of one just at the level
FEWER = 3.0
DAY_MS = 86_400_000
#: days to wait after the first, second and any further exam that was not passed
WAIT_DAYS = (1, 3, 7)

State = Literal["more", "passed", "failed"]


class Rules(Struct, frozen=True):
    """How an exam is judged; fixed when it starts."""

    #: the share of right answers that passing proves, inside (0, 1)
    level: float
    #: the chance to pass of whoever is right less often than that, at most
    false_pass: float = 0.05
    #: the chance that whoever is good is failed before the questions are spent, at most
    false_fail: float = 0.1
    #: questions at least, and at most
    least: int = 5
    most: int = 60
    #: an answer that agrees with the gold's so far, or farther, is right
    right_from: float = RIGHT_FROM

    @property
    def good(self) -> float:
        """The skill that passing is made for."""
        return 1 - (1 - self.level) / FEWER

    @property
    def clean(self) -> int:
        """Right answers in a row that pass."""
        return max(self.least, math.ceil(-math.log(self.false_pass) / self._gain - 1e-9))

    @property
    def _gain(self) -> float:
        return math.log(self.good / self.level)


class Verdict(Struct, frozen=True):
    """What the answers so far show."""

    state: State
    #: answers that counted, and how many of them were right
    answered: int
    right: int
    #: the skill is at least this, at confidence 1 - false_pass
    proved: float
    #: the questions were spent before it was clear; not passed, and not shown to be bad
    spent: bool = False


def verdict(right: Sequence[bool], rules: Rules) -> Verdict:
    """What these answers show, in the order in which the questions were asked. The first moment at
    which a bar is reached decides; what comes after it does not count."""
    good = 0
    for n, correct in enumerate(right[: rules.most], start=1):
        good += correct
        state = _bars(good, n - good, rules)
        if n >= rules.least and state != "more":
            return Verdict(state, n, good, proved(good, n - good, rules))
    n = min(len(right), rules.most)
    spent = n >= rules.most
    return Verdict("failed" if spent else "more", n, good, proved(good, n - good, rules), spent)


def log_capital(right: float, wrong: float, rules: Rules) -> float:
    """Log E: capital against "the skill is at most `level`"."""
    return right * math.log(rules.good / rules.level) - wrong * math.log(FEWER)


def proved(right: int, wrong: int, rules: Rules) -> float:
    """The highest level that so many answers refute: the skill is at least this."""
    if not right:
        return 0.0
    # E(level) = 1/false_pass solved for level, where good / level = (2 + level) / (3 level)
    ratio = math.exp((-math.log(rules.false_pass) + wrong * math.log(FEWER)) / right)
    return (FEWER - 1) / (FEWER * ratio - 1)


def chances(skill: float, rules: Rules) -> tuple[float, float]:
    """(chance to pass, expected questions) of whoever is right with this probability on every
    question; exact, by following every count of right answers through the exam."""
    still = np.zeros(rules.most + 1)
    still[0] = 1.0
    passed = asked = 0.0
    for n in range(1, rules.most + 1):
        asked += float(still.sum())
        still[1:] = still[1:] * (1 - skill) + still[:-1] * skill
        still[0] *= 1 - skill
        if n < rules.least:
            continue
        for good in range(n + 1):
            state = _bars(good, n - good, rules)
            if state == "passed":
                passed += float(still[good])
            if state != "more":
                still[good] = 0.0
    return passed, asked


def retake_ms(ended_ms: int, failures: int) -> int:
    """When the next exam may start, after so many (1, 2, ...) that were not passed."""
    days = WAIT_DAYS[min(failures, len(WAIT_DAYS)) - 1]
    return ended_ms + days * DAY_MS


def _bars(right: int, wrong: int, rules: Rules) -> State:
    capital = log_capital(right, wrong, rules)
    if capital >= -math.log(rules.false_pass) - 1e-9:
        return "passed"
    if -capital >= -math.log(rules.false_fail) - 1e-9:
        return "failed"
    return "more"
