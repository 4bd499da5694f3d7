"""What contributors earned, and the time that their work took."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import TimeMs
from canut.sdk.values.work import TaskName

Minor = Annotated[int, Meta(description="Whole minor units of the currency (cents).")]
Currency = Annotated[str, Meta(description="ISO 4217.")]
LengthMs = Annotated[int, Meta(description="A length of time, in milliseconds.", ge=0)]


class PaySum(Struct, frozen=True):
    """What was earned and not paid out, in one currency."""

    currency: Currency
    fresh_minor: Annotated[Minor, Meta(description="Earned since the last sheet.")]
    held_minor: Annotated[Minor, Meta(description="Held until it is accepted.")]
    payable_minor: Annotated[Minor, Meta(description="Yours.")]


class EarningAt(Struct, frozen=True):
    """What one answer earned."""

    task: TaskName
    #: work; reprice: its price was raised; time: its time was corrected
    cause: Literal["work", "reprice", "time"]
    amount_minor: Minor
    currency: Currency
    basis: Annotated[
        Literal["price", "hour", "assumed"],
        Meta(description="By the task, by agreed time, or by a time assumed for want of one."),
    ]
    paid_ms: Annotated[LengthMs, Meta(description="Time that was paid by the hour.")]
    earned_ms: TimeMs
    accept_ms: Annotated[
        TimeMs | None, Meta(description="Yours from then on; null: not on a sheet yet.")
    ] = None
    accepted_ms: Annotated[TimeMs | None, Meta(description="When it became yours.")] = None


class Pay(Struct, frozen=True):
    """What a contributor earned: sums by currency, and the latest answers, the newest first."""

    sums: list[PaySum]
    earnings: list[EarningAt]


class TimeOfTask(Struct, frozen=True):
    """The time that a task took."""

    task: TaskName
    claimed_ms: TimeMs
    ended_ms: TimeMs
    measured_ms: Annotated[LengthMs, Meta(description="Counted from what your device reported.")]
    agreed_ms: Annotated[LengthMs, Meta(description="What pay rests on.")]
    basis: Annotated[
        Literal["screen", "stated", "none"],
        Meta(description="Reported, decided after you stated it, or nothing was reported."),
    ]
    answered: bool
    stated_ms: Annotated[
        LengthMs | None, Meta(description="Your statement, while it waits for a person.")
    ] = None


class TimesOfTasks(Struct, frozen=True):
    """Tasks with their times, the newest first."""

    data: list[TimeOfTask]


class StateTime(Struct, frozen=True, forbid_unknown_fields=True):
    """Another time than the one that is agreed."""

    time_ms: Annotated[int, Meta(description="The time that you worked.", ge=0, le=2**40)]
    reason: Annotated[str, Meta(description="Why it differs.", min_length=1, max_length=2000)]


class TimeReview(Struct, frozen=True):
    """A statement that waits for a person."""

    id: int
