"""Pictures, from our own origin and unable to run anything: those shipped with a process, and those
that clients keep with us, for whom a page of ours showed them to."""

import asyncio
from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from canut.processes.library import read_asset
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.pages.items import PrivatePictures
from canut.web.pages.view import now_ms

#: an SVG is a document: opened by itself it gets no script, no origin, nothing to load
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
#: of what is no document
PRIVATE_POLICY = "default-src 'none'; sandbox"


@get("/pictures/{path:path}", opt=requires(), include_in_schema=False)
async def picture(path: FromPath[str]) -> Response[bytes]:
    """`/pictures/<slug of the process>/<name>`."""
    slug, _, name = path.strip("/").rpartition("/")
    asset = read_asset(slug, name)
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "private, max-age=86400",
        "content-disposition": "inline",
    }
    return Response(asset.data, media_type=asset.media_type, headers=headers)


@get("/private-pictures/{token:str}", opt=requires(), include_in_schema=False)
async def private_picture(request: WebRequest, token: FromPath[str]) -> Response[bytes]:
    """A picture of a client, through a link that a page gave to this account."""
    shared, account_id, now = house(request), principal(request).account_id, now_ms()
    link = (await shared.picture_links()).open(token, account_id, now)
    draft, _, name = link.name.rpartition("/")
    kept = shared.uploads.pictures(draft) if draft else shared.pictures
    reading = asyncio.to_thread(kept.read, link.client_id, name)
    data, media_type = await reading
    headers = {
        "content-security-policy": PRIVATE_POLICY,
        "cache-control": f"private, max-age={(link.until_ms - now) // 1000}",
        "content-disposition": "inline",
        "cross-origin-resource-policy": "same-origin",
    }
    return Response(data, media_type=media_type, headers=headers)


async def private_pictures(request: WebRequest, client_id: int | None) -> PrivatePictures:
    """Addresses, for whoever asks, of the pictures that this client keeps with us. "" for what
    is no such picture, and all of them for an item of no client."""
    links, account_id = await house(request).picture_links(), principal(request).account_id

    def address(name: str) -> str:
        if client_id is None or account_id is None:
            return ""
        return links.address(client_id, name, account_id, now_ms())

    return address


async def draft_pictures(request: WebRequest, client_id: int, file: str) -> PrivatePictures:
    """The same, of a batch in the making: pictures that came with its file are there only."""
    private = await private_pictures(request, client_id)
    came = house(request).uploads.pictures(file)
    return lambda name: private(f"{file}/{name}" if came.has(client_id, name) else name)


ROUTES: list[Any] = [picture, private_picture]
