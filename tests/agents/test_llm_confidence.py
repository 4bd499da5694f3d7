"""How far a model's own measure of itself is believed: never further than blind evidence goes."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.llm.confidence import (
    EVIDENCE_MIN,
    UNPROVEN,
    Calibration,
    agreement,
    calibrate,
)
from canut.agents.llm.logprobs import Token, probability
from canut.questions.base import Question
from canut.questions.registry import load_question

RECORD = load_question(
    {
        "type": "record",
        "title": "t",
        "fields": [{"name": name, "type": "number", "title": name} for name in ("a", "b")],
    }
)
NUMBER = load_question({"type": "number", "title": "t"})

PAIRS = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0.2, 0.6, 1.0]), st.booleans()), max_size=300
)


@pytest.mark.parametrize(
    ("question", "values", "chosen", "score"),
    [
        (NUMBER, [3.0], 0, 1.0),
        (NUMBER, [3.0, 4.0, 4.0], 1, 2 / 3),
        (NUMBER, [None, 4.0, None], 1, 1 / 3),
        (NUMBER, [5.0, 4.0], 0, 1 / 2),
        (RECORD, [{"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 3.0}], 0, 3 / 4),
    ],
)
def test_samples_agree_as_their_question_says(
    question: Question, values: list[Any], chosen: int, score: float
) -> None:
    """The sample nearest to all stands for them; one without an answer backs nobody."""
    agreed = agreement(question, values)
    assert agreed is not None
    assert (agreed.chosen, agreed.score) == (chosen, pytest.approx(score))
    assert agreement(question, [None, None]) is None


def test_the_least_sure_value_counts() -> None:
    """Of a record, its least sure field; keys and brackets say nothing; a reply whose tokens do
    not make its text has no probability."""
    tokens = [
        Token('{"answer":{"a":', -9.0),
        Token("12", -0.1),
        Token(',"b":', -9.0),
        Token("3", -0.3),
        Token("4", -0.4),
        Token("}}", -9.0),
    ]
    text = "".join(token.token for token in tokens)
    # the closing brackets share no character with a value
    assert probability(text, tokens) == pytest.approx(math.exp(-0.7))
    assert probability(text + " ", tokens) is None
    assert probability(text, []) is None
    assert probability("{}", [Token("{}", 0.0)]) is None


@given(PAIRS)
def test_a_calibration_is_a_modest_staircase(pairs: list[tuple[float, bool]]) -> None:
    """It never falls, lies in 0..1, does not depend on the order, and on the whole promises less
    than was seen; without enough evidence it is the constant."""
    score, right = [one for one, _ in pairs], [one for _, one in pairs]
    fitted = calibrate(score, right)
    said = [fitted(one) for one in np.linspace(0, 1, 101)]
    assert said == sorted(said)
    assert all(0 <= one <= 1 for one in said)
    assert fitted == calibrate(score[::-1], right[::-1])
    if len(pairs) < EVIDENCE_MIN:
        assert set(said) == {UNPROVEN}
    else:
        assert sum(map(fitted, score)) <= sum(right) + 1e-9
        assert fitted.evidence == len(pairs)


def test_without_evidence_every_answer_has_one_confidence() -> None:
    """Whatever a model says of itself."""
    assert {Calibration()(score) for score in (0.0, 0.5, 1.0)} == {UNPROVEN}


@pytest.mark.parametrize("n", [40, 150, 1000])
def test_an_overconfident_model_is_brought_down_and_not_believed_too_far(n: int) -> None:
    """A model that says 0.95 and is right in 70%, says 0.6 and is right in 40%: over 200 fits the
    confidence stays below the truth on average, and comes near it with evidence."""
    random = np.random.default_rng(n)
    truth = {0.6: 0.4, 0.95: 0.7}
    said: dict[float, list[float]] = {score: [] for score in truth}
    for _ in range(200):
        score = random.choice(list(truth), n)
        right = random.random(n) < np.vectorize(truth.get)(score)
        fitted = calibrate(score, right)
        for one in truth:
            said[one].append(fitted(one))
    means = {score: np.mean(values) for score, values in said.items()}
    assert sum(means.values()) < sum(truth.values())
    # forty answers do not tell the two scores apart, and the pool is worth what it is as a whole
    if n >= 150:
        assert all(means[score] < share for score, share in truth.items())
    if n == 1000:
        assert all(means[score] > share - 0.05 for score, share in truth.items())
