"""GLAD: tasks differ in difficulty, contributors in skill."""

import numpy as np
from scipy.special import expit, log_expit

from canut.truth.grid import Belief, Grid, softmax, trivial
from canut.truth.votes import Float64
from canut.truth.voting import shares

#: largest step of a parameter in one round, so that a Newton step cannot leap
STEP_MAX = 1.0
#: skills and log easinesses further out than this change nothing any more
REACH = 8.0


def glad(of: Grid, *, rounds: int = 50, settled: float = 1e-4) -> Belief:
    """P(j is right on i) = 1 / (1 + exp(-a_j * exp(b_i))), a_j skill, exp(b_i) easiness.

    Whitehill et al., "Whose vote should count more", NIPS 2009; a ~ N(1, 1), b ~ N(0, 1), all
    classes equally likely, wrong answers on any class alike. Where the original climbs a gradient
    for many steps in each round of EM, one damped Newton step per parameter is taken here. A
    belief's `skill` is the probability of a right answer on a task of mean easiness.
    """
    certain = trivial(of)
    if certain:
        return certain
    votes = of.votes
    n_tasks, n_contributors, n_classes = of.shape
    heard = np.ones(len(votes.task)) if of.weight is None else of.weight
    posterior = shares(of.count)
    skill, ease = np.ones(n_contributors), np.zeros(n_tasks)
    for _ in range(rounds):
        agreed = posterior.ravel()[of.cell]
        skill, ease = _step(of, agreed, skill, ease, heard)
        margin = skill[votes.contributor] * np.exp(ease)[votes.task]
        # log P(right) - log P(this wrong class)
        gain = heard * (log_expit(margin) - log_expit(-margin) + np.log(n_classes - 1))
        score = np.bincount(of.cell, gain, of.count.size).astype(np.float64)
        before, posterior = posterior, softmax(score.reshape(of.count.shape))
        if np.abs(posterior - before).mean() < settled:
            break
    return Belief(posterior, expit(skill))


def _step(
    of: Grid, agreed: Float64, skill: Float64, ease: Float64, heard: Float64
) -> tuple[Float64, Float64]:
    """One Newton step for each skill, then for each log easiness."""
    votes = of.votes
    easiness = np.exp(ease)[votes.task]
    right = expit(skill[votes.contributor] * easiness)
    slope = np.bincount(votes.contributor, (agreed - right) * easiness, len(skill))
    bend = np.bincount(votes.contributor, right * (1 - right) * easiness**2, len(skill))
    move = (slope - (skill - 1)) / (bend + 1)
    skill = np.clip(skill + np.clip(move, -STEP_MAX, STEP_MAX), -REACH, REACH)

    pull = skill[votes.contributor] * easiness
    right = expit(pull)
    slope = np.bincount(votes.task, heard * (agreed - right) * pull, len(ease))
    bend = np.bincount(votes.task, heard * right * (1 - right) * pull**2, len(ease))
    move = (slope - ease) / (bend + 1)
    ease = np.clip(ease + np.clip(move, -STEP_MAX, STEP_MAX), -REACH, REACH)
    return skill, ease
