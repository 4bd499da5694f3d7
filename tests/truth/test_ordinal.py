"""Beliefs about scales."""

import time

import numpy as np
import pytest
from hypothesis import given

from canut.truth.grid import grid
from canut.truth.methods import infer
from canut.truth.ordinal import Ordinal, leaning, ordinal
from canut.truth.votes import Float64, Int32, Votes
from tests.truth.crowds import tiny


def ask(points: list[int], n_classes: int = 5, tolerance: int = 0) -> Ordinal:
    """What fresh contributors say who give these points to one task, of two."""
    n = len(points)
    v = Votes(
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        np.array(points, np.int32),
        2,
        n,
        n_classes,
    )
    return ordinal(v, np.zeros(n), np.zeros(n), tolerance=tolerance)


def test_neighbours_are_likelier_than_far_points():
    """Protects the order of a scale: after one answer of 1, 2 is likelier than 4."""
    posterior = ask([1]).posterior[0]
    assert posterior[1] > posterior[2] > posterior[3] > posterior[4]
    assert posterior.sum() == pytest.approx(1)


def test_near_misses_support_each_other():
    """Protects from treating 2 and 3 as contrary as 0 and 4."""
    assert ask([2, 2, 3]).confidence[0] > ask([2, 2, 0]).confidence[0]


def test_the_middle_of_a_spread_is_believed():
    """Protects against majority thinking: 1, 2, 3 say 2 though each was said once."""
    assert ask([1, 2, 3]).best[0] == 2


def test_agreement_grows_with_answers():
    """Protects stopping on a five-point scale: fresh contributors who agree settle it."""
    assert ask([2] * 2).confidence[0] < 0.95 < ask([2] * 6).confidence[0]


def test_tolerance_counts_neighbours_as_right():
    """Protects long scales: within a point, answers that differ by one agree."""
    strict, lenient = ask([4, 5], 10), ask([4, 5], 10, tolerance=1)
    assert lenient.confidence[0] > strict.confidence[0]
    assert lenient.agreement.min() > 0.5


@pytest.mark.parametrize(("n_classes", "tolerance"), [(2, 0), (3, 1), (4, 1), (3, 2), (101, 5)])
def test_unanimous_points_win_at_the_ends_too(n_classes: int, tolerance: int):
    """Protects the ends of a scale from being pulled to the middle, also where the tolerance
    covers the whole scale from some points."""
    for point in {0, n_classes // 2, n_classes - 1}:
        belief = ask([point] * 4, n_classes, tolerance)
        assert belief.best.tolist() == [point, -1]
        assert 0 < belief.confidence[0] <= 1
        assert belief.confidence[1] == 0


def test_nobody_answered():
    """Protects the empty batch."""
    belief = ask([])
    assert belief.best.tolist() == [-1, -1]
    assert not belief.confidence.any()


def crowd(
    seed: int, each: int, lean: float, spread: float, n_classes: int = 5, n_tasks: int = 1500
) -> tuple[Votes, Int32, Float64]:
    """Votes of 40 contributors, each with a lean and a spread; the right points; the leans."""
    chance = np.random.default_rng(seed)
    right = chance.integers(n_classes, size=n_tasks).astype(np.int32)
    leans, spreads = chance.normal(0, lean, 40), chance.uniform(0.2, spread, 40)
    task = np.repeat(np.arange(n_tasks, dtype=np.int32), each)
    who = np.concatenate([chance.permutation(40)[:each] for _ in range(n_tasks)])
    seen = right[task] + leans[who] + spreads[who] * chance.normal(size=len(task))
    label = np.clip(np.rint(seen), 0, n_classes - 1).astype(np.int32)
    return Votes(task, who.astype(np.int32), label, n_tasks, 40, n_classes), right, leans


@pytest.mark.parametrize(
    ("each", "lean", "spread", "n_classes"), [(3, 0.4, 1.0, 5), (5, 0.4, 1.0, 5), (3, 0.7, 1.2, 7)]
)
def test_confidence_is_how_often_it_is_right(each, lean, spread, n_classes):
    """Protects stopping: of simulated crowds, the mean confidence is within 0.05 of the share
    right, which is more than estimators that know no order reach."""
    votes, right, leans = crowd(1, each, lean, spread, n_classes)
    belief = ordinal(votes, np.zeros(40), np.zeros(40))
    share = (belief.best == right).mean()
    assert abs(belief.confidence.mean() - share) < 0.05
    for other in ("majority", "backoff"):
        assert share >= (infer(votes, other).posterior.argmax(1) == right).mean()
    assert np.corrcoef(belief.lean, leans)[0, 1] > 0.9
    alone = leaning(grid(votes))
    assert (alone.posterior.argmax(1) == right).mean() == pytest.approx(share, abs=0.02)


def test_a_record_is_heard():
    """Protects known contributors: who was mostly right is believed against who was not."""
    votes = Votes(
        np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.array([0, 4], np.int32), 1, 2, 5
    )
    belief = ordinal(votes, np.array([5.0, 95.0]), np.full(2, 100.0))
    assert belief.best[0] == 4


@given(tiny())
def test_turned_round_and_renamed(votes: Votes):
    """Protects from an order of storage, of names, or of the scale that changes a belief; and
    from NaN in any crowd. Both ends of a scale are alike."""
    nothing = np.zeros(votes.n_contributors)
    plain = ordinal(votes, nothing, nothing)
    assert plain.posterior.sum(1) == pytest.approx(1)
    turned = Votes(
        votes.task, votes.n_contributors - 1 - votes.contributor,
        votes.n_classes - 1 - votes.label, votes.n_tasks, votes.n_contributors, votes.n_classes,
    )  # fmt: skip
    other = ordinal(turned, nothing, nothing)
    assert other.posterior[:, ::-1] == pytest.approx(plain.posterior, abs=1e-6)
    back = Votes(
        votes.task[::-1], votes.contributor[::-1], votes.label[::-1],
        votes.n_tasks, votes.n_contributors, votes.n_classes,
    )  # fmt: skip
    assert np.array_equal(ordinal(back, nothing, nothing).posterior, plain.posterior)
    assert np.isfinite(leaning(grid(votes)).posterior).all()


def test_ten_thousand_tasks_are_soon_done():
    """Protects the engine: 30,000 votes in well under a second."""
    votes, _, _ = crowd(3, 3, 0.4, 1.0, n_tasks=10_000)
    began = time.process_time()
    ordinal(votes, np.zeros(40), np.zeros(40))
    assert time.process_time() - began < 1
