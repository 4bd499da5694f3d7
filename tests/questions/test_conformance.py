"""Every registered question type keeps the contract; and the kit catches those that do not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from canut.errors import Invalid
from canut.questions.base import QuestionType, Track
from canut.questions.choice import CHOICE, Choice, ChoiceType
from canut.questions.conformance import (
    RULES,
    ConformanceError,
    as_answers,
    check_question_type,
    loaded,
)
from canut.questions.registry import question_type, question_types

ALL = [question_type(name) for name in question_types()]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_every_type_keeps_every_rule(kind: QuestionType, rule: Callable[[QuestionType], None]):
    """Protects the contract that the engine and the pages rely on, rule by rule."""
    rule(kind)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@given(data=st.data())
def test_any_crowd_is_aggregated_the_same_in_any_order(kind: QuestionType, data: st.DataObject):
    """Protects order-invariance, bounds and the absence of NaN for crowds nobody thought of."""
    question, values = loaded(kind)
    seats = st.tuples(st.integers(0, 4), st.integers(0, 5))
    who = data.draw(st.lists(seats, unique=True, max_size=20))
    rows = [(t, c, data.draw(st.sampled_from(values))) for t, c in who]
    right = np.array(data.draw(st.lists(st.floats(0, 50), min_size=6, max_size=6)))
    track = Track(right, right + data.draw(st.sampled_from([0.0, 1.0, 40.0])))
    belief = question.aggregate(as_answers(rows, 5), track)
    assert np.all((belief.confidence >= 0) & (belief.confidence <= 1))
    assert np.all((belief.agreement >= 0) & (belief.agreement <= 1))
    assert [value is not None for value in belief.value] == [
        any(task == t for task, _, _ in rows) for t in range(5)
    ]
    order = data.draw(st.permutations(range(len(rows))))
    other = question.aggregate(as_answers([rows[i] for i in order], 5), track)
    assert list(other.value) == list(belief.value)
    assert np.array_equal(other.confidence, belief.confidence)
    assert np.array_equal(other.agreement, belief.agreement[list(order)])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
@given(raw=JSON)
def test_whatever_is_sent_is_normalised_once_or_refused(kind: QuestionType, raw: Any):
    """Protects the API from answers of any shape: `Invalid`, or a stable normal form."""
    question, _ = loaded(kind)
    refused: Invalid | None = None
    try:
        value = question.normalise(raw)
        assert question.normalise(value) == value
    except Invalid as error:
        refused = error
    assert refused is None or refused.problems


class Forgetful(Choice, frozen=True):
    """A choice whose answer depends on the order of the answers."""

    def aggregate(self, answers: Any, track: Track) -> Any:
        belief = super().aggregate(answers, track)
        last = answers.value[-1] if len(answers.value) else None
        return structs.replace(belief, value=[v and last for v in belief.value])


class Lopsided(Choice, frozen=True):
    """A choice that agrees one way only."""

    def agree(self, left: Any, right: Any) -> float:
        return float(left <= right)


class Loose(Choice, frozen=True):
    """A choice that takes anything, with a schema that does not."""

    def normalise(self, raw: Any) -> Any:
        return raw if raw != " garden " else "garden"


class Crashing(Choice, frozen=True):
    """A choice that fails on what it does not expect."""

    def normalise(self, raw: Any) -> str:
        return super().normalise(raw.strip())


class Unsure(Choice, frozen=True):
    """A choice whose confidence is not a number."""

    def aggregate(self, answers: Any, track: Track) -> Any:
        belief = super().aggregate(answers, track)
        return structs.replace(belief, confidence=belief.confidence * np.nan)


class Deaf(Choice, frozen=True):
    """A choice that loses answers sent by form."""

    def from_form(self, form: Any, name: str = "answer") -> str | None:
        return super().from_form(form, "answer")


class Secretive(Choice, frozen=True):
    """A choice whose widget cannot be sent as JSON."""

    def widget(self, locale: str, name: str = "answer") -> Any:
        widget = super().widget(locale, name)
        return structs.replace(widget, data={**widget.data, "options": {1, 2}})


BROKEN = [
    (Forgetful, "aggregate_ignores_order"),
    (Lopsided, "agree_is_symmetric"),
    (Loose, "schema_agrees"),
    (Crashing, "odd_answers_are_refused_by_invalid"),
    (Unsure, "nothing_gives_nothing"),
    (Deaf, "forms_carry_answers"),
    (Secretive, "widget_speaks"),
]


@pytest.mark.parametrize(
    ("question", "rule"), BROKEN, ids=lambda part: getattr(part, "__name__", part)
)
def test_the_kit_catches_a_broken_question(question: type[Choice], rule: str):
    """Protects plug-in authors from a kit that lets everything pass."""

    class Broken(ChoiceType):
        def load(self, definition: Any) -> Choice:
            return question(**structs.asdict(super().load(definition)))

    with pytest.raises(ConformanceError, match=rule):
        check_question_type(Broken())
    check_question_type(CHOICE)


def test_the_kit_catches_a_load_that_stops_at_the_first_problem():
    """Protects the promise that every mistake in a definition is reported at once."""

    class Hasty(ChoiceType):
        def load(self, definition: Any) -> Choice:
            try:
                return super().load(definition)
            except Invalid as error:
                raise Invalid(error.message, problems=error.problems[:1]) from error

    with pytest.raises(ConformanceError, match="load_reports_every_problem"):
        check_question_type(Hasty())
