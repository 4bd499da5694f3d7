"""Hours that are paid beside tasks: stating one's own, recording and deciding about others'."""

from typing import Annotated

from litestar import get, post
from msgspec import Meta

from canut.pay import hours as beside
from canut.pay.hours import Hours, PaidHours, Waiting
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.reading import ID_MAX, Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, like, page, reply
from canut.web.auth import WebRequest, principal

NEW_HOURS = Reader(v.NewHours)
DECISION = Reader(v.HoursDecision)
WHEN_MS = 1_790_000_000_000
HALF_MS = 1_800_000

NEW = v.NewHours("waiting", WHEN_MS - HALF_MS, WHEN_MS, 1_500_000, "The page did not load.")
ONE = v.PaidHours(
    id=3,
    contributor=12,
    kind="waiting",
    currency="EUR",
    from_ms=NEW.from_ms,
    until_ms=NEW.until_ms,
    stated_ms=NEW.time_ms,
    reason=NEW.reason,
    noted=False,
    state="open",
    opened_ms=WHEN_MS,
)


class WaitingQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which part of a list."""

    all: Annotated[bool, Meta(description="Those that are decided too.")] = False


LIST = Operation(
    name="list_hours",
    summary="List your hours beside tasks",
    description="Training, panel duty and waiting, newest first, with what was decided.",
    tag="pay",
    scopes=("work",),
    query=PageQuery,
    reply=v.Page[v.PaidHours],
    reply_example=v.Page(data=[ONE]),
    refuses=(422,),
)
STATE = Operation(
    name="state_hours",
    summary="State hours beside tasks",
    description="A person decides, and says why; until then nothing changes. Sending the same "
    "again is safe.",
    tag="pay",
    scopes=("work",),
    body=v.NewHours,
    body_example=NEW,
    reply=v.PaidHours,
    reply_example=ONE,
    refuses=(400, 409, 415, 422),
)
WAITING = Operation(
    name="list_waiting_hours",
    summary="List hours that wait for a decision",
    description="Everybody's, oldest first, with what tasks and exams pay of the same time.",
    tag="people",
    scopes=("operate", "books"),
    query=WaitingQuery,
    reply=v.Page[v.WaitingHours],
    reply_example=v.Page(data=[v.WaitingHours(ONE, 1, 300_000, 0, 1_500_000)]),
    refuses=(422,),
)
RECORD = Operation(
    name="record_hours",
    summary="Record hours of a contributor",
    description="Training or panel duty: agreed at once, and paid with the next slip. Nobody "
    "records their own. Sending the same again is safe.",
    tag="people",
    scopes=("operate", "books"),
    body=v.NewHours,
    body_example=v.NewHours("training", NEW.from_ms, NEW.until_ms, HALF_MS, "The guide."),
    reply=v.PaidHours,
    reply_example=ONE,
    refuses=(400, 404, 409, 415, 422),
)
DECIDE = Operation(
    name="decide_hours",
    summary="Decide about hours",
    description="How much of them is paid, and why: at most what no task and no exam pays. Nobody "
    "decides about their own.",
    tag="people",
    scopes=("operate", "books"),
    body=v.HoursDecision,
    body_example=v.HoursDecision(1_200_000, "It was down for twenty minutes."),
    reply=v.PaidHours,
    reply_example=ONE,
    refuses=(400, 404, 409, 415, 422),
)


@get(f"{PREFIX}/hours", opt=described(LIST))
async def list_hours(request: WebRequest) -> Json:
    """A page of the hours of the contributor who asks."""
    query, who = read_query(request, PageQuery), principal(request).contributor()
    before = after(query, ID_MAX)
    found = await in_thread(
        request,
        lambda conn: beside.own_hours(conn, who, before=before, limit=query.limit + 1),
    )
    return page(request, query, found, _hours, lambda one: one.id)


@post(f"{PREFIX}/hours", opt=described(STATE), status_code=200)
async def state_hours(request: WebRequest) -> Json:
    """Hours that the contributor who asks states."""
    asked, who = await NEW_HOURS.read(request), principal(request)
    who.contributor()
    made = await in_thread(
        request, lambda conn: beside.state_hours(conn, who, _asked(asked), now_ms())
    )
    return reply(_hours(made))


@get(f"{PREFIX}/hours/waiting", opt=described(WAITING))
async def list_waiting_hours(request: WebRequest) -> Json:
    """A page of everybody's hours."""
    query = read_query(request, WaitingQuery)
    start = after(query, 0)
    found = await in_thread(
        request,
        lambda conn: beside.list_hours(
            conn, now_ms(), open_only=not query.all, after=start, limit=query.limit + 1
        ),
    )
    return page(request, query, found, _waiting, lambda one: one.hours.id)


@post(f"{PREFIX}/contributors/{{id:str}}/hours", opt=described(RECORD), status_code=200)
async def record_hours(request: WebRequest) -> Json:
    """Hours of a contributor, which are agreed at once."""
    asked, who, contributor = await NEW_HOURS.read(request), principal(request), number(request)
    made = await in_thread(
        request, lambda conn: beside.record_hours(conn, who, contributor, _asked(asked), now_ms())
    )
    return reply(_hours(made))


@post(f"{PREFIX}/hours/{{id:str}}/decide", opt=described(DECIDE), status_code=200)
async def decide_hours(request: WebRequest) -> Json:
    """A decision about hours."""
    asked, who, hours = await DECISION.read(request), principal(request), number(request)
    found = await in_thread(
        request,
        lambda conn: beside.decide_hours(conn, who, hours, asked.time_ms, asked.why, now_ms()),
    )
    return reply(_hours(found))


def _asked(asked: v.NewHours) -> Hours:
    return Hours(
        asked.kind, asked.from_ms, asked.until_ms, asked.time_ms, asked.reason, asked.currency
    )


def _hours(one: PaidHours) -> v.PaidHours:
    return like(v.PaidHours, one, contributor=one.contributor_id, slip=one.slip_id)


def _waiting(one: Waiting) -> v.WaitingHours:
    return like(v.WaitingHours, one.room, hours=_hours(one.hours), most_ms=one.most_ms)


ROUTES = [list_hours, state_hours, list_waiting_hours, record_hours, decide_hours]
