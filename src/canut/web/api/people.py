"""What operators do: simulated contributors, clients, the audit log."""

from typing import Any

from litestar import get, post

from canut.people import store
from canut.people.model import Client, Contributor
from canut.people.store.log import Entry
from canut.sdk import values as v
from canut.web.api.common import PREFIX, pool
from canut.web.api.describe import Operation, described
from canut.web.api.once import create
from canut.web.api.reading import ID_MAX, Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, page
from canut.web.auth import WebRequest, principal

NEW_CONTRIBUTORS = Reader(v.NewContributors)
NEW_CLIENT = Reader(v.NewClient)
WHEN_MS = 1_790_000_000_000

LIST_CONTRIBUTORS = Operation(
    name="list_contributors",
    summary="List contributors",
    description="Who answers tasks, oldest first.",
    tag="people",
    scopes=("operate",),
    query=PageQuery,
    reply=v.Page[v.Contributor],
    reply_example=v.Page(
        data=[v.Contributor(7, "person", "Simulated 1", True, "active", [], WHEN_MS)]
    ),
)
CREATE_CONTRIBUTORS = Operation(
    name="create_contributors",
    summary="Make simulated contributors",
    description="Programs that play people, marked as simulated wherever they show. Each comes "
    "with a key of the scope `work`, shown this once.",
    tag="people",
    scopes=("operate",),
    body=v.NewContributors,
    body_example=v.NewContributors(count=2, name="Simulated", skills=["catalogue"]),
    status=201,
    reply=v.ContributorsCreated,
    reply_example=v.ContributorsCreated(
        [
            v.ContributorCreated(7, "Simulated 1", "ck_5f3a..."),
            v.ContributorCreated(8, "Simulated 2", "ck_9b1c..."),
        ]
    ),
    idempotent=True,
    refuses=(400, 409, 415, 422),
)
LIST_CLIENTS = Operation(
    name="list_clients",
    summary="List clients",
    description="Organisations that hand work over, oldest first.",
    tag="people",
    scopes=("operate",),
    query=PageQuery,
    reply=v.Page[v.Client],
    reply_example=v.Page(data=[v.Client(3, "maison-exemple", "Maison Exemple", WHEN_MS)]),
)
CREATE_CLIENT = Operation(
    name="create_client",
    summary="Make a client",
    description="With a first key of the scopes `batches:read` and `batches:write`, shown this "
    "once.",
    tag="people",
    scopes=("operate",),
    body=v.NewClient,
    body_example=v.NewClient(slug="maison-exemple", name="Maison Exemple"),
    status=201,
    reply=v.ClientCreated,
    reply_example=v.ClientCreated(3, "maison-exemple", "Maison Exemple", "ck_5f3a..."),
    idempotent=True,
    refuses=(400, 409, 415, 422),
)
AUDIT = Operation(
    name="audit",
    summary="Read the audit log",
    description="Every change by a person or a key, newest first.",
    tag="people",
    scopes=("operate",),
    query=PageQuery,
    reply=v.Page[v.AuditEntry],
    reply_example=v.Page(
        data=[
            v.AuditEntry(
                9, WHEN_MS, "change.batch", "batch", "12", {"state": "paused"}, key=4, client=3
            )
        ]
    ),
)


@get(f"{PREFIX}/contributors", opt=described(LIST_CONTRIBUTORS))
async def list_contributors(request: WebRequest) -> Json:
    """A page of contributors."""
    query = read_query(request, PageQuery)
    async with pool(request).connection() as conn:
        found = await store.list_contributors(conn, after=after(query, 0), limit=query.limit + 1)
    return page(request, query, found, contributor, lambda one: one.id)


@post(f"{PREFIX}/contributors", opt=described(CREATE_CONTRIBUTORS))
async def create_contributors(request: WebRequest) -> Json:
    """Simulated contributors, once per Idempotency-Key."""
    return await create(request, NEW_CONTRIBUTORS, _create_contributors)


@get(f"{PREFIX}/clients", opt=described(LIST_CLIENTS))
async def list_clients(request: WebRequest) -> Json:
    """A page of clients."""
    query = read_query(request, PageQuery)
    start = after(query, 0)
    async with pool(request).connection() as conn:
        found = sorted(await store.list_clients(conn), key=lambda one: one.id)
    rows = [one for one in found if one.id > start][: query.limit + 1]
    return page(request, query, rows, _client, lambda one: one.id)


@post(f"{PREFIX}/clients", opt=described(CREATE_CLIENT))
async def create_client(request: WebRequest) -> Json:
    """A client and its first key, once per Idempotency-Key."""
    return await create(request, NEW_CLIENT, _create_client)


@get(f"{PREFIX}/audit", opt=described(AUDIT))
async def audit(request: WebRequest) -> Json:
    """A page of the audit log."""
    query = read_query(request, PageQuery)
    async with pool(request).connection() as conn:
        found = await store.read_audit(
            conn, principal(request), before=after(query, ID_MAX), limit=query.limit + 1
        )
    return page(request, query, found, _entry, lambda one: one.id)


async def _create_contributors(request: WebRequest, new: Any) -> v.ContributorsCreated:
    names = [f"{new.name} {place}" for place in range(1, new.count + 1)]
    async with pool(request).connection() as conn:
        made = await store.create_simulated(conn, principal(request), names, skills=new.skills)
    return v.ContributorsCreated(
        [
            v.ContributorCreated(id, name, secret)
            for (id, secret), name in zip(made, names, strict=True)
        ]
    )


async def _create_client(request: WebRequest, new: Any) -> v.ClientCreated:
    who = principal(request)
    async with pool(request).connection() as conn, conn.transaction():
        id = await store.create_client(conn, who, new.slug, new.name)
        scopes = ("batches:read", "batches:write")
        key = await store.create_api_key(conn, who, name=new.name, scopes=scopes, client_id=id)
    return v.ClientCreated(id, new.slug, new.name, key.secret)


def contributor(one: Contributor) -> v.Contributor:
    """A contributor as it travels."""
    return v.Contributor(
        *(one.id, one.kind, one.name, one.simulated, one.state, one.skills, one.created_ms),
        one.family,
    )


def _client(one: Client) -> v.Client:
    return v.Client(one.id, one.slug, one.name, one.created_ms)


def _entry(one: Entry) -> v.AuditEntry:
    return v.AuditEntry(
        one.id,
        one.at_ms,
        one.action,
        one.subject,
        one.subject_id,
        one.detail,
        one.account_id,
        one.api_key_id,
        one.client_id,
    )


ROUTES = [list_contributors, create_contributors, list_clients, create_client, audit]
