"""What is proved about delivered decisions, and how a client contests one."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import TimeMs

Share = Annotated[float, Meta(ge=0, le=1)]


class Proof(Struct, frozen=True):
    """What the audits so far prove."""

    decisions: Annotated[int, Meta(description="Decisions it is about.")]
    audits: Annotated[int, Meta(description="Draws that count.")]
    wrong: Annotated[int, Meta(description="Of these, wrong, contested or overturned.")]
    rate: Annotated[float, Meta(description="Estimate of the share of wrong decisions.")]
    errors_at_most: Annotated[int, Meta(description="So many decisions are wrong, at most.")]
    bound: Annotated[float, Meta(description="The same as a share.")]
    confidence: Annotated[float, Meta(description="How sure that is.")]
    proved: Annotated[bool, Meta(description="Whether it keeps the promise.")]
    panel_bound: Annotated[float, Meta(description="The panel itself errs at most this often.")]


class Certificate(Struct, frozen=True):
    """A statement as it was issued. Its evidence is a file of its own."""

    id: int
    step: Annotated[str, Meta(description="Slug of the step.")]
    delivery: Annotated[int, Meta(description="1, and one more each time the batch was reopened.")]
    number: Annotated[int, Meta(description="Among those of the same delivery, from 1.")]
    occasion: Annotated[
        Literal["proved", "spent", "dispute"],
        Meta(description="The promise was proved, the draws were spent, or a dispute settled."),
    ]
    issued_ms: TimeMs
    proof: Proof
    words: Annotated[
        dict[str, list[str]], Meta(description="The same in words, by language (en, fr).")
    ]
    digest: Annotated[str, Meta(description="SHA-256 of the evidence as JSON.")]


class Standing(Struct, frozen=True):
    """A step of a batch: what is promised, and what is proved so far."""

    step: Annotated[str, Meta(description="Slug of the step.")]
    state: Annotated[
        Literal["running", "open", "proved", "spent"],
        Meta(description="Not delivered yet; audits go on; proved; no draws left."),
    ]
    promise: Annotated[Share | None, Meta(description="At most this share is wrong.")] = None
    proof: Proof | None = None
    words: Annotated[
        dict[str, list[str]], Meta(description="The proof in words, by language (en, fr).")
    ] = {}
    draws: Annotated[int, Meta(description="Decisions drawn so far.")] = 0
    draws_max: Annotated[int, Meta(description="Draws in all, at most.")] = 0
    draws_open: Annotated[int, Meta(description="Draws that nobody has answered yet.")] = 0
    design: Annotated[str, Meta(description="How decisions are drawn, and why.")] = ""
    answers_wanted: Annotated[int, Meta(description="Answers that audits wait for.")] = 0
    qualified: Annotated[int, Meta(description="People who could give them.")] = 0
    certificates: list[Certificate] = []


class Standings(Struct, frozen=True):
    """The steps of a batch."""

    steps: list[Standing]


class NewDispute(Struct, frozen=True, forbid_unknown_fields=True):
    """A decision that you say is wrong."""

    key: Annotated[
        str, Meta(description="Your name of the item, else its row.", min_length=1, max_length=200)
    ]
    step: Annotated[str, Meta(description="Slug of the step.", min_length=1, max_length=200)]
    reason: Annotated[
        str, Meta(description="Why; those who answer do not see it.", min_length=1, max_length=2000)
    ]


class Dispute(Struct, frozen=True):
    """A decision under dispute, or settled."""

    id: int
    batch: int
    key: str
    step: str
    reason: str
    was: Annotated[Any, Meta(description="The value that was contested.")]
    value: Annotated[Any, Meta(description="The decision's value now.")]
    opened_ms: TimeMs
    outcome: Annotated[
        Literal["upheld", "overturned", "unresolved"] | None,
        Meta(description="Null while people answer. Unresolved counts as wrong."),
    ] = None
    settled_ms: TimeMs | None = None
