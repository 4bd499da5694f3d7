"""Estimators for labels: majority, and the one-coin naive Bayes that decides online."""

import numpy as np

from canut.truth.votes import Float64, Posterior, Votes, conclude, group

#: how often somebody we know nothing about is believed to be right
PRIOR_SKILL = 0.7
#: how many answers that belief is worth
PRIOR_WEIGHT = 10.0
#: exponent on posteriors: raw ones are too sure of themselves until gold can calibrate them
TEMPER = 0.7
#: wrong answers fall on at most this many labels, however large the taxonomy: people confuse
#: neighbours, so two who agree on one of 10,000 classes prove less than chance would say
PLAUSIBLE = 25


def backed_off(right: Float64, judged: Float64) -> Float64:
    """Skill of each contributor, float64 like `right`: its own record, backed off to the prior
    by `PRIOR_WEIGHT` imagined answers."""
    return (right + PRIOR_WEIGHT * PRIOR_SKILL) / (judged + PRIOR_WEIGHT)


def majority(votes: Votes, right: Float64, judged: Float64, /) -> Posterior:
    """The share of the votes, for each label; every contributor counts the same."""
    pairs = group(votes)
    count = np.bincount(votes.task, minlength=votes.n_tasks)
    probability = pairs.sum(np.ones(len(votes.task))) / count[pairs.task]
    unseen = np.where(count == 0, 1.0, 0.0)
    return conclude(votes, pairs, probability, unseen, backed_off(right, judged))


def naive_bayes(
    votes: Votes, right: Float64, judged: Float64, /, *, temper: float = TEMPER
) -> Posterior:
    """One coin per contributor: right with probability p_j, else any other label alike.

    p_j is backed off (`backed_off`); labels are equally likely before the votes. With
    w_j = log(p_j (K - 1) / (1 - p_j)) and s_l the sum of w_j over the votes for l,
    P(l) is proportional to exp(s_l)^temper, and "any label that nobody gave" to
    (K - m)^temper for m labels seen: tempering the unseen labels as ONE alternative keeps one
    answer worth the same among ten classes as among ten thousand. A vote never counts against
    the label it names, even from somebody worse than chance (it then counts nothing).

    Two facts make the temper necessary: contributors err on the same hard items, and skills are
    guesses until gold is seen; both make independent multiplication too sure of itself. (On 14
    public crowd sets, five answers an item at most, nothing known of anybody: of the tasks that
    this calls 0.95 or surer, 93% are right in the median set; with a temper of 1, 89%.) Fresh
    contributors who agree reach 0.95 with 5 answers between 2 labels, 3 among 10, and 2 among
    25 or more.

    Source: Dawid & Skene, "Maximum likelihood estimation of observer error-rates", Applied
    Statistics 28 (1979), restricted to one parameter per observer; the temper is the power
    posterior of Gruenwald, "The safe Bayesian", ALT 2012.
    """
    pairs = group(votes)
    skill = backed_off(right, judged)
    classes = max(min(votes.n_classes, PLAUSIBLE), 2)
    usable = np.clip(skill, 1 / classes, 0.9999)
    weight = np.log(usable * (classes - 1) / (1 - usable))
    score = temper * pairs.sum(weight[votes.contributor])

    seen = np.bincount(pairs.task, minlength=votes.n_tasks)
    unseen = np.where(votes.n_classes > seen, np.maximum(classes - seen, 1), 0)
    # the largest term of each task is taken out before exp: hundreds of votes must not overflow
    top = np.zeros(votes.n_tasks)
    np.maximum.at(top, pairs.task, score)
    mass = np.exp(score - top[pairs.task])
    unseen_mass = unseen**temper * np.exp(-top)
    total = np.bincount(pairs.task, weights=mass, minlength=votes.n_tasks) + unseen_mass
    total[total == 0] = 1.0
    return conclude(votes, pairs, mass / total[pairs.task], unseen_mass / total, skill)
