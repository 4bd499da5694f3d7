"""The tariff of a step: what a task pays, and what that rests on."""

from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.tariff import hourly_minor

#: pilot: by the hour, while time is measured; measured: by the task; voluntary: not any more
Stage: TypeAlias = Literal["pilot", "measured", "voluntary"]


class Tariff(Struct, frozen=True):
    """A dated row: the next one follows it, it never changes. Minor units, milliseconds."""

    id: int
    process_id: int
    step_slug: str
    stage: Stage
    currency: str
    jurisdiction: str
    #: of an hour, when this was made
    floor_minor: int
    #: of a task; None while it is paid by the hour
    price_minor: int | None
    #: a gap that still counts as work
    idle_ms: int
    #: of a task, before any was measured
    assumed_ms: int
    #: of the tasks that were measured, and the upper bound on it
    mean_ms: float | None
    upper_ms: float | None
    n_tasks: int
    n_contributors: int
    #: of the bootstrap
    seed: int
    from_ms: int
    #: who set it; None: the program, by the formula
    account_id: int | None
    why: str
    made_ms: int

    @property
    def task_ms(self) -> float:
        """How long a task takes, as far as is known."""
        return self.mean_ms or float(self.assumed_ms)

    @property
    def hourly_minor(self) -> float:
        """What an hour of such tasks brings, on the mean."""
        if self.price_minor is None:
            return float(self.floor_minor)
        return hourly_minor(self.price_minor, self.task_ms)


class StepName(Struct, frozen=True):
    """A step, whatever the version of its process."""

    process_id: int
    process: str
    slug: str
