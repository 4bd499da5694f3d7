"""The online state: exact after a refresh, near it before, whatever the batches."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.confusion import backoff
from canut.truth.grid import grid
from canut.truth.online import Online
from canut.truth.pool import FLOOR
from canut.truth.votes import Float64, Votes
from tests.truth.crowds import coins, simulated, tiny


def _feed(v: Votes, cuts: list[int]) -> Online:
    state = Online(v.n_classes)
    edges = [0, *sorted(cuts), len(v.task)]
    for begin, end in itertools.pairwise(edges):
        state.add(v.task[begin:end], v.contributor[begin:end], v.label[begin:end])
    return state


def _all(state: Online) -> Float64:
    return state.posterior(np.arange(state.votes.n_tasks, dtype=np.int32))


@given(v=tiny(), data=st.data())
def test_a_refreshed_state_is_the_rebuilt_one(v: Votes, data: st.DataObject):
    """Protects recovery: however answers were cut into batches and ordered, after a refresh the
    state is that made from the database at once, to the bit."""
    if v.n_classes < 2 or not len(v.task):
        return
    state = _feed(v, data.draw(st.lists(st.integers(0, len(v.task)), max_size=3)))
    state.refresh()
    order = np.array(data.draw(st.permutations(range(len(v.task)))), np.int64)
    seen = state.votes
    columns = v.task[order], v.contributor[order], v.label[order]
    rebuilt = Online.of(Votes(*columns, seen.n_tasks, seen.n_contributors, seen.n_classes))
    assert np.array_equal(_all(state), _all(rebuilt))
    extra = (np.zeros(1, np.int32),) * 3
    assert np.array_equal(state.add(*extra), rebuilt.add(*extra))
    assert np.array_equal(_all(state), _all(rebuilt))


@given(v=tiny(), cuts=st.lists(st.integers(0, 24), max_size=4))
def test_counts_are_always_those_of_the_posterior(v: Votes, cuts: list[int]):
    """The invariant of incremental EM: C[j, k] is the sum of the posteriors of the tasks of
    which j said k, after every batch; nothing is counted twice or left over."""
    if v.n_classes < 2 or not len(v.task):
        return
    state = _feed(v, [min(cut, len(v.task)) for cut in cuts])
    expected = np.zeros((state.votes.n_contributors, v.n_classes, v.n_classes))
    np.add.at(expected, (v.contributor, v.label), state._posterior[v.task])
    assert np.allclose(state._counts[: len(expected)], expected, atol=1e-4)
    assert np.allclose(state._total, expected.sum(0), atol=1e-4)


def test_a_refresh_is_the_batch_estimate():
    """An oracle: after a refresh the belief is that of `backoff`, tempered."""
    v, _ = simulated(0, 200, 4, coins(np.linspace(0.5, 0.9, 9), 3))
    batch = np.maximum(backoff(grid(v)).posterior, FLOOR) ** 0.8
    batch /= batch.sum(1, keepdims=True)
    assert np.allclose(_all(Online.of(v)), batch, atol=1e-5)


@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.slow), 50, 2000])
def test_online_is_nearly_as_good(batch: int):
    """Protects decisions between refreshes: within 2 points of the refreshed beliefs."""
    v, truth = simulated(1, 1000, 5, coins(np.linspace(0.45, 0.95, 20), 4))
    chance = np.random.default_rng(1).permutation(len(v.task))
    mixed = Votes(v.task[chance], v.contributor[chance], v.label[chance], 1000, 20, 4)
    state = _feed(mixed, list(range(batch, len(v.task), batch)))
    online = (_all(state).argmax(1) == truth).mean()
    state.refresh()
    assert online > (_all(state).argmax(1) == truth).mean() - 0.02


def test_only_tasks_with_new_answers_are_touched():
    """What `add` returns is what must be looked at again; tasks come sorted, once."""
    state = Online(2)
    first = state.add(*(np.array(c, np.int32) for c in ([3, 1, 3], [0, 0, 1], [1, 0, 1])))
    assert first.tolist() == [1, 3]
    before = state.posterior(np.array([1], np.int32))
    second = state.add(*(np.array(c, np.int32) for c in ([3], [2], [1])))
    assert second.tolist() == [3]
    assert np.array_equal(before, state.posterior(np.array([1], np.int32)))
    assert np.allclose(state.posterior(np.array([0, 2], np.int32)), 0.5)


def test_bad_answers_are_refused_whole():
    """Nothing of a batch that is out of range is taken in."""
    state = Online(2)
    with pytest.raises(ValueError, match="out of range"):
        state.add(*(np.array(c, np.int32) for c in ([0, 1], [0, 0], [1, 2])))
    assert state.n_answers == 0
    assert len(state.add(*(np.zeros(0, np.int32),) * 3)) == 0
    with pytest.raises(ValueError, match="two classes"):
        Online(1)
