"""What every agent type must keep, as tests that a plug-in's author can run.

    from canut.agents.conformance import check_agent_type

    def test_my_agent():
        assert check_agent_type(MY_AGENT)["choice"] > 0

Each rule is a function of `RULES`; it raises AssertionError with the case that breaks it. The work
is made up here: tickets to route, with fields of every kind, one of them personal. An agent that
cannot answer a question at all passes everything on, which keeps the rules too, and shows little:
so the kit says how many items were answered, and takes work of your own.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from canut.agents.model import Example, Item, Prediction, Step, items_of, step_of
from canut.agents.protocol import Agent, AgentType
from canut.errors import Invalid
from canut.processes.model import ItemField, ItemShape, StepDefinition


class Work(Struct, frozen=True):
    """Work that an agent type is tried on."""

    name: str
    step: Step
    items: Sequence[Item]
    #: decided items to learn from, at least two
    examples: Sequence[Example]


#: raises AssertionError where the agent type breaks it on any of these
Rule = Callable[[AgentType, Sequence[Work]], None]

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


def check_agent_type(kind: AgentType, own: Sequence[Work] = ()) -> dict[str, int]:
    """Run every rule of `RULES` on the made-up work, and on work of your `own`.

    Returns how many items it answered of each when it had learned, by the type of the question or
    the name of the work: of 0, nothing was shown but that it passes items on. Raises
    `ConformanceError` naming all rules that are broken."""
    works = [*made_up(), *own]
    broken = []
    for name, rule in RULES.items():
        try:
            rule(kind, works)
        except Exception as error:
            broken.append(f"{name}: {type(error).__name__}: {error}")
    if broken:
        raise ConformanceError(f"agent type {kind.name!r} breaks\n" + "\n".join(broken))
    return {
        work.name: sum(said.value is not None for said in _taught(kind, work).answer(work.items))
        for work in works
    }


def made_up() -> list[Work]:
    """The same tickets, with a question of every type."""
    steps = {question: sample_step(question) for question in _QUESTIONS}
    return [
        Work(question, step, sample_items(step), sample_examples(step, question))
        for question, step in steps.items()
    ]


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
        message = f"n° {i // 8}: {_WORDS[topic][i // 4 % 2]}"
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


def predictions_are_answers(kind: AgentType, works: Sequence[Work]) -> None:
    """One prediction per item, in order, a normalised value with its confidence; or none with 0.
    Before anything is learned, and after."""
    for work in works:
        for agent in (kind.load(work.step, None), _taught(kind, work)):
            told = agent.answer(work.items)
            keys = [item.key for item in work.items]
            assert [p.key for p in told] == keys, "keys are not the items'"
            for prediction in told:
                _sound(work.step, prediction, kind.name)
            assert agent.answer([]) == [], "an answer without an item"


def versions_are_written(kind: AgentType, works: Sequence[Work]) -> None:
    """Every prediction carries the version's hash; another question or other fields make another
    version; loading twice does not."""
    for work in works:
        for one in (kind.load(work.step, None), _taught(kind, work)):
            told = {p.version for p in one.answer(work.items)}
            assert told == {one.version.hash()}, "another hash than the version's"
    step = sample_step("choice")
    agent = kind.load(step, None)
    assert kind.load(step, None).version == agent.version, "loading again makes another version"
    scale = kind.load(sample_step("scale"), None)
    assert agent.version.hash() != scale.version.hash(), "the question is not in it"
    bare = step_of(step.definition, ItemShape(fields=SHAPE.fields[:1]))
    assert kind.load(bare, None).version.hash() != agent.version.hash(), "the fields are not in it"
    assert agent.version.agent == kind.name, "the version names another agent"
    assert agent.version.code == kind.code, "the version names another code"


def learning_is_a_new_state(kind: AgentType, works: Sequence[Work]) -> None:
    """`learn` returns bytes that load, changes nothing in the agent itself, and without examples
    nothing at all."""
    for work in works:
        step, items, agent = work.step, work.items, kind.load(work.step, None)
        before = _comparable(agent.answer(items)) if kind.repeatable else None
        state = agent.learn(work.examples)
        assert isinstance(state, bytes), f"a state of {type(state).__name__}"
        if kind.repeatable:
            assert _comparable(agent.answer(items)) == before, "learning changed the agent itself"
            taught = kind.load(step, state or None)
            again = kind.load(step, taught.learn([]) or None)
            same = _comparable(again.answer(items), version=False)
            assert same == _comparable(taught.answer(items), version=False), (
                "learning nothing changed the answers"
            )


def answers_repeat(kind: AgentType, works: Sequence[Work]) -> None:
    """The same state and item give the same answer: alone, in company, in another order; the same
    lessons give the same state."""
    if not kind.repeatable:
        return
    for work in works:
        items, agent = work.items, _taught(kind, work)
        together = _comparable(agent.answer(items))
        assert _comparable(agent.answer(items[::-1])) == together[::-1], "order changes answers"
        alone = [_comparable(agent.answer([item]))[0] for item in items[:5]]
        assert alone == together[:5], "company changes answers"
        first, second = (kind.load(work.step, None).learn(work.examples) for _ in range(2))
        assert first == second, "the same lessons give another state"


def personal_data_stays_out(kind: AgentType, works: Sequence[Work]) -> None:
    """What is told and what is kept holds nothing of a personal field: it was never handed over."""
    for work in works:
        assert PERSONAL not in repr(work.items), "the kit itself hands it over"
        agent = _taught(kind, work)
        assert PERSONAL not in repr(agent.answer(work.items)), "a prediction tells personal data"
        assert PERSONAL.encode() not in agent.learn(work.examples), "the state holds personal data"


def damaged_states_are_refused(kind: AgentType, works: Sequence[Work]) -> None:
    """A state that is cut, changed, foreign or hostile raises `Invalid`, and runs nothing."""
    hostile = b"cposix\nsystem\n(S'false'\ntR."
    for work in works:
        state = kind.load(work.step, None).learn(work.examples)
        for bad in (b"x", hostile, b"\x80\x04" + hostile, state[:-1], state[: len(state) // 2]):
            if bad and bad != state and (state or bad == b"x"):
                _refused(kind, work.step, bad)
        if state:
            other = "choice" if work.step.definition.question["type"] == "scale" else "scale"
            _refused(kind, sample_step(other), state)


_RULES: tuple[Rule, ...] = (
    predictions_are_answers, versions_are_written, learning_is_a_new_state, answers_repeat,
    personal_data_stays_out, damaged_states_are_refused,
)  # fmt: skip

RULES: dict[str, Rule] = {rule.__name__: rule for rule in _RULES}


def _taught(kind: AgentType, work: Work) -> Agent:
    state = kind.load(work.step, None).learn(work.examples)
    return kind.load(work.step, state or None)


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
