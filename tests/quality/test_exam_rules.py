"""The sequential test of exams, exactly: what it promises, and what the cut at sixty costs."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.quality.exams.rules import DAY_MS, Rules, chances, proved, retake_ms, verdict

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.92)


@pytest.mark.parametrize("level", LEVELS)
def test_whoever_is_not_good_enough_hardly_ever_passes(level: float) -> None:
    """At the level or below, the chance to pass is within `false_pass`, exactly computed."""
    rules = Rules(level)
    passed = [chances(skill, rules)[0] for skill in np.linspace(0, level, 21)]
    assert max(passed) <= rules.false_pass
    assert passed == sorted(passed)


@pytest.mark.parametrize(("level", "clears"), [(0.6, 0.93), (0.7, 0.91), (0.8, 0.78)])
def test_whoever_is_good_passes(level: float, clears: float) -> None:
    """At the skill the exam is made for, the chance to pass is as docs/gold-and-exams.md says; the
    very good pass nearly always, and after few questions."""
    rules = Rules(level)
    assert chances(rules.good, rules)[0] >= clears
    passed, asked = chances((1 + rules.good) / 2, rules)
    assert passed >= 0.975
    assert asked < rules.most / 2


def test_the_clearly_bad_finish_early() -> None:
    """Whoever is right half of the time at level 0.7 is asked seven or eight questions."""
    assert chances(0.5, Rules(0.7))[1] < 8


@pytest.mark.parametrize("skill", [0.3, 0.7, 0.9])
def test_chances_are_those_of_every_exam_there_can_be(skill: float) -> None:
    """Against brute force: every sequence of answers to an exam of at most nine questions."""
    rules = Rules(0.7, false_pass=0.3, least=3, most=9)
    passed = asked = 0.0
    for answers in itertools.product([True, False], repeat=rules.most):
        weight = float(np.prod([skill if right else 1 - skill for right in answers]))
        said = verdict(answers, rules)
        passed += weight * (said.state == "passed")
        asked += weight * said.answered
    assert chances(skill, rules) == pytest.approx((passed, asked))


def test_simulated_exams_err_as_computed() -> None:
    """2000 exams each of a seeded simulation, at the level and at the skill it is made for."""
    chance, rules = np.random.default_rng(6), Rules(0.7)
    for skill in (rules.level, rules.good):
        runs = chance.random((2000, rules.most)) < skill
        passed = np.mean([verdict(run.tolist(), rules).state == "passed" for run in runs])
        assert passed == pytest.approx(chances(skill, rules)[0], abs=0.02)


@given(st.lists(st.booleans(), max_size=70), st.sampled_from(LEVELS))
def test_an_exam_ends_once_and_means_what_it_says(right: list[bool], level: float) -> None:
    """More answers never change a result that is there; passed is when the level is proved; no
    exam is shorter than `least` or longer than `most`."""
    rules = Rules(level)
    said = verdict(right, rules)
    if said.state == "more":
        assert said.answered == len(right) < rules.most
    else:
        assert rules.least <= said.answered <= rules.most
        assert verdict([*right, True, False], rules) == said
        wrong = said.answered - said.right
        assert (said.state == "passed") == (proved(said.right, wrong, rules) >= level - 1e-9)


def test_clean_is_the_shortest_exam_that_passes() -> None:
    """`clean` right answers in a row pass and one fewer do not: with less gold there is no exam."""
    for level in LEVELS:
        rules = Rules(level)
        assert verdict([True] * rules.clean, rules).state == "passed"
        assert verdict([True] * (rules.clean - 1), rules).state == "more"
        assert rules.clean <= rules.most


def test_the_wait_grows() -> None:
    """A day, three, then seven each time."""
    assert [retake_ms(0, n) // DAY_MS for n in (1, 2, 3, 9)] == [1, 3, 7, 7]
