"""The stack and its calibration: what gold may and may not teach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from canut.truth import pool
from canut.truth.calibration import log_loss, reliability
from canut.truth.grid import grid
from canut.truth.votes import Votes
from tests.truth.crowds import coins, simulated, tiny


def _crowd(seed: int, n_tasks: int = 600):
    skill = np.random.default_rng(seed).uniform(0.45, 0.85, 12)
    return simulated(seed, n_tasks, 4, coins(skill, 3))


def test_little_gold_teaches_nothing():
    """Below 30 gold answers the stack is the one before gold."""
    v, truth = _crowd(0)
    opinions = pool.members(grid(v))
    few = np.arange(29, dtype=np.int32)
    stack = pool.fit(opinions, few, truth[few])
    assert stack.n_gold == 0
    assert np.array_equal(stack.weight, pool.PRIOR)
    assert not stack.bias.any()


def test_before_gold_the_pool_is_that_of_its_members():
    """Protects the shorter way to the same belief where there is no gold."""
    v, _ = _crowd(3)
    opinions = pool.members(grid(v))
    whole = pool.apply(pool.ungilded(3), opinions)
    assert np.allclose(pool.pooled(grid(v)).posterior, whole, atol=1e-6)


def test_newton_finds_the_minimum():
    """An oracle: scipy's own minimiser of the same loss."""
    v, truth = _crowd(1)
    opinions = pool.members(grid(v))
    gold = np.arange(60, dtype=np.int32)
    features = opinions[:, :, gold].transpose(2, 1, 0).astype(np.float64)
    design = np.concatenate([features, np.broadcast_to(np.eye(3), (60, 3, 3))], 2)
    right = design[np.arange(60), truth[gold]]
    problem = pool._Gold(design, right, np.r_[pool.PRIOR, np.zeros(3)], np.full(6, 5.0))
    found, _ = pool._newton(problem)
    oracle = minimize(lambda p: pool._loss(problem, p)[0], np.zeros(6), tol=1e-12)
    assert np.allclose(found, oracle.x, atol=1e-3)
    assert pool._loss(problem, found)[0] <= oracle.fun + 1e-8


def test_a_shared_bias_is_learned_from_gold():
    """All contributors call half of class 2 class 0: only gold can tell."""
    confusion = coins(np.full(10, 0.85), 3)
    confusion[:, 2] = [0.6, 0.05, 0.35]
    v, truth = simulated(2, 3000, 5, confusion)
    gold = np.arange(200, dtype=np.int32)
    rest = slice(200, None)
    before = pool.pooled(grid(v)).posterior
    after = pool.pooled(grid(v), gold, truth[gold]).posterior
    assert (after[rest].argmax(1) == truth[rest]).mean() > (
        before[rest].argmax(1) == truth[rest]
    ).mean()


@pytest.mark.parametrize("seed", range(4))
def test_gold_calibrates(seed: int):
    """With gold the confidences are nearer to what comes true, and likelier."""
    v, truth = _crowd(seed, 4000)
    gold = np.arange(300, dtype=np.int32)
    rest = np.arange(300, 4000, dtype=np.int32)
    of = grid(v)
    before = pool.pooled(of).posterior
    after = pool.pooled(of, gold, truth[gold]).posterior
    error = [
        reliability(p[rest].max(1), p[rest].argmax(1) == truth[rest]).expected_error
        for p in (before, after)
    ]
    assert error[1] < 0.05
    assert log_loss(after, rest, truth[rest]) < log_loss(before, rest, truth[rest]) + 0.005


def test_before_gold_the_pool_is_not_too_sure():
    """Protects stopping: where contributors are as assumed, what is called p is right at least
    p of the time (but for chance)."""
    v, truth = _crowd(7, 8000)
    p = pool.pooled(grid(v)).posterior
    diagram = reliability(p.max(1), p.argmax(1) == truth)
    busy = diagram.n > 100
    assert (diagram.right[busy] > diagram.confidence[busy] - 0.03).all()


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40), st.integers(1, 12))
def test_a_reliability_diagram_adds_up(rows: list[tuple[float, bool]], bins: int):
    """Every answer is in one bin, within its edges, and none is lost at 0 or 1."""
    confidence = np.array([row[0] for row in rows], np.float64)
    right = np.array([row[1] for row in rows], bool)
    diagram = reliability(confidence, right, bins)
    assert diagram.n.sum() == len(rows)
    assert np.isclose((diagram.n * diagram.right).sum(), right.sum())
    full = diagram.n > 0
    assert (diagram.confidence[full] >= diagram.edge[full] - 1e-9).all()
    assert (diagram.confidence[full] <= diagram.edge[full] + 1 / bins + 1e-9).all()
    assert 0 <= diagram.expected_error <= 1


def test_a_perfect_forecast_has_no_error():
    """And one that is sure and always wrong has all of it."""
    assert reliability(np.ones(5), np.ones(5, bool)).expected_error == 0
    assert reliability(np.ones(5), np.zeros(5, bool)).expected_error == 1
    with pytest.raises(ValueError, match="between 0 and 1"):
        reliability(np.array([1.1]), np.ones(1, bool))


def test_log_loss_of_nothing_and_of_the_impossible():
    """Corners: no gold costs nothing, a right answer called impossible is not infinite."""
    none = np.zeros(0, np.int32)
    assert log_loss(np.ones((1, 1)), none, none) == 0
    zero = np.zeros(1, np.int32)
    assert log_loss(np.array([[0.0, 1.0]]), zero, zero) == pytest.approx(-np.log(1e-6))


def test_a_task_is_not_judged_by_its_own_gold():
    """Protects what the stack is fitted on, and the beliefs on gold tasks: gold that lies about one
    task changes what is thought of others, never the opinions on that task."""
    v, truth = _crowd(8)
    gold = np.arange(60, dtype=np.int32)
    honest = pool.members(grid(v), gold, truth[gold])
    lie = truth[gold].copy()
    lie[7] = (lie[7] + 1) % 3
    lied = pool.members(grid(v), gold, lie)
    assert np.array_equal(honest[:, :, 7], lied[:, :, 7])
    assert not np.array_equal(honest[1:, :, 100:], lied[1:, :, 100:])


@given(v=tiny(), seed=st.integers(0, 99))
def test_gold_on_any_votes_gives_probabilities(v: Votes, seed: int):
    """Gold on tasks without votes, or twice on one task, is taken without a warning."""
    chance = np.random.default_rng(seed)
    task = chance.integers(v.n_tasks, size=30).astype(np.int32)
    label = chance.integers(v.n_classes, size=30).astype(np.int32)
    belief = pool.pooled(grid(v), task, label)
    assert np.allclose(belief.posterior.sum(1), 1)
    assert belief.posterior.min() >= 0
