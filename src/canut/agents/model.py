"""The values of the agents' room: what an agent is loaded for, shown, says and learns from."""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Struct, structs

from canut.processes.checks import Checks, checks_of
from canut.processes.model import ItemShape, StepDefinition
from canut.questions.base import Question
from canut.questions.registry import load_question

#: micro-units in one unit of a currency: a prediction may cost less than a cent
MICRO = 1_000_000


class Step(Struct, frozen=True):
    """What an agent is loaded for: one step of a process, as agents may see it."""

    definition: StepDefinition
    question: Question
    #: the fields agents may see: none that is personal, and no undeclared column
    shape: ItemShape
    #: what must hold of an answer, whoever gives it
    checks: Checks = ()

    def schema_hash(self) -> str:
        """SHA-256 of what is asked of which fields, and of what must hold of an answer, in
        hexadecimal: a state that was learned for another question or other fields does not fit."""
        told = {"question": self.definition.question, "shape": msgspec.to_builtins(self.shape)}
        if self.checks:
            told["checks"] = self.definition.checks
        return digest(told)

    def text_hash(self) -> str:
        """SHA-256 of everything the step says, its instructions included."""
        return digest([msgspec.to_builtins(self.definition), msgspec.to_builtins(self.shape)])


class Item(Struct, frozen=True):
    """What an agent sees of one item. Made by `items_of` and nowhere else."""

    #: the caller's own number of the task; comes back on the prediction
    key: int
    #: the client's own key of the item
    reference: str
    #: the fields of `Step.shape`, as intake cleaned them
    payload: dict[str, Any]
    #: number of the client whose item it is; 0: nobody's. What an agent has from one client it
    #: shows to no other, nor to a service that it asks for another
    client: int = 0


class Version(Struct, frozen=True):
    """Everything that can change what an agent answers. Change one, and it is another agent: its
    licence begins anew."""

    #: name of the agent type
    agent: str
    #: version of its code, raised by its author whenever answers may change
    code: str
    #: `Step.schema_hash`
    schema: str
    #: the model: its name and date, or the SHA-256 of what was learned; "" where there is none
    model: str = ""
    #: SHA-256 of the prompt; "" where there is none
    prompt: str = ""
    #: stage to threshold, where a cascade passes on what is below
    thresholds: dict[str, float | None] = {}

    def hash(self) -> str:
        """SHA-256 in hexadecimal (64 characters): what is written on every prediction."""
        return digest(msgspec.to_builtins(self))


class Prediction(Struct, frozen=True):
    """What an agent answered about one item."""

    #: key of the item
    key: int
    #: as the question normalises it; None where the agent cannot or may not answer
    value: Any
    #: probability that the value is right, 0 where there is none
    confidence: float
    #: `Version.hash` of what answered
    version: str
    #: stage that answered: name of an agent type
    stage: str
    #: on what grounds, as JSON values
    evidence: dict[str, Any] = {}
    #: what it cost, in millionths of the unit of `currency`
    cost_micro: int = 0
    currency: str = "EUR"
    latency_ms: int = 0
    #: it could not be asked now (no money, no server), and the item is not why: nothing is kept of
    #: it, and the agent waits
    later: bool = False


class Example(Struct, frozen=True):
    """A decided item to learn from."""

    item: Item
    #: as the question normalises it
    value: Any
    #: how much it counts, over 0; 1 for a reviewer who is always right
    weight: float = 1.0
    #: examples of one group are near duplicates: never on both sides of a split
    group: int = 0


def step_of(definition: StepDefinition, shape: ItemShape) -> Step:
    """A step as agents may see it; raises `Invalid` where its question or its checks cannot be
    loaded."""
    seen = tuple(field for field in shape.fields if not field.personal)
    question = load_question(definition.question)
    return Step(
        definition,
        question,
        structs.replace(shape, fields=seen, extra=False),
        checks_of(definition.checks, question, shape),
    )


def items_of(
    step: Step,
    rows: Iterable[tuple[int, str, Mapping[str, Any]]],
    clients: Iterable[int] = repeat(0),
) -> list[Item]:
    """Items from rows of (key, reference, payload), and whose each is: only what agents may see is
    taken over."""
    names = [field.name for field in step.shape.fields]
    return [
        Item(key, reference, {name: payload[name] for name in names if name in payload}, client)
        for (key, reference, payload), client in zip(rows, clients, strict=False)
    ]


def passed(item: Item, version: str, stage: str, why: str) -> Prediction:
    """The prediction that answers nothing and says why."""
    return Prediction(item.key, None, 0.0, version, stage, {"passed": why})


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of plain values, in hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()
