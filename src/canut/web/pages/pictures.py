"""Pictures shipped with a process, from our own origin and unable to run anything."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath

from canut.processes.library import read_asset
from canut.web.auth import requires

#: an SVG is a document: opened by itself it gets no script, no origin, nothing to load
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


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


ROUTES: list[Any] = [picture]
