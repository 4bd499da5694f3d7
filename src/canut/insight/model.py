"""The values of figures."""

from typing import Any

from msgspec import Struct

from canut.questions.base import Localised


class Overview(Struct, frozen=True):
    """How the whole platform is doing now."""

    #: batches by state
    running: int
    paused: int
    delivered: int
    #: tasks of open steps that are not decided
    tasks_left: int
    #: tasks that wait for an expert
    tasks_escalated: int
    #: assignments in somebody's hands
    tasks_live: int
    #: contributors who hold a task, people and programs that play people
    people_at_work: int
    simulated_at_work: int
    #: answers the engine has not weighed yet
    inbox: int
    #: when the oldest of them was submitted; None for an empty inbox
    inbox_oldest_ms: int | None
    webhooks_failed: int
    webhooks_waiting: int
    #: bytes of the database
    database_bytes: int
    #: the database's clock, milliseconds UTC
    at_ms: int

    @property
    def lag_ms(self) -> int:
        """How long the oldest answer has waited for the engine."""
        return max(0, self.at_ms - self.inbox_oldest_ms) if self.inbox_oldest_ms else 0


class Queue(Struct, frozen=True):
    """A step that contributors may claim at now."""

    batch_id: int
    batch_name: str
    client_name: str
    title: Localised
    n_tasks: int
    n_decided: int
    n_answers: int
    n_escalated: int
    priority: int


class Worker(Struct, frozen=True):
    """A contributor with what they do and have done."""

    id: int
    name: str
    kind: str
    simulated: bool
    state: str
    skills: list[str]
    n_live: int
    #: answers that could be compared with a decision, and how many agreed (both expected values)
    judged: float
    right: float
    #: of an agent: a family counts as one voice
    family: str | None = None


class BatchShare(Struct, frozen=True):
    """How far a batch is, over all its steps."""

    batch_id: int
    #: decisions that the batch will need when nothing is cut short
    wanted: int
    decided: int
    answers: int


class Told(Struct, frozen=True):
    """An event on its way to a client's webhook, or there."""

    id: int
    url: str
    event_type: str
    state: str
    attempts: int
    last_status: int | None
    last_error: str | None
    created_ms: int
    ended_ms: int | None


class Given(Struct, frozen=True):
    """An answer, as the database has it."""

    task_id: int
    batch_step_id: int
    value: Any
    submitted_ms: int
    #: time at work; None: not measured
    active_ms: int | None


class AskedAnswers(Struct, frozen=True):
    """Which of their answers a contributor asks for."""

    #: (process id, step); None: all
    step: tuple[int, str] | None = None
    #: from then on, and before then, milliseconds UTC
    since_ms: int = 0
    until_ms: int | None = None


class Titles(Struct, frozen=True):
    """How the work of a step of a batch is called."""

    batch_step_id: int
    process: Localised
    step: Localised
