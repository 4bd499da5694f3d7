"""Drift that was injected is found; where nothing drifts, alarms are rare; reactions keep order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.arena.drift import (
    CALM,
    SETTLE,
    STEPS,
    UNPROVED,
    Alarm,
    Seen,
    Watch,
    Watchfulness,
    distance,
    react,
)  # fmt: skip
from canut.agents.learning.learner import LEARNER, Learner
from canut.agents.model import Step, items_of
from tests.agents.test_learner import TOPICS, choice_of, examples_of

Row = tuple[dict[str, str], str]
NEW = "loom weft shuttle bobbin heddle"


def stream(
    rng: np.random.Generator, n: int, shares: tuple[float, ...], new: float = 0.0
) -> list[Row]:
    """Items of known classes in these shares, and a share of a class nobody has met."""
    names = list(TOPICS)
    rows = []
    for _ in range(n):
        name = "other" if rng.random() < new else names[rng.choice(3, p=shares)]
        words = (TOPICS | {"other": NEW})[name].split()
        title = " ".join([*rng.choice(words, 2), rng.choice(["lamp", "coat", "sofa"])])
        rows.append(({"title": title}, name))
    return rows


EVEN = (1 / 3, 1 / 3, 1 / 3)


def agent() -> tuple[Learner, Step]:
    step = choice_of(*TOPICS)
    state = LEARNER.load(step, None).learn(
        examples_of(step, stream(np.random.default_rng(0), 200, EVEN))
    )
    return LEARNER.load(step, state), step


def watched(learner: Learner, step: Step, rows: list[Row], watch: Watch) -> list[Alarm]:
    """Alarms while these rows pass; one in ten is answered blind by people."""
    items = items_of(step, [(i, "", payload) for i, (payload, _) in enumerate(rows)])
    odd = learner.unfamiliar(items)
    alarms: list[Alarm] = []
    for i, (told, (_, right)) in enumerate(zip(learner.answer(items), rows, strict=True)):
        none = told.value is None
        alarms += watch.see(Seen(float(odd[i]), told.confidence, told.value or "", none))
        if i % 10 == 0:
            alarms += watch.audited(told.value != right)
    return alarms


def test_a_new_class_raises_the_alarm() -> None:
    """A fifth of the work is of a class that did not exist: its words are new."""
    learner, step = agent()
    rng, watch = np.random.default_rng(1), Watch(list(TOPICS))
    assert watched(learner, step, stream(rng, 1500, EVEN), watch) == []
    alarms = watched(learner, step, stream(rng, 1500, EVEN, new=0.2), watch)
    assert {"input", "confidence"} <= {alarm.signal for alarm in alarms}


def test_a_word_that_changes_its_meaning_is_found_by_audits() -> None:
    """Overnight, what was blue is called red: same words, same confidence. Only people's blind
    answers can tell, and they do."""
    learner, step = agent()
    rng, watch = np.random.default_rng(2), Watch(list(TOPICS))
    assert watched(learner, step, stream(rng, 2000, EVEN), watch) == []
    overnight = [(p, "red" if v == "blue" else v) for p, v in stream(rng, 3000, EVEN)]
    alarms = watched(learner, step, overnight, watch)
    assert {alarm.signal for alarm in alarms} == {"audit"}
    assert alarms[0].after > alarms[0].before


def test_class_shares_that_move_are_found() -> None:
    """The season changes: far more blue. The classes that moved are named."""
    learner, step = agent()
    rng, watch = np.random.default_rng(3), Watch(list(TOPICS))
    assert watched(learner, step, stream(rng, 1500, EVEN), watch) == []
    alarms = watched(learner, step, stream(rng, 1500, (0.8, 0.1, 0.1)), watch)
    moved = {alarm.name: alarm.after - alarm.before for alarm in alarms if alarm.signal == "class"}
    assert moved["blue"] > 0
    assert distance([10, 10, 10], [24, 3, 3]) == pytest.approx(7 / 15)


def test_no_alarm_without_drift() -> None:
    """On 40 streams of 1500 items without drift, at most two have any alarm."""
    rng = np.random.default_rng(4)
    false = 0
    for _ in range(40):
        watch = Watch(["a", "b", "c"])
        answers = rng.choice(["a", "b", "c"], 1500)
        sure, odd = rng.beta(8, 2, 1500), rng.beta(2, 8, 1500)
        none, wrong = rng.random(1500) < 0.03, rng.random(1500) < 0.05
        false += any(
            watch.see(Seen(odd[i], sure[i], str(answers[i]), bool(none[i])))
            + (watch.audited(bool(wrong[i])) if i % 10 == 0 else [])
            for i in range(1500)
        )
    assert false <= 2


AUDIT, INPUT = Alarm("audit", "", 0.05, 0.2), Alarm("input", "", 0.1, 0.4)


def test_reactions_come_in_order() -> None:
    """Each further step needs time or errors found by people; nothing but these leads beyond
    retraining; calm relaxes, except what waits for people."""
    state, told = Watchfulness(), []
    for _ in range(6):
        state = react(state, [AUDIT], 10)
        told.append(state.step)
    assert told == ["threshold", "people", "retrain", "challenge", "revoke", "revoke"]
    assert react(state, [], CALM * 2).step == "revoke"
    state = react(Watchfulness(), [INPUT], 1)
    assert react(state, [INPUT], SETTLE - 1).step == "threshold"
    for _ in range(10):
        state = react(state, [INPUT], SETTLE)
    assert state.step == STEPS[UNPROVED]
    assert react(state, [], CALM).step == "people"


@given(st.lists(st.tuples(st.sampled_from(["", "input", "audit"]), st.integers(1, 3000))))
def test_no_step_is_skipped(events: list[tuple[str, int]]) -> None:
    """Whatever comes: one step at a time, and never a proposal to revoke without an audit."""
    state, audited = Watchfulness(), False
    for signal, items in events:
        alarms = [Alarm(signal, "", 0.0, 1.0)] if signal else []
        audited = audited or signal == "audit"
        after = react(state, alarms, items)
        assert abs(STEPS.index(after.step) - STEPS.index(state.step)) <= 1
        assert audited or STEPS.index(after.step) <= UNPROVED
        state = after
