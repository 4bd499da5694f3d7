"""A request as a value: what to send, what comes back, whether it may be sent twice."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

import msgspec
from msgspec import Struct

from canut.sdk.errors import CanutAPIError
from canut.sdk.sources import Source

T = TypeVar("T")

JSON = "application/json"


class Call(Struct, Generic[T], frozen=True, kw_only=True):
    """One request of the API and the type of its reply."""

    method: str
    #: path below /api/v1, without the first slash
    path: str
    reply: type[T]
    #: query parameters; those that are None are left out
    query: Mapping[str, Any] = {}
    #: value to send as JSON
    body: Any = None
    #: a stream to send instead
    source: Source | None = None
    #: the reply is a stream of lines, each of type `reply`
    lines: bool = False
    #: the same request twice does what one does; for others an Idempotency-Key sees to it
    repeatable: bool = True

    @property
    def attempts_matter(self) -> bool:
        """Whether it can be sent again after a failure: a source may be readable only once."""
        return self.source is None or self.source.again

    def params(self) -> list[tuple[str, str | int | float | bool | None]]:
        """The query as pairs of texts; a list is repeated."""
        return [
            (name, str(value))
            for name, given in self.query.items()
            if given is not None
            for value in (given if isinstance(given, list) else [given])
        ]

    def headers(self, idempotency_key: str) -> dict[str, str]:
        """Headers of this call; the same key goes with every attempt."""
        headers = {"Accept": "application/x-ndjson" if self.lines else JSON}
        if not self.repeatable:
            headers["Idempotency-Key"] = idempotency_key
        if self.source is not None:
            headers["Content-Type"] = self.source.media_type
        elif self.body is not None:
            headers["Content-Type"] = JSON
        return headers

    def content(self) -> bytes | None:
        """The body, if it is not a stream."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def decode(self, content: bytes) -> T:
        """The reply, or a line of it. Raises `CanutAPIError` if it is not what was promised."""
        if self.reply is type(None):
            return None
        if self.reply is bytes:
            return cast(T, content)
        try:
            return msgspec.json.decode(content, type=self.reply)
        except msgspec.MsgspecError as error:
            raise CanutAPIError(
                f"The server's reply cannot be read: {error}", code="reply"
            ) from error


def get(path: str, reply: type[T], query: Mapping[str, Any] | None = None) -> Call[T]:
    """Ask for something."""
    return Call(method="GET", path=path, reply=reply, query=query or {})


def post(path: str, reply: type[T], body: Any = None, *, repeatable: bool = True) -> Call[T]:
    """Do something; see `Call.repeatable`."""
    return Call(method="POST", path=path, reply=reply, body=body, repeatable=repeatable)
