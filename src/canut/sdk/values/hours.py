"""Hours that are paid beside tasks: training, panel duty, waiting that the platform caused."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import TimeMs
from canut.sdk.values.pay import Currency, LengthMs

HoursKind = Annotated[
    Literal["training", "panel", "waiting"],
    Meta(description="Training, duty on a panel, or waiting because the platform failed."),
]
MomentMs = Annotated[int, Meta(description="Milliseconds UTC.", ge=0, le=2**53)]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]


class NewHours(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours between two moments, and how long of it."""

    kind: HoursKind
    from_ms: MomentMs
    until_ms: Annotated[MomentMs, Meta(description="Their end; a day after the begin at most.")]
    time_ms: Annotated[int, Meta(description="How long of that.", ge=1, le=86_400_000)]
    reason: Annotated[Reason, Meta(description="What it was for: a person decides by it.")]
    currency: Annotated[
        Annotated[str, Meta(pattern="^[A-Z]{3}$")] | None,
        Meta(description="ISO 4217; null: of the floor where you are."),
    ] = None


class HoursDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of them is paid."""

    time_ms: Annotated[int, Meta(description="0: none of it.", ge=0, le=86_400_000)]
    why: Annotated[Reason, Meta(description="For the contributor to read.")]


class PaidHours(Struct, frozen=True):
    """Hours as they are on record."""

    id: int
    contributor: Annotated[int, Meta(description="Whose they are.")]
    kind: HoursKind
    currency: Currency
    from_ms: TimeMs
    until_ms: TimeMs
    stated_ms: LengthMs
    reason: str
    noted: Annotated[bool, Meta(description="The task screen noted them by itself.")]
    state: Annotated[
        Literal["open", "refused", "agreed", "paid"],
        Meta(description="open: a person has to decide; agreed: the next slip pays it."),
    ]
    opened_ms: TimeMs
    decided_ms: TimeMs | None = None
    agreed_ms: LengthMs | None = None
    why: Annotated[str | None, Meta(description="The decider's reason.")] = None
    slip: Annotated[int | None, Meta(description="The pay slip they are on.")] = None


class WaitingHours(Struct, frozen=True):
    """Hours, with what of their time is paid otherwise."""

    hours: PaidHours
    tasks: Annotated[int, Meta(description="Tasks in that time.")]
    tasks_ms: Annotated[LengthMs, Meta(description="Of that time, what tasks pay.")]
    exams_ms: Annotated[LengthMs, Meta(description="Of that time, what exams pay.")]
    most_ms: Annotated[LengthMs, Meta(description="The most that can be agreed.")]
