"""What contributors earned, and the time that their work took."""

from typing import Annotated

from litestar import get, put
from msgspec import Meta, Struct

from canut.pay import accrual
from canut.pay import time as times
from canut.pay.accrual import Earning
from canut.pay.time import TaskTime
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, pool, task_names
from canut.web.api.describe import Operation, described
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, like, reply
from canut.web.api.work import TASK, TASK_PARAMETER
from canut.web.auth import WebRequest, principal
from canut.work.model import TaskRef

STATE = Reader(v.StateTime)
WHEN_MS = 1_790_000_000_000
EVER_MS = 2**53


class PastQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list."""

    before_ms: Annotated[
        int, Meta(description="What came before this moment.", ge=0, le=EVER_MS, examples=[WHEN_MS])
    ] = EVER_MS
    limit: Annotated[
        int, Meta(description="How many; all of one moment come together.", ge=1, le=200)
    ] = 50


PAY = Operation(
    name="pay",
    summary="Read what you earned",
    description="What is yours, what is held until it is accepted, and what each answer earned.",
    tag="pay",
    scopes=("work",),
    query=PastQuery,
    reply=v.Pay,
    reply_example=v.Pay(
        [v.PaySum("EUR", 10, 240, 3_150)],
        [v.EarningAt(TASK.task, "work", 10, "EUR", "price", 0, WHEN_MS)],
    ),
    refuses=(422,),
)
TIMES = Operation(
    name="times",
    summary="Read how long your tasks took",
    description="Agreed time is what pay rests on. Of answers that came over the API nothing is "
    "measured: state their time.",
    tag="pay",
    scopes=("work",),
    query=PastQuery,
    reply=v.TimesOfTasks,
    reply_example=v.TimesOfTasks(
        [v.TimeOfTask(TASK.task, WHEN_MS, WHEN_MS + 30_000, 24_000, 24_000, "screen", True)]
    ),
    refuses=(422,),
)
STATE_TIME = Operation(
    name="state_time",
    summary="State the time of a task",
    description="Opens a review: a person decides, and says why. Until then nothing changes. "
    "Sending the same statement again is safe.",
    tag="pay",
    scopes=("work",),
    parameters=(TASK_PARAMETER,),
    body=v.StateTime,
    body_example=v.StateTime(95_000, "The notes of this item are long."),
    status=200,
    reply=v.TimeReview,
    reply_example=v.TimeReview(7),
    refuses=(400, 404, 409, 415, 422),
)


@get(f"{PREFIX}/pay", opt=described(PAY))
async def read_pay(request: WebRequest) -> Json:
    """What the contributor who asks earned."""
    query = read_query(request, PastQuery)
    who, names = principal(request).contributor(), await task_names(request)
    async with pool(request).connection() as conn:
        sums = await accrual.pay_now(conn, who)
        found = await accrual.read_earnings(conn, who, before_ms=query.before_ms, limit=query.limit)
    shown = [_earning(names.name(TaskRef(one.batch_step_id, one.task_id)), one) for one in found]
    # the numbers of tasks tell which were made last: those of one moment are in the order of names
    shown.sort(key=lambda one: (-one.earned_ms, one.task, one.cause))
    return reply(
        v.Pay(
            [like(v.PaySum, one) for one in sums],
            shown,
        )
    )


@get(f"{PREFIX}/times", opt=described(TIMES))
async def read_times(request: WebRequest) -> Json:
    """How long the tasks of the contributor who asks took."""
    query = read_query(request, PastQuery)
    who, names = principal(request).contributor(), await task_names(request)
    async with pool(request).connection() as conn:
        found = await times.read_times(conn, who, before_ms=query.before_ms, limit=query.limit)
    shown = [_time(names.name(TaskRef(one.batch_step_id, one.task_id)), one) for one in found]
    shown.sort(key=lambda one: (-one.ended_ms, one.task))
    return reply(v.TimesOfTasks(shown))


@put(f"{PREFIX}/times/{{task:str}}", opt=described(STATE_TIME), status_code=200)
async def state_time(request: WebRequest) -> Json:
    """A time that the contributor who asks states."""
    asked = await STATE.read(request)
    who, names = principal(request), await task_names(request)
    who.contributor()
    ref = names.read(request.path_params["task"])
    review = await in_thread(
        request,
        lambda conn: times.state_time(
            conn, who, ref.task_id, asked.time_ms, asked.reason, now_ms()
        ),
    )
    return reply(v.TimeReview(review))


def _earning(task: str, one: Earning) -> v.EarningAt:
    return like(v.EarningAt, one, task=task, cause=one.cause.partition(":")[0])


def _time(task: str, one: TaskTime) -> v.TimeOfTask:
    return like(v.TimeOfTask, one, task=task)


ROUTES = [read_pay, read_times, state_time]
