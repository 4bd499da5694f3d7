"""What every agent type must keep, as tests that a plug-in's author can run.

    from canut.agents.conformance import check_agent_type

    def test_my_agent():
        check_agent_type(MY_AGENT)

Each rule is a function of `RULES`; it raises AssertionError with the case that breaks it. The work
is made up here: tickets to route, with fields of every kind, one of them personal. An agent that
cannot answer a question at all passes everything on, which keeps the rules too.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from canut.agents.model import Example, Item, Prediction, Step, items_of, step_of
from canut.agents.protocol import Agent, AgentType
from canut.errors import Invalid
from canut.processes.model import ItemField, ItemShape, StepDefinition

Rule = Callable[[AgentType], None]

#: what no agent may ever see or tell
PERSONAL = "+44 20 7946 0991"

_OPTIONS = ("invoice", "delivery", "return", "other")
_WORDS = {
    "invoice": ("the invoice shows the wrong amount", "please send the bill again"),
    "delivery": ("my parcel has not arrived", "where is the courier with the box"),
    "return": ("I want to send the lamp back", "how do I get my money back"),
    "other": ("do you sell gift cards", "your shop opens at which hour"),
}
_QUESTIONS: dict[str, dict[str, Any]] = {
    "choice": {"type": "choice", "options": [{"value": value} for value in _OPTIONS]},
    "choices": {"type": "choices", "options": [{"value": value} for value in _OPTIONS]},
    "scale": {"type": "scale", "min": 1, "max": 5},
    "number": {"type": "number", "tolerance": 1},
    "text": {"type": "text"},
    "record": {
        "type": "record",
        "fields": [
            {"name": "topic", "type": "choice", "title": "Topic", "options": [
                {"value": value} for value in _OPTIONS]},
            {"name": "urgency", "type": "scale", "title": "Urgency", "required": False},
        ],
    },
}  # fmt: skip


class ConformanceError(AssertionError):
    """An agent type breaks rules; the message lists which, and the first case of each."""


def check_agent_type(kind: AgentType) -> None:
    """Run every rule of `RULES`; raises `ConformanceError` naming all that are broken."""
    broken = []
    for name, rule in RULES.items():
        try:
            rule(kind)
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {error}")
    if broken:
        raise ConformanceError(f"agent type {kind.name!r} breaks\n" + "\n".join(broken))


def sample_step(question: str) -> Step:
    """The made-up step, asking a question of this type."""
    definition = StepDefinition(
        "route", "Route", {"title": "What is it about?", **_QUESTIONS[question]}, {"en": ""}
    )
    return step_of(definition, SHAPE)


SHAPE = ItemShape(
    fields=(
        ItemField("message", "Message"),
        ItemField("orders", "Orders so far", type="number"),
        ItemField("member", "Member", type="boolean"),
        ItemField("phone", "Telephone", personal=True),
    )
)


def sample_items(step: Step, count: int = 40) -> list[Item]:
    """Items with every field, some fields, and hardly any."""
    rows: list[tuple[int, str, dict[str, Any]]] = []
    for i in range(count):
        topic = _OPTIONS[i % len(_OPTIONS)]
        message = f"{_WORDS[topic][i // 4 % 2]} n° {i // 8}"
        payload = {"message": message, "orders": i % 7, "member": i % 2 == 0, "phone": PERSONAL}
        rows.append((1000 + i, f"T-{i}", payload))
    rows.append((2000, "bare", {"message": "?"}))
    rows.append((2001, "odd", {"message": "\u200b ﬁ ÉTÉ \U0001f9f5 " * 50, "orders": -1e300}))
    rows.append((2002, "empty", {}))
    return items_of(step, rows)


def sample_examples(step: Step, question: str, count: int = 40) -> list[Example]:
    """Decided items with valid answers."""
    answers: dict[str, Callable[[int], Any]] = {
        "choice": lambda i: _OPTIONS[i % 4],
        "choices": lambda i: [_OPTIONS[i % 4]],
        "scale": lambda i: 1 + i % 4,
        "number": lambda i: float(10 * (i % 4)),
        "text": lambda i: _OPTIONS[i % 4],
        "record": lambda i: {"topic": _OPTIONS[i % 4], **({"urgency": 3} if i % 2 else {})},
    }
    return [
        Example(item, step.question.normalise(answers[question](i)), weight=0.5 + i % 2)
        for i, item in enumerate(sample_items(step, count)[:count])
    ]


def predictions_are_answers(kind: AgentType) -> None:
    """One prediction per item, in order, a normalised value with its confidence; or none with 0.
    Before anything is learned, and after."""
    for question in _QUESTIONS:
        for agent in (_agent(kind, question), _taught(kind, question)):
            step, items = sample_step(question), sample_items(sample_step(question))
            told = agent.answer(items)
            assert [p.key for p in told] == [item.key for item in items], "keys are not the items'"
            for prediction in told:
                _sound(step, prediction, kind.name)
            assert agent.answer([]) == [], "an answer without an item"


def versions_are_written(kind: AgentType) -> None:
    """Every prediction carries the version's hash; learning, another question or other fields make
    another version; loading twice does not."""
    agent, taught = _agent(kind, "choice"), _taught(kind, "choice")
    for one in (agent, taught):
        told = one.answer(sample_items(sample_step("choice")))
        assert {p.version for p in told} == {one.version.hash()}, "another hash than the version's"
    assert _agent(kind, "choice").version == agent.version, "loading again makes another version"
    assert agent.version.hash() != _agent(kind, "scale").version.hash(), "the question is not in it"
    step = sample_step("choice")
    bare = step_of(step.definition, ItemShape(fields=SHAPE.fields[:1]))
    assert kind.load(bare, None).version.hash() != agent.version.hash(), "the fields are not in it"
    assert agent.version.agent == kind.name, "the version names another agent"
    assert agent.version.code == kind.code, "the version names another code"


def learning_is_a_new_state(kind: AgentType) -> None:
    """`learn` returns bytes that load, changes nothing in the agent itself, and without examples
    nothing at all."""
    for question in _QUESTIONS:
        step = sample_step(question)
        items, agent = sample_items(step), _agent(kind, question)
        before = _comparable(agent.answer(items)) if kind.repeatable else None
        state = agent.learn(sample_examples(step, question))
        assert isinstance(state, bytes), f"a state of {type(state).__name__}"
        if kind.repeatable:
            assert _comparable(agent.answer(items)) == before, "learning changed the agent itself"
            taught = kind.load(step, state or None)
            again = kind.load(step, taught.learn([]) or None)
            same = _comparable(again.answer(items), version=False)
            assert same == _comparable(taught.answer(items), version=False), (
                "learning nothing changed the answers"
            )


def answers_repeat(kind: AgentType) -> None:
    """The same state and item give the same answer: alone, in company, in another order; the same
    lessons give the same state."""
    if not kind.repeatable:
        return
    for question in _QUESTIONS:
        step = sample_step(question)
        items, agent = sample_items(step), _taught(kind, question)
        together = _comparable(agent.answer(items))
        assert _comparable(agent.answer(items[::-1])) == together[::-1], "order changes answers"
        alone = [_comparable(agent.answer([item]))[0] for item in items[:5]]
        assert alone == together[:5], "company changes answers"
        examples = sample_examples(step, question)
        first, second = (kind.load(step, None).learn(examples) for _ in range(2))
        assert first == second, "the same lessons give another state"


def personal_data_stays_out(kind: AgentType) -> None:
    """What is told and what is kept holds nothing of a personal field: it was never handed over."""
    step = sample_step("choice")
    items = sample_items(step)
    assert PERSONAL not in repr(items), "the kit itself hands it over"
    agent = _taught(kind, "choice")
    assert PERSONAL not in repr(agent.answer(items)), "a prediction tells personal data"
    state = agent.learn(sample_examples(step, "choice"))
    assert PERSONAL.encode() not in state, "the state holds personal data"


def damaged_states_are_refused(kind: AgentType) -> None:
    """A state that is cut, changed, foreign or hostile raises `Invalid`, and runs nothing."""
    step = sample_step("choice")
    state = kind.load(step, None).learn(sample_examples(step, "choice"))
    hostile = b"cposix\nsystem\n(S'false'\ntR."
    for bad in (b"x", hostile, b"\x80\x04" + hostile, state[:-1], state[: len(state) // 2]):
        if bad and bad != state and (state or bad == b"x"):
            _refused(kind, step, bad)
    if state:
        _refused(kind, sample_step("scale"), state)


_RULES: tuple[Rule, ...] = (
    predictions_are_answers, versions_are_written, learning_is_a_new_state, answers_repeat,
    personal_data_stays_out, damaged_states_are_refused,
)  # fmt: skip

RULES: dict[str, Rule] = {rule.__name__: rule for rule in _RULES}


def _agent(kind: AgentType, question: str) -> Agent:
    return kind.load(sample_step(question), None)


def _taught(kind: AgentType, question: str) -> Agent:
    step = sample_step(question)
    state = kind.load(step, None).learn(sample_examples(step, question))
    return kind.load(step, state or None)


def _sound(step: Step, prediction: Prediction, stage: str) -> None:
    assert 0 <= prediction.confidence <= 1, f"confidence {prediction.confidence}"
    assert prediction.stage == stage, f"stage {prediction.stage!r}"
    assert prediction.cost_micro >= 0, "a cost below nothing"
    assert type(prediction.cost_micro) is int, "a cost that is not whole"
    assert prediction.latency_ms >= 0, "a wait below nothing"
    msgspec.json.encode(prediction)
    if prediction.value is None:
        assert prediction.confidence == 0, "confident of nothing"
        return
    normal = step.question.normalise(prediction.value)
    assert msgspec.json.encode(normal) == msgspec.json.encode(prediction.value), (
        f"{prediction.value!r} is not normalised"
    )


def _comparable(predictions: Sequence[Prediction], *, version: bool = True) -> list[str]:
    """Predictions without how long they took; confidence to nine digits, for sums of floats may
    differ in the last with the size of a block."""
    return [
        repr(
            (
                p.key, p.value, round(p.confidence, 9), p.stage, p.cost_micro,
                p.version if version else "",
            )
        )
        for p in predictions
    ]  # fmt: skip


def _refused(kind: AgentType, step: Step, state: bytes) -> None:
    try:
        kind.load(step, state)
    except Invalid:
        return
    raise AssertionError(f"a damaged state of {len(state)} bytes is taken")
