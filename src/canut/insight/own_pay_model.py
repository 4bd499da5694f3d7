"""What a contributor reads of their own pay. Minor units, milliseconds UTC."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from canut.insight.model import Titles
from canut.pay.tariff import HOUR_MS, owed_for_time, top_up
from canut.pay.time.model import Review

#: voluntary: its step pays nothing; let_go: its time counts toward the floor; counting: the engine
#: has not paid it yet; held: earned, and not theirs yet; accepted: theirs
TaskState: TypeAlias = Literal["voluntary", "let_go", "counting", "held", "accepted"]


class TaskPay(Struct, frozen=True):
    """A task that a contributor ended: the time it took, and what it earned."""

    task_id: int
    batch_step_id: int
    ended_ms: int
    answered: bool
    measured_ms: int
    agreed_ms: int
    #: screen: as measured; stated: as a person decided; none: nothing is known
    time_basis: str
    #: the contributor's statement that waits for a person
    stated_ms: int | None
    #: None: its step pays nothing
    currency: str | None
    #: None: nothing was earned, or not yet
    pay_minor: int | None
    #: of it, what came later: a price that was raised, a time that was put right
    more_minor: int
    #: price; hour; assumed: by the hour, though nothing was measured
    pay_basis: str | None
    #: when the last of it is or was theirs
    accept_ms: int | None
    accepted_ms: int | None

    @property
    def state(self) -> TaskState:
        """Where its pay is."""
        if self.currency is None:
            return "voluntary"
        if not self.answered:
            return "let_go"
        if self.pay_minor is None:
            return "counting"
        return "held" if self.accepted_ms is None else "accepted"


class TaskLine(Struct, frozen=True):
    """The same in a list."""

    #: the task's public name
    task: str
    titles: Titles
    pay: TaskPay


class TaskPage(Struct, frozen=True):
    """A page of the list; `older` is `before` of the next one, None on the last."""

    lines: tuple[TaskLine, ...]
    older: str | None


class Cause(Struct, frozen=True):
    """What a task earned once."""

    #: work; reprice:<tariff>: its price was raised; time:<review>: its time was corrected
    cause: str
    amount_minor: int
    basis: str
    #: time that was paid by the hour; 0 by the task
    paid_ms: int
    earned_ms: int
    accept_ms: int | None
    accepted_ms: int | None


class OwnTask(Struct, frozen=True):
    """One task, with everything about its time and its pay."""

    line: TaskLine
    claimed_ms: int
    causes: tuple[Cause, ...]
    #: times that they stated, newest first
    statements: tuple[Review, ...]


class Week(Struct, frozen=True):
    """A period that was settled, in one currency: all slips of it together."""

    period_id: int
    from_ms: int
    until_ms: int
    currency: str
    #: the last of them, which has all that was known
    slip_id: int
    slips: int
    n_tasks: int
    agreed_ms: int
    floor_minor: int
    qualifying_minor: int
    topup_minor: int
    hours_ms: int
    hours_minor: int

    @property
    def total_minor(self) -> int:
        """All that it brought."""
        return self.qualifying_minor + self.topup_minor + self.hours_minor

    @property
    def time_ms(self) -> int:
        """All the time that was paid for."""
        return self.agreed_ms + self.hours_ms

    @property
    def hourly_minor(self) -> int | None:
        """What an hour brought, rounded down."""
        return hourly(self.total_minor, self.time_ms)


class Present(Struct, frozen=True):
    """A period that goes on, in one currency, as far as it is known."""

    from_ms: int
    until_ms: int
    currency: str
    n_tasks: int
    #: answers that are not paid yet
    counting: int
    agreed_ms: int
    pay_minor: int
    floor_minor: int

    @property
    def owed_minor(self) -> int:
        """What the time must bring at least."""
        return owed_for_time(self.floor_minor, self.agreed_ms)

    @property
    def topup_minor(self) -> int:
        """What is missing to it, if the period ended now."""
        return top_up(self.floor_minor, self.agreed_ms, self.pay_minor)

    @property
    def total_minor(self) -> int:
        """What it would bring then."""
        return self.pay_minor + self.topup_minor

    @property
    def hourly_minor(self) -> int | None:
        """What an hour would bring then, rounded down."""
        return hourly(self.total_minor, self.agreed_ms)


class Year(Struct, frozen=True):
    """Periods that ended in one year, in one currency, together."""

    currency: str
    n_tasks: int
    time_ms: int
    qualifying_minor: int
    topup_minor: int
    hours_minor: int

    @property
    def total_minor(self) -> int:
        """All that they brought."""
        return self.qualifying_minor + self.topup_minor + self.hours_minor

    @property
    def hourly_minor(self) -> int | None:
        """What an hour brought, rounded down."""
        return hourly(self.total_minor, self.time_ms)


class Held(Struct, frozen=True):
    """When what is held in one currency is theirs: the first of it, and the last."""

    currency: str
    first_ms: int
    last_ms: int


def hourly(minor: int, ms: int) -> int | None:
    """What an hour brings, rounded down; None without time."""
    return minor * HOUR_MS // ms if ms else None


def year_of(weeks: Sequence[Week]) -> list[Year]:
    """The sums of some periods, by currency."""
    found = []
    for currency in sorted({one.currency for one in weeks}):
        mine = [one for one in weeks if one.currency == currency]
        found.append(
            Year(
                currency=currency,
                n_tasks=sum(one.n_tasks for one in mine),
                time_ms=sum(one.time_ms for one in mine),
                qualifying_minor=sum(one.qualifying_minor for one in mine),
                topup_minor=sum(one.topup_minor for one in mine),
                hours_minor=sum(one.hours_minor for one in mine),
            )
        )
    return found
