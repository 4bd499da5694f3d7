"""Agreed time, and what a contributor says against it. Milliseconds UTC."""

from typing import Literal, TypeAlias

from msgspec import Struct

#: screen: as their device reported it; stated: as a person decided after they had stated it;
#: none: nothing was reported
Basis: TypeAlias = Literal["screen", "stated", "none"]


class TaskTime(Struct, frozen=True):
    """The time that one task took one contributor."""

    task_id: int
    batch_step_id: int
    #: for how long the task was theirs
    claimed_ms: int
    ended_ms: int
    #: counted from what was reported
    measured_ms: int
    #: what pay rests on
    agreed_ms: int
    basis: Basis
    #: it ended with an answer
    answered: bool
    #: their own statement that waits for a person; None: there is none
    stated_ms: int | None = None


class TimeSum(Struct, frozen=True):
    """Agreed time of a contributor between two moments."""

    contributor_id: int
    tasks: int
    agreed_ms: int
    #: tasks of which nothing was reported
    unmeasured: int


class Review(Struct, frozen=True):
    """A contributor says that a task took another time; a person decides."""

    id: int
    task_id: int
    contributor_id: int
    batch_step_id: int
    measured_ms: int
    stated_ms: int
    #: the contributor's
    reason: str
    opened_ms: int
    #: None: nobody has decided yet
    decided_ms: int | None
    agreed_ms: int | None
    #: the decider's
    why: str | None
