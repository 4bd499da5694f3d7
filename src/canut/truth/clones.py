"""Voices that are not independent: families of agents, and contributors who err together."""

import numpy as np
from msgspec import Struct
from scipy.sparse import csr_array
from scipy.special import gammainc

from canut.truth.votes import Float64, Int32, Int64, Votes

#: tasks that two must have in common before anything is said of them
COMMON_MIN = 10


def voices(votes: Votes, family: Int32) -> Float64:
    """How much each vote counts so that a family is one voice on every task; float64 (n,).

    `family` int32 (n_contributors,): agents of one model family share a number; -1 for those who
    stand for themselves. Of m votes of a family on a task each counts 1/m, so clones who
    disagree split their voice. Pass it to `canut.truth.grid.grid` as `weight`.
    """
    n_families = int(family.max(initial=-1)) + 1
    alone = n_families + np.arange(votes.n_contributors)
    voice = np.where(family >= 0, family, alone)[votes.contributor]
    key = votes.task.astype(np.int64) * (n_families + votes.n_contributors) + voice
    _, which, size = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / size[which])


class Alike(Struct, frozen=True):
    """Pairs of contributors who err together, the most striking first; columns of one length.

    Evidence for a person to look at, never a verdict: two who learned from the same wrong page
    look like two who copy.
    """

    #: int32 (pairs,), one < other
    one: Int32
    other: Int32
    #: tasks that both answered, int64 (pairs,)
    common: Int64
    #: same answers to them that are believed to be wrong, in expectation, float64 (pairs,)
    same_wrong: Float64
    #: the same, were they to err independently, float64 (pairs,)
    chance: Float64
    #: standard deviations between the two, float64 (pairs,)
    z: Float64
    #: probability that, were all independent, any of ALL pairs looked at had as many, float64
    p_value: Float64


def alike(votes: Votes, posterior: Float64, *, p_max: float = 0.01) -> Alike:
    """Who gives the same wrong answers more often than chance.

    Agreement on right answers proves nothing: two good contributors agree. What is counted is
    the same label other than the likeliest, each weighted by the probability of the likeliest
    (`posterior` float64 (n_tasks, n_classes); with both left in it they look more right than they
    are, and the test errs to their side).

    Chance: task by task, a contributor gives wrong label k with its own rate of error times the
    share of k among all OTHERS' believed-wrong answers to that task, so that a task which
    misleads everybody accuses nobody. Sums over the common tasks are compared by the Poisson
    tail, which is heavier than theirs; probabilities are multiplied by the number of pairs looked
    at (Bonferroni). In the spirit of Wesolowsky, "Detecting excessive similarity in
    answers on multiple choice exams", J. Applied Statistics 27 (2000).
    """
    n_tasks, n_contributors, n_classes = votes.n_tasks, votes.n_contributors, votes.n_classes
    cell = votes.task.astype(np.int64) * n_classes + votes.label
    best, sure = posterior.argmax(1), posterior.max(1)
    wrong = np.where(votes.label != best[votes.task], sure[votes.task], 0.0)
    by_task = (n_tasks, n_contributors)
    by_cell = (n_tasks * n_classes, n_contributors)
    answered = csr_array((np.ones(len(cell)), (votes.task, votes.contributor)), shape=by_task)
    erred = csr_array((np.sqrt(wrong), (cell, votes.contributor)), shape=by_cell)

    answers = np.bincount(votes.contributor, minlength=n_contributors)
    rate = (np.bincount(votes.contributor, wrong, n_contributors) + 0.5) / (answers + 1)
    # how tempting each wrong label is: among the wrong answers to the task, one imagined of each
    tempted = np.bincount(cell, wrong, n_tasks * n_classes).reshape(n_tasks, n_classes)
    everybody = rate.mean() if n_contributors else 0.0
    tempting = tempted + 1 - posterior
    tempting /= np.maximum(tempting.sum(1, keepdims=True), 1e-12)
    n_answers = np.bincount(votes.task, minlength=n_tasks)
    harder = (tempted.sum(1) + everybody) / ((n_answers + 1) * max(everybody, 1e-12))
    # chance that two err alike on a task: rate_1 * rate_2 * harder**2 * sum of tempting**2
    together = harder**2 * (tempting**2).sum(1)
    expectation = answered.T @ answered.multiply(together[:, None]).tocsr()
    common = (answered.T @ answered).tocoo()
    one, other = common.coords
    looked = (one < other) & (common.data >= COMMON_MIN)
    one, other, n_common = one[looked], other[looked], common.data[looked]
    if not len(one):
        return _none()
    same = np.asarray((erred.T @ erred).tocsr()[one, other]).ravel()
    chance = np.asarray(expectation[one, other]).ravel() * rate[one] * rate[other]
    chance = np.minimum(chance, n_common * np.minimum(rate[one], rate[other]))
    spread = np.sqrt(np.maximum(chance * (1 - chance / n_common), 0.25))
    z = (same - chance) / spread
    p_value = np.minimum(gammainc(np.maximum(same, 1e-9), chance) * len(z), 1.0)
    told = np.flatnonzero(p_value <= p_max)
    # probabilities this small are often all 0, so the distance puts them in order
    told = told[np.lexsort((other[told], one[told], -z[told], p_value[told]))]
    return Alike(
        one=one[told].astype(np.int32),
        other=other[told].astype(np.int32),
        common=n_common[told].astype(np.int64),
        same_wrong=same[told],
        chance=chance[told],
        z=z[told],
        p_value=p_value[told],
    )


def _none() -> Alike:
    no, none = np.zeros(0, np.int32), np.zeros(0)
    return Alike(no, no, np.zeros(0, np.int64), none, none, none, none)
