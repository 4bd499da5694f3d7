"""`record`: fields, conditions, dotted names, and beliefs field by field."""

from typing import Any

import jsonschema
import pytest

from canut.errors import Invalid
from canut.questions.conformance import as_answers, fresh
from canut.questions.record import RECORD, Record

MODERATION = RECORD.load(RECORD.example()[0])


def choice(name: str, *values: str, **keys: Any) -> dict[str, Any]:
    options = [{"value": value} for value in values]
    return {"name": name, "type": "choice", "title": name, "options": options} | keys


def record(*fields: dict[str, Any]) -> Record:
    return RECORD.load({"type": "record", "title": "What?", "fields": list(fields)})


def fields_refused(question: Record, raw: Any) -> set[str]:
    with pytest.raises(Invalid) as caught:
        question.normalise(raw)
    return {problem.field for problem in caught.value.problems}


def test_reasons_are_required_only_for_a_rejection():
    """Protects due process: no rejection without a reason, no reasons asked for a publication."""
    assert MODERATION.normalise({"verdict": "publish"}) == {"verdict": "publish"}
    assert fields_refused(MODERATION, {"verdict": "reject"}) == {"reasons"}
    assert fields_refused(MODERATION, {"verdict": "reject", "reasons": []}) == {"reasons"}
    left_ticked = {"verdict": "publish", "reasons": ["insult"], "note": "  "}
    assert MODERATION.normalise(left_ticked) == {"verdict": "publish"}


def test_the_schema_knows_the_condition():
    """Protects API clients, who see the rule before they send."""
    validator = jsonschema.Draft202012Validator(MODERATION.schema())
    assert validator.is_valid({"verdict": "publish"})
    assert not validator.is_valid({"verdict": "reject"})
    assert validator.is_valid({"verdict": "reject", "reasons": ["insult"]})


def test_a_condition_on_several_picks():
    """Protects conditions on a field that picks several: one of the values is enough."""
    tags = choice("tags", "food", "toy") | {"type": "choices"}
    age = choice("age", "0+", "3+", required_when={"field": "tags", "in": ["toy"]})
    question = record(tags, age)
    assert fields_refused(question, {"tags": ["food", "toy"]}) == {"age"}
    assert question.normalise({"tags": ["food"]}) == {"tags": ["food"]}
    validator = jsonschema.Draft202012Validator(question.schema())
    assert not validator.is_valid({"tags": ["food", "toy"]})
    assert validator.is_valid({"tags": ["food"]})


def test_problems_name_the_dotted_field():
    """Protects who has to find the mistake in a nested answer: all of them, by path."""
    inner = {"name": "box", "type": "record", "title": "Box", "fields": [
        {"name": "width", "type": "number", "title": "Width"},
        {"name": "depth", "type": "number", "title": "Depth"},
    ]}  # fmt: skip
    question = record(choice("kind", "a", "b"), inner)
    raw = {"kind": "c", "box": {"width": "wide", "extra": 1}, "more": 2}
    assert fields_refused(question, raw) == {"kind", "box.width", "box.depth", "box.extra", "more"}
    assert fields_refused(question, {"kind": "a"}) == {"box"}
    form = {"answer.kind": ["a"], "answer.box.width": ["1,5"], "answer.box.depth": ["2"]}
    value = question.normalise(question.from_form(form))
    assert value == {"kind": "a", "box": {"width": 1.5, "depth": 2.0}}
    names = [field["data"]["name"] for field in question.widget("en").data["fields"]]
    assert names == ["answer.kind", "answer.box"]


