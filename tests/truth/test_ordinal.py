"""Beliefs about scales."""

import numpy as np
import pytest

from canut.truth.ordinal import Ordinal, ordinal
from canut.truth.votes import Votes


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
