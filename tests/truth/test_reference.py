"""Where the model is the same, crowd-kit says the same; skipped where it is not installed."""

import numpy as np
import pytest

from bench.truth import reference
from canut.truth.confusion import dawid_skene
from canut.truth.grid import grid
from canut.truth.methods import infer
from tests.truth.crowds import coins, simulated

pytest.importorskip("crowdkit", reason="crowd-kit is not installed: see requirements/bench.txt")


@pytest.mark.parametrize("seed", range(3))
def test_shares_of_votes_are_those_of_crowd_kit(seed: int):
    """An oracle for `majority`: probabilities, class by class."""
    v, _ = simulated(seed, 120, 4, coins(np.linspace(0.5, 0.9, 8), 3))
    theirs = reference("majority", v)()
    assert np.allclose(infer(v, "majority").posterior, theirs)


@pytest.mark.parametrize("seed", range(3))
def test_wawa_is_that_of_crowd_kit(seed: int):
    """An oracle for `wawa`: ours backs off by one answer, so with thirty answers each they are
    close, and decide alike. An odd number of votes for two classes, because ties are broken
    otherwise."""
    v, _ = simulated(seed, 160, 5, coins(np.linspace(0.55, 0.9, 9), 2))
    ours, theirs = infer(v, "wawa").posterior, reference("wawa", v)()
    assert np.abs(ours - theirs).max() < 0.02
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.98


@pytest.mark.parametrize("seed", range(3))
def test_dawid_skene_is_that_of_crowd_kit(seed: int):
    """An oracle for `dawid_skene`: ours imagines 0.01 answers more, which changes nothing where
    everybody answered a hundred tasks."""
    v, _ = simulated(seed, 300, 5, coins(np.linspace(0.55, 0.9, 9), 3))
    ours, theirs = dawid_skene(grid(v)).posterior, reference("ds", v)()
    assert np.abs(ours - theirs).mean() < 0.01
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.99
