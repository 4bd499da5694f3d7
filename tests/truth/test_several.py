"""Beliefs about picks of several labels, against one naive Bayes per label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.categorical import naive_bayes
from canut.truth.several import Picks, Several, several
from canut.truth.votes import Votes


def ask(rows: list[tuple[int, int, set[int]]], n_tasks: int, n_classes: int) -> Several:
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    picked = [sorted(row[2]) for row in rows]
    picks = Picks(columns[:, 0], columns[:, 1], picked, n_tasks, 6, n_classes)
    return several(picks, np.arange(6.0), np.full(6, 6.0))


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(0, 5)), st.sets(st.integers(0, 4)), max_size=15
    )
)
def test_same_as_asking_label_by_label(cells: dict[tuple[int, int], set[int]]):
    """Protects the sparse joins: every label has the probability that a binary question about
    it alone would give, and the confidence is the least of them."""
    rows = [(t, c, picked) for (t, c), picked in cells.items()]
    belief = ask(rows, 4, 5)
    sure = np.full(4, 1.0)
    for label in range(5):
        columns = np.array([(t, c, label in picked) for t, c, picked in rows], np.int32)
        task, who, said = columns.reshape(-1, 3).T
        alone = naive_bayes(Votes(task, who, said, 4, 6, 2), np.arange(6.0), np.full(6, 6.0))
        sure = np.minimum(sure, alone.confidence)
        for t in range(4):
            here = dict(belief.ranked[t] or [])
            if label in here:
                assert here[label] == pytest.approx(alone.dense()[t, 1])
    assert belief.confidence == pytest.approx(sure)
    assert len(belief.agreement) == len(rows)


def test_nobody_picks_anything():
    """Protects the answer "none of these": agreed on, it is an answer like any other."""
    belief = ask([(0, 4, set()), (0, 5, set())], 2, 3)
    assert belief.ranked == [[], None]
    assert 0.5 < belief.confidence[0] < 1
    assert belief.confidence[1] == 0
    assert belief.agreement == pytest.approx([belief.confidence[0]] * 2)


def test_likeliest_label_first():
    """Protects the order that a limit on the number of picks cuts."""
    belief = ask([(0, 3, {2}), (0, 4, {2}), (0, 5, {1, 2})], 1, 3)
    assert [label for label, _ in belief.ranked[0] or []] == [2, 1]
    assert belief.agreement[2] < belief.agreement[0]
