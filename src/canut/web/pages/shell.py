"""What lets work go on without a network: the service worker, the page for when there is none, and
who is here when it comes back."""

from typing import Any

from litestar import Response, get

from canut.web.auth import OPEN, WebRequest, asked, house, principal, requires
from canut.web.pages.render import render
from canut.web.pages.view import now_ms
from canut.web.templating import STATIC


@get("/worker.js", opt={**OPEN, "unlimited": True}, include_in_schema=False)
async def worker(request: WebRequest) -> Response[str]:
    """The service worker. Outside /static, for it may only serve pages below its own address."""
    code = (STATIC / "worker.js").read_text()
    version = house(request).templates.version
    return Response(
        code.replace("STATIC_VERSION", version),
        media_type="text/javascript",
        headers={"cache-control": "no-cache"},
    )


@get("/work/offline", opt=OPEN, include_in_schema=False)
async def offline(request: WebRequest) -> Response[Any]:
    """What is shown where there is no network and nothing is kept."""
    return render(request, "work/offline.html")


@get("/work/here", opt=requires("contributor"), include_in_schema=False)
async def here(request: WebRequest) -> Response[Any]:
    """Who is logged in, with the token for forms: a page that was kept has an old one."""
    return Response(
        {
            "me": principal(request).contributor(),
            "token": asked(request).csrf_token(),
            "now_ms": now_ms(),
        },
        headers={"cache-control": "no-store"},
    )


ROUTES: list[Any] = [worker, offline, here]
