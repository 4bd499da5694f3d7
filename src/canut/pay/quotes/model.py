"""What a quote is made from, and what it says. Minor units, milliseconds, answers."""

from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.policy.model import WHOLE

#: pay: for answers; cover: what tasks under way may come to beyond that; reserve: to bring pay up
#: to the floor; social: contributions; ai: language models; fee: the co-op's
LineKind: TypeAlias = Literal["pay", "cover", "reserve", "social", "ai", "fee"]
#: lines of which what is not used goes back to the client
REFUNDED: frozenset[LineKind] = frozenset({"cover", "reserve"})


class StepFacts(Struct, frozen=True):
    """What is known of a step when a batch is quoted."""

    batch_step_id: int
    slug: str
    #: None: the work is voluntary, and costs nothing
    tariff_id: int | None
    #: of a task; None: by the hour
    price_minor: int | None
    floor_minor: int
    #: how long a task takes, measured or assumed
    task_ms: int
    assumed_ms: int
    lease_ms: int
    min_answers: int
    max_answers: int
    #: belief at which a task is decided
    target: float
    #: share of right answers of its contributors, measured or assumed
    skill: float
    #: answers of people for each decided task, of its history; None: there is none
    answers_known: float | None
    gold_share: float
    audit_share: float
    audits_max: int
    panel: int
    #: answers a day of its last active days, fewest and most; None: there were none
    daily_known: tuple[int, int] | None
    #: people who may work there now
    people: int
    #: what language models cost for an item, in micro-units
    ai_micro: int


class Terms(Struct, frozen=True):
    """The rules in force, as shares of pay in hundredths of a percent."""

    fee: int
    social: int
    reserve: int


class Line(Struct, frozen=True):
    """A line of the price."""

    kind: LineKind
    minor: int
    #: the batch's step; empty: all of them
    step: str = ""
    #: how it comes about, as numbers a reader can recompute with: "answers", "each", "share", ...
    of: dict[str, float | int] = {}


class StepQuote(Struct, frozen=True):
    """What a step is expected to take."""

    batch_step_id: int
    slug: str
    tariff_id: int | None
    #: None: by the hour, or voluntary
    price_minor: int | None
    #: expected pay of one answer
    answer_minor: int
    answers_per_item: float
    #: all of them, with gold and audits
    answers: int
    #: the answers for each item are of the step's history; else they follow from assumptions
    known: bool


class Choice(Struct, frozen=True):
    """What would change with another quality target."""

    target: float
    total_minor: int
    answers: int
    earliest_ms: int
    latest_ms: int


class Quote(Struct, frozen=True):
    """What a batch is expected to cost and when it is expected to be done."""

    currency: str
    items: int
    lines: tuple[Line, ...]
    steps: tuple[StepQuote, ...]
    total_minor: int
    #: pay as a share of the price without what goes back, 0 to 1
    contributor_share: float
    #: half of such batches would be done between these, if work goes on as before
    earliest_ms: int
    latest_ms: int
    #: answers a day that the deadline needs, and those expected; None: no deadline
    daily_needed: int | None
    daily_expected: tuple[int, int]
    choices: tuple[Choice, ...] = ()

    def line(self, kind: LineKind) -> int:
        """All lines of a kind."""
        return sum(line.minor for line in self.lines if line.kind == kind)

    @property
    def fee(self) -> int:
        """The co-op's, in hundredths of a percent of pay."""
        [share] = {line.of["share"] for line in self.lines if line.kind == "fee"}
        return round(share * WHOLE)
