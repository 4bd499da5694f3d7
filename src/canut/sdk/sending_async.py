"""The same as `canut.sdk.sending`, with `await`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import Any, ParamSpec, TypeVar

import httpx

from canut.sdk import values as v
from canut.sdk.call import Call
from canut.sdk.sources import Source
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


class AsyncHttp:
    """Sends calls, again where that is safe."""

    def __init__(self, server: Server, client: httpx.AsyncClient):
        self.server = server
        self.client = client

    async def send(self, call: Call[T]) -> T:
        """The reply. Raises `CanutAPIError`."""
        headers = call.headers(fresh_key())
        attempts = self.server.attempts(call)
        for attempt in range(1, attempts + 1):
            response = None
            try:
                response = await self._request(call, headers)
                if not transient(response) or attempt == attempts:
                    check(response, response.content)
                    return call.decode(response.content)
            except httpx.TransportError as error:
                if attempt == attempts:
                    raise unreachable(error) from error
            await asyncio.sleep(self.server.after(attempt, response))
        raise AssertionError("a client tries at least once")

    async def lines(self, call: Call[T]) -> AsyncIterator[T]:
        """The lines of a reply as they come. Raises `CanutAPIError`."""
        try:
            async with self.client.stream(
                call.method, call.path, params=call.params(), headers=call.headers("")
            ) as response:
                if not response.is_success:
                    check(response, await response.aread())
                rest = bytearray()
                async for block in response.aiter_bytes():
                    for line in split_lines(rest, block):
                        yield call.decode(line)
                if rest.strip():
                    yield call.decode(bytes(rest))
        except httpx.TransportError as error:
            raise unreachable(error) from error

    def method(self, build: Callable[P, Call[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """What sends the call that `build` makes."""

        async def send(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.send(build(*args, **kwargs))

        send.__doc__ = build.__doc__
        return send

    def pages(self, build: Callable[P, Call[v.Page[T]]]) -> Callable[P, AsyncIterator[T]]:
        """What goes through every page of the list that `build` asks for."""

        async def iterate(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            while True:
                page = await self.send(build(*args, **kwargs))
                for value in page.data:
                    yield value
                if page.next is None:
                    return
                kwargs["cursor"] = page.next

        iterate.__doc__ = build.__doc__
        return iterate

    async def _request(self, call: Call[Any], headers: Mapping[str, str]) -> httpx.Response:
        content = _blocks(call.source) if call.source is not None else call.content()
        return await self.client.request(
            call.method, call.path, params=call.params(), headers=headers, content=content
        )


async def _blocks(source: Source) -> AsyncIterator[bytes]:
    """The blocks, read in a thread so that a slow disk holds nothing up."""
    blocks = source.blocks()
    while (block := await asyncio.to_thread(_next, blocks)) is not None:
        yield block


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)
