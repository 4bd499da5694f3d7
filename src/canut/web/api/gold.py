"""Gold: for those who hand work over and for operators, never for whoever answers tasks."""

from typing import Annotated

from litestar import get, post
from msgspec import Meta

from canut.db.pool import SyncConn
from canut.errors import Invalid, Problem
from canut.people.model import Principal
from canut.quality.gold import pool as gold_pool
from canut.quality.gold.files import check_gold
from canut.quality.gold.values import Gold, GoldStep, NewGold
from canut.sdk import values as v
from canut.sdk.values.common import Id
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.reading import ID_MAX, Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, cursor, reply
from canut.web.auth import WebRequest, principal

NEW = Reader(v.NewGold)
RETIRE = Reader(v.RetireGold)
GOLD = v.Gold(
    id=77,
    process_id=4,
    step="category",
    item={"title": "Bouilloire inox 1,7 L"},
    answer="kettles",
    reference="G-001",
    origin="operator",
    state="active",
    cause=None,
    reason="",
    shown=12,
    answered=10,
    right=9,
    created_ms=1_790_000_000_000,
)


class GoldQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gold of which step."""

    process: Annotated[
        str, Meta(description="Name of the process.", examples=["catalogue/categorise"])
    ]
    step: Annotated[str, Meta(description="Name of the step.", examples=["category"])]
    client: Annotated[Id | None, Meta(description="Whose process.", examples=[3])] = None


LIST_OP = Operation(
    name="list_gold",
    summary="List gold",
    description="Items of a step of a process of yours whose right answer is known, newest first. "
    "Keep it to yourself: contributors meet it in their work without knowing.",
    tag="processes",
    scopes=("batches:write",),
    query=GoldQuery,
    reply=v.Page[v.Gold],
    reply_example=v.Page(data=[GOLD]),
    refuses=(404, 422),
)
ADD_OP = Operation(
    name="add_gold",
    summary="Add gold",
    description="All of it or, where one row is wrong, none: 422 lists every problem, `row` is the "
    "place of the row. The same gold is kept once; of the same reference, the new one replaces "
    "the old.",
    tag="processes",
    scopes=("batches:write",),
    body=v.NewGold,
    body_example=v.NewGold(
        "catalogue/categorise", "category", [v.GoldRow(GOLD.item, "kettles", "G-001")]
    ),
    status=200,
    reply=v.GoldImported,
    reply_example=v.GoldImported(1, 0, 0),
    refuses=(400, 404, 415, 422),
)
RETIRE_OP = Operation(
    name="retire_gold",
    summary="Retire gold",
    description="From now on it counts for nobody, neither for nor against; exams that it decided "
    "against somebody are judged again.",
    tag="processes",
    scopes=("batches:write",),
    body=v.RetireGold,
    body_example=v.RetireGold("Two answers fit."),
    status=200,
    reply=v.Gold,
    reply_example=GOLD,
    refuses=(400, 404, 409, 415, 422),
)


@get(f"{PREFIX}/gold", opt=described(LIST_OP))
async def list_gold(request: WebRequest) -> Json:
    """A page of gold."""
    query, who = read_query(request, GoldQuery), principal(request)
    before = after(query, ID_MAX)

    def read(conn: SyncConn) -> list[Gold]:
        step = _step(conn, who, query.process, query.step, query.client)
        return gold_pool.list_gold(conn, step, before=before, limit=query.limit + 1)

    found = await in_thread(request, read)
    next_ = cursor(found[query.limit - 1].id) if len(found) > query.limit else None
    return reply(v.Page(data=[_gold(one) for one in found[: query.limit]], next=next_))


@post(f"{PREFIX}/gold", opt=described(ADD_OP), status_code=200)
async def add_gold(request: WebRequest) -> Json:
    """Add gold to a step."""
    new, who = await NEW.read(request), principal(request)

    def add(conn: SyncConn) -> v.GoldImported:
        step = _step(conn, who, new.process, new.step, new.client)
        done = gold_pool.add_gold(conn, who, step, _checked(new, step), now_ms())
        return v.GoldImported(done.added, done.known, done.replaced)

    return reply(await in_thread(request, add))


@post(f"{PREFIX}/gold/{{id:str}}/retire", opt=described(RETIRE_OP), status_code=200)
async def retire(request: WebRequest) -> Json:
    """Take gold out of use."""
    why, who, id = await RETIRE.read(request), principal(request), number(request)
    retired = await in_thread(
        request, lambda conn: gold_pool.retire_gold(conn, who, id, why.reason, now_ms())
    )
    return reply(_gold(retired))


def _step(conn: SyncConn, who: Principal, process: str, step: str, client: int | None) -> GoldStep:
    gold_pool.check_keeper(who)
    # the shared library is the operators'
    owner = None if client is None and who.clients is None else who.client(client)
    # PostgreSQL keeps no NUL, so no slug has one
    plain = process.replace("\0", "\ufffd"), step.replace("\0", "\ufffd")
    return gold_pool.find_step(conn, who, gold_pool.find_place(conn, owner, *plain))


def _checked(new: v.NewGold, step: GoldStep) -> list[NewGold]:
    problems: list[Problem] = []
    rows = [
        (n, {"item": one.item, "answer": one.answer, "reference": one.reference})
        for n, one in enumerate(new.gold, start=1)
    ]
    found = check_gold(rows, "request", step, problems)
    if problems:
        raise Invalid("The gold was not taken.", problems=problems)
    return found


def _gold(one: Gold) -> v.Gold:
    return v.Gold(
        id=one.id,
        process_id=one.process_id,
        step=one.step_slug,
        item=one.payload,
        answer=one.value,
        reference=one.reference,
        origin=one.origin,
        state=one.state,
        cause=one.cause,
        reason=one.reason,
        shown=one.shown,
        answered=one.answered,
        right=one.correct,
        created_ms=one.created_ms,
        retired_ms=one.retired_ms,
    )


ROUTES = [list_gold, add_gold, retire]
