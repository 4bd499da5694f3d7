"""What stewards read of pay and of the books. Minor units, milliseconds UTC."""

from typing import Any

from msgspec import Struct

from canut.pay.ledger import Account
from canut.pay.payouts.model import Run
from canut.pay.payouts.store_runs import Waiting
from canut.pay.settlement.model import Period
from canut.pay.tariffs import Tariff
from canut.pay.time.model import Review

#: (process id, step) -> what process and step are called
Titles = dict[tuple[int, str], tuple[Any, Any]]


class Sum(Struct, frozen=True):
    """What all accounts of a kind hold."""

    kind: str
    currency: str
    posted: int
    held: int


class Waits(Struct, frozen=True):
    """What of pay waits for somebody, and where the books are."""

    reviews: int
    #: hours beside tasks that are not decided
    hours: int
    waiting: list[Waiting]
    #: newest first: those to be approved, and those of which the bank has not told all
    runs: list[Run]
    #: the newest settled or begun; None: there is none yet
    last: Period | None
    #: the one that is to be settled next; None: nobody has worked for pay
    next: tuple[int, int] | None
    #: tasks that keep it from being settled, where it is over
    uncounted: int
    closed_ms: int
    sums: list[Sum]
    #: tariffs that began in the last days, newest first
    moved: list[Tariff]
    titles: Titles
    #: statements of the bank with lines that cannot be so: their names
    faults: list[str]


class Named(Struct, frozen=True):
    """An account with its balance at the date that was asked for, and whose it is."""

    account: Account
    #: of all that is dated until then
    posted: int
    owner: str


class Evidence(Struct, frozen=True):
    """What is known of a task whose time is in question."""

    review_id: int
    contributor: str
    batch_id: int
    batch: str
    process_id: int
    slug: str
    claimed_ms: int
    ended_ms: int
    answered: bool
    #: when somebody was seen at work
    seen: list[tuple[int, int]]
    #: who decided
    decider: str | None
    #: how long such a task takes on the mean; None: it was not measured yet
    mean_ms: float | None = None


class Asked(Struct, frozen=True):
    """A statement about time, and what is known of its task."""

    review: Review
    evidence: Evidence


class StepPrice(Struct, frozen=True):
    """A step with what it pays; None: its work is voluntary."""

    process_id: int
    process_slug: str
    slug: str
    process: Any
    title: Any
    #: whose process it is; None: of the library
    client: str | None
    tariff: Tariff | None = None
