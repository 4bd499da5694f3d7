"""What work costs a client: quotes, the money of batches, invoices."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import Id, TimeMs
from canut.sdk.values.pay import Currency, Minor

Share = Annotated[float, Meta(description="0 to 1.", ge=0, le=1)]


class NewQuote(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be quoted of a batch."""

    items: (
        Annotated[int, Meta(description="So many of its items; null: all.", ge=1, le=2**53)] | None
    ) = None


class QuoteLine(Struct, frozen=True):
    """A line of the price."""

    kind: Annotated[
        Literal["pay", "cover", "reserve", "social", "ai", "fee"],
        Meta(
            description="cover and reserve: set aside, and what is not used goes back; social: "
            "contributions; ai: language models."
        ),
    ]
    amount_minor: Minor
    step: Annotated[str, Meta(description="The step it is for; empty: all of them.")] = ""
    of: Annotated[
        dict[str, float | int],
        Meta(description="How it comes about: `answers` times `each`, a `share`, ..."),
    ] = {}


class QuoteStep(Struct, frozen=True):
    """What a step is expected to take."""

    step: str
    price_minor: Annotated[
        int | None, Meta(description="Of a task; null: by the hour, or voluntary.")
    ]
    answer_minor: Annotated[Minor, Meta(description="Expected pay of one answer.")]
    answers_per_item: float
    answers: Annotated[int, Meta(description="All of them, with gold and audits.")]
    measured: Annotated[
        bool, Meta(description="The answers an item are of the step's history, not assumed.")
    ]


class QuoteChoice(Struct, frozen=True):
    """What would change with another quality target."""

    target: Share
    total_minor: Minor
    answers: int
    earliest_ms: TimeMs
    latest_ms: TimeMs


class Quote(Struct, frozen=True):
    """What a batch is expected to cost, and when it is expected to be done."""

    id: int
    batch: int
    currency: Currency
    items: int
    lines: list[QuoteLine]
    steps: list[QuoteStep]
    total_minor: Minor
    contributor_share: Annotated[
        Share, Meta(description="Pay as a share of the price without what goes back.")
    ]
    earliest_ms: TimeMs
    latest_ms: TimeMs
    choices: list[QuoteChoice]
    daily_expected: Annotated[
        list[int],
        Meta(
            description="Answers a day, fewest and most, as work goes.", min_length=2, max_length=2
        ),
    ]
    daily_needed: Annotated[
        int | None, Meta(description="Answers a day that the deadline needs; null: no deadline.")
    ]
    made_ms: TimeMs
    agreed_ms: Annotated[TimeMs | None, Meta(description="Since when it holds; null: not agreed.")]


class Quotes(Struct, frozen=True):
    """The quotes of a batch, newest first."""

    data: list[Quote]


class BatchFunds(Struct, frozen=True):
    """The money of a batch."""

    batch: int
    currency: Currency
    funded_ms: TimeMs
    short_ms: Annotated[
        TimeMs | None, Meta(description="Since when it waits for money; null: it does not.")
    ]
    escrow_minor: Annotated[Minor, Meta(description="To spend.")]
    reserve_minor: Annotated[Minor, Meta(description="To bring pay up to the floor.")]
    held_minor: Annotated[Minor, Meta(description="Earned, and held until it is accepted.")]
    spent_minor: Annotated[Minor, Meta(description="Pay, contributions, models and fee.")]
    tasks: int
    covered: Annotated[int, Meta(description="Tasks that the money covers.")]
    decided: int


class Purse(Struct, frozen=True):
    """A client's money in one currency."""

    currency: Currency
    deposit_minor: Annotated[Minor, Meta(description="Paid in, and not set aside for a batch.")]
    aside_minor: Annotated[Minor, Meta(description="Set aside for batches, and not used.")]
    held_minor: Annotated[Minor, Meta(description="Earned there, and held until it is accepted.")]


class Purses(Struct, frozen=True):
    """One for each currency."""

    data: list[Purse]


class Invoice(Struct, frozen=True):
    """An invoice, or a credit note, which corrects one."""

    id: int
    number: str
    kind: Literal["invoice", "credit_note"]
    client: Id
    currency: Currency
    until_ms: Annotated[TimeMs, Meta(description="Of work dated before this.")]
    issued_ms: TimeMs
    net_minor: Minor
    vat_minor: Minor
    prepaid_minor: Annotated[Minor, Meta(description="Paid from the deposit.")]
    due_minor: Annotated[Minor, Meta(description="Tax still to be taken from the deposit.")]
    of_invoice: Annotated[int | None, Meta(description="The invoice that it corrects.")] = None
    cancelled: bool = False
    why: str = ""
