"""What contributors claim and answer."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import Id, ItemField, Text

#: a task's public name: the same for everybody, and it says nothing
TaskName = Annotated[str, Meta(description="Name of the task.", max_length=40)]

#: accepted, or why not: conflict (another answer of yours stands), expired (others took it over),
#: returned (you gave it back), unknown (you never had it)
Outcome = Literal["accepted", "conflict", "expired", "returned", "unknown"]


class Claim(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many tasks to claim."""

    count: Annotated[int, Meta(description="Tasks to take, 1 to 50.", ge=1, le=50)] = 1
    batch: Annotated[Id | None, Meta(description="Only from this batch.")] = None


class Task(Struct, frozen=True):
    """A task in a contributor's hands."""

    task: TaskName
    step: Annotated[int, Meta(description="Its question is at /steps/{step}.")]
    batch: int
    deadline_ms: Annotated[int, Meta(description="Answers are taken until then.")]
    expert: Annotated[bool, Meta(description="Others disagreed; this answer settles it.")]
    item: Annotated[dict[str, Any], Meta(description="What may be seen of the item.")]


class Claimed(Struct, frozen=True):
    """Tasks claimed; fewer than asked for, or none, when there are no more."""

    tasks: list[Task]


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to a task held."""

    task: TaskName
    value: Annotated[Any, Meta(description="Of the shape that the step's `answer` says.")]
    confidence: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(description="How sure an agent is. People leave it out."),
    ] = None


class Answers(Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to hand in; sending them again is safe."""

    answers: Annotated[list[Answer], Meta(min_length=1, max_length=100)]


class TaskOutcome(Struct, frozen=True):
    """What became of one answer."""

    task: TaskName
    outcome: Outcome


class Answered(Struct, frozen=True):
    """What became of each answer, in the order they were sent."""

    outcomes: list[TaskOutcome]


class Option(Struct, frozen=True):
    """An option that can be answered."""

    value: str
    label: str
    hint: str = ""
    path: Annotated[list[str], Meta(description="Labels of what it belongs to.")] = []
    synonyms: list[str] = []


class Options(Struct, frozen=True):
    """Every option of a question, in order."""

    data: list[Option]


class StepQuestion(Struct, frozen=True):
    """What a step asks, and the shape of its answer."""

    step: int
    batch: int
    slug: str
    process: str
    version: int
    title: Text
    instructions: Annotated[dict[str, str], Meta(description="Markdown by language.")]
    type: Annotated[str, Meta(description="The type of the question.")]
    question: Annotated[dict[str, Any], Meta(description="How to show it: its texts and choices.")]
    answer: Annotated[dict[str, Any], Meta(description="JSON Schema of an answer.")]
    item: Annotated[list[ItemField], Meta(description="The fields that are shown.")]
    options: Annotated[
        str | None, Meta(description="Where every option is, if there are options.")
    ] = None
