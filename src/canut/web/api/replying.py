"""Replies: JSON, and pages of lists."""

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Response
from msgspec import Meta, Struct

from canut.errors import Invalid, Problem
from canut.sdk import values as v
from canut.web.api.reading import ID_MAX
from canut.web.auth import WebRequest

T = TypeVar("T")
S = TypeVar("S", bound=Struct)
Row = TypeVar("Row")

encode = msgspec.json.Encoder().encode
Json = Response[bytes]


class PageQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list."""

    limit: Annotated[int, Meta(description="Entries at most.", ge=1, le=200, examples=[50])] = 50
    cursor: v.Cursor | None = None


def reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Json:
    """The value as JSON, for nobody's cache."""
    return Response(
        encode(value),
        status_code=status,
        media_type="application/json",
        headers=headers or {"cache-control": "no-store"},
    )


def like(type_: type[S], one: Any, **given: Any) -> S:
    """A value that travels: what is given, and of `one` the fields that are called the same."""
    rest = (name for name in type_.__struct_fields__ if name not in given)
    return type_(**given, **{name: getattr(one, name) for name in rest})


def attachment(content: bytes, media_type: str, name: str) -> Response[bytes]:
    """A file to keep, for nobody's cache."""
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store",
    }
    return Response(content, media_type=media_type, headers=headers)


def nothing() -> Json:
    """Done; there is nothing to say."""
    return Response(b"", status_code=204)


def after(query: PageQuery, first: int) -> int:
    """The id that the cursor names, `first` at the start of the list. Raises `Invalid`."""
    if query.cursor is None:
        return first
    try:
        place = int(base64.urlsafe_b64decode(query.cursor.encode()).decode())
    except ValueError:
        place = -1
    if not 0 <= place <= ID_MAX:
        problem = Problem("This is not a cursor.", mend="send `next` as you got it", field="cursor")
        raise Invalid("The request does not fit.", problems=[problem])
    return place


def cursor(place: int) -> str:
    """An opaque name of a place in a list."""
    return base64.urlsafe_b64encode(str(place).encode()).decode()


def page(
    request: WebRequest,
    query: PageQuery,
    rows: Sequence[Row],
    shown: Callable[[Row], Any],
    place: Callable[[Row], int],
) -> Json:
    """A page of at most `query.limit` rows; `rows` has one more if there are more. The next page
    is named in the body and in a Link header (RFC 8288)."""
    kept = rows[: query.limit]
    next_ = cursor(place(kept[-1])) if len(rows) > query.limit else None
    headers = {"cache-control": "no-store"}
    if next_ is not None:
        asked = msgspec.to_builtins(query) | {"cursor": next_}
        given = {name: "true" if one is True else one for name, one in asked.items() if one}
        params = urlencode(given)
        headers["link"] = f'<{request.scope["path"]}?{params}>; rel="next"'
    return reply(v.Page(data=[shown(row) for row in kept], next=next_), headers=headers)