def test_every_mistake_in_the_fields_is_named_by_its_path():
    """Protects who writes a process: problems of nested questions keep their place."""
    with pytest.raises(Invalid) as caught:
        record(
            choice("a", "x", required="yes"),
            choice("a", "x"),
            {"name": "B!", "type": "chioce", "title": "B"},
            choice("c", "x", "x", wrong=1),
            choice("d", "x", required_when={"field": "e", "in": ["x"]}),
            choice("e", "x", required_when={"field": "a", "in": ["y"], "not": 1}),
            choice("f", "x", required=True, required_when={"field": "a", "in": ["x"]}),
            {"type": "text", "title": "nameless", "required_when": {"field": "a", "in": []}},
        )
    assert {problem.field for problem in caught.value.problems} == {
        "question.fields[0].required",
        "question.fields[1].name",
        "question.fields[2].name",
        "question.fields[2].type",
        "question.fields[3].options[1].value",
        "question.fields[3].wrong",
        "question.fields[4].required_when.field",
        "question.fields[5].required_when.in[0]",
        "question.fields[5].required_when.not",
        "question.fields[6].required",
        "question.fields[7].name",
        "question.fields[7].required_when.in",
    }


def believed(question: Record, *raw: Any) -> Any:
    rows = [(0, c, question.normalise(value)) for c, value in enumerate(raw)]
    return question.aggregate(as_answers(rows, 1), fresh(len(raw)))


def test_a_rejection_is_believed_with_its_reasons():
    """Protects the whole of a moderation: the verdict of most, the reasons of who rejected."""
    reject = {"verdict": "reject", "reasons": ["advert"]}
    belief = believed(MODERATION, reject, reject, {"verdict": "publish"}, reject)
    assert belief.value == [reject]
    assert belief.agreement[0] > belief.agreement[2]
    belief = believed(MODERATION, {"verdict": "publish"}, {"verdict": "publish"}, reject)
    assert belief.value == [{"verdict": "publish"}]


def test_the_least_sure_required_field_sets_the_confidence():
    """Protects the target: a record is as sure as its weakest required field, and an optional
    field does not hold it up."""
    question = record(
        choice("a", "x", "y"), choice("b", "x", "y"), choice("c", "x", "y", required=False)
    )
    agreed = believed(question, *[{"a": "x", "b": "x"}] * 4)
    torn = believed(question, *[{"a": "x", "b": "x"}] * 3, {"a": "x", "b": "y"})
    optional = believed(
        question, *[{"a": "x", "b": "x"}] * 2, *[{"a": "x", "b": "x", "c": "y"}] * 2
    )
    assert torn.value == [{"a": "x", "b": "x"}]
    assert torn.confidence[0] < agreed.confidence[0]
    assert optional.confidence[0] == agreed.confidence[0]


def test_whether_an_optional_field_is_left_out_is_decided_too():
    """Protects from keeping a note that one of many wrote, and from losing one that most did."""
    question = record(choice("a", "x", "y"), choice("b", "x", "y", required=False))
    some, none = {"a": "x", "b": "y"}, {"a": "x"}
    assert believed(question, some, none, none).value == [none]
    assert believed(question, some, some, none).value == [some]


def test_a_record_of_optional_fields_only():
    """Protects a record that may be empty: emptiness is an answer, with a confidence."""
    question = record(choice("a", "x", "y", required=False))
    belief = believed(question, {}, {"a": ""}, {"a": None})
    assert belief.value == [{}]
    assert 0.5 < belief.confidence[0] < 1


def test_described_in_both_languages():
    """Protects exports people read."""
    value = {"verdict": "reject", "reasons": ["insult", "advert"]}
    assert MODERATION.describe(value, "en") == "Verdict: Reject; Reasons: Insults, Advertising"
    assert MODERATION.describe(value, "fr") == (
        "Verdict\u00a0: Refuser; Motifs\u00a0: Insultes, Publicité"
    )


def test_the_widget_tells_the_condition_by_form_name():
    """Protects the script that shows the reasons when the verdict asks for them."""
    fields = MODERATION.widget("en", "answer").data["fields"]
    assert [field["template"] for field in fields] == ["choice.html", "choices.html", "text.html"]
    assert fields[1]["required_when"] == {"name": "answer.verdict", "in": ["reject"]}
    assert fields[2]["required"] is False
