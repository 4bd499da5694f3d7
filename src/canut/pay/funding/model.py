"""The money of a batch, and how many tasks it covers. Minor units."""

from collections.abc import Sequence

from msgspec import Struct

#: tasks let go at once, at most: a look is bounded
PORTION = 50_000


class StepCover(Struct, frozen=True):
    """A step of a funded batch, in the order of the batch."""

    batch_step_id: int
    #: what one answer may come to, and one task, in answers
    unit_minor: int
    answers_most: int
    #: tasks there are, those that money was found for, and those decided
    n_tasks: int
    released: int
    n_decided: int
    #: in people's hands; handed in, and not on a sheet yet
    live: int
    pending: int
    #: answers that audits ask for and nobody has claimed
    audits: int

    @property
    def under_way(self) -> int:
        """Tasks that are covered and not decided."""
        return max(self.released - self.n_decided, 0)

    @property
    def claimed_minor(self) -> int:
        """What is claimed or handed in may come to, with the audits that are open."""
        return self.unit_minor * (self.live + self.pending + self.audits)

    @property
    def task_minor(self) -> int:
        """What a task may come to, to its last answer."""
        return self.unit_minor * self.answers_most


class Plan(Struct, frozen=True):
    """What the money of a batch lets happen."""

    #: tasks to let go, by step
    release: dict[int, int]
    #: what is claimed is not covered: nothing more is
    hold: bool
    #: there is work, nothing is under way, and the money does not cover another task
    short: bool


class BatchFunds(Struct, frozen=True):
    """The money of a batch, for its client."""

    batch_id: int
    currency: str
    funded_ms: int
    #: since when it waits for money; None: it does not
    short_ms: int | None
    #: set aside, and not spent nor held for anybody
    escrow_minor: int
    reserve_minor: int
    #: held for contributors, contributions and fee until it is accepted
    held_minor: int
    #: spent: pay, contributions, AI and fee
    pay_minor: int
    #: tasks there are, those that money covers, those decided
    n_tasks: int
    released: int
    n_decided: int


def plan(available: int, steps: Sequence[StepCover]) -> Plan:
    """Let go only what `available` covers to the last answer it may take, beside all that is let go
    already; what is nearest to its end first. So a task that was begun can be finished, and nobody
    ever holds one that is not covered."""
    claimed = sum(step.claimed_minor for step in steps)
    if claimed > available:
        waiting = any(step.audits or step.n_tasks > step.released for step in steps)
        return Plan({}, hold=True, short=waiting)
    free = available - claimed - sum(step.under_way * step.task_minor for step in steps)
    release: dict[int, int] = {}
    left = 0
    for step in reversed(steps):
        unpaid = step.n_tasks - step.released
        n = min(unpaid, max(free, 0) // step.task_minor, PORTION)
        if n > 0:
            release[step.batch_step_id] = n
            free -= n * step.task_minor
        left += unpaid
    idle = all(not (step.under_way or step.live or step.pending) for step in steps)
    return Plan(release, hold=False, short=left > 0 and idle and not release)
