"""When gold is retired by itself: rarely where it is good, soon where it is not."""

import itertools

import numpy as np
import pytest

from canut.quality.gold.rules import (
    DISPUTE_DELTA,
    FIRST_LOOK,
    HARD_AGREED,
    LEAK_DELTA,
    disputed,
    leak,
    skill,
)


def answers(chance: np.random.Generator, rate: np.ndarray) -> np.ndarray:
    return np.asarray(chance.random(len(rate)) < rate)


def shifted(skills: np.ndarray, by: float) -> np.ndarray:
    """Chance to be right on gold that is easier or harder than most."""
    odds = np.exp(np.log(skills / (1 - skills)) + by)
    return np.asarray(odds / (1 + odds))


def test_gold_that_did_not_leak_stays() -> None:
    """Easy, hard, answered by ever better people: seeded, 500 golds with three looks each."""
    chance, retired = np.random.default_rng(46), 0
    for by in np.repeat([-2.0, -0.5, 0.0, 1.0, 2.0], 100):
        better = np.linspace(0, 0.25, 4 * FIRST_LOOK)
        skills = np.clip(chance.beta(7, 4, 4 * FIRST_LOOK) + better, 0.05, 0.98)
        found = leak(answers(chance, shifted(skills, by)), skills)
        assert found is not None
        retired += found.leaked
    assert retired / 500 <= LEAK_DELTA


def test_gold_that_leaked_goes() -> None:
    """From a third of its answers on, everybody knows: nine in ten are found at 192 answers."""
    chance, retired = np.random.default_rng(47), 0
    for _ in range(200):
        skills = chance.beta(7, 3, 192)
        rate = np.where(np.arange(192) < 64, shifted(skills, -0.7), 0.98)
        found = leak(answers(chance, rate), skills)
        assert found is not None
        retired += found.leaked
    assert retired / 200 >= 0.9


def test_the_tail_is_that_of_every_order() -> None:
    """The p-value against brute force: among all ways to be right so often, weighed by skill, the
    share of those with as many right in the later half or more."""
    skills = np.array([0.6, 0.7, 0.9, 0.5, 0.8, 0.6] * 2 + [0.7] * (FIRST_LOOK - 12))
    right = np.zeros(FIRST_LOOK, bool)
    right[[1, 13, 15, 20]] = True
    odds, half = skills / (1 - skills), FIRST_LOOK // 2
    weight = {
        places: np.prod(odds[list(places)])
        for places in itertools.combinations(range(FIRST_LOOK), 4)
    }
    tail = sum(w for places, w in weight.items() if sum(p >= half for p in places) >= 3)
    found = leak(right, skills)
    assert found is not None
    assert found.p == pytest.approx(tail / sum(weight.values()))


def test_few_answers_say_nothing_of_leaks() -> None:
    """Before the first look there is none."""
    assert leak([True] * (FIRST_LOOK - 1), [0.5] * (FIRST_LOOK - 1)) is None


def test_wrong_gold_is_found_by_four_good_contributors() -> None:
    """Four who are right 95 times in a hundred elsewhere all say otherwise."""
    four = disputed([False] * 4, [95] * 4, [100] * 4)
    assert (four.good, four.agreed, four.disputed) == (4, 0, True)
    assert not disputed([False] * 3, [95] * 3, [100] * 3).disputed


def test_strangers_and_the_unskilled_dispute_nothing() -> None:
    """Only those who are known to be good have a say."""
    assert disputed([False] * 50, [5] * 50, [5] * 50).good == 0
    assert not disputed([False] * 50, [70] * 50, [100] * 50).disputed
    assert not disputed([], [], []).disputed


def test_hard_gold_that_is_right_stays() -> None:
    """Looking after every fifth answer, gold that three good contributors in four agree with is
    retired within `DISPUTE_DELTA`, in a seeded simulation of 300."""
    chance, retired = np.random.default_rng(48), 0
    for _ in range(300):
        right = chance.random(60) < HARD_AGREED
        looks = range(5, 61, 5)
        retired += any(disputed(right[:n], [95] * n, [100] * n).disputed for n in looks)
    assert retired / 300 <= DISPUTE_DELTA


def test_strangers_are_taken_for_usual() -> None:
    """Skill is 0.7 of whom nothing is known, and the record's own share in the long run."""
    assert skill([0, 950], [0, 1000]) == pytest.approx([0.7, 0.9475], abs=1e-3)
