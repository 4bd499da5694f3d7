"""Evidence that somebody has become worse than their licence allows."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.quality.licences import watch as drift

streams = st.lists(st.booleans(), max_size=80)


@pytest.mark.parametrize("error_max", [0.05, 0.3, 0.8])
def test_a_good_contributor_is_a_fair_game_or_worse(error_max):
    """Protects from revoking the innocent, by enumeration: over all streams of 11 answers, at the
    rate allowed or below, the expected capital is at most 1 after every answer."""
    for rate in (error_max, error_max / 2, 0.0):
        mean = np.zeros(11)
        for run in itertools.product([False, True], repeat=11):
            chance = rate ** sum(run) * (1 - rate) ** (11 - sum(run))
            mean += chance * np.exp(drift.revocation_capital(run, error_max))
        assert mean.max() <= 1 + 1e-9
        if rate == error_max:
            assert mean.min() >= 1 - 1e-9


@given(streams, st.floats(0.01, 0.9))
def test_capital_is_its_definition(wrong, error_max):
    """Protects the sums in log space: each beginning's product, one by one."""
    bets = np.minimum(drift.MULTIPLES * error_max, (1 + error_max) / 2)
    c = drift.PATIENCE
    gains = [bets / error_max if x else (1 - bets) / (1 - error_max) for x in wrong]
    shares = [0.5 * c / ((j + c) * (j + c - 1)) + 0.5 * (j == 1) for j in range(1, len(wrong) + 1)]
    for n in range(1, len(wrong) + 1):
        since = [np.prod(gains[j:n], axis=0).mean() for j in range(n)]
        capital = sum(s * p for s, p in zip(shares[:n], since, strict=True)) + 1 - sum(shares[:n])
        assert np.exp(drift.revocation_capital(wrong, error_max)[n - 1]) == pytest.approx(capital)
        assert np.exp(drift.alarm_level(wrong, error_max)[n - 1]) == pytest.approx(sum(since))


@given(streams, st.integers(0, 79))
def test_another_error_is_never_good_news(wrong, place):
    """Protects the direction of evidence."""
    if place >= len(wrong) or wrong[place]:
        return
    worse = [x or i == place for i, x in enumerate(wrong)]
    more = drift.revocation_capital(worse, 0.05)
    assert (more >= drift.revocation_capital(wrong, 0.05) - 1e-9).all()


def test_a_licence_without_evidence_holds():
    """Protects the first day of a licence."""
    standing = drift.judge([], 0.05, 0.05)
    assert standing == drift.Standing(0, 0, 1.0, None, False)


def test_errors_raise_the_alarm_then_revoke():
    """Protects the order: first more goes to people, then the licence ends. And it stays ended,
    however good the answers that follow."""
    wrong = np.r_[np.zeros(300, bool), np.tile([True, False, False], 30)]
    alarm = int(np.argmax(drift.alarm_level(wrong, 0.05) >= math.log(drift.ALARM_EVERY)))
    standing = drift.judge(wrong, 0.05, 0.05)
    assert standing.alarm
    assert standing.revoked_after is not None
    assert 300 < alarm < standing.revoked_after
    later = drift.judge(np.r_[wrong, np.zeros(500, bool)], 0.05, 0.05)
    assert later.revoked_after == standing.revoked_after
    assert not later.alarm


def test_long_streams_stay_finite():
    """Protects years of evidence from overflow, whichever way they went."""
    for wrong in (np.zeros(10**6, bool), np.ones(2000, bool)):
        standing = drift.judge(wrong, 0.01, 0.05)
        assert math.isfinite(standing.capital)
        assert (standing.revoked_after is None) == (not wrong.any())


def test_nonsense_is_refused():
    """Protects from judging by limits that are none."""
    with pytest.raises(ValueError, match="error rate"):
        drift.judge([True], 0.0, 0.05)
    with pytest.raises(ValueError, match="delta"):
        drift.judge([True], 0.05, 0.0)
