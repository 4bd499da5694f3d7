"""What a quality will cost in answers, before anybody is asked: an estimate, with what it rests on.

Everybody is taken to be right equally often, and who is wrong to pick any of the other answers.
Then a task is asked until the belief in an answer reaches the target, as the engine does it.
"""

import numpy as np
from msgspec import Struct
from scipy.special import betaincinv

from canut.insight.store_asking import Measured
from canut.processes.model import Promise, StepDefinition
from canut.quality.audits.frames import budget, frame_delta
from canut.questions.base import HasClasses, Question
from canut.truth.bounds import errors_allowed, log_capital_batch, proves

#: judged answers from which on an accuracy is measured rather than assumed
JUDGED_MIN = 30
#: assumed of people we know nothing of
ASSUMED = (0.75, 0.85, 0.95)
#: level of the range of a measured accuracy, both ends
TAIL = 0.05
#: tasks tried out, and the most wrong answers that are told apart
TRIED = 4_000
OTHERS_MAX = 11
SEED = 1806


class Range(Struct, frozen=True):
    """An estimate between two bounds."""

    low: float
    likely: float
    high: float


class Asking(Struct, frozen=True):
    """What a step will ask for."""

    #: share of answers that are right, and of how many judged ones we know that; 0: assumed
    accuracy: Range
    judged: int
    #: answers an item
    answers: Range
    #: share of items that people settle without an expert, or without answers running out
    settled: Range
    #: what batches of this client took at this step, where there were any: answers an item
    before: float | None


class Proof(Struct, frozen=True):
    """What it takes to prove a promise about a batch."""

    #: audits that prove it if all are right; None: not even all of them do
    audits: int | None
    #: audits that the step may spend
    audits_max: int
    #: people who answer an audit
    panel: int


def asking(step: StepDefinition, question: Question, measured: Measured) -> Asking:
    """What the step will ask for. The same values give the same estimate."""
    others = _others(question)
    accuracy = _accuracy(measured, others)
    tried = [
        _try_out(share, others, step.min_answers, step.max_answers, step.target_confidence)
        for share in (accuracy.high, accuracy.likely, accuracy.low)
    ]
    answers = sorted(one[0] for one in tried)
    settled = sorted(one[1] for one in tried)
    decided = measured.decided
    return Asking(
        accuracy,
        int(measured.judged) if measured.judged >= JUDGED_MIN else 0,
        Range(answers[0], tried[1][0], answers[2]),
        Range(settled[0], tried[1][1], settled[2]),
        measured.answers / decided if decided else None,
    )


def proof(promise: Promise, items: int) -> Proof:
    """What it takes to prove the promise about so many decisions."""
    spend = budget(items, promise.audits_max, promise.audit_share)
    delta = frame_delta(promise.delta, 1)
    wrong = errors_allowed(promise.error_max, items) + 1
    if items < 1 or wrong > items:
        return Proof(0, spend, promise.panel)

    def enough(audits: int) -> bool:
        return proves(log_capital_batch(wrong, audits, 0, items), delta)

    if not enough(items):
        return Proof(None, spend, promise.panel)
    low, high = 0, items
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return Proof(high, spend, promise.panel)


def _others(question: Question) -> int:
    """How many other answers a wrong one may be: of free answers there are many, and two people
    seldom err alike."""
    classes = len(question.classes) if isinstance(question, HasClasses) else OTHERS_MAX + 1
    return max(1, min(classes - 1, OTHERS_MAX))


def _accuracy(measured: Measured, others: int) -> Range:
    """How often people are right here, from what was judged; else as assumed."""
    low, likely, high = ASSUMED
    if measured.judged >= JUDGED_MIN:
        right = min(measured.right, measured.judged)
        wrong = measured.judged - right
        low, high = (float(betaincinv(right + 0.5, wrong + 0.5, tail)) for tail in (TAIL, 1 - TAIL))
        likely = right / measured.judged
    # who is right no more often than by chance would be asked for ever
    floor = 1 / (others + 1) + 0.05
    clipped = np.clip([low, likely, high], floor, 0.995).tolist()
    return Range(*clipped)


def _try_out(
    share: float, others: int, answers_min: int, answers_max: int, target: float
) -> tuple[float, float]:
    """Mean answers of a task, and the share of tasks that reach the target."""
    draws = np.random.default_rng(SEED)
    worth = np.log(share / (1 - share) * others)
    said = np.zeros((TRIED, others + 1))
    open_, asked = np.ones(TRIED, bool), np.zeros(TRIED)
    everyone = np.arange(TRIED)
    for count in range(1, answers_max + 1):
        right = draws.random(TRIED) < share
        answer = np.where(right, 0, draws.integers(1, others + 1, TRIED))
        said[everyone, answer] += open_
        asked += open_
        if count >= answers_min:
            weight = np.exp(worth * (said - said.max(1, keepdims=True)))
            open_ &= 1 / weight.sum(1) < target
    return float(asked.mean()), float(1 - open_.mean())
