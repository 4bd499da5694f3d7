"""The rule that says whether a task is decided, asked again, or handed to an expert."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.stopping import SHARE, WORST, NextStep, leaves_room, next_step

ASK, DECIDE, ESCALATE = NextStep.ASK, NextStep.DECIDE, NextStep.ESCALATE


def test_each_case():
    """Protects the order of the rules: enough answers first, then belief, then the limit."""
    confidence = [0.99, 0.99, 0.5, 0.5, 0.95, 0.0]
    n_answers = [1, 2, 2, 5, 5, 0]
    steps = next_step(confidence, n_answers, 2, 5, 0.95)
    assert steps.tolist() == [ASK, DECIDE, ASK, ESCALATE, DECIDE, ASK]
    assert steps.dtype == np.int8


def test_no_tasks():
    """Protects an empty batch of the engine."""
    assert next_step([], [], 1, 3, 0.9).shape == (0,)


def test_limits_may_differ_by_task():
    """Protects vectorised use over batches with different limits."""
    assert next_step([0.8, 0.8], [3, 3], 1, [3, 5], [0.9, 0.9]).tolist() == [ESCALATE, ASK]


def test_nonsense_is_refused():
    """Protects from deciding by a confidence that is none."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        next_step([np.nan], [1], 1, 2, 0.9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        next_step([1.2], [1], 1, 2, 0.9)
    with pytest.raises(ValueError, match="min_answers"):
        next_step([0.5], [1], 3, 2, 0.9)


@given(st.floats(0, 1), st.integers(0, 20), st.integers(0, 5), st.integers(0, 9), st.floats(0, 1))
def test_never_asks_beyond_the_limit_nor_decides_below_the_target(confidence, n, low, more, target):
    """Protects the client's budget and the step's target."""
    step = next_step(confidence, n, low, low + more, target)
    if n >= low + more:
        assert step != ASK
    if step == DECIDE:
        assert confidence >= target
        assert n >= low


def test_what_leaves_room():
    """Protects clients from paying for what nobody promised, and the promise: the surest first, as
    many as the mean of all allows, none far worse than that."""
    room = leaves_room([0.8, 0.9, 0.79, 0.9], 0.05, doubt=1.0, decided=100)
    assert room.tolist() == [True, True, False, True]
    assert leaves_room([0.8, 0.9], 0.05, doubt=2.4, decided=100).tolist() == [False, True]
    assert not leaves_room([0.9], 0.05, doubt=0.0, decided=0).any()
    assert leaves_room([], 0.05, doubt=0.0, decided=0).shape == (0,)


@given(
    st.lists(st.floats(0, 1), max_size=30),
    st.floats(0.001, 0.2),
    st.floats(0, 1),
    st.integers(0, 1000),
)
def test_what_is_decided_with_room_keeps_the_mean(confidence, error_max, share, decided):
    """Protects the promise: whatever came before, the mean of all stays where it was or below half
    of what is allowed."""
    doubt = share * decided
    room = leaves_room(confidence, error_max, doubt, decided)
    taken = [1 - one for one, so in zip(confidence, room, strict=True) if so]
    if taken:
        assert (doubt + sum(taken)) / (decided + len(taken)) <= SHARE * error_max + 1e-9
        assert max(taken) <= WORST * error_max + 1e-9
