"""What can be outsourced."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from canut.sdk.values.common import ItemField, Text


class Process(Struct, frozen=True):
    """A process that batches can be submitted to."""

    slug: Annotated[str, Meta(description="Name of the process.")]
    title: Text
    description: Text


class ProcessStep(Struct, frozen=True):
    """One question that a process asks about each item."""

    slug: str
    title: Text
    type: Annotated[str, Meta(description="The type of the question.")]
    #: JSON Schema of an answer
    answer: Annotated[dict[str, Any], Meta(description="JSON Schema of an answer.")]
    min_answers: int
    max_answers: int
    target_confidence: float
    lease_s: Annotated[int, Meta(description="How long a claim holds, in seconds.")]
    skills: Annotated[list[str], Meta(description="Skills that a contributor needs.")] = []
    expert_skill: Annotated[str, Meta(description="Skill that settles disagreement.")] = ""
    licence: bool = False


class ProcessDetail(Struct, frozen=True):
    """A process with the shape of its items and its steps."""

    slug: str
    title: Text
    description: Text
    fields: Annotated[list[ItemField], Meta(description="What an item carries.")]
    extra: Annotated[bool, Meta(description="Other columns are kept and exported.")]
    steps: list[ProcessStep]
