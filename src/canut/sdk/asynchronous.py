"""The client for asyncio programs: the same as `canut.sdk.sync`, with `await`."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Unpack

import httpx

from canut.sdk import calls, calls_certificates, calls_explain, calls_money
from canut.sdk import values as v
from canut.sdk.call import Call
from canut.sdk.part import Pages, Part
from canut.sdk.parts import Api
from canut.sdk.retry import Retry
from canut.sdk.sending_async import AsyncHttp
from canut.sdk.sources import Items
from canut.sdk.transport import (
    TIMEOUT,
    Server,
)


class Batch:
    """A batch at hand: `value` is what the server said last, `refresh` asks again."""

    def __init__(self, http: AsyncHttp, value: v.Batch):
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

    async def certificates(self) -> v.Standings:
        """What is promised about each step, what is proved, and what was stated."""
        return await self.http.send(calls_certificates.certificates(self.id))

    async def contest(self, key: str, step: str, reason: str) -> v.Dispute:
        """Say that what was decided about an item at a step is wrong."""
        return await self.http.send(calls_certificates.contest(self.id, key, step, reason))

    async def explain(self, key: str) -> v.Explanation:
        """Everything that was decided about an item, and why, step by step."""
        return await self.http.send(calls_explain.explanation(self.id, key))

    async def quote(self, *, items: int | None = None) -> v.Quote:
        """What it will cost, line by line; for so many of its items, or all."""
        return await self.http.send(calls_money.quote(self.id, items=items))

    async def quotes(self) -> list[v.Quote]:
        """Its quotes, newest first."""
        return (await self.http.send(calls_money.quotes(self.id))).data

    async def funds(self) -> v.BatchFunds:
        """Its money."""
        return await self.http.send(calls_money.funds(self.id))


class Batches(Part[AsyncHttp]):
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


class AsyncCanut(Api[AsyncHttp]):
    """A Canut server: `AsyncCanut("http://localhost:8000", key="ck_...")`.

    Close it when done, or use it in an `async with` block.
    """

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
        super().__init__(AsyncHttp(server, client))
        self.batches = Batches(self.http)

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
