"""Draws that anybody can repeat, and what each counts."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.designs import PPM, Design, draw, in_stream, probability, weights

UNIFORM = Design("uniform", "5e" * 32)
RISK = Design("risk", "5e" * 32)
risks = st.lists(st.integers(0, PPM), min_size=1, max_size=40)


def test_a_draw_can_be_repeated_from_the_documentation():
    """Protects certificates of years ago: a shuffle written from docs/promise-mathematics.md with
    hashlib alone, and the figures it gave when it was first run."""
    bag = list(range(10))
    for place in range(10):
        digest = hashlib.sha256(f"{UNIFORM.seed}:{place}".encode()).hexdigest()
        other = place + int(digest, 16) % (10 - place)
        bag[place], bag[other] = bag[other], bag[place]
    assert draw(UNIFORM, 10, 10).tolist() == bag == FIRST_UNIFORM
    assert draw(RISK, 5, 8, [0, 10, 500_000, 0, 100]).tolist() == FIRST_RISK


FIRST_UNIFORM = [6, 0, 7, 2, 9, 8, 4, 1, 5, 3]
FIRST_RISK = [4, 2, 0, 1, 2, 1, 2, 2]


@given(st.integers(1, 300), st.data())
def test_uniform_draws_take_each_once_and_go_on(size, data):
    """Protects drawing without replacement, and that more audits keep those already made."""
    count = data.draw(st.integers(0, size))
    all_drawn = draw(UNIFORM, size, size)
    assert sorted(all_drawn) == list(range(size))
    assert draw(UNIFORM, size, count).tolist() == all_drawn[:count].tolist()


def test_uniform_draws_are_uniform():
    """Protects fairness: over 6,000 seeds each order of three comes up alike."""
    seen = Counter(tuple(draw(Design("uniform", f"{s:064x}"), 3, 3)) for s in range(6000))
    assert len(seen) == 6
    assert max(abs(count - 1000) for count in seen.values()) < 150


@given(risks)
def test_weights_undo_the_probabilities(risk):
    """Protects the estimate from bias: the mean weight, over draws, is 1; none exceeds 1.25; and
    each is the inverse of the exact probability."""
    size = len(risk)
    weight = weights(RISK, size, risk)
    exact = [probability(RISK, size, risk, i) for i in range(size)]
    assert sum(exact) == 1
    assert np.allclose(weight, [float(1 / (size * q)) for q in exact], rtol=1e-12)
    assert weight.max() <= 1.25 * (1 + 1e-12)


def test_draws_by_risk_have_the_probabilities_they_claim():
    """Protects the weights: frequencies of 40,000 draws against the exact probabilities."""
    risk = [0, 1000, 20_000, 500_000]
    drawn = np.bincount(draw(RISK, 4, 40_000, risk), minlength=4) / 40_000
    exact = [float(probability(RISK, 4, risk, i)) for i in range(4)]
    assert np.abs(drawn - exact).max() < 0.01


def test_no_risk_at_all_is_uniform():
    """Protects a batch whose every decision is held for certain."""
    assert weights(RISK, 4, [0, 0, 0, 0]).tolist() == [1.0] * 4
    assert set(draw(RISK, 4, 200, [0, 0, 0, 0])) == {0, 1, 2, 3}
    assert weights(UNIFORM, 3).tolist() == [1.0] * 3


def test_the_permanent_stream_is_fixed_and_has_its_rate():
    """Protects the blind stream of a licence: the same decision is always in or always out."""
    keys = [f"{i}.7" for i in range(20_000)]
    taken = in_stream("a1" * 32, keys, 30_000)
    assert 0.025 < taken.mean() < 0.035
    assert (in_stream("a1" * 32, keys[::-1], 30_000)[::-1] == taken).all()
    assert not in_stream("a1" * 32, keys, 0).any()
    assert in_stream("a1" * 32, keys, PPM).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: draw(UNIFORM, 3, 4),
        lambda: draw(RISK, 3, 1, [1, 2]),
        lambda: draw(RISK, 1, 1, [-1]),
        lambda: draw(RISK, 1, 1, [PPM + 1]),
        lambda: draw(Design("risk", "aa", 0), 1, 1, [1]),
    ],
)
def test_nonsense_is_refused(call):
    """Protects from a draw that its own design cannot have made."""
    with pytest.raises(ValueError, match=r"cannot draw|risk|share"):
        call()
