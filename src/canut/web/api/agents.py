"""AI agents among the contributors, for operators."""

from typing import Any

from litestar import patch, post

from canut.people import store
from canut.sdk import values as v
from canut.web.api.common import PREFIX, number, pool
from canut.web.api.describe import Operation, described
from canut.web.api.once import create
from canut.web.api.people import WHEN_MS, contributor
from canut.web.api.reading import Reader
from canut.web.api.replying import Json, reply
from canut.web.auth import WebRequest, principal

NEW = Reader(v.NewAgent)
CHANGE = Reader(v.ChangeContributor)

CREATE_OP = Operation(
    name="create_agent",
    summary="Make an AI agent",
    description="A contributor with a key of the scope `work`, shown this once. Agents of one "
    "family (one model, whatever the prompt) count as one voice.",
    tag="people",
    scopes=("operate",),
    body=v.NewAgent,
    body_example=v.NewAgent("Loom", "loom-large", ["catalogue"]),
    status=201,
    reply=v.ContributorCreated,
    reply_example=v.ContributorCreated(14, "Loom", "ck_5f3a..."),
    idempotent=True,
    refuses=(400, 409, 415, 422),
)
CHANGE_OP = Operation(
    name="change_contributor",
    summary="Say which family an agent is of",
    description="Agents of one family count as one voice, from the next answers on. People have "
    "none (409): people who answer alike are for a person to look at.",
    tag="people",
    scopes=("operate",),
    body=v.ChangeContributor,
    body_example=v.ChangeContributor("loom-large"),
    reply=v.Contributor,
    reply_example=v.Contributor(14, "agent", "Loom", False, "active", [], WHEN_MS, "loom-large"),
    refuses=(400, 404, 409, 415, 422),
)


@post(f"{PREFIX}/agents", opt=described(CREATE_OP))
async def create_agent(request: WebRequest) -> Json:
    """An agent and its key, once per Idempotency-Key."""
    return await create(request, NEW, _create)


@patch(f"{PREFIX}/contributors/{{id:str}}", opt=described(CHANGE_OP))
async def change(request: WebRequest) -> Json:
    """Another family."""
    new, who, id = await CHANGE.read(request), principal(request), number(request)
    async with pool(request).connection() as conn:
        await store.set_family(conn, who, id, new.family)
        found = await store.get_contributor(conn, id)
    return reply(contributor(found))


async def _create(request: WebRequest, new: Any) -> v.ContributorCreated:
    who = principal(request)
    async with pool(request).connection() as conn, conn.transaction():
        id = await store.create_agent(conn, who, new.name, family=new.family, skills=new.skills)
        key = await store.create_api_key(
            conn, who, name=new.name, scopes=("work",), contributor_id=id
        )
    return v.ContributorCreated(id, new.name, key.secret)


ROUTES = [create_agent, change]
