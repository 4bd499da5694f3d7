"""What contributors are paid: slips of pay periods, and payouts."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import TimeMs
from canut.sdk.values.pay import Currency, LengthMs, Minor
from canut.sdk.values.work import TaskName


class PaySlip(Struct, frozen=True):
    """What a pay period brought, in one currency."""

    id: int
    currency: Currency
    from_ms: TimeMs
    until_ms: Annotated[TimeMs, Meta(description="The end of the period, not in it.")]
    number: Annotated[int, Meta(description="From 1: later slips pay what became known later.")]
    jurisdiction: str
    floor_minor: Annotated[Minor, Meta(description="Of an hour.")]
    tasks: int
    agreed_ms: LengthMs
    qualifying_minor: Annotated[Minor, Meta(description="What the tasks brought.")]
    owed_minor: Annotated[Minor, Meta(description="What the time brings at least.")]
    before_minor: Annotated[Minor, Meta(description="Top-ups of earlier slips of the period.")]
    topup_minor: Minor
    hours_ms: Annotated[LengthMs, Meta(description="Paid by the hour, beside tasks.")]
    hours_minor: Minor
    total_minor: Annotated[Minor, Meta(description="Nothing is deducted.")]
    hourly_minor: Annotated[
        int | None, Meta(description="What an hour has brought; null: no time was measured.")
    ]
    written_ms: TimeMs
    paid_ms: Annotated[TimeMs | None, Meta(description="null: about to be.")]
    before_hours_ms: Annotated[
        LengthMs, Meta(description="Hours on the first slip of the period, beside tasks.")
    ] = 0
    before_hours_minor: Annotated[Minor, Meta(description="What they brought.")] = 0


class PaySlipLine(Struct, frozen=True):
    """A task on a slip."""

    task: TaskName
    process: str
    step: str
    ended_ms: TimeMs
    agreed_ms: LengthMs
    pay_minor: Minor
    basis: Annotated[
        Literal["price", "hour", "none"],
        Meta(description="By the task, by its time, or nothing was earned."),
    ]


class PaySlipHours(Struct, frozen=True):
    """Hours on a slip, beside tasks."""

    kind: Literal["exam", "training", "panel", "waiting"]
    from_ms: TimeMs
    until_ms: TimeMs
    agreed_ms: Annotated[LengthMs, Meta(description="How long of that is paid.")]


class PaySlipDetail(Struct, frozen=True):
    """A slip with every task and all hours beside them, from which it can be recomputed."""

    slip: PaySlip
    lines: list[PaySlipLine]
    hours: list[PaySlipHours] = []


class PayoutAccount(Struct, frozen=True):
    """Where your money goes, masked."""

    way: Annotated[str, Meta(description="iban, or a provider of mobile money.")]
    masked: str
    created_ms: TimeMs


class NewPayout(Struct, frozen=True, forbid_unknown_fields=True):
    """Money that you ask for. The same key again is the same payout."""

    amount_minor: Annotated[
        int, Meta(description="Whole minor units of the currency (cents).", ge=1, le=2**53)
    ]
    currency: Annotated[str, Meta(description="ISO 4217.", pattern="^[A-Z]{3}$")]
    key: Annotated[
        str,
        Meta(
            description="Your own name for it: the same key again is the same payout.",
            min_length=1,
            max_length=100,
            pattern=r"^[^\x00-\x1f\x7f\ud800-\udfff]+$",
        ),
    ]


class Payout(Struct, frozen=True):
    """What you asked for, and what became of it."""

    id: int
    amount_minor: Minor
    currency: Currency
    way: str
    masked: Annotated[str, Meta(description="Where it goes.")]
    state: Annotated[
        Literal["requested", "cancelled", "approved", "paid", "failed"],
        Meta(description="approved: on its way to the bank; failed: the money is yours again."),
    ]
    reference: Annotated[str, Meta(description="What your bank shows.")]
    requested_ms: TimeMs
    ended_ms: TimeMs | None = None
    reason: Annotated[str, Meta(description="Why it failed.")] = ""
