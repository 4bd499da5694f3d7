"""The values of the pages with which operators keep promises."""

from msgspec import Struct

from canut.questions.base import Localised

#: tasks of a kind are counted up to so many for each step of a batch
COUNTED_MAX = 1000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000


class Now(Struct, frozen=True):
    """What goes on at this moment."""

    running: int
    paused: int
    delivered: int
    #: tasks of open steps that are not decided
    tasks_left: int
    #: assignments in somebody's hands
    tasks_live: int
    #: contributors who hold a task: people, programs that play people, agents
    people_at_work: int
    simulated_at_work: int
    agents_at_work: int
    #: answers the engine has not counted yet, and since when the oldest could be
    inbox: int
    inbox_oldest_ms: int | None
    webhooks_failed: int
    webhooks_waiting: int
    #: people's licences that evidence speaks against
    licences_flagged: int
    #: the database's clock, milliseconds UTC
    at_ms: int

    @property
    def lag_ms(self) -> int:
        """How long the oldest answer has waited for the engine."""
        return max(0, self.at_ms - self.inbox_oldest_ms) if self.inbox_oldest_ms else 0


class Health(Struct, frozen=True):
    """The database, as it sees itself."""

    version: str
    #: bytes
    size: int
    connections: int
    connections_max: int
    #: migrations applied, and when the last was
    migrations: int
    migrated_ms: int
    #: when `canut db backup` last made a copy; None: never, or another way
    backup_ms: int | None


class Beat(Struct, frozen=True):
    """What an engine found, once an hour: at its last look, and in the middle of its looks."""

    #: hours since 1970
    hour: int
    #: ever, at the last look of the hour
    answers: int
    decided: int
    tasks_left: float
    inbox: float
    lag_ms: float
    at_work: float
    #: when the last look was
    at_ms: int


class Course(Struct, frozen=True):
    """Figures over time, by hour, oldest first; None where no engine looked."""

    #: answers counted and decisions made in each of the last 24 hours
    answers: list[float | None]
    decided: list[float | None]
    #: the middle of seven days; None: not known yet
    usual_answers: float | None
    usual_left: float | None
    usual_inbox: float | None
    usual_lag_ms: float | None
    usual_at_work: float | None
    #: when an engine looked last
    seen_ms: int | None


class Queue(Struct, frozen=True):
    """A step of a batch that contributors may claim at now."""

    batch_step_id: int
    batch_id: int
    batch_name: str
    client_name: str
    process_id: int
    slug: str
    priority: int
    created_ms: int
    expert_skill: str | None
    skills: list[str]
    licence: bool
    n_tasks: int
    n_decided: int
    n_answers: int
    #: tasks in somebody's hands, whose belief wavers, that wait for an expert
    live: int
    doubtful: int
    expert: int

    @property
    def left(self) -> int:
        """Tasks that are not decided."""
        return max(self.n_tasks - self.n_decided, 0)


class Work(Struct, frozen=True):
    """The open work of a step, over all batches."""

    process_id: int
    slug: str
    process: Localised
    title: Localised
    batches: int
    left: int
    live: int
    doubtful: int
    expert: int
    #: that many or more: a batch has more than `COUNTED_MAX`
    at_least: bool
    #: milliseconds since the batch came in, of the oldest task, and of the middle one
    oldest_ms: int
    median_ms: int


class Failed(Struct, frozen=True):
    """An event that could not be told to a client."""

    id: int
    client_name: str
    url: str
    event_type: str
    attempts: int
    last_status: int | None
    last_error: str | None
    ended_ms: int | None
    #: the client removed the address
    disabled: bool


class Able(Struct, frozen=True):
    """Who could answer at a step: active contributors with what it asks for."""

    batch_step_id: int
    people: int
    agents: int
    experts: int


class Waiting(Struct, frozen=True):
    """A task that waits for an expert."""

    task_id: int
    batch_id: int
    batch_name: str
    key: str
    process_id: int
    slug: str
    expert_skill: str | None
    answers: int
    #: when the last answer came; None: there is none
    since_ms: int | None


class Marked(Struct, frozen=True):
    """A remark on a task that is a check: gold, or an audit."""

    kind: str
    reason: str
    note: str
    made_ms: int
    #: gold or audit
    check: str
    process_id: int
    slug: str
    gold_id: int | None
    gold_active: bool | None
    #: of an audit: the item
    batch_id: int | None
    key: str | None
