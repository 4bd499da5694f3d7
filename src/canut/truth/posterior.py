"""What answers say of their tasks, given what is known of who confuses what with what.

Notation as in `canut.truth.confusion`: C[j, k, l] the expected number of times j said k where l was
true. Pure functions of counts that somebody else keeps: the database where engines decide.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.truth.categorical import PRIOR_WEIGHT, TEMPER, backed_off
from canut.truth.confusion import backed_off_confusion
from canut.truth.grid import Float32, log, softmax
from canut.truth.online import BALANCE_WEIGHT
from canut.truth.pool import FLOOR, Stack, apply
from canut.truth.votes import Float64, Int32, Votes, starts
from canut.truth.voting import shares

#: how far the balance of classes is taken at its word before there is gold: the share of the pool's
#: members with learned confusions that also learn the balance
BALANCE_TRUST = 2 / 3


class Known(Struct, frozen=True):
    """What a step knows of its contributors' confusions before the answers at hand."""

    #: C of these contributors, float64 (n_contributors, n_classes, n_classes)
    counts: Float64
    #: its sum over all contributors of the step, float64 (n_classes, n_classes)
    everybody: Float64
    #: how gold says that opinions are to be pooled; None before there is enough of it
    stack: Stack | None = None


class Said(Struct, frozen=True):
    """What the votes say."""

    #: calibrated probability of each class, float64 (n_tasks, n_classes); rows sum to 1
    posterior: Float64
    #: the same untempered, as EM counts it: never to be read as a probability
    raw: Float64
    #: how often each contributor is believed to be right, float64 (n_contributors,)
    skill: Float64


def nothing_known(n_contributors: int, n_classes: int) -> Known:
    """What is known of strangers."""
    none = np.zeros((n_contributors, n_classes, n_classes))
    return Known(none, np.zeros((n_classes, n_classes)))


def weigh(
    votes: Votes, known: Known, right: Float64, judged: Float64, weight: Float64 | None = None
) -> Said:
    """The belief in every task, one contributor's answers independent of another's.

    A contributor's confusions lean on what everybody confuses and on the scalar record, `right` of
    `judged` (float64 (n_contributors,)), until its own counts carry them; where nothing is known
    of anybody this is `canut.truth.categorical.naive_bayes`. `weight` float64 (n,), 0 to 1, is how
    much each vote counts (`canut.truth.clones.voices`).

    Before there is gold the log-likelihood is tempered, and the classes nobody named are tempered
    as one alternative (see there why); with gold, the fitted pool of `canut.truth.pool`.
    """
    skill = skills(known, right, judged)
    score, heard = evidence(votes, confusion(known, right, judged), weight)
    balance = log_balance(known.everybody)
    raw = softmax(score + balance)
    if known.stack is None:
        return Said(tempered(score + BALANCE_TRUST * balance, heard), raw, skill)
    return Said(apply(known.stack, members(votes, score, raw, skill, weight)), raw, skill)


def opinions(
    votes: Votes, known: Known, right: Float64, judged: Float64, weight: Float64 | None = None
) -> Float32:
    """The members of the pool on these votes, to fit it on: see `members`."""
    score, _ = evidence(votes, confusion(known, right, judged), weight)
    raw = softmax(score + log_balance(known.everybody))
    return members(votes, score, raw, skills(known, right, judged), weight)


def members(
    votes: Votes, score: Float64, raw: Float64, skill: Float64, weight: Float64 | None = None
) -> Float32:
    """The opinions that are pooled, as `canut.truth.pool.fit` and `apply` want them, log and
    floored: votes weighed by skill, and confusions with and without the balance of classes;
    float32 (3, n_classes, n_tasks)."""
    votes_for = np.zeros(score.shape)
    counted = skill[votes.contributor] * (1.0 if weight is None else weight)
    order = np.lexsort((votes.contributor, votes.label, votes.task))
    np.add.at(votes_for, (votes.task[order], votes.label[order]), counted[order])
    opinions = np.array([shares(votes_for).T, raw.T, softmax(score.copy()).T], np.float32)
    np.maximum(opinions, np.float32(FLOOR), out=opinions)
    return np.log(opinions)


