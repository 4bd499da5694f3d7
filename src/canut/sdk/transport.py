"""What the sync and the async client share: where the server is, and what a failure means."""

import random
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
from msgspec import Struct

from canut.sdk.call import Call
from canut.sdk.errors import CanutAPIError, refused
from canut.sdk.retry import TRANSIENT, Retry

#: seconds to wait for a connection, and for a reply to begin; an upload is answered at its end
TIMEOUT = httpx.Timeout(60.0, connect=10.0, read=600.0)


class Server(Struct, frozen=True):
    """A server and a key to it."""

    url: str
    key: str
    retry: Retry

    @property
    def base(self) -> str:
        """Where the API is, with a slash at the end."""
        return f"{self.url.rstrip('/')}/api/v1/"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"Bearer {self.key}", "User-Agent": "canut-python"}

    def attempts(self, call: Call[Any]) -> int:
        """How often to try."""
        return self.retry.attempts if call.attempts_matter else 1

    def after(self, attempt: int, response: httpx.Response | None) -> float:
        """Seconds to wait after a failed attempt."""
        asked = response.headers.get("Retry-After") if response is not None else None
        return self.retry.wait_s(attempt, random.random(), asked, time.time())  # noqa: S311


def fresh_key() -> str:
    """An idempotency key, one per call whatever the number of attempts."""
    return uuid.uuid4().hex


def transient(response: httpx.Response) -> bool:
    """Whether the same request may be taken a moment later. A request with the same key that is
    still being served is answered 409 "in progress": its reply can be had shortly."""
    if response.status_code == 409:
        return "Idempotency-Key" in response.request.headers and "Retry-After" in response.headers
    return response.status_code in TRANSIENT


def check(response: httpx.Response, content: bytes) -> None:
    """Raises `CanutAPIError` unless the server did what was asked."""
    if not response.is_success:
        raise refused(response.status_code, content)


def unreachable(error: httpx.TransportError) -> CanutAPIError:
    """The error for a request that got no reply."""
    return CanutAPIError(
        f"The server does not answer: {error or type(error).__name__}",
        mend="check the address, and that the server runs",
    )


def split_lines(rest: bytearray, block: bytes) -> Iterator[bytes]:
    """The lines that this block completes; `rest` keeps what is not complete."""
    rest += block
    end = rest.rfind(b"\n")
    if end >= 0:
        whole = bytes(rest[:end])
        del rest[: end + 1]
        yield from (line for line in whole.split(b"\n") if line.strip())
