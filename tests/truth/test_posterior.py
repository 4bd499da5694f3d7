"""Beliefs from kept confusions: strangers as naive Bayes has them, and nothing depends on order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canut.truth.categorical import naive_bayes
from canut.truth.pool import PRIOR, fit
from canut.truth.posterior import Known, learned, nothing_known, opinions, weigh
from canut.truth.votes import Votes


def votes(seed: int, n: int, n_classes: int) -> Votes:
    """Of 20 tasks and 7 contributors; nobody answers a task twice."""
    random = np.random.default_rng(seed)
    task, contributor = np.divmod(random.choice(140, n, replace=False).astype(np.int32), 7)
    label = random.integers(0, n_classes, n).astype(np.int32)
    return Votes(task.astype(np.int32), contributor.astype(np.int32), label, 20, 7, n_classes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(0, 120), st.sampled_from([2, 3, 10, 25]))
def test_where_nothing_is_known_it_is_naive_bayes(seed: int, n: int, n_classes: int) -> None:
    """A stranger is believed as before there were confusions, to the last digit but two."""
    said = votes(seed, n, n_classes)
    random = np.random.default_rng(seed)
    judged = random.uniform(0, 50, 7)
    right = judged * random.uniform(0.6, 1, 7)
    found = weigh(said, nothing_known(7, n_classes), right, judged).posterior
    assert found == pytest.approx(naive_bayes(said, right, judged).dense(), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.booleans())
def test_the_order_of_answers_changes_nothing(seed: int, fitted: bool) -> None:
    """Beliefs, and what is learned from them, are the same to the bit."""
    said = votes(seed, 90, 4)
    random = np.random.default_rng(seed)
    counts = random.uniform(0, 9, (7, 4, 4))
    strangers = np.zeros(7)
    known = Known(counts, counts.sum(0))
    if fitted:
        seen = opinions(said, known, strangers, strangers)
        gold = np.arange(20, dtype=np.int32) % 20
        stack = fit(seen, np.r_[gold, gold], np.r_[gold, gold] % 4)
        assert len(stack.weight) == len(PRIOR)
        known = Known(counts, counts.sum(0), stack)
    order = random.permutation(90)
    other = Votes(said.task[order], said.contributor[order], said.label[order], 20, 7, 4)
    weight = random.uniform(0, 1, 90)
    one = weigh(said, known, strangers, strangers, weight)
    two = weigh(other, known, strangers, strangers, weight[order])
    assert np.array_equal(one.posterior, two.posterior)
    assert np.array_equal(one.raw, two.raw)
    for left, right in zip(learned(said, one.raw), learned(other, two.raw), strict=True):
        assert np.array_equal(left, right)


def test_nothing_gives_nothing() -> None:
    """No votes: all classes alike, and nothing is learned."""
    none = np.zeros(0, np.int32)
    said = weigh(Votes(none, none, none, 2, 0, 3), nothing_known(0, 3), np.zeros(0), np.zeros(0))
    assert said.posterior == pytest.approx(1 / 3)
    who, label, truth = learned(Votes(none, none, none, 2, 0, 3), said.raw)
    assert (len(who), len(label), truth.shape) == (0, 0, (0, 3))
