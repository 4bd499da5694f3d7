"""Beliefs about open answers: the answer in the middle, and how sure the others make it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from canut.truth.categorical import PLAUSIBLE, naive_bayes
from canut.truth.distance import text_distance
from canut.truth.votes import Float64, Int32, Int64, Posterior, Votes, starts


def weighted_median(task: Int32, value: Float64, weight: Float64, n_tasks: int) -> Int64:
    """Which answer is the weighted median of its task, int64 (n_tasks,); -1 where none is.

    An answer is returned rather than a number between two, so that the median of whole numbers
    is one, and that somebody stands behind it; the lower one where two share the middle. Up to
    half of the weight may be as wrong as it likes (breakdown point 1/2: Huber, "Robust
    Statistics", 1981). Weights are float64 (n,), positive.
    """
    chosen = np.full(n_tasks, -1, np.int64)
    if not len(task):
        return chosen
    order = np.lexsort((weight, value, task))
    start = starts(task[order])
    total = np.add.reduceat(weight[order], start)
    size = np.diff(np.append(start, len(order)))
    running = np.cumsum(weight[order])
    below = running - np.repeat(running[start] - weight[order][start], size)
    reached = below >= np.repeat(total / 2 * (1 - 1e-9), size)
    position = np.where(reached, np.arange(len(order)), len(order) - 1)
    first = np.minimum.reduceat(position, start)
    chosen[task[order][start]] = order[first]
    return chosen


def medoid(
    task: Int32, text: Int32, weight: Float64, texts: Sequence[str], n_tasks: int
) -> tuple[Int32, Float64]:
    """The text nearest to all the others of its task: int32 (n_tasks,), index into `texts` or -1;
    and how far each answer is from it, float64 (n,).

    `text` int32 (n,) is the index of each answer in `texts`, which must be sorted, so that equals
    fall to the heavier, then to the first in that order. Distances are
    `canut.truth.distance.text_distance`. Source: Kaufman & Rousseeuw, "Clustering by means of
    medoids" (1987).
    """
    best = np.full(n_tasks, -1, np.int32)
    if not len(task):
        return best, np.zeros(0)
    key = task.astype(np.int64) * len(texts) + text
    order = np.lexsort((weight, key))
    start = starts(key[order])
    form_task, form = task[order][start], text[order][start]
    form_weight = np.add.reduceat(weight[order], start)

    one, two = _couples(form_task)
    distance = text_distance([texts[i] for i in form[one]], [texts[i] for i in form[two]])
    cost = np.bincount(one, distance * form_weight[two], len(form))
    cost += np.bincount(two, distance * form_weight[one], len(form))
    ranked = np.lexsort((form, -form_weight, np.round(cost, 9), form_task))
    winner = ranked[starts(form_task)]
    best[form_task[winner]] = form[winner]

    away = np.zeros(len(form))
    central = np.zeros(len(form), bool)
    central[winner] = True
    away[two[central[one]]] = distance[central[one]]
    away[one[central[two]]] = distance[central[two]]
    each = np.empty(len(key))
    each[order] = np.repeat(away, np.diff(np.append(start, len(key))))
    return best, each


def _couples(group: Int32) -> tuple[Int64, Int64]:
    """Every two positions of the same group; `group` is sorted."""
    ones, twos = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for step in range(1, len(group)):
        one = np.flatnonzero(group[:-step] == group[step:])
        if not len(one):
            break
        ones.append(one)
        twos.append(one + step)
    return np.concatenate(ones), np.concatenate(twos)


def around(votes: Votes, near: NDArray[np.bool_], right: Float64, judged: Float64) -> Posterior:
    """The belief in the central answers of tasks whose answers are open (numbers, texts).

    The labels of `votes` are forms: the same for answers that are the same. Answers `near` the
    centre of their task, bool (n,), all vote for it, as label 0; every other form stands for
    itself, as label 1 + form. Then naive Bayes, as if at least
    `canut.truth.categorical.PLAUSIBLE` answers were possible, since nobody could list them.
    """
    label = np.where(near, 0, votes.label + 1).astype(np.int32)
    n_classes = votes.n_classes + 1 + PLAUSIBLE
    open_votes = Votes(
        votes.task, votes.contributor, label, votes.n_tasks, votes.n_contributors, n_classes
    )
    return naive_bayes(open_votes, right, judged)


def central_belief(posterior: Posterior, n_tasks: int) -> Float64:
    """Probability of the central answer of each task, float64; 0 where nobody answered."""
    confidence = np.zeros(n_tasks)
    centre = posterior.label == 0
    confidence[posterior.task[centre]] = posterior.probability[centre]
    return confidence
