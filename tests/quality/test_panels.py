"""What a panel says and when it grows; how a list is audited. Pure rules."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.quality.audits.frames import RISK_MIN, budget, choose, frame_delta, risks
from canut.quality.audits.panels import Next, agree_min, backed, compare, next_of, verdicts
from canut.questions.registry import load_question

COLOUR = load_question(
    {
        "type": "choice",
        "title": "Which?",
        "options": [{"value": v, "label": v} for v in ("red", "green", "blue")],
    }
)
TEXT = load_question({"type": "text", "title": "Say", "tolerance": 0.2})
SCALE = load_question({"type": "scale", "title": "How?", "min": 1, "max": 5, "tolerance": 1})
RECORD = load_question(
    {
        "type": "record",
        "title": "Both",
        "fields": [
            {
                "name": "colour",
                "type": "choice",
                "title": "Which?",
                "options": [{"value": v, "label": v} for v in ("red", "green")],
            },
            {"name": "note", "type": "text", "title": "Say", "required": False},
        ],
    }
)


def test_the_same_answer_is_what_the_question_calls_so() -> None:
    """Classes whole, points and texts within their tolerance, records field by field."""
    assert compare(COLOUR, "red", "red")
    assert not compare(COLOUR, "red", "blue")
    assert compare(SCALE, 2, 3)
    assert not compare(SCALE, 2, 4)
    assert compare(TEXT, "silk weaver", "silk weavers")
    assert not compare(TEXT, "silk", "cotton")
    assert compare(RECORD, {"colour": "red", "note": "worn"}, {"colour": "red", "note": "Worn"})
    assert not compare(RECORD, {"colour": "red", "note": "worn"}, {"colour": "red"})
    assert not compare(
        RECORD, {"colour": "red", "note": "worn"}, {"colour": "green", "note": "worn"}
    )
    assert agree_min(COLOUR) == 1
    assert agree_min(RECORD) == pytest.approx(0.9)


def test_a_record_is_backed_field_by_field() -> None:
    """Nobody gave the whole of it, more than half gave each part."""
    said = [
        {"colour": "red", "note": "worn"},
        {"colour": "red", "note": "new"},
        {"colour": "green", "note": "worn"},
    ]
    [verdict] = verdicts(RECORD, [said])
    assert verdict.value == {"colour": "red", "note": "worn"}
    assert (verdict.resolved, verdict.unanimous) == (True, False)
    assert not backed(RECORD, {"colour": "green", "note": "worn"}, said)


def test_how_a_panel_grows() -> None:
    """The first round must be of one mind; then more than half settle it; twice the panel is the
    end."""
    steps = []
    for said in (
        ["red"],
        ["red", "red"],
        ["red", "green"],
        ["red", "green", "red"],
        ["red", "green", "blue"],
        ["red", "green", "red", "green"],
    ):
        [verdict] = verdicts(COLOUR, [said])
        steps.append(next_of(verdict, len(said), max(len(said), 2), people=2, most=4))
    ask, settle, wait = Next.ASK, Next.SETTLE, Next.WAIT
    assert steps == [wait, settle, ask, settle, ask, settle]


@given(st.lists(st.sampled_from(["red", "green", "blue"]), min_size=2, max_size=4))
def test_no_class_is_favoured(said: list[str]) -> None:
    """Asking more depends on how answers compare, not on what they are: relabelled, the panel goes
    on in the same way, so that errors are found as often as there are."""
    outcomes = set()
    for names in itertools.permutations(("red", "green", "blue")):
        new = dict(zip(("red", "green", "blue"), names, strict=True))
        [verdict] = verdicts(COLOUR, [[new[value] for value in said]])
        outcomes.add((next_of(verdict, len(said), 2, people=2, most=4), verdict.resolved))
    assert len(outcomes) == 1


def test_shares_of_delta_add_up() -> None:
    """All lists of a step together spend delta, the first four fifths of it."""
    shares = [frame_delta(0.05, number) for number in range(1, 2000)]
    assert shares[0] == pytest.approx(0.04)
    assert 0.0499 < sum(shares) < 0.05
    assert shares == sorted(shares, reverse=True)


def test_the_design_is_the_one_that_proves_sooner() -> None:
    """Uniform in small batches, where confidences are equal, and where nothing can be proved; by
    risk in large ones where a few decisions are doubtful."""
    few = np.where(np.arange(20_000) % 20 == 0, 0.85, 0.999)
    assert choose(few, 0.02, 0.04, 10_000).kind == "risk"
    assert choose(few, 0.02, 0.04, 100).kind == "uniform"
    assert choose(few[:100], 0.02, 0.04, 100).kind == "uniform"
    assert choose(np.full(20_000, 0.99), 0.02, 0.04, 10_000).kind == "uniform"
    lost = choose(np.full(1000, 0.9), 0.02, 0.04, 1000)
    assert (lost.kind, lost.uniform, lost.risk) == ("uniform", None, None)
    assert "not provable" in lost.reason


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_risks_follow_confidence(confidence: list[float]) -> None:
    """Between the least that anybody can know and certainty, falling as confidence grows."""
    found = risks(confidence)
    assert found.min() >= RISK_MIN * 1_000_000
    assert found.max() <= 1_000_000
    order = np.argsort(confidence)
    assert (np.diff(found[order]) <= 0).all()


def test_the_budget() -> None:
    """So many, such a share, and never more than there are."""
    assert budget(1000, 400, 0.1) == 100
    assert budget(10_000, 400, 0.1) == 400
    assert budget(7, 400, 0.1) == 1
    assert budget(3, 400, 1.0) == 3
    assert budget(100, 400, 0.29) == 29
