"""The client for asyncio programs: the same as `canut.sdk.sync`, with `await`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar, Unpack

import httpx

from canut.sdk import calls
from canut.sdk import values as v
from canut.sdk.call import Call
from canut.sdk.retry import Retry
from canut.sdk.sources import Items, Source
from canut.sdk.transport import (
    TIMEOUT,
    Server,
    check,
    fresh_key,
    split_lines,
    transient,
    unreachable,
)

P = ParamSpec("P")
T = TypeVar("T")


class Method(Generic[P, T]):
    """Makes a method that sends what a function of `canut.sdk.calls` builds."""

    def __init__(self, build: Callable[P, Call[T]]):
        self.build = build
        self.__doc__ = build.__doc__

    def __get__(self, part: "Part", owner: type[Any]) -> Callable[P, Coroutine[Any, Any, T]]:
        async def send(*args: P.args, **kwargs: P.kwargs) -> T:
            return await part.http.send(self.build(*args, **kwargs))

        send.__doc__ = self.__doc__
        return send


class Pages(Generic[P, T]):
    """Makes a method that goes through every page of a list."""

    def __init__(self, build: Callable[P, Call[v.Page[T]]]):
        self.build = build
        self.__doc__ = build.__doc__

    def __get__(self, part: "Part", owner: type[Any]) -> Callable[P, AsyncIterator[T]]:
        async def iterate(*args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
            while True:
                page = await part.http.send(self.build(*args, **kwargs))
                for value in page.data:
                    yield value
                if page.next is None:
                    return
                kwargs["cursor"] = page.next

        iterate.__doc__ = self.__doc__
        return iterate


class Http:
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


class Part:
    """Part of the API."""

    def __init__(self, http: Http):
        self.http = http


class Processes(Part):
    """What can be outsourced."""

    list = Pages(calls.processes)
    get = Method(calls.process)


class Batch:
    """A batch at hand: `value` is what the server said last, `refresh` asks again."""

    def __init__(self, http: Http, value: v.Batch):
        self.http = http
        self.value = value

    def __repr__(self) -> str:
        return f"<Batch {self.value.id} {self.value.key!r} {self.value.state}>"

    @property
    def id(self) -> int:
        """Its number."""
        return self.value.id

    @property
    def state(self) -> str:
        """running, paused, delivered or cancelled."""
        return self.value.state

    async def _send(self, call: Call[v.Batch]) -> "Batch":
        self.value = await self.http.send(call)
        return self

    async def refresh(self) -> "Batch":
        """Ask the server again."""
        return await self._send(calls.batch(self.id))

    async def add(self, items: Items, **options: Unpack[calls.ItemOptions]) -> v.Received:
        """Send (more) items; see `canut.sdk.calls.add_items`."""
        return await self.http.send(calls.add_items(self.id, items, **options))

    async def wait(
        self,
        timeout_s: float | None = None,
        *,
        poll_s: float = 1.0,
        on_progress: Callable[[v.Batch], None] = lambda batch: None,
    ) -> "Batch":
        """Wait until the batch is delivered or cancelled. Raises `TimeoutError`."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while not (await self.refresh()).value.ended:
            on_progress(self.value)
            if end is not None and time.monotonic() + poll_s > end:
                raise TimeoutError(f"Batch {self.id} is {self.state} after {timeout_s:g} s.")
            await asyncio.sleep(poll_s)
        on_progress(self.value)
        return self

    def results(self, *, items: bool = True, undecided: bool = True) -> AsyncIterator[v.Result]:
        """The items with their decisions so far, as they stream in."""
        return self.http.lines(calls.results(self.id, items=items, undecided=undecided))

    async def decisions(self) -> AsyncIterator[v.Decision]:
        """The decisions so far, as they stream in; partial while the batch runs."""
        async for result in self.results(undecided=True):
            for decision in v.decisions_of(result):
                yield decision

    async def pause(self) -> "Batch":
        """Stop handing out tasks."""
        return await self._send(calls.pause(self.id))

    async def resume(self) -> "Batch":
        """Hand out tasks again."""
        return await self._send(calls.resume(self.id))

    async def cancel(self) -> "Batch":
        """End it for good; what was decided stays."""
        return await self._send(calls.cancel(self.id))

    async def prioritise(self, priority: int) -> "Batch":
        """Give it another priority, -5 to 5."""
        return await self._send(calls.prioritise(self.id, priority))


class Batches(Part):
    """What is handed over."""

    list = Pages(calls.batches)

    async def get(self, id: int) -> Batch:
        """A batch by its number."""
        return Batch(self.http, await self.http.send(calls.batch(id)))

    async def create(self, process: str, key: str, **options: Unpack[calls.BatchOptions]) -> Batch:
        """Make a batch without items; the same key again is the same batch."""
        return Batch(self.http, await self.http.send(calls.create_batch(process, key, **options)))

    async def submit(
        self,
        items: Items,
        *,
        process: str,
        key: str,
        read: calls.ItemOptions | None = None,
        **options: Unpack[calls.BatchOptions],
    ) -> Batch:
        """Make a batch and send its items: a path, a binary file object or dicts; `read` says
        how to read them.

        Safe to repeat: the same key is the same batch, and items that are there stay one.
        """
        batch = await self.create(process, key, **options)
        await batch.add(items, **(read or {}))
        return await batch.refresh()


class Webhooks(Part):
    """Where deliveries are announced."""

    list = Pages(calls.webhooks)
    create = Method(calls.create_webhook)
    delete = Method(calls.delete_webhook)


class Work(Part):
    """What a contributor does."""

    claim = Method(calls.claim)
    live = Method(calls.live)
    answer = Method(calls.answer)
    answer_all = Method(calls.answer_all)
    give_back = Method(calls.give_back)
    question = Method(calls.question)
    options = Method(calls.options)


class People(Part):
    """Who uses the platform (operators)."""

    contributors = Pages(calls.contributors)
    create_contributors = Method(calls.create_contributors)
    clients = Pages(calls.clients)
    create_client = Method(calls.create_client)
    audit = Pages(calls.audit)


class AsyncCanut(Part):
    """A Canut server: `AsyncCanut("http://localhost:8000", key="ck_...")`.

    Close it when done, or use it in an `async with` block.
    """

    me = Method(calls.me)

    def __init__(
        self,
        url: str = "http://localhost:8000",
        *,
        key: str,
        retry: Retry | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
    ):
        server = Server(url, key, retry or Retry())
        client = httpx.AsyncClient(
            base_url=server.base, headers=server.headers, timeout=timeout, transport=transport
        )
        super().__init__(Http(server, client))
        self.processes = Processes(self.http)
        self.batches = Batches(self.http)
        self.webhooks = Webhooks(self.http)
        self.work = Work(self.http)
        self.people = People(self.http)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.client.aclose()

    async def __aenter__(self) -> "AsyncCanut":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
