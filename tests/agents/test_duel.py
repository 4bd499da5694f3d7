"""Duels: false promotions within delta however often one looks, and verdicts that come."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.arena.duel import STAKES, Pairs, Terms, capital, judge


def run(rng: np.random.Generator, terms: Terms, lost: float, won: float, cheaper: bool) -> str:
    """A duel looked at after every pair, until it ends: the first look with a verdict counts."""
    n = np.arange(1, terms.pairs_max + 1)
    draws = rng.random(terms.pairs_max)
    losing, winning = np.cumsum(draws < lost), np.cumsum(draws > 1 - won)
    bar = -math.log(terms.delta)
    ends = capital(n, losing, winning, 0.0) >= bar
    ends |= capital(n, winning, losing, -terms.margin if cheaper else 0.0) >= bar
    if cheaper:
        ends |= capital(n, losing, winning, terms.margin) >= bar
    ends[-1] = True
    last = int(np.argmax(ends))
    pairs = Pairs(last + 1, int(losing[last]), int(winning[last]))
    return judge(pairs, terms, cheaper=cheaper).verdict


@pytest.mark.parametrize(
    ("lost", "won", "cheaper"), [(0.06, 0.06, False), (0.05, 0.03, True), (0.15, 0.13, True)]
)
def test_false_promotions_are_within_delta(lost: float, won: float, cheaper: bool) -> None:
    """A challenger exactly as bad as must not be promoted is promoted in at most delta of duels,
    looked at after every single pair."""
    terms = Terms(margin=0.02, delta=0.1, pairs_max=400)
    rng = np.random.default_rng(7)
    duels = 1000
    false = sum(run(rng, terms, lost, won, cheaper) == "promote" for _ in range(duels))
    # three standard deviations of luck
    assert false / duels <= terms.delta + 3 * math.sqrt(terms.delta / duels)


@given(
    st.floats(0, 0.3), st.floats(0.02, 0.5), st.integers(0, len(STAKES) - 1), st.floats(-0.9, 0.9)
)
def test_every_bet_is_fair(margin: float, share: float, stake: int, tilt: float) -> None:
    """One more pair multiplies capital by 1 on average where the claim just holds, and by less
    where it holds with room: the property that makes peeking harmless, by enumeration."""
    won, lost = share * (1 - tilt) / 2, share * (1 + tilt) / 2
    bound, terms = lost - won, Terms(max(lost - won, 0.0), 0.05, 10)
    if bound < 0:
        won, lost, bound = lost, won, -bound
        terms = Terms(bound, 0.05, 10)
    before = judge(Pairs(stake, 0, 0), terms, cheaper=True)
    mean = sum(
        chance * judge(Pairs(stake + 1, *d), terms, cheaper=True).near_enough
        for chance, d in ((lost, (1, 0)), (won, (0, 1)), (1 - lost - won, (0, 0)))
    )
    assert mean == pytest.approx(before.near_enough, rel=1e-9)


@pytest.mark.parametrize(
    ("lost", "won", "cheaper", "expected"),
    [(0.02, 0.12, False, "promote"), (0.01, 0.01, True, "promote"), (0.15, 0.03, False, "drop"),
     (0.15, 0.03, True, "drop"), (0.03, 0.03, False, "drop")],
)  # fmt: skip
def test_the_better_and_the_cheaper_win(
    lost: float, won: float, cheaper: bool, expected: str
) -> None:
    """Better is promoted even if dear, as good only if cheaper; worse is dropped, and so is what
    proves nothing in its time."""
    rng = np.random.default_rng(3)
    terms = Terms(margin=0.04, delta=0.05, pairs_max=2000)
    verdicts = [run(rng, terms, lost, won, cheaper) for _ in range(10)]
    assert verdicts.count(expected) >= 9


def test_a_duel_begins_undecided() -> None:
    """Nothing is proved by nothing; impossible counts are refused."""
    terms = Terms(0.02, 0.05, 100)
    result = judge(Pairs(0, 0, 0), terms, cheaper=True)
    assert (result.verdict, result.better, result.worse) == ("continue", 1.0, 1.0)
    with pytest.raises(ValueError, match="more pairs"):
        judge(Pairs(3, 2, 2), terms, cheaper=True)
