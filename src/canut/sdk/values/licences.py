"""Licences: who may work on a step, and which agent decides alone."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import Id, Text, TimeMs

StepSlug = Annotated[str, Meta(description="Slug of the step.", max_length=200)]
Reason = Annotated[str, Meta(description="Why; its holder reads it.", min_length=1, max_length=500)]
Cause = Literal["evidence", "asked", "conduct", "mistake", "withdrawn", "other"]


class LicenceSlice(Struct, frozen=True):
    """A part of the work that an agent's licence knows apart."""

    name: Annotated[
        str,
        Meta(description="Value of the field, or group of the answer; empty: everything else."),
    ]
    share: Annotated[float, Meta(description="Of the work, by the first blind answers.")]
    threshold: Annotated[
        float | None,
        Meta(description="The agent decides alone from this confidence on, here; null: never."),
    ] = None
    coverage: Annotated[float, Meta(description="Share of the part that it decides alone.")] = 0.0
    answers: Annotated[int, Meta(description="Blind answers that this was held against.")] = 0
    wrong: Annotated[int, Meta(description="How many of them were wrong.")] = 0
    bound: Annotated[
        float | None, Meta(description="Errors at most, here; null where nothing is proved.")
    ] = None
    missing: Annotated[
        int | None,
        Meta(description="About so many more blind answers of the part prove the next threshold; "
             "null: none is known, or no number would."),
    ] = None  # fmt: skip


class Licence(Struct, frozen=True):
    """A version of a contributor's licence at a step."""

    id: int
    contributor: int
    name: Annotated[str, Meta(description="Name of the contributor.")]
    kind: Literal["person", "agent"]
    process_id: int
    process: Annotated[str, Meta(description="Name of the process.")]
    step: StepSlug
    title: Text
    step_title: Text
    version: Annotated[int, Meta(description="1, 2, ... of the contributor at the step.")]
    state: Annotated[
        Literal["earning", "in_force", "ended"],
        Meta(description="Being earned on blind answers; in force; over."),
    ]
    words: Annotated[
        dict[str, list[str]],
        Meta(description="What it rests on, what is missing and what evidence says, by language."),
    ]
    promise: Annotated[float, Meta(description="At most this share of what it decides is wrong.")]
    started_ms: TimeMs
    basis: Annotated[str, Meta(description="The agent's version it is about.")] = ""
    threshold: Annotated[
        float | None,
        Meta(description="An agent decides alone from this confidence on; null for people."),
    ] = None
    evidence: Annotated[
        dict[str, Any] | None,
        Meta(description="What blind answers say: `answers`, `wrong`, `capital` against it."),
    ] = None
    finding: Annotated[
        dict[str, Any] | None, Meta(description="What it rests on, and what is missing.")
    ] = None
    granted_ms: int | None = None
    flagged_ms: Annotated[
        int | None, Meta(description="Since then evidence speaks against it; a person will look.")
    ] = None
    ended_ms: int | None = None
    cause: Annotated[Cause | None, Meta(description="Why a person ended it.")] = None
    reason: Annotated[str, Meta(description="Why it ended, in that person's words.")] = ""
    parted_by: Annotated[
        str,
        Meta(description="Field of the item that parts it, or `answer`; empty: it is not parted."),
    ] = ""
    slices: Annotated[
        list[LicenceSlice],
        Meta(description="Its parts; `threshold` is then the highest of them."),
    ] = []


class EarnableStep(Struct, frozen=True):
    """A step on which an agent could begin to earn a licence."""

    process_id: int
    process: str
    step: StepSlug
    title: Text
    step_title: Text


class Contact(Struct, frozen=True):
    """Somebody to write to about a decision."""

    name: str
    email: str


class MyLicences(Struct, frozen=True):
    """Everything about your licences; keep it, it is yours."""

    open: Annotated[list[Licence], Meta(description="In force, or being earned.")]
    ended: Annotated[list[Licence], Meta(description="The newest first.")]
    earnable: Annotated[list[EarnableStep], Meta(description="For agents.")]
    contacts: list[Contact]


class BeginLicence(Struct, frozen=True, forbid_unknown_fields=True):
    """An agent begins to earn a licence."""

    process_id: Id
    step: StepSlug
    basis: Annotated[
        str,
        Meta(
            description="Names the agent's version: whenever its model, prompt or threshold "
            "changes, so must this. A hash will do.",
            min_length=1,
            max_length=200,
        ),
    ]
    contributor: Annotated[
        Id | None, Meta(description="Which agent (operators); left out, the key's own.")
    ] = None


class GrantLicence(Struct, frozen=True, forbid_unknown_fields=True):
    """A person may work on a step, without an exam."""

    contributor: Id
    process_id: Id
    step: StepSlug
    reason: Reason


class EndLicence(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a licence ends."""

    cause: Annotated[
        Cause,
        Meta(description="Of people: evidence, asked, conduct, mistake, other. Of agents: "
             "evidence, withdrawn, mistake, other."),
    ]  # fmt: skip
    reason: Reason


class KeepLicence(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a flagged licence stays."""

    reason: Reason
