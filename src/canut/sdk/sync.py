"""The client for ordinary programs."""

import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Unpack

import httpx

from canut.sdk import calls, calls_certificates, calls_explain, calls_money
from canut.sdk import values as v
from canut.sdk.call import Call
from canut.sdk.part import Pages, Part
from canut.sdk.parts import Api
from canut.sdk.retry import Retry
from canut.sdk.sending import Http
from canut.sdk.sources import Items
from canut.sdk.transport import (
    TIMEOUT,
    Server,
)


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

    def _send(self, call: Call[v.Batch]) -> "Batch":
        self.value = self.http.send(call)
        return self

    def refresh(self) -> "Batch":
        """Ask the server again."""
        return self._send(calls.batch(self.id))

    def add(self, items: Items, **options: Unpack[calls.ItemOptions]) -> v.Received:
        """Send (more) items; see `canut.sdk.calls.add_items`."""
        return self.http.send(calls.add_items(self.id, items, **options))

    def wait(
        self,
        timeout_s: float | None = None,
        *,
        poll_s: float = 1.0,
        on_progress: Callable[[v.Batch], None] = lambda batch: None,
    ) -> "Batch":
        """Wait until the batch is delivered or cancelled. Raises `TimeoutError`."""
        end = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.refresh().value.ended:
            on_progress(self.value)
            if end is not None and time.monotonic() + poll_s > end:
                raise TimeoutError(f"Batch {self.id} is {self.state} after {timeout_s:g} s.")
            time.sleep(poll_s)
        on_progress(self.value)
        return self

    def results(self, *, items: bool = True, undecided: bool = True) -> Iterator[v.Result]:
        """The items with their decisions so far, as they stream in."""
        return self.http.lines(calls.results(self.id, items=items, undecided=undecided))

    def decisions(self) -> Iterator[v.Decision]:
        """The decisions so far, as they stream in; partial while the batch runs."""
        for result in self.results(undecided=True):
            yield from v.decisions_of(result)

    def pause(self) -> "Batch":
        """Stop handing out tasks."""
        return self._send(calls.pause(self.id))

    def resume(self) -> "Batch":
        """Hand out tasks again."""
        return self._send(calls.resume(self.id))

    def cancel(self) -> "Batch":
        """End it for good; what was decided stays."""
        return self._send(calls.cancel(self.id))

    def prioritise(self, priority: int) -> "Batch":
        """Give it another priority, -5 to 5."""
        return self._send(calls.prioritise(self.id, priority))

    def certificates(self) -> v.Standings:
        """What is promised about each step, what is proved, and what was stated."""
        return self.http.send(calls_certificates.certificates(self.id))

    def contest(self, key: str, step: str, reason: str) -> v.Dispute:
        """Say that what was decided about an item at a step is wrong."""
        return self.http.send(calls_certificates.contest(self.id, key, step, reason))

    def explain(self, key: str) -> v.Explanation:
        """Everything that was decided about an item, and why, step by step."""
        return self.http.send(calls_explain.explanation(self.id, key))

    def quote(self, *, items: int | None = None) -> v.Quote:
        """What it will cost, line by line; for so many of its items, or all."""
        return self.http.send(calls_money.quote(self.id, items=items))

    def quotes(self) -> list[v.Quote]:
        """Its quotes, newest first."""
        return self.http.send(calls_money.quotes(self.id)).data

    def funds(self) -> v.BatchFunds:
        """Its money."""
        return self.http.send(calls_money.funds(self.id))


class Batches(Part[Http]):
    """What is handed over."""

    list = Pages(calls.batches)

    def get(self, id: int) -> Batch:
        """A batch by its number."""
        return Batch(self.http, self.http.send(calls.batch(id)))

    def create(self, process: str, key: str, **options: Unpack[calls.BatchOptions]) -> Batch:
        """Make a batch without items; the same key again is the same batch."""
        return Batch(self.http, self.http.send(calls.create_batch(process, key, **options)))

    def submit(
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
        batch = self.create(process, key, **options)
        batch.add(items, **(read or {}))
        return batch.refresh()


class Canut(Api[Http]):
    """A Canut server: `Canut("http://localhost:8000", key="ck_...")`.

    Close it when done, or use it in a `with` block.
    """

    def __init__(
        self,
        url: str = "http://localhost:8000",
        *,
        key: str,
        retry: Retry | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ):
        server = Server(url, key, retry or Retry())
        client = httpx.Client(
            base_url=server.base, headers=server.headers, timeout=timeout, transport=transport
        )
        super().__init__(Http(server, client))
        self.batches = Batches(self.http)

    def close(self) -> None:
        """Close the connections."""
        self.http.client.close()

    def __enter__(self) -> "Canut":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
