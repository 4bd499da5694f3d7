"""What every question type must keep, as tests that a plug-in's author can run.

    from canut.questions.conformance import check_question_type

    def test_my_type():
        check_question_type(MY_TYPE)

Each rule is a function of `RULES`; it raises AssertionError with the case that breaks it. The
cases come from the type's own `example`, and from values that fit no question. No randomness:
the same type always gives the same verdict.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jsonschema
import numpy as np

from canut.errors import Invalid
from canut.questions.base import Answers, Beliefs, HasOptions, Question, QuestionType, Track

#: values that clients and forms send by mistake; most types refuse most of them
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3.5, 10**400, float("nan"), float("inf"), "", "   ", "\0", "x",
    "\ud800", "9" * 5000, [], [None], ["x", {}], {}, {"x": 1}, {1: 2}, [[[]]],
)  # fmt: skip

Rule = Callable[[QuestionType], None]


class ConformanceError(AssertionError):
    """A question type breaks rules; the message lists which, and the first case of each."""


def check_question_type(kind: QuestionType) -> None:
    """Run every rule of `RULES`; raises `ConformanceError` naming all that are broken."""
    broken = []
    for name, rule in RULES.items():
        try:
            rule(kind)
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {error}")
    if broken:
        raise ConformanceError(f"question type {kind.name!r} breaks\n" + "\n".join(broken))


def fresh(n_contributors: int) -> Track:
    """The track of contributors of whom nothing is known."""
    return Track(right=np.zeros(n_contributors), judged=np.zeros(n_contributors))


def as_answers(rows: list[tuple[int, int, Any]], n_tasks: int) -> Answers:
    """Answers from rows of (task, contributor, normalised value)."""
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    return Answers(columns[:, 0], columns[:, 1], [row[2] for row in rows], n_tasks)


def loaded(kind: QuestionType) -> tuple[Question, list[Any]]:
    """The question of the example, and its answers normalised, different ones only."""
    definition, raw = kind.example()
    question = kind.load(definition)
    different: list[Any] = []
    for value in map(question.normalise, raw):
        if value not in different:
            different.append(value)
    return question, different


def example_is_enough(kind: QuestionType) -> None:
    """The example has at least three answers, two of them different, and names its type."""
    definition, raw = kind.example()
    assert definition.get("type") == kind.name, "example()[0]['type'] is not the type's name"
    assert len(raw) >= 3, "fewer than three example answers"
    assert len(loaded(kind)[1]) >= 2, "the example answers are all the same"


def normalise_is_idempotent(kind: QuestionType) -> None:
    """Normalising twice is normalising once, also after a trip through JSON."""
    question, values = loaded(kind)
    for value in values:
        assert _same(question.normalise(value), value), f"{value!r} normalises to something else"
        travelled = json.loads(json.dumps(value))
        assert _same(question.normalise(travelled), value), f"{value!r} changes through JSON"


def odd_answers_are_refused_by_invalid(kind: QuestionType) -> None:
    """What cannot be an answer raises `Invalid` with at least one problem, nothing else."""
    question, _ = loaded(kind)
    for odd in ODD:
        refusal = _refusal(question, odd)
        assert refusal is None or refusal.problems, f"Invalid without a problem for {_short(odd)}"
        messages = [problem.message for problem in refusal.problems] if refusal else []
        assert all(messages), f"no message for {_short(odd)}"


def schema_agrees(kind: QuestionType) -> None:
    """The schema is JSON Schema 2020-12; what `normalise` returns fits it; what fits it and JSON
    is accepted by `normalise`."""
    question, values = loaded(kind)
    schema = question.schema()
    json.dumps(schema, allow_nan=False)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for value in values:
        assert validator.is_valid(value), f"{value!r} does not fit the schema"
    for odd in filter(_is_json, ODD):
        if _refusal(question, odd) is None:
            value = question.normalise(odd)
            assert validator.is_valid(value), f"{_short(odd)} is accepted against the schema"
        else:
            assert not validator.is_valid(odd), f"{_short(odd)} fits the schema but is refused"


def agree_is_symmetric(kind: QuestionType) -> None:
    """`agree` is 1 for the same, symmetric, between 0 and 1, and tells some answers apart."""
    question, values = loaded(kind)
    for left in values:
        assert question.agree(left, left) == 1, f"{left!r} does not agree with itself"
        for right in values:
            score = question.agree(left, right)
            assert 0 <= score <= 1, f"agree({left!r}, {right!r}) is {score}"
            assert score == question.agree(right, left), f"not symmetric: {left!r}, {right!r}"
    scores = [question.agree(left, right) for left in values for right in values]
    assert min(scores) < 1, "all the example answers agree"


def aggregate_ignores_order(kind: QuestionType) -> None:
    """The same answers in another order give the same beliefs, to the last bit."""
    question, values = loaded(kind)
    rows = _crowd(values)
    n_tasks, track = len(values) + 1, Track(np.linspace(0, 18, 7), np.linspace(0, 24, 7))
    straight = question.aggregate(as_answers(rows, n_tasks), track)
    for order in _orders(len(rows)):
        other = question.aggregate(as_answers([rows[i] for i in order], n_tasks), track)
        assert list(other.value) == list(straight.value), "values depend on the order"
        assert np.array_equal(other.confidence, straight.confidence), "so does confidence"
        assert np.array_equal(other.agreement, straight.agreement[order]), "so does agreement"


def unanimous_answers_win(kind: QuestionType) -> None:
    """What everybody answers is believed, the more so the more they are, and never at once."""
    question, values = loaded(kind)
    before = np.zeros(len(values))
    for crowd in (1, 2, 3, 5, 9, 200):
        rows = [(t, c, value) for t, value in enumerate(values) for c in range(crowd)]
        belief = _checked(question.aggregate(as_answers(rows, len(values)), fresh(crowd)))
        assert list(belief.value) == values, f"{crowd} unanimous answers do not win"
        assert np.all(belief.confidence >= before - 1e-9), f"confidence falls with {crowd} answers"
        assert crowd > 1 or np.all(belief.confidence < 0.9), "one stranger's answer is certain"
        before = belief.confidence
    assert np.all(before > 0.95), "200 unanimous answers do not convince"


def disagreement_costs_confidence(kind: QuestionType) -> None:
    """Answers that contradict each other are believed less than ones that do not."""
    question, values = loaded(kind)
    left, right = next(
        (a, b) for a in values for b in values if a != b and question.agree(a, b) < 1
    )
    rows = [(0, 0, left), (0, 1, left), (1, 0, left), (1, 1, right)]
    belief = question.aggregate(as_answers(rows, 2), fresh(2))
    assert belief.confidence[0] > belief.confidence[1], "contradiction is believed as much"


def nothing_gives_nothing(kind: QuestionType) -> None:
    """No tasks, no answers, or a task without answers: no error, no value, no confidence."""
    question, values = loaded(kind)
    for n_tasks, n_contributors in ((0, 0), (3, 0), (3, 5)):
        belief = _checked(question.aggregate(as_answers([], n_tasks), fresh(n_contributors)))
        assert list(belief.value) == [None] * n_tasks, "a value without answers"
        assert not belief.confidence.any(), "confidence without answers"
    belief = _checked(question.aggregate(as_answers([(1, 0, values[0])], 3), fresh(1)))
    assert belief.value[0] is None, "a value where nobody answered"
    assert belief.value[2] is None, "a value where nobody answered"


def beliefs_are_answers(kind: QuestionType) -> None:
    """In any crowd, a belief is a normalised answer; there is no NaN and no warning."""
    question, values = loaded(kind)
    for right in (0.0, 1e6):
        track = Track(np.full(7, right), np.full(7, 1e6))
        belief = _checked(question.aggregate(as_answers(_crowd(values), len(values) + 1), track))
        for value in belief.value:
            if value is not None:
                assert _same(question.normalise(value), value), f"{value!r} is no answer"


def forms_carry_answers(kind: QuestionType) -> None:
    """An answer survives a plain HTML form, under any name; an empty form is no accident."""
    question, values = loaded(kind)
    for value in values:
        for name in ("answer", "answer.part"):
            form = question.to_form(value, name)
            assert all(key == name or key.startswith(f"{name}.") for key in form), (
                f"form fields {sorted(form)} are not under {name!r}"
            )
            back = question.normalise(question.from_form(form, name))
            assert _same(back, value), f"{value!r} comes back from a form as {back!r}"
    _refusal(question, question.from_form({}))


def widget_speaks(kind: QuestionType) -> None:
    """The widget is JSON, has a title, in English and in French, and falls back to English."""
    question, values = loaded(kind)
    for locale in ("en", "fr", "de"):
        widget = question.widget(locale, "answer.part")
        json.dumps(widget.data, allow_nan=False)
        assert widget.template.endswith(".html"), f"template {widget.template!r}"
        missing = {"name", "title", "instructions"} - widget.data.keys()
        assert not missing, f"widget data lacks {sorted(missing)}"
        assert widget.data["title"], f"no title in {locale}"
        assert widget.data["name"] == "answer.part", "the widget ignores its name"
        assert all(isinstance(question.describe(value, locale), str) for value in values)
        if isinstance(question, HasOptions):
            options = question.options(locale)
            json.dumps(options, allow_nan=False)
            keys = {"value", "label", "hint", "path", "synonyms"}
            assert all(keys <= option.keys() for option in options), f"options lack {keys}"
    english, french = (question.widget(locale).data["title"] for locale in ("en", "fr"))
    assert english != french, "the example has no French title"


def load_reports_every_problem(kind: QuestionType) -> None:
    """A definition with several mistakes is refused once, naming each by its path."""
    definition, _ = kind.example()
    broken = {**definition, "title": 3, "no_such_key": 1}
    problems = _problems(kind, broken)
    for field in ("question.title", "question.no_such_key"):
        assert field in problems, f"load does not report {field}, only {sorted(problems)}"
    without = {key: value for key, value in definition.items() if key != "title"}
    assert "question.title" in _problems(kind, without), "load does not miss the title"


_RULES: tuple[Rule, ...] = (
    example_is_enough, normalise_is_idempotent, odd_answers_are_refused_by_invalid, schema_agrees,
    agree_is_symmetric, aggregate_ignores_order, unanimous_answers_win,
    disagreement_costs_confidence, nothing_gives_nothing, beliefs_are_answers,
    forms_carry_answers, widget_speaks, load_reports_every_problem,
)  # fmt: skip

RULES: dict[str, Rule] = {rule.__name__: rule for rule in _RULES}


def _crowd(values: list[Any]) -> list[tuple[int, int, Any]]:
    """Seven contributors who agree on the first task and less and less on the next; the last
    task has no answer."""
    n = len(values)
    return [(t, c, values[(t + (c * t) // 3) % n]) for t in range(n) for c in range(7)]


def _orders(n: int) -> Iterator[list[int]]:
    yield list(range(n))[::-1]
    yield list(range(n))[n // 3 :] + list(range(n // 3))
    yield [*range(0, n, 2), *range(1, n, 2)]


def _checked(belief: Beliefs) -> Beliefs:
    for part in (belief.confidence, belief.agreement):
        assert not np.isnan(part).any(), "NaN"
        assert np.all((part >= 0) & (part <= 1)), "a probability that is not between 0 and 1"
    assert len(belief.value) == len(belief.confidence), "value and confidence differ in length"
    return belief


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON texts: True and 1 differ, the order of keys does not count."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _refusal(question: Question, raw: Any) -> Invalid | None:
    try:
        question.normalise(raw)
    except Invalid as error:
        return error
    return None


def _is_json(value: Any) -> bool:
    """Whether a value can come out of a JSON text (which has no NaN and only string keys)."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) for key in value)
    return not (isinstance(value, float) and not np.isfinite(value))


def _problems(kind: QuestionType, definition: dict[str, Any]) -> set[str]:
    try:
        kind.load(definition)
    except Invalid as error:
        return {problem.field for problem in error.problems}
    raise AssertionError("load accepts a broken definition")


def _short(value: Any) -> str:
    return repr(value)[:60] if not isinstance(value, int) or abs(value) < 1e9 else "a huge integer"
