"""Whom to ask next."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.routing import Limits, coin, doubtful, gains, improvement, information, route
from canut.truth.stopping import NextStep
from canut.truth.votes import Float64

LIMITS = Limits(target=0.95, min_answers=1, max_answers=5)
ASK, DECIDE, ESCALATE = NextStep.ASK, NextStep.DECIDE, NextStep.ESCALATE


def entropy(z: Float64) -> float:
    kept = z[z > 0]
    return float(-(kept * np.log(kept)).sum())


@given(st.integers(1, 4), st.integers(0, 9999))
def test_gains_are_what_bayes_says(n_classes: int, seed: int):
    """Protects the formulas: both gains, against every answer worked out one by one."""
    chance = np.random.default_rng(seed)
    z = chance.dirichlet(np.ones(n_classes), 3)
    confusion = chance.dirichlet(np.ones(n_classes), (2, n_classes))
    gain, better = gains(z, confusion), improvement(z[:, None], confusion)
    for i in range(3):
        for j in range(2):
            said = z[i] @ confusion[j]
            after = (z[i][:, None] * confusion[j] / said).T
            left = sum(q * entropy(a) for q, a in zip(said, after, strict=True))
            assert gain[i, j] == pytest.approx(entropy(z[i]) - left, abs=1e-9)
            sure = sum(q * a.max() for q, a in zip(said, after, strict=True))
            assert better[i, j] == pytest.approx(sure - z[i].max(), abs=1e-9)


def test_who_says_the_same_whatever_is_right_tells_nothing():
    """Protects from paying guessers, and from asking about what is certain."""
    z = np.array([[0.6, 0.4], [1.0, 0.0]])
    assert gains(z, coin([0.5, 0.9], 2)) == pytest.approx(
        np.array([[0, information(z[0], coin(0.9, 2))], [0, 0]])
    )
    assert gains(np.zeros((0, 2)), coin([0.5], 2)).shape == (0, 1)
    assert gains(z, coin(np.zeros(0), 2)).shape == (2, 0)


def test_each_route():
    """Protects the choice: most information per cost, nobody twice, experts where they are worth
    their cost, and the step's limits before all."""
    z = np.array([[0.6, 0.4], [0.6, 0.4], [0.99, 0.01], [0.6, 0.4], [0.5, 0.5]])
    gain = gains(z, coin([0.8, 0.9, 0.97], 2))
    may = np.ones((5, 3), bool)
    may[1, 1] = may[4, 0] = may[4, 1] = False
    n_answers, expert = [1, 1, 1, 5, 2], np.array([False, False, True])
    found = route(z, n_answers, gain, np.array([1.0, 1, 9]), LIMITS, may=may, expert=expert)
    assert found.step.tolist() == [ASK, ASK, DECIDE, ESCALATE, ESCALATE]
    assert found.contributor.tolist() == [1, 0, -1, 2, 2]
    cheap = route(z, n_answers, gain, np.array([1.0, 1, 1]), LIMITS, may=may, expert=expert)
    assert cheap.step.tolist() == [ESCALATE, ESCALATE, DECIDE, ESCALATE, ESCALATE]
    dear = route(z, n_answers, gain, np.array([1.0, 9, 9]), LIMITS)
    assert dear.contributor.tolist() == [0, 0, -1, -1, 0]


def test_nobody_to_ask():
    """Protects a step without contributors, without tasks, and with guessers only."""
    z = np.array([[0.6, 0.4]])
    none = route(z, [1], np.zeros((1, 0)), np.zeros(0), LIMITS)
    assert (none.step.tolist(), none.contributor.tolist()) == ([ESCALATE], [-1])
    assert len(route(np.zeros((0, 2)), [], np.zeros((0, 1)), np.ones(1), LIMITS).step) == 0
    guess = route(z, [1], gains(z, coin([0.5], 2)), np.ones(1), LIMITS)
    assert guess.step.tolist() == [ESCALATE]
    early = route(np.array([[1.0, 0.0]]), [0], np.zeros((1, 1)), np.ones(1), LIMITS)
    assert early.step.tolist() == [ASK]
    for cost in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="cost"):
            route(z, [1], np.zeros((1, 1)), np.array([cost]), LIMITS)


@given(st.integers(0, 9999), st.sampled_from([0.25, 1.0, 8.0]))
def test_names_and_currencies_do_not_matter(seed: int, rate: float):
    """Protects fairness: renamed contributors, reordered tasks or another currency change
    nothing."""
    chance = np.random.default_rng(seed)
    z = chance.dirichlet(np.ones(3), 4)
    gain, cost = gains(z, coin(chance.uniform(0.4, 0.99, 5), 3)), chance.uniform(1, 3, 5)
    plain = route(z, np.ones(4), gain, cost, LIMITS)
    people, tasks = chance.permutation(5), chance.permutation(4)
    other = route(z[tasks], np.ones(4), gain[np.ix_(tasks, people)], cost[people] * rate, LIMITS)
    assert np.array_equal(other.step, plain.step[tasks])
    asked = plain.contributor[tasks]
    assert np.array_equal(np.where(asked < 0, -1, people[other.contributor]), asked)


def test_what_is_doubtful():
    """Protects good contributors' time: not fresh tasks, not settled ones, nor ones whose
    answers agree; but contradictions and lone weak answers. Hundreds of answers do not
    overflow."""
    agreed = np.array([0.8, 0.8**2 / (0.8**2 + 0.2**2)])
    confidence = [0.5, agreed[0], agreed[1], 0.5, 0.6, 0.97, 0.9]
    verdict = doubtful(confidence, [0, 1, 2, 2, 1, 3, 900], 0.95, usual_skill=0.8, n_classes=2)
    assert verdict.tolist() == [False, False, False, True, True, False, True]
    with pytest.raises(ValueError, match="chance"):
        doubtful([0.5], [1], 0.9, usual_skill=0.5, n_classes=2)


def test_good_contributors_on_doubts_decide_more_rightly():
    """Protects the claim order: with as many answers of as good contributors, giving the good
    ones the doubtful tasks gets more right than giving them any."""
    chance = np.random.default_rng(6)
    n, usual, good = 4000, np.log(0.7 / 0.3), np.log(0.95 / 0.05)
    share = {}
    said = np.where(chance.random((n, 2)) < 0.7, usual, -usual).sum(1)
    sure = 1 / (1 + np.exp(-np.abs(said)))
    doubt = doubtful(sure, np.full(n, 2), 0.99, usual_skill=0.7, n_classes=2)
    for rule, first in (("doubts", doubt), ("any", chance.permutation(doubt))):
        weight = np.where(first, good, usual)
        right = chance.random(n) < np.where(first, 0.95, 0.7)
        score = said + np.where(right, weight, -weight)
        share[rule] = (score > 0).mean() + (score == 0).mean() / 2
    assert 0.2 < doubt.mean() < 0.6
    assert share["doubts"] > share["any"] + 0.03
