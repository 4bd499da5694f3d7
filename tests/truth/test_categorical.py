"""The estimators for labels: sensible stopping, hard corners, and large taxonomies."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.categorical import backed_off, majority, naive_bayes
from canut.truth.votes import Estimator, Float64, Posterior, Votes

ESTIMATORS: list[Estimator] = [majority, naive_bayes]


def votes(
    rows: list[tuple[int, int, int]], n_tasks: int, n_classes: int, n_people: int = 0
) -> Votes:
    columns = np.array(rows, np.int32).reshape(-1, 3)
    people = max([n_people, *(row[1] + 1 for row in rows)])
    return Votes(columns[:, 0], columns[:, 1], columns[:, 2], n_tasks, people, n_classes)


def nobody(v: Votes) -> tuple[Float64, Float64]:
    return np.zeros(v.n_contributors), np.zeros(v.n_contributors)


def agreeing(n: int, n_classes: int) -> float:
    """Confidence when n contributors of whom nothing is known agree."""
    v = votes([(0, c, 1) for c in range(n)], 1, n_classes)
    return float(naive_bayes(v, *nobody(v)).confidence[0])


@pytest.mark.parametrize(("n_classes", "needed"), [(2, 5), (10, 3), (25, 2), (10_000, 2)])
def test_fresh_contributors_who_agree_settle_it_soon_but_not_at_once(n_classes: int, needed: int):
    """Protects the number of answers bought per item before there is gold."""
    assert agreeing(needed, n_classes) >= 0.95
    assert agreeing(needed - 1, n_classes) < 0.95


def test_one_answer_is_worth_less_than_the_prior_and_more_than_half():
    """Protects from a single answer that decides, and from one that counts for nothing."""
    for n_classes in (2, 10, 10_000):
        assert 0.5 < agreeing(1, n_classes) < 0.7


def test_record_of_right_answers_counts():
    """Protects the use of the track: a proved contributor outweighs two who mostly err."""
    v = votes([(0, 0, 0), (0, 1, 1), (0, 2, 1)], 1, 4)
    right, judged = np.array([98.0, 30.0, 30.0]), np.array([100.0, 100.0, 100.0])
    assert naive_bayes(v, right, judged).best[0] == 0
    assert majority(v, right, judged).best[0] == 1


def test_worse_than_chance_counts_nothing_rather_than_the_contrary():
    """Protects from deciding for the option that the only answer did not name."""
    v = votes([(0, 0, 0)], 1, 2)
    belief = naive_bayes(v, np.array([0.0]), np.array([1000.0]))
    assert belief.best[0] == 0
    assert belief.confidence[0] == pytest.approx(0.5)


def test_skill_is_backed_off_to_the_prior():
    """Protects the formula (right + 10 x 0.7) / (judged + 10)."""
    skill = backed_off(np.array([0.0, 3.0, 990.0]), np.array([0.0, 10.0, 990.0]))
    assert skill == pytest.approx([0.7, 0.5, 0.997])


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_corners(estimate: Estimator):
    """Protects from NaN and warnings: no vote, no task, one class, all disagree."""
    none = votes([], 3, 4)
    belief = estimate(none, *nobody(none))
    assert belief.best.tolist() == [-1, -1, -1]
    assert belief.confidence.tolist() == [0, 0, 0]
    assert belief.rest == pytest.approx([0.25] * 3)
    no_task = votes([], 0, 4)
    assert len(estimate(no_task, *nobody(no_task)).best) == 0
    one_class = votes([(0, 0, 0)], 1, 1)
    assert estimate(one_class, *nobody(one_class)).confidence[0] == pytest.approx(1)
    disagree = votes([(0, c, c) for c in range(4)], 1, 4)
    assert estimate(disagree, *nobody(disagree)).probability == pytest.approx([0.25] * 4)
    assert estimate(disagree, *nobody(disagree)).best[0] == 0


def test_a_thousand_answers_do_not_overflow():
    """Protects the exponentials: much evidence gives certainty, not NaN."""
    v = votes([(0, c, c % 2) for c in range(1001)], 1, 3)
    belief = naive_bayes(v, np.full(1001, 1e9), np.full(1001, 1e9))
    assert belief.best[0] == 0
    assert np.isfinite(belief.probability).all()


@pytest.mark.parametrize("estimate", ESTIMATORS)
@given(data=st.data())
def test_probabilities_add_up(estimate: Estimator, data: st.DataObject):
    """Protects the posterior: with the labels nobody gave, each task sums to 1; `best` is the
    largest; every vote points to its own pair."""
    n_classes = data.draw(st.integers(1, 40))
    rows = data.draw(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, n_classes - 1)),
            max_size=40,
        )
    )
    v = votes(rows, 6, n_classes, n_people=7)
    right = np.array(data.draw(st.lists(st.floats(0, 99), min_size=7, max_size=7)))
    belief: Posterior = estimate(v, right, right + data.draw(st.floats(0, 500)))
    dense = belief.dense()
    assert dense.sum(axis=1) == pytest.approx(np.ones(6))
    answered = np.bincount(v.task, minlength=6) > 0
    given_only = np.where(answered[:, None], dense, 0)
    assert np.all(belief.probability[belief.pair] == given_only[v.task, v.label])
    for task in np.flatnonzero(answered):
        mine = belief.probability[belief.task == task]
        assert belief.confidence[task] == mine.max()
    assert np.array_equal(belief.best >= 0, answered)


def test_ten_thousand_classes_cost_what_ten_do():
    """Protects large taxonomies: no matrix of tasks x classes (20,000 x 10,000 is 1.6 GB)."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(20_000, dtype=np.int32), 3)
    label = rng.integers(0, 10_000, len(task)).astype(np.int32)
    v = Votes(task, np.tile(np.arange(3, dtype=np.int32), 20_000), label, 20_000, 3, 10_000)
    tracemalloc.start()
    belief = naive_bayes(v, np.zeros(3), np.zeros(3))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert belief.confidence.max() < 1
