"""What operators see of the platform: what goes on, what is usual, what waits for whom."""

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from canut.db.pool import Conn, Pool, SyncConn
from canut.insight import store_operations as store
from canut.insight.operations_model import (
    COUNTED_MAX,
    DAY_MS,
    HOUR_MS,
    Able,
    Beat,
    Course,
    Failed,
    Health,
    Marked,
    Now,
    Queue,
    Waiting,
    Work,
)
from canut.questions.base import Localised

#: what is usual is the middle of so many days, told once half a day is known
USUAL_DAYS = 7
USUAL_HOURS_MIN = 12
KEEP_MS = (USUAL_DAYS + 1) * DAY_MS
FAILED_SHOWN = 20
#: tasks and remarks on a page
PAGE = 50

Titles = dict[tuple[int, str], tuple[Localised, Localised]]


class Sight(Struct, frozen=True):
    """The whole platform at a glance."""

    now: Now
    health: Health
    course: Course
    work: list[Work]
    #: the queues in which the work is, the most urgent first
    queues: list[Queue]
    failed: list[Failed]
    #: steps of batches at which tasks wait and nobody can take them
    stuck: list[Queue]


class BatchSight(Struct, frozen=True):
    """A batch as an operator sees it."""

    queues: list[Queue]
    able: dict[int, Able]
    titles: Titles
    marked: list[Marked]
    at_ms: int


class Expected(Struct, frozen=True):
    """What waits for experts."""

    waiting: list[Waiting]
    #: by step, with how many experts could take it
    queues: list[Queue]
    able: dict[int, Able]
    titles: Titles
    marked: list[Marked]


async def read_sight(pool: Pool) -> Sight:
    """How the platform is doing."""
    async with pool.connection() as conn:
        now = await store.now(conn)
        health = await store.health(conn)
        beats = await store.pulse(conn, USUAL_DAYS * DAY_MS)
        queues = await store.queues(conn)
        failed = await store.failed(conn, FAILED_SHOWN) if now.webhooks_failed else []
        stuck = await _stuck(conn, queues)
        titles = await store.titles(conn, places(queues))
    return Sight(
        now, health, course(beats, now.at_ms), work(queues, titles, now.at_ms), queues, failed,
        stuck,
    )  # fmt: skip


async def _stuck(conn: Conn, queues: Sequence[Queue]) -> list[Queue]:
    able = await store.able(conn, [one.batch_step_id for one in queues])
    nobody = Able(0, 0, 0, 0)

    def stuck(one: Queue) -> bool:
        who = able.get(one.batch_step_id, nobody)
        if one.expert and not who.experts:
            return True
        return one.left > one.expert and not who.people + who.agents

    return [one for one in queues if stuck(one)]


async def read_batch_sight(pool: Pool, batch_id: int) -> BatchSight:
    """A batch; whoever asks must be allowed to see it."""
    async with pool.connection() as conn:
        queues = await store.batch_queues(conn, batch_id)
        return BatchSight(
            queues=queues,
            able=await store.able(conn, [one.batch_step_id for one in queues]),
            titles=await store.titles(conn, places(queues)),
            marked=await store.marked(conn, batch_id, PAGE),
            at_ms=(await store.now(conn)).at_ms,
        )


async def read_expected(pool: Pool, after: int) -> Expected:
    """What waits for experts, and what was said of checks."""
    async with pool.connection() as conn:
        waiting = await store.waiting(conn, after, PAGE + 1)
        queues = [one for one in await store.queues(conn) if one.expert]
        marked = await store.marked(conn, None, PAGE)
        named = {*places(queues)}
        named |= {(one.process_id, one.slug) for one in waiting}
        named |= {(one.process_id, one.slug) for one in marked}
        return Expected(
            waiting=waiting,
            queues=queues,
            able=await store.able(conn, [one.batch_step_id for one in queues]),
            titles=await store.titles(conn, sorted(named)),
            marked=marked,
        )


def take_pulse(conn: SyncConn) -> None:
    """Write down what is now, for what is usual; an engine does, once a minute."""
    store.take_pulse(conn, KEEP_MS)


def course(beats: Sequence[Beat], at_ms: int) -> Course:
    """The last day by hour, and what is usual."""
    by_hour = {one.hour: one for one in beats}
    this = at_ms // HOUR_MS
    known = len(beats) > USUAL_HOURS_MIN

    def made(hour: int, name: str) -> float | None:
        now, before = by_hour.get(hour), by_hour.get(hour - 1)
        # what is contested is decided again: a count may fall
        return None if not (now and before) else max(getattr(now, name) - getattr(before, name), 0)

    def usual(values: Iterable[float | None]) -> float | None:
        found = [one for one in values if one is not None]
        return float(median(found)) if known and found else None

    last = range(this - 23, this + 1)
    past = range(this - USUAL_DAYS * 24, this)
    return Course(
        answers=[made(hour, "answers") for hour in last],
        decided=[made(hour, "decided") for hour in last],
        usual_answers=usual(made(hour, "answers") for hour in past),
        usual_left=usual(one.tasks_left for one in beats),
        usual_inbox=usual(one.inbox for one in beats),
        usual_lag_ms=usual(one.lag_ms for one in beats),
        usual_at_work=usual(one.at_work for one in beats),
        seen_ms=max((one.at_ms for one in beats), default=None),
    )


def work(queues: Sequence[Queue], titles: Titles, at_ms: int) -> list[Work]:
    """Queues of one step together, those with most left first."""
    found: dict[tuple[int, str], list[Queue]] = {}
    for one in queues:
        found.setdefault((one.process_id, one.slug), []).append(one)
    made = [_work(place, some, titles, at_ms) for place, some in found.items()]
    return sorted(made, key=lambda one: -one.left)


def _work(place: tuple[int, str], some: list[Queue], titles: Titles, at_ms: int) -> Work:
    process, title = titles.get(place, (place[1], place[1]))
    return Work(
        *place,
        process=process,
        title=title,
        batches=len({one.batch_id for one in some}),
        left=sum(one.left for one in some),
        live=sum(one.live for one in some),
        doubtful=sum(one.doubtful for one in some),
        expert=sum(one.expert for one in some),
        at_least=any(max(one.doubtful, one.expert) >= COUNTED_MAX for one in some),
        oldest_ms=at_ms - min(one.created_ms for one in some),
        median_ms=at_ms - _middle([(one.created_ms, one.left) for one in some]),
    )


def _middle(weighted: list[tuple[int, int]]) -> int:
    """The value at which half of the weight is reached."""
    half, reached = sum(weight for _, weight in weighted) / 2, 0
    for value, weight in sorted(weighted):
        reached += weight
        if reached >= half:
            return value
    return max(value for value, _ in weighted)


def places(queues: Iterable[Queue]) -> list[tuple[int, str]]:
    """The steps in which these queues are, each once."""
    return sorted({(one.process_id, one.slug) for one in queues})
