"""Sending calls, again where that is safe."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

import httpx

from canut.sdk import values as v
from canut.sdk.call import Call
from canut.sdk.transport import (
    Server,
    check,
    fresh_key,
    split_lines,
    transient,
    unreachable,
)

P = ParamSpec("P")
T = TypeVar("T")


class Http:
    """Sends calls, again where that is safe."""

    def __init__(self, server: Server, client: httpx.Client):
        self.server = server
        self.client = client

    def send(self, call: Call[T]) -> T:
        """The reply. Raises `CanutAPIError`."""
        headers = call.headers(fresh_key())
        attempts = self.server.attempts(call)
        for attempt in range(1, attempts + 1):
            response = None
            try:
                response = self._request(call, headers)
                if not transient(response) or attempt == attempts:
                    check(response, response.content)
                    return call.decode(response.content)
            except httpx.TransportError as error:
                if attempt == attempts:
                    raise unreachable(error) from error
            time.sleep(self.server.after(attempt, response))
        raise AssertionError("a client tries at least once")

    def lines(self, call: Call[T]) -> Iterator[T]:
        """The lines of a reply as they come. Raises `CanutAPIError`."""
        try:
            with self.client.stream(
                call.method, call.path, params=call.params(), headers=call.headers("")
            ) as response:
                if not response.is_success:
                    check(response, response.read())
                rest = bytearray()
                for block in response.iter_bytes():
                    for line in split_lines(rest, block):
                        yield call.decode(line)
                if rest.strip():
                    yield call.decode(bytes(rest))
        except httpx.TransportError as error:
            raise unreachable(error) from error

    def method(self, build: Callable[P, Call[T]]) -> Callable[P, T]:
        """What sends the call that `build` makes."""

        def send(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.send(build(*args, **kwargs))

        send.__doc__ = build.__doc__
        return send

    def pages(self, build: Callable[P, Call[v.Page[T]]]) -> Callable[P, Iterator[T]]:
        """What goes through every page of the list that `build` asks for."""

        def iterate(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
            while True:
                page = self.send(build(*args, **kwargs))
                yield from page.data
                if page.next is None:
                    return
                kwargs["cursor"] = page.next

        iterate.__doc__ = build.__doc__
        return iterate

    def _request(self, call: Call[Any], headers: Mapping[str, str]) -> httpx.Response:
        content = call.source.blocks() if call.source is not None else call.content()
        return self.client.request(
            call.method, call.path, params=call.params(), headers=headers, content=content
        )
