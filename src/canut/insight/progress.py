"""How far a batch is, how fast, how sure, and at what cost: what its client's page shows.

`read_now` is what is looked at each second, for all who watch; `read_measured` is what a page reads
once: of large batches an even sample, and it says so.
"""

from msgspec import Struct

from canut.db.pool import Conn, SyncConn
from canut.insight import store_progress as store
from canut.insight.pace import LOOK_BACK_MS, End, Pace, Pulse, end, pace
from canut.work import store as work_store
from canut.work.model import Batch, StepProgress

#: decisions that are read one by one, for confidences and for agreement; of more, a sample
COUNTED_ONE_BY_ONE = 20_000
AGREEMENT_READ = 4_000
#: places of a sample
POINTS = 200
#: bins of confidence, from 0 to 1
BINS = 20


class StepNow(Struct, frozen=True):
    """A step just now: its items by state. They add up to the items of the batch."""

    step: StepProgress
    decided: int
    #: waiting for an expert, or for answers; for the step before
    experts: int
    waiting: int
    later: int
    #: decisions that the client contests just now
    contested: int
    #: confidence at which it decides
    target: float


class BatchNow(Struct, frozen=True):
    """A batch just now."""

    batch: Batch
    steps: tuple[StepNow, ...]
    answers: int
    decided: int
    #: decisions until everything is decided
    left: int
    #: None: not known (yet)
    pace: Pace | None
    end: End | None


class Measured(Struct, frozen=True):
    """The decisions of a step, counted or sampled."""

    #: decisions that were read, and that there are
    read: int
    decided: int
    #: by twentieth of confidence
    bins: tuple[int, ...]
    #: by who decided
    methods: dict[str, int]
    #: of answers weighed beside others, the share that agrees with the decision; None: no such
    agreement: float | None

    @property
    def exact(self) -> bool:
        """Whether all of them were read."""
        return self.read >= self.decided


class Cost(Struct, frozen=True):
    """What agents' models cost in one currency."""

    currency: str
    #: millionths
    micro: int
    calls: int


class Certified(Struct, frozen=True):
    """The newest certificate of a step."""

    id: int
    step: str
    issued_ms: int
    #: at most this share is wrong, and whether that is what was promised
    bound: float
    kept: bool


async def read_now(conn: Conn, batch: Batch, now_ms: int, known: Pace | None = None) -> BatchNow:
    """How far `batch` is. `known` is a pace that was read a moment ago, if it was."""
    progress = await work_store.progress(conn, batch.id)
    waiting = await store.waiting(conn, batch.id)
    steps = tuple(_step(batch, one, *waiting[one.batch_step_id]) for one in progress)
    decided, answers = sum(one.decided for one in steps), sum(one.n_answers for one in progress)
    left = max(0, batch.n_items * len(steps) - decided)
    found = known
    if known is None and batch.state == "running":
        rows = await store.pulses(conn, batch.id, now_ms - LOOK_BACK_MS)
        found = pace([*rows, Pulse(now_ms, answers, decided)], now_ms)
    ends = end(found, left, now_ms) if found and left and batch.state == "running" else None
    return BatchNow(batch, steps, answers, decided, left, found, ends)


def read_measured(conn: SyncConn, step: StepProgress) -> Measured:
    """Confidences, methods and agreement of a step's decisions."""
    rows = store.measured(conn, step.batch_step_id, *_sample(step.n_decided, COUNTED_ONE_BY_ONE))
    bins, methods = [0] * BINS, dict[str, int]()
    for place, method, count, _ in rows:
        bins[place] += count
        methods[method] = methods.get(method, 0) + count
    agreed, weighed = store.agreed(
        conn, step.batch_step_id, *_sample(step.n_decided, AGREEMENT_READ)
    )
    return Measured(
        read=sum(bins),
        decided=step.n_decided,
        bins=tuple(bins),
        methods=methods,
        agreement=agreed / weighed if weighed else None,
    )


def read_cost(conn: SyncConn, batch_id: int) -> list[Cost]:
    """What agents' models cost so far, by currency."""
    return [Cost(*row) for row in store.cost(conn, batch_id)]


def read_certified(conn: SyncConn, batch_id: int) -> list[Certified]:
    """The newest certificate of each step that has one."""
    return [
        Certified(number, step, issued, float(said["bound"]), bool(said["proved"]))
        for number, step, issued, said in store.certified(conn, batch_id)
    ]


def take_pulses(conn: SyncConn, now_ms: int) -> int:
    """Note how far running batches are; of how many it was noted."""
    return store.pulse(conn, now_ms)


def _step(batch: Batch, step: StepProgress, target: float, experts: int, contested: int) -> StepNow:
    begun = max(step.n_tasks, step.n_decided)
    experts = min(experts, begun - step.n_decided)
    return StepNow(
        step=step,
        decided=step.n_decided,
        experts=experts,
        waiting=begun - step.n_decided - experts,
        later=max(0, batch.n_items - begun),
        contested=contested,
        target=target,
    )


def _sample(decided: int, most: int) -> tuple[int, int]:
    """Places, and decisions from each on."""
    return (1, most) if decided <= most else (POINTS, most // POINTS)
