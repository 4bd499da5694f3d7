"""The front page: what Canut is, or the way to one's own work."""

from typing import Any

from litestar import Response, get

from canut.web.auth import OPEN, WebRequest, visitor
from canut.web.pages.render import go
from canut.web.pages.view import show

#: where each role begins, the first that fits
BEGINNINGS = (
    ("operator", "/operator"),
    ("client", "/batches"),
    ("contributor", "/work"),
    ("steward", "/operator/pay"),
)


@get("/", opt=OPEN, include_in_schema=False)
async def home(request: WebRequest) -> Response[Any]:
    """For strangers what this is; for others where they begin."""
    who = visitor(request)
    if who is None:
        return show(request, "home.html")
    beginning = (path for role, path in BEGINNINGS if role in who.roles)
    return go(next(beginning, "/account"))


ROUTES: list[Any] = [home]
