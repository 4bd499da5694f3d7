"""Why something was decided."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import TimeMs

Method = Literal["answers", "expert", "exhausted", "licence", "panel"]
Words = Annotated[dict[str, list[str]], Meta(description="In words, by language (en, fr).")]


class WeighedAnswer(Struct, frozen=True):
    """An answer that a decision rests on. Contributors have letters, never names."""

    contributor: Annotated[str, Meta(description="A, B, ...: of this decision alone.")]
    kind: Literal["person", "agent"]
    value: Any
    family: Annotated[str | None, Meta(description="Model family of an agent.")] = None
    simulated: bool = False
    expert: bool = False
    skill: Annotated[
        float | None, Meta(description="How often they were believed to be right, then.")
    ] = None
    judged: Annotated[int, Meta(description="Their answers that could be judged, by now.")] = 0
    weight: Annotated[float, Meta(description="How much it counted, 0 to 1.")] = 1.0
    stated: Annotated[float | None, Meta(description="How sure an agent said it was.")] = None


class Belief(Struct, frozen=True):
    """The likeliest value after an answer, and how likely it was."""

    value: Any
    belief: float


class Explained(Struct, frozen=True):
    """A step of an item's story."""

    step: Annotated[str, Meta(description="Slug of the step.")]
    target: float
    decided: bool
    value: Any = None
    confidence: float | None = None
    method: Method | None = None
    decided_ms: TimeMs | None = None
    answers: list[WeighedAnswer] = []
    course: Annotated[
        list[Belief], Meta(description="The belief after each answer; at least the last.")
    ] = []
    exact: Annotated[
        bool,
        Meta(description="The course ends at the numbers kept; else it is of today's records."),
    ] = False
    words: Words = {}


class Explanation(Struct, frozen=True):
    """Everything that was decided about an item, and why."""

    key: str
    steps: list[Explained]


class OwnAnswer(Struct, frozen=True):
    """An answer of yours, and what became of it."""

    task: str
    value: Any
    decided: Annotated[bool, Meta(description="Decided, and shown: some never are, by lot.")]
    decision: Any = None
    confidence: float | None = None
    agreement: Annotated[
        float | None, Meta(description="How far your answer agrees with it, 0 to 1.")
    ] = None
    words: Words = {}
