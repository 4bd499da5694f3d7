"""Hours that are paid beside tasks: what is stated of them, and what a person decided.
Milliseconds UTC, half-open spans."""

from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from canut.pay.active_time import Interval, total_ms

#: training; duty on a panel; waiting that the platform caused
PaidKind: TypeAlias = Literal["training", "panel", "waiting"]
KINDS: tuple[PaidKind, ...] = get_args(PaidKind)

#: open: a person has to decide; refused: none of it was agreed; agreed: the next slip pays it;
#: paid: a slip has it
HoursState: TypeAlias = Literal["open", "refused", "agreed", "paid"]


class Hours(Struct, frozen=True):
    """What somebody says of hours: `stated_ms` of them between two moments."""

    kind: str
    from_ms: int
    until_ms: int
    stated_ms: int
    reason: str
    #: None: that of the floor where the contributor is
    currency: str | None = None


class PaidHours(Struct, frozen=True):
    """Hours as they are on record."""

    id: int
    contributor_id: int
    #: their name
    contributor: str
    #: a program that plays a person
    simulated: bool
    kind: PaidKind
    currency: str
    from_ms: int
    until_ms: int
    stated_ms: int
    reason: str
    #: the task screen noted them, and nobody wrote a reason
    noted: bool
    opened_ms: int
    #: None: nobody has decided yet
    decided_ms: int | None
    agreed_ms: int | None
    #: the decider's
    why: str | None
    #: their name; None too where the command line decided
    decider: str | None
    #: the slip that pays them, and since when it is paid
    slip_id: int | None
    paid_ms: int | None

    @property
    def state(self) -> HoursState:
        """How far they are."""
        if self.decided_ms is None:
            return "open"
        if not self.agreed_ms:
            return "refused"
        return "agreed" if self.slip_id is None else "paid"


class TaskInSpan(Struct, frozen=True):
    """A task that was somebody's in a span, with the time that is agreed."""

    claimed_ms: int
    ended_ms: int
    #: as it was measured
    measured: list[Interval]
    agreed_ms: int
    #: a person decided: then it is known how long it was, and not when
    stated: bool


class Room(Struct, frozen=True):
    """What of a span can be paid as hours, because nothing in it is paid otherwise."""

    tasks: int
    #: agreed time of tasks and of exams in the span
    tasks_ms: int
    exams_ms: int
    #: the rest
    free: list[Interval]

    @property
    def most_ms(self) -> int:
        """The most that can be agreed."""
        return total_ms(self.free)


class Waiting(Struct, frozen=True):
    """Hours that wait for a person, and what they may agree to."""

    hours: PaidHours
    room: Room

    @property
    def most_ms(self) -> int:
        """The most that can be agreed: what is stated, as far as nothing else pays it."""
        return min(self.hours.stated_ms, self.room.most_ms)