def skills(known: Known, right: Float64, judged: Float64) -> Float64:
    """How often each contributor is believed to be right, float64 (n_contributors,)."""
    own_right = np.trace(known.counts, axis1=1, axis2=2)
    prior = backed_off(right, judged)
    skill: Float64 = (own_right + PRIOR_WEIGHT * prior) / (known.counts.sum((1, 2)) + PRIOR_WEIGHT)
    return skill


def confusion(known: Known, right: Float64, judged: Float64) -> Float64:
    """Probability that j says k where l is right, float64 (n_contributors, k, l)."""
    counts = np.ascontiguousarray(known.counts.transpose(1, 2, 0))
    backed = backed_off_confusion(counts, known.everybody, prior=backed_off(right, judged))
    return np.ascontiguousarray(backed.transpose(2, 0, 1))


def evidence(
    votes: Votes, confusions: Float64, weight: Float64 | None
) -> tuple[Float64, NDArray[np.bool_]]:
    """Log-likelihood of each class, and whether anybody named it; both (n_tasks, n_classes).

    Summed in the order of contributors: sums of floats depend on their order, and a belief must
    not depend on the order in which answers were stored.
    """
    n_tasks, n_classes = votes.n_tasks, votes.n_classes
    score, heard = np.zeros((n_tasks, n_classes)), np.zeros((n_tasks, n_classes), bool)
    if not len(votes.task):
        return score, heard
    order = np.lexsort((votes.label, votes.contributor, votes.task))
    task, row = votes.task[order], votes.contributor.astype(np.int64) * n_classes + votes.label
    said = log(confusions).reshape(-1, n_classes)[row[order]]
    if weight is not None:
        said *= weight[order, None]
    start = starts(task)
    score[task[start]] = np.add.reduceat(said, start, axis=0)
    heard[votes.task, votes.label] = True
    return score, heard


def log_balance(everybody: Float64) -> Float64:
    """Log of how common each class is believed to be, float64 (n_classes,)."""
    seen = everybody.sum(0)
    share: Float64 = (seen + BALANCE_WEIGHT / len(seen)) / (seen.sum() + BALANCE_WEIGHT)
    log_share: Float64 = log(share)
    return log_share


def tempered(score: Float64, heard: NDArray[np.bool_], temper: float = TEMPER) -> Float64:
    """exp(score) ** temper with rows summing to 1, the classes nobody named as one alternative;
    float64 (n_tasks, n_classes)."""
    likely = np.exp(score - score.max(1, keepdims=True))
    unheard = np.where(heard, 0.0, likely)
    mass = unheard.sum(1, keepdims=True)
    together = np.divide(mass**temper, mass, out=np.zeros_like(mass), where=mass > 0)
    posterior: Float64 = np.where(heard, likely**temper, unheard * together)
    posterior /= posterior.sum(1, keepdims=True)
    return posterior


def learned(
    votes: Votes, posterior: Float64, counts: NDArray[np.bool_] | None = None
) -> tuple[Int32, Int32, Float64]:
    """What these votes add to C: contributor, label said, and expected truth (m, n_classes), one
    row for each (contributor, label) that occurs, sorted. `counts` bool (n,): the votes that do."""
    kept = np.arange(len(votes.task)) if counts is None else np.flatnonzero(counts)
    key = votes.contributor[kept].astype(np.int64) * votes.n_classes + votes.label[kept]
    order = np.lexsort((votes.task[kept], key))
    kept, key = kept[order], key[order]
    start = starts(key)
    who, said = np.divmod(key[start], max(votes.n_classes, 1))
    truth = posterior[votes.task[kept]]
    total = np.add.reduceat(truth, start, axis=0) if len(kept) else truth
    return who.astype(np.int32), said.astype(np.int32), total
