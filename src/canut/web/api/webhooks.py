"""Where deliveries are announced."""

from typing import Any

from litestar import delete, get, post

from canut.channels import webhooks
from canut.channels.store import audit
from canut.db.pool import SyncConn
from canut.errors import Forbidden
from canut.people.model import Principal
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.once import create
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, nothing, page
from canut.web.auth import WebRequest, house, principal

NEW_WEBHOOK = Reader(v.NewWebhook)
URL = "https://soierie.example/canut"
WHEN_MS = 1_790_000_000_000

LIST = Operation(
    name="list_webhooks",
    summary="List webhooks",
    description="Oldest first.",
    tag="webhooks",
    scopes=("batches:read",),
    query=PageQuery,
    reply=v.Page[v.Webhook],
    reply_example=v.Page(data=[v.Webhook(5, URL, WHEN_MS)]),
)
CREATE = Operation(
    name="create_webhook",
    summary="Make a webhook",
    description="We tell this address when a batch is delivered, signed as Standard Webhooks "
    "says, and try again for a day. The secret is shown this once.",
    tag="webhooks",
    scopes=("batches:write",),
    body=v.NewWebhook,
    body_example=v.NewWebhook(url=URL),
    status=201,
    reply=v.WebhookCreated,
    reply_example=v.WebhookCreated(5, URL, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    idempotent=True,
    refuses=(400, 404, 409, 415, 422),
)
DELETE = Operation(
    name="delete_webhook",
    summary="Remove a webhook",
    description="Nothing more is sent there.",
    tag="webhooks",
    scopes=("batches:write",),
    status=204,
    refuses=(404,),
)


@get(f"{PREFIX}/webhooks", opt=described(LIST))
async def list_webhooks(request: WebRequest) -> Json:
    """A page of webhooks. There are twenty per client at most."""
    query = read_query(request, PageQuery)
    start, clients = after(query, 0), principal(request).client_ids
    found = await in_thread(
        request, lambda conn: [one for id in clients for one in webhooks.webhooks(conn, id)]
    )
    active = sorted(
        (one for one in found if one.disabled_ms is None and one.id > start),
        key=lambda one: one.id,
    )
    return page(
        request,
        query,
        active[: query.limit + 1],
        lambda one: v.Webhook(one.id, one.url, one.created_ms),
        lambda one: one.id,
    )


@post(f"{PREFIX}/webhooks", opt=described(CREATE))
async def create_webhook(request: WebRequest) -> Json:
    """A webhook, once per Idempotency-Key."""
    return await create(request, NEW_WEBHOOK, _create)


@delete(f"{PREFIX}/webhooks/{{id:str}}", opt=described(DELETE), status_code=200)
async def delete_webhook(request: WebRequest) -> Json:
    """Disable a webhook of a client of ours."""
    who, id = principal(request), number(request)

    def disable(conn: SyncConn) -> None:
        client_id = _owner(conn, who, id)
        webhooks.disable(conn, client_id, id, now_ms())
        audit(conn, who, "disable.webhook", "webhook", id, {}, client_id)

    await in_thread(request, disable)
    return nothing()


async def _create(request: WebRequest, new: v.NewWebhook) -> v.WebhookCreated:
    who = principal(request)
    client_id = who.client(new.client)
    private = house(request).settings.webhooks_private

    def make(conn: SyncConn) -> webhooks.NewWebhook:
        made = webhooks.create(conn, client_id, new.url, now_ms(), private=private)
        audit(conn, who, "create.webhook", "webhook", made.id, {}, client_id)
        return made

    made = await in_thread(request, make)
    return v.WebhookCreated(made.id, made.url, made.secret)


def _owner(conn: Any, who: Principal, id: int) -> int:
    """Which of the principal's clients has this webhook; any of them where none has, so that
    removing it says that there is none."""
    if not who.client_ids:
        raise Forbidden("You act for no client.", mend="use the key of a client")
    for client_id in who.client_ids:
        if any(one.id == id for one in webhooks.webhooks(conn, client_id)):
            return client_id
    return who.client_ids[0]


ROUTES = [list_webhooks, create_webhook, delete_webhook]
