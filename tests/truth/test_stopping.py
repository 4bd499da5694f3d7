"""The rule that says whether a task is decided, asked again, or handed to an expert."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.stopping import NextStep, next_step

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
