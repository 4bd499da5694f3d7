"""Whom to ask next: what one more answer is expected to be worth, and to whom a doubt goes.

Notation: z a belief over K labels (rows sum to 1), E[l, k] the probability that a contributor says
k where l is right. Beliefs must be calibrated (`canut.truth.pool`): a belief that is too sure of
itself sees no use in asking.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from canut.truth.stopping import NextStep, next_step
from canut.truth.votes import Float64, Int32

#: cells of tasks x contributors x labels worked on at once: 16 MB
CELLS = 2_000_000


class Route(Struct, frozen=True):
    """What happens next to each of n tasks."""

    #: `NextStep` of each, int8 (n,)
    step: NDArray[np.int8]
    #: who is asked, int32 (n,); -1 where nobody is
    contributor: Int32
    #: what the answer is expected to be worth per unit of cost, float64 (n,); 0 where none
    worth: Float64


class Limits(Struct, frozen=True):
    """How far a step goes for a task."""

    #: the belief that decides, 0..1
    target: float
    min_answers: int
    max_answers: int


def coin(skill: ArrayLike, n_classes: int) -> Float64:
    """E of contributors who are right with probability `skill`, any wrong label alike;
    float64 (..., n_classes, n_classes) for skills (...)."""
    right = np.asarray(skill, np.float64)[..., None, None]
    wrong = (1 - right) / max(n_classes - 1, 1)
    return wrong + (right - wrong) * np.eye(n_classes)


def information(belief: Float64, confusion: Float64) -> Float64:
    """Nats by which one more answer is expected to lower the entropy of the belief.

    `belief` (..., K) and `confusion` (..., K, K), rows summing to 1, broadcast: (n, 1, K) and
    (J, K, K) give (n, J). With q = z E the answer that is expected,

        I = H(z) - sum_k q_k H(z | k) = H(q) - sum_l z_l H(E[l, :])    (mutual information)

    so it is 0 for who says the same whatever is right, and for a belief that is certain.
    Lindley, "On a measure of the information provided by an experiment" (1956); MacKay,
    "Information-based objective functions for active data selection" (1992).
    """
    own = -xlogy(confusion, confusion).sum(-1)
    said = _said(belief, confusion)
    gained = -xlogy(said, said).sum(-1) - (belief * own).sum(-1)
    return np.asarray(np.maximum(gained, 0.0), np.float64)


def improvement(belief: Float64, confusion: Float64) -> Float64:
    """How much likelier one more answer is expected to make the right decision.

    sum_k max_l z_l E[l, k] - max_l z_l: 0 where no answer of this contributor could change what
    is decided, however often it came. Shapes as for `information`. Raiffa & Schlaifer, "Applied
    statistical decision theory" (1961), the expected value of sample information for 0-1 loss.
    """
    joint = belief[..., :, None] * confusion
    expected: Float64 = joint.max(-2).sum(-1) - belief.max(-1)
    return np.asarray(np.maximum(expected, 0.0), np.float64)


def gains(belief: Float64, confusion: Float64) -> Float64:
    """`information` of every task (n, K) and every contributor (J, K, K): float64 (n, J), in
    blocks of tasks, so that memory is bounded."""
    n, n_people = len(belief), len(confusion)
    found = np.zeros((n, n_people))
    step = max(CELLS // max(n_people * belief.shape[1], 1), 1)
    for begin in range(0, n, step):
        found[begin : begin + step] = information(belief[begin : begin + step, None], confusion)
    return found


def route(
    belief: Float64,
    n_answers: ArrayLike,
    gain: Float64,
    cost: Float64,
    limits: Limits,
    *,
    may: NDArray[np.bool_] | None = None,
    expert: NDArray[np.bool_] | None = None,
) -> Route:
    """Decide, or ask the contributor from whom most is expected per cost, or an expert.

    `belief` (n, K); `gain` (n, J) of `gains`; `cost` (J,), positive; `may` bool (n, J) who may
    be asked (who has answered a task may not again), everybody where None; `expert` bool (J,)
    who is one, nobody where None. `canut.truth.stopping.next_step` rules first. A task that is
    to be asked about goes to argmax_j gain / cost; where that is an expert, or where nobody else
    may be asked or would tell anything, it escalates, with the best expert there is, if any.
    The first of equals is taken. Raises ValueError for a cost that is not positive.
    """
    if np.any(~(cost > 0)) or not np.all(np.isfinite(cost)):
        raise ValueError("a cost is not positive")
    n, n_people = gain.shape
    allowed = np.ones((n, n_people), bool) if may is None else may
    experts = np.zeros(n_people, bool) if expert is None else expert
    confidence = np.clip(belief.max(1, initial=0.0), 0.0, 1.0)
    step = next_step(
        confidence, n_answers, limits.min_answers, limits.max_answers, limits.target
    ).copy()
    worth = np.where(allowed, gain / cost, -1.0)
    usual, usual_worth = _best(worth, ~experts)
    best, best_worth = _best(worth, experts)
    useless = (usual < 0) | ((usual_worth <= 0) & (confidence < limits.target))
    early = (step == NextStep.ASK) & ((best_worth > usual_worth) | useless)
    step[early] = NextStep.ESCALATE
    chosen = np.where(step == NextStep.ASK, usual, np.where(step == NextStep.ESCALATE, best, -1))
    value = np.where(step == NextStep.ASK, usual_worth, best_worth)
    return Route(
        step=step,
        contributor=chosen.astype(np.int32),
        worth=np.where(chosen >= 0, np.maximum(value, 0.0), 0.0),
    )


def doubtful(
    confidence: ArrayLike,
    n_answers: ArrayLike,
    target: ArrayLike,
    *,
    usual_skill: float,
    n_classes: int,
    temper: float = 1.0,
) -> NDArray[np.bool_]:
    """Whether the next answer should come from somebody better than the step's usual one.

    For arrays (or scalars) that broadcast. A task is doubtful where it has answers, is below the
    target, and is believed less than n usual contributors who all agree would make it:

        c < s / (s + K - 1),    s = (p (K - 1) / (1 - p)) ** (temper * n),    p = usual_skill

    that is, where its answers contradict each other or come from weak contributors. `temper` is
    that of the beliefs. Tasks without answers are never doubtful: whoever comes first will do.
    Claim order: good contributors get doubtful tasks first, all others fresh tasks first.
    Raises ValueError for a skill that is not between chance and 1.
    """
    if not 1 / max(n_classes, 2) < usual_skill < 1:
        raise ValueError("the usual skill is not between chance and 1")
    belief, n = np.asarray(confidence, np.float64), np.asarray(n_answers)
    others = max(n_classes - 1, 1)
    weight = temper * np.log(usual_skill * others / (1 - usual_skill))
    # 1 / (1 + (K - 1) / s), which does not overflow for hundreds of answers
    agreed = 1 / (1 + others * np.exp(-weight * n))
    return np.asarray((n > 0) & (belief < np.asarray(target)) & (belief < agreed - 1e-9), np.bool_)


def _said(belief: Float64, confusion: Float64) -> Float64:
    """z E for shapes that broadcast."""
    return np.matmul(belief[..., None, :], confusion)[..., 0, :]  # type: ignore[no-any-return]


def _best(worth: Float64, group: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Float64]:
    """The best of a group for each task, and its worth; -1 where nobody may be asked."""
    n, n_people = worth.shape
    if not n_people:
        return np.full(n, -1), np.full(n, -1.0)
    inside = np.where(group, worth, -1.0)
    best = inside.argmax(1)
    value = inside[np.arange(n), best]
    return np.where(value < 0, -1, best), value
