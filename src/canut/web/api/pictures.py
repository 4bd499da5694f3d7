"""Pictures that clients keep with us."""

import asyncio

from litestar import post
from msgspec import Struct

from canut.channels.pictures import BYTES_MAX, PREFIX
from canut.channels.store import audit
from canut.db.pool import SyncConn
from canut.sdk import values as v
from canut.sdk.values.common import Id
from canut.web.api.common import PREFIX as API
from canut.web.api.common import in_thread
from canut.web.api.describe import Operation, described
from canut.web.api.reading import read_query
from canut.web.api.replying import Json, reply
from canut.web.auth import WebRequest, house, principal

NAME = "picture:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.jpg"


class PictureQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose picture it is."""

    client: Id | None = None


ADD = Operation(
    name="add_picture",
    summary="Keep a picture with us",
    description="JPEG, PNG, GIF, WebP or AVIF, 20 MB at most: what it is, its bytes say. Write the "
    "reply's `value` into a field of type image. Whoever is shown the item gets a link that is "
    "good for that account and a few hours; nobody else sees the picture. Sending the same "
    "picture again keeps it once.",
    tag="batches",
    scopes=("batches:write",),
    query=PictureQuery,
    stream={"image/*": ""},
    reply=v.Picture,
    reply_example=v.Picture(value=NAME, media_type="image/jpeg", bytes=48_213),
    refuses=(404, 413, 422),
)


@post(
    f"{API}/pictures", opt=described(ADD), status_code=200, request_max_body_size=BYTES_MAX + 1024
)
async def add_picture(request: WebRequest) -> Json:
    """A picture of a client."""
    who = principal(request)
    client_id = who.client(read_query(request, PictureQuery).client)
    leave = house(request).busy.enter(client_id)
    try:
        data = await request.body()
        kept = await asyncio.to_thread(house(request).pictures.keep, client_id, data)
    finally:
        leave()

    def note(conn: SyncConn) -> None:
        detail = {"name": kept.name, "bytes": kept.bytes}
        audit(conn, who, "add.picture", "client", client_id, detail, client_id)

    if kept.new:
        await in_thread(request, note)
    return reply(v.Picture(PREFIX + kept.name, kept.media_type, kept.bytes))


ROUTES = [add_picture]
