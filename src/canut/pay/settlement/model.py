"""Pay periods and pay slips. Minor units, milliseconds UTC."""

from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.tariff import owed_for_time
from canut.questions.base import Localised

#: price: by the task; hour: by agreed time, or by the assumed one where nothing was measured;
#: none: nothing was earned
LineBasis: TypeAlias = Literal["price", "hour", "none"]
#: what is paid by the hour beside tasks
HoursKind: TypeAlias = Literal["exam", "training", "panel", "waiting"]


class Period(Struct, frozen=True):
    """A stretch of time that was settled, `from_ms` in it and `until_ms` not."""

    id: int
    from_ms: int
    until_ms: int
    begun_ms: int
    #: None: its slips are written, and not all of them are paid yet
    settled_ms: int | None


class Settled(Struct, frozen=True):
    """What the settlement of a period came to, in one currency."""

    period: Period
    currency: str
    slips: int
    #: what tasks brought, what was missing to the floor, and hours beside tasks
    qualifying_minor: int
    topup_minor: int
    hours_minor: int
    agreed_ms: int


class SlipSummary(Struct, frozen=True):
    """A slip without its lines."""

    id: int
    contributor_id: int
    #: their name
    contributor: str
    currency: str
    #: the period of the work
    from_ms: int
    until_ms: int
    #: the slips of one period, from 1: later ones pay what became known later
    number: int
    jurisdiction: str
    #: of an hour
    floor_minor: int
    n_tasks: int
    agreed_ms: int
    #: what the tasks brought
    qualifying_minor: int
    #: top-ups of earlier slips of the period, and of this one
    before_minor: int
    topup_minor: int
    #: paid by the hour: exams, training, panel duty, waiting
    hours_ms: int
    hours_minor: int
    written_ms: int
    #: when top-up and hours were theirs; None: about to be
    paid_ms: int | None
    #: hours on the first slip of the period, where this is a later one
    before_hours_ms: int
    before_hours_minor: int

    @property
    def owed_minor(self) -> int:
        """What the time must bring at least."""
        return owed_for_time(self.floor_minor, self.agreed_ms)

    @property
    def total_minor(self) -> int:
        """All that the period has brought. Nothing is deducted."""
        of_tasks = self.qualifying_minor + self.before_minor + self.topup_minor
        return of_tasks + self.before_hours_minor + self.hours_minor

    @property
    def hourly_minor(self) -> int | None:
        """What an hour has brought, rounded down; None: no time was measured."""
        time = self.agreed_ms + self.before_hours_ms + self.hours_ms
        return self.total_minor * 3_600_000 // time if time else None


class SlipLine(Struct, frozen=True):
    """A task on a slip, with all that is known of it by then."""

    task_id: int
    batch_step_id: int
    batch_id: int
    process: str
    step: str
    process_title: Localised
    step_title: Localised
    ended_ms: int
    agreed_ms: int
    pay_minor: int
    basis: LineBasis


class HoursLine(Struct, frozen=True):
    """Hours on a slip, which are paid beside tasks."""

    kind: HoursKind
    #: when it was
    from_ms: int
    until_ms: int
    #: how long of that is paid
    agreed_ms: int


class Slip(Struct, frozen=True):
    """A pay slip with its lines: what it says can be recomputed from them."""

    summary: SlipSummary
    lines: list[SlipLine]
    hours: list[HoursLine]


class LineGroup(Struct, frozen=True):
    """Tasks of one step that brought the same each, or that were paid by the hour."""

    process: str
    step: str
    process_title: Localised
    step_title: Localised
    basis: LineBasis
    n_tasks: int
    #: what each brought; None: it depends on its time
    each_minor: int | None
    agreed_ms: int
    pay_minor: int


class Worked(Struct, frozen=True):
    """What is known of a contributor's work of a period, in one currency."""

    contributor_id: int
    currency: str
    jurisdiction: str | None
    of_period: int
    #: the last moment of that period
    at_ms: int
    n_tasks: int
    agreed_ms: int
    qualifying_minor: int
    before_minor: int
    hours_ms: int


class NewSlip(Struct, frozen=True):
    """A slip to be written."""

    worked: Worked
    jurisdiction: str
    floor_minor: int
    topup_minor: int
    hours_minor: int


class Unpaid(Struct, frozen=True):
    """A slip to be paid, with the time of each batch."""

    id: int
    contributor_id: int
    currency: str
    jurisdiction: str
    topup_minor: int
    hours_minor: int
    batches: list[int]
    times: list[int]
