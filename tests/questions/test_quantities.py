"""`scale`, `number` and `text`: what is accepted, what agrees, what is believed."""

from typing import Any

import pytest

from canut.errors import Invalid
from canut.questions.conformance import as_answers, fresh
from canut.questions.number import NUMBER
from canut.questions.scale import SCALE
from canut.questions.text import TEXT


def load(kind: Any, **keys: Any) -> Any:
    return kind.load({"type": kind.name, "title": "What?"} | keys)


def problems(kind: Any, **keys: Any) -> set[str]:
    with pytest.raises(Invalid) as caught:
        load(kind, **keys)
    return {problem.field for problem in caught.value.problems}


def believed(question: Any, *values: Any) -> tuple[Any, float]:
    """Value and confidence when fresh contributors give these answers to one task."""
    rows = [(0, c, question.normalise(value)) for c, value in enumerate(values)]
    belief = question.aggregate(as_answers(rows, 1), fresh(len(values)))
    return belief.value[0], float(belief.confidence[0])


TYPED = [
    ("12.5", 12.5), ("12,5", 12.5), (" 7 ", 7.0), ("1 234,50", 1234.5), ("1\u202f234", 1234.0),
    ("-3", -3.0), (".5", 0.5), ("1e3", 1000.0), ("0,250", 0.25), ("1'250", 1250.0), (-0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "value"), TYPED)
def test_numbers_as_people_type_them(typed: Any, value: float):
    """Protects contributors who write a decimal comma or group thousands."""
    number = load(NUMBER).normalise(typed)
    assert repr(number) == repr(value)


@pytest.mark.parametrize(
    "typed", ["1,234", "12 5", "1.2.3", "1,2,3", "0x10", "1_000", "twelve", "", "9" * 60, "nan"]
)
def test_numbers_that_can_be_misread_are_refused(typed: str):
    """Protects amounts: a thousand must not become one and a bit in silence."""
    with pytest.raises(Invalid):
        load(NUMBER).normalise(typed)


def test_number_limits_and_whole_numbers():
    """Protects bounds, and whole numbers from becoming decimals."""
    question = load(NUMBER, min=0, max=10, integer=True)
    assert repr(question.normalise(4.0)) == "4"
    for wrong in (-1, 11, 4.5, True):
        with pytest.raises(Invalid):
            question.normalise(wrong)
    assert problems(NUMBER, min=3, max=1) == {"question.min"}
    assert problems(NUMBER, min="a", tolerance=-1) == {"question.min", "question.tolerance"}


def test_numbers_agree_within_the_larger_tolerance():
    """Protects measurements from counting as errors when they are not."""
    question = load(NUMBER, tolerance=0.5, relative_tolerance=0.01)
    assert question.agree(10.0, 10.5) == 1
    assert question.agree(10.0, 10.6) == 0
    assert question.agree(1000.0, 1010.0) == 1
    assert load(NUMBER).agree(0.1 + 0.2, 0.3) == 1


def test_one_wild_number_does_not_move_the_belief():
    """Protects robust aggregation, and that support within the tolerance counts."""
    question = load(NUMBER, tolerance=1)
    value, confidence = believed(question, 250, 250.5, 249.5, 1e9)
    assert value == 250
    assert confidence > 0.9
    assert believed(question, 1, 50, 99)[1] < 0.5


def test_numbers_are_written_as_the_language_does():
    """Protects exports people read."""
    question = load(NUMBER, unit={"en": "mi", "fr": "km"})
    assert question.describe(1234.5678, "en") == "1,234.5678\u00a0mi"
    assert question.describe(1234.5, "fr") == "1\u202f234,5\u00a0km"
    assert question.describe(2.0, "xx-nowhere") == "2\u00a0mi"


def test_scale_points_and_labels():
    """Protects the points a scale has, and every mistake in its definition."""
    question = load(SCALE, min=0, max=3, labels={"0": "Bad", "3": {"en": "Good", "fr": "Bon"}})
    assert question.normalise("2") == 2
    assert question.describe(3, "fr") == "3 (Bon)"
    assert [p["label"] for p in question.widget("en").data["points"]] == ["Bad", "", "", "Good"]
    for wrong in (4, -1, 1.5, "two"):
        with pytest.raises(Invalid):
            question.normalise(wrong)
    wrong_labels = {"9": "Off", "x": "Off", "1": 3}
    assert problems(SCALE, labels=wrong_labels, tolerance=9) == {
        "question.labels.9",
        "question.labels.x",
        "question.labels.1",
        "question.tolerance",
    }
    assert problems(SCALE, min=5, max=5) == {"question.max"}
    assert problems(SCALE, min=0, max=101) == {"question.max"}


def test_scale_agreement_falls_with_distance():
    """Protects near misses from counting like contradictions."""
    question = load(SCALE)
    assert [question.agree(1, point) for point in range(1, 6)] == [1, 0.75, 0.5, 0.25, 0]
    assert believed(question, 3, 3, 4)[0] == 3


def test_texts_in_one_form():
    """Protects equality of texts: Unicode form, line ends and spaces around do not differ."""
    question = load(TEXT, max_length=5)
    assert question.normalise(" Cafe\u0301\r\n") == "Café"
    for wrong in ("", " \n ", "abcdef", "a\0", "\ud800", 3):
        with pytest.raises(Invalid):
            question.normalise(wrong)
    assert problems(TEXT, max_length=0, multiline="x") == {
        "question.max_length",
        "question.multiline",
    }


def test_texts_agree_as_far_as_their_letters_do():
    """Protects typing slips from counting as contradictions."""
    question = load(TEXT)
    assert question.agree("Belvoie", "BELVOIE") == 1
    assert question.agree("Belvoie", "Belvoye") == pytest.approx(6 / 7)
    assert question.agree("abc", "xyz") == 0
    assert load(TEXT, case_sensitive=True).agree("a", "A") == 0


def test_the_commonest_writing_of_the_central_text_is_believed():
    """Protects names: slips back the right one, capitals are those most wrote."""
    question = load(TEXT)
    value, confidence = believed(
        question, "ondine & fils", "Ondine & Fils", "Ondine & Fils", "Ondin & Fils"
    )
    assert value == "Ondine & Fils"
    assert confidence > 0.99
    assert believed(question, "Belvoie", "Martelle")[1] < 0.5
