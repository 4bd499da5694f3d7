"""What a client hands over and takes away."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from canut.sdk.values.common import Id, ProblemAt, Text, TimeMs

#: what a list is asked for from
Cursor = Annotated[
    str, Meta(description="Where to go on: `next` of the part before.", max_length=200)
]
PriorityValue = Annotated[
    int,
    Meta(description="-5 to 5: a batch's share of the work doubles with each.", ge=-5, le=5),
]


class TaxonomyOption(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A class of a taxonomy."""

    value: Annotated[str, Meta(description="What is stored.", min_length=1, max_length=500)]
    label: Annotated[Text | UnsetType, Meta(description="What people read.")] = UNSET
    hint: Text | UnsetType = UNSET
    parent: Annotated[str, Meta(description="Value of the class it belongs to.")] = ""
    synonyms: list[str] = []


class NewBatch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A batch to be made. The same key again is the same batch."""

    process: Annotated[str, Meta(description="Slug of the process.", max_length=200)]
    key: Annotated[
        str,
        Meta(
            description="Your own name for it: the same key again is the same batch.",
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f\ud800-\udfff]+$",
        ),
    ]
    name: Annotated[
        str,
        Meta(
            description="For people; the key if left out.",
            max_length=200,
            pattern=r"^[^\x00-\x1f\x7f\ud800-\udfff]*$",
        ),
    ] = ""
    priority: PriorityValue = 0
    deadline_ms: TimeMs | None = None
    taxonomy: (
        Annotated[
            Sequence[str | TaxonomyOption],
            Meta(
                description="Classes to choose from instead of the process's own.",
                min_length=1,
                max_length=100_000,
            ),
        ]
        | None
    ) = None
    step: Annotated[
        str, Meta(description="The step that gets the taxonomy, where several could.")
    ] = ""
    client: Annotated[Id | None, Meta(description="For whom, if you act for several clients.")] = (
        None
    )


class Priority(Struct, frozen=True, forbid_unknown_fields=True):
    """A batch's new priority."""

    priority: PriorityValue


class BatchStep(Struct, frozen=True):
    """How far a step of a batch is."""

    step: Annotated[int, Meta(description="Name it to ask for its question.")]
    slug: str
    title: Text
    open: Annotated[bool, Meta(description="Contributors may claim.")]
    tasks: int
    answers: int
    decided: int
    escalated: Annotated[int, Meta(description="Tasks that went to an expert.")]


class Batch(Struct, frozen=True):
    """Items submitted together."""

    id: int
    key: str
    name: str
    process: str
    version: Annotated[int, Meta(description="Version of the process, for its whole life.")]
    state: Literal["running", "paused", "delivered", "cancelled"]
    priority: int
    items: int
    created_ms: TimeMs
    deadline_ms: TimeMs | None = None
    delivered_ms: TimeMs | None = None
    steps: Annotated[
        list[BatchStep], Meta(description="Progress per step; empty in a list of batches.")
    ] = []

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in ("delivered", "cancelled")


class Received(Struct, frozen=True):
    """What became of the items that were sent."""

    added: Annotated[int, Meta(description="Items that are new.")]
    known: Annotated[int, Meta(description="Rows that were there already, with the same values.")]
    rejected: Annotated[int, Meta(description="Rows with a problem, left out.")] = 0
    problems: Annotated[
        list[ProblemAt], Meta(description="What is wrong with them (the first 1,000).")
    ] = []


class Decided(Struct, frozen=True):
    """What was decided at a step, and on what grounds."""

    value: Annotated[Any, Meta(description="The answer, of the shape the step says.")]
    confidence: Annotated[float, Meta(description="Probability that it is right.", ge=0, le=1)]
    method: Annotated[
        str,
        Meta(
            description="Who decided: answers, expert, exhausted (all answers spent), licence (an "
            "agent alone), or panel (you contested it, and it was overturned)."
        ),
    ]
    n_answers: Annotated[int, Meta(description="Answers that were weighed.")]
    decided_at: Annotated[str, Meta(description="When, ISO 8601.")]


class Result(Struct, frozen=True):
    """One item and what was decided about it."""

    key: Annotated[str, Meta(description="Your name for the item, else its row number.")]
    done: Annotated[bool, Meta(description="Every step is decided.")]
    decisions: Annotated[dict[str, Decided], Meta(description="By slug of the step.")]
    process: str
    version: Annotated[int, Meta(description="Version of the process.")]
    item: Annotated[dict[str, Any], Meta(description="The item as you sent it.")] = {}


class Decision(Struct, frozen=True):
    """The accepted answer of a task: a step of a `Result`, flat."""

    #: your name for the item, else its row number
    key: str
    #: slug of the step
    step: str
    value: Any
    #: probability that it is right, 0..1
    confidence: float
    #: who decided: answers, expert, exhausted (all answers spent), licence (an agent alone), or
    #: panel (contested, and overturned)
    method: str
    n_answers: int
    #: ISO 8601
    decided_at: str
    item: dict[str, Any]


def decisions_of(result: Result) -> list[Decision]:
    """The decisions of an item, one per decided step."""
    return [
        Decision(
            key=result.key,
            step=step,
            value=decided.value,
            confidence=decided.confidence,
            method=decided.method,
            n_answers=decided.n_answers,
            decided_at=decided.decided_at,
            item=result.item,
        )
        for step, decided in result.decisions.items()
    ]


class Picture(Struct, frozen=True):
    """A picture that is kept for items that show it."""

    value: Annotated[str, Meta(description="What to write into a field of type image.")]
    media_type: str
    bytes: int


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to tell when a batch is delivered."""

    url: Annotated[str, Meta(description="An https:// address.", min_length=1, max_length=2000)]
    client: Id | None = None


class Webhook(Struct, frozen=True):
    """An address that is told when a batch is delivered."""

    id: int
    url: str
    created_ms: TimeMs


class WebhookCreated(Struct, frozen=True):
    """A webhook with its secret, shown this once."""

    id: int
    url: str
    secret: Annotated[str, Meta(description="Signs what we send (Standard Webhooks).")]
