"""`choice` and `choices`: taxonomies, large lists, and what is said about wrong answers."""

import json
import time
from typing import Any

import pytest

from canut.errors import Invalid
from canut.questions.choice import CHOICE, Choice
from canut.questions.choices import CHOICES
from canut.questions.conformance import as_answers, fresh

TAXONOMY: list[dict[str, Any]] = [
    {"value": "home", "label": {"en": "Home", "fr": "Maison"}},
    {"value": "kitchen", "label": {"en": "Kitchen", "fr": "Cuisine"}, "parent": "home"},
    {"value": "kettle", "label": {"en": "Kettles", "fr": "Bouilloires"}, "parent": "kitchen",
     "synonyms": ["boiler"]},
    {"value": "sofa", "label": {"en": "Sofas", "fr": "Canapés"}, "parent": "home"},
]  # fmt: skip


def choice(**keys: Any) -> Choice:
    return CHOICE.load({"type": "choice", "title": "Which?", "options": TAXONOMY} | keys)


def problems(kind: Any, **keys: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        kind.load({"type": kind.name, "title": "Which?", "options": TAXONOMY} | keys)
    return {problem.field: problem.message for problem in caught.value.problems}


def refusal(question: Any, raw: Any) -> str:
    with pytest.raises(Invalid) as caught:
        question.normalise(raw)
    return "; ".join(str(problem) for problem in caught.value.problems)


def test_only_leaves_can_be_answered():
    """Protects a taxonomy from answers that stop half way, unless the question allows them."""
    question = choice()
    assert question.normalise("kettle") == "kettle"
    assert "sub-options" in refusal(question, "kitchen")
    assert question.schema()["enum"] == ["kettle", "sofa"]
    anything = choice(any_level=True)
    assert anything.normalise("kitchen") == "kitchen"
    belief = anything.aggregate(as_answers([(0, 0, "kitchen"), (0, 1, "kitchen")], 1), fresh(2))
    assert belief.value == ["kitchen"]


def test_a_label_or_synonym_leads_to_the_value():
    """Protects who types what they read: the refusal says which value to write."""
    question = choice()
    for typed in ("kettles", "BOUILLOIRES", "Boiler"):
        assert "write its value 'kettle'" in refusal(question, typed)
    assert "choose one of: kettle, sofa" in refusal(question, "bicycle")
    assert "no answer is given" in refusal(question, None)


def test_paths_are_in_the_language_asked_for():
    """Protects French pages and exports."""
    question = choice()
    assert question.describe("kettle", "fr") == "Maison › Cuisine › Bouilloires"
    assert question.describe("kettle", "en") == "Home › Kitchen › Kettles"
    assert question.describe("retired-option", "en") == "retired-option"
    (kettle, _) = question.options("fr")
    assert kettle == {
        "value": "kettle",
        "label": "Bouilloires",
        "hint": "",
        "path": ["Maison", "Cuisine"],
        "synonyms": ["boiler"],
    }


def test_every_mistake_in_the_options_is_named_by_its_path():
    """Protects who writes a taxonomy: one pass tells all."""
    options = [
        {"value": "a", "colour": "red"},
        {"value": "a"},
        {"label": "no value"},
        {"value": "b", "parent": "nowhere", "synonyms": "x"},
        {"value": "c", "label": {"en": ""}},
        "d",
    ]
    found = problems(CHOICE, options=options, any_level="yes")
    assert set(found) == {
        "question.any_level",
        "question.options[0].colour",
        "question.options[1].value",
        "question.options[2].value",
        "question.options[3].parent",
        "question.options[3].synonyms",
        "question.options[4].label.en",
        "question.options[5]",
        "question.options[5].value",
    }


def test_parents_in_a_ring_are_refused():
    """Protects paths from going round for ever."""
    ring = [{"value": v, "parent": p} for v, p in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"))]
    found = problems(CHOICE, options=ring)
    assert "question.options[0].parent" in found
    assert "question.options[3].parent" in found


@pytest.mark.parametrize("options", [None, [], "kettle", {}])
def test_a_choice_needs_options(options: Any):
    """Protects from a question nobody can answer."""
    assert problems(CHOICE, options=options).keys() == {"question.options"}


def test_ten_thousand_classes():
    """Protects large taxonomies: quick to load, quick to normalise, not in the page."""
    groups = [{"value": f"group-{i}"} for i in range(100)]
    leaves = [
        {"value": f"class-{i}", "label": f"Class {i}", "parent": f"group-{i % 100}"}
        for i in range(10_000)
    ]
    start = time.process_time()
    question = choice(options=groups + leaves)
    assert time.process_time() - start < 5
    start = time.process_time()
    for i in range(10_000):
        assert question.normalise(f"class-{i}") == f"class-{i}"
    assert time.process_time() - start < 1
    data = question.widget("en").data
    assert data["large"] is True
    assert data["count"] == 10_000
    assert "options" not in data
    assert len(json.dumps(data)) < 500
    assert len(question.options("en")) == 10_000
    assert len(refusal(question, "x")) < 300


def test_fifty_options_are_shown_fifty_one_are_not():
    """Protects the size of a task page."""
    options = [{"value": f"v{i}"} for i in range(51)]
    assert len(choice(options=options[:50]).widget("en").data["options"]) == 50
    assert "options" not in choice(options=options).widget("en").data


def picks(**keys: Any) -> Any:
    options = [{"value": v} for v in ("red", "green", "blue")]
    return CHOICES.load({"type": "choices", "title": "Which?", "options": options} | keys)


def test_picks_are_kept_once_in_the_order_of_the_options():
    """Protects the normal form, so that equal picks are equal values."""
    assert picks().normalise(["blue", "red", "blue"]) == ["red", "blue"]
    assert picks().describe([], "fr") == "aucune"


def test_every_wrong_pick_is_reported_and_so_are_too_many():
    """Protects who sends several: each wrong one is named, and the limits are told."""
    refused = refusal(picks(), ["red", "mauve", "pink"])
    assert "mauve" in refused
    assert "pink" in refused
    assert "at least 1 and at most 2" in refusal(picks(min=1, max=2), ["red", "green", "blue"])
    assert "at least 1" in refusal(picks(min=1), [])
    assert "list" in refusal(picks(), "red")
    assert "question.min" in problems(CHOICES, min=2, max=1)


def test_each_option_is_decided_by_itself():
    """Protects multi-label aggregation: what most picked is in, what one picked is not."""
    rows = [(0, 0, ["red", "blue"]), (0, 1, ["red", "green"]), (0, 2, ["red", "blue"])]
    belief = picks().aggregate(as_answers(rows, 1), fresh(3))
    assert belief.value == [["red", "blue"]]
    assert belief.agreement[0] == belief.agreement[2] > belief.agreement[1]


def test_a_belief_keeps_the_limits_of_the_question():
    """Protects exports from a belief that no contributor could have answered."""
    rows = [(0, 0, ["red"]), (0, 1, ["green"]), (0, 2, ["blue"])]
    assert picks(min=1).aggregate(as_answers(rows, 1), fresh(3)).value == [["red"]]
    rows = [(0, 0, ["red", "green"]), (0, 1, ["red", "green"])]
    assert picks().aggregate(as_answers(rows, 1), fresh(2)).value == [["red", "green"]]
