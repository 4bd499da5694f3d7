"""Batches people watch: one look at the database per batch and interval, however many watch."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from msgspec import Struct

#: seconds between two looks
LOOK_S = 1.0
#: seconds after which a stream ends and the browser asks again, so that none outlives a server
#: that is being replaced, or a session that has ended
STREAM_S = 300.0


class Sight(Struct, frozen=True):
    """What was seen of a batch; a new one is told where it differs from the one before."""

    #: what is shown of it: text for the script of a page, or values that each page makes its own of
    body: Any
    #: nothing more will happen
    over: bool


#: seconds a look may take when the process stops
CLOSE_S = 5.0

log = logging.getLogger("canut.web")

Look = Callable[[], Awaitable[Sight]]


class _Watch:
    """One batch being watched."""

    def __init__(self) -> None:
        self.listeners = 0
        self.sight: Sight | None = None
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None
        #: the polling ends when its look is done: a query is never cut off
        self.enough = asyncio.Event()


class Live:
    """The watches of one web process."""

    def __init__(self, look_s: float = LOOK_S, stream_s: float = STREAM_S) -> None:
        self._look_s = look_s
        self._stream_s = stream_s
        self._watches: dict[int, _Watch] = {}
        self._polls: set[asyncio.Task[None]] = set()
        self._closing = False
        self._closer: asyncio.Future[None] | None = None

    async def follow(self, batch_id: int, look: Look) -> AsyncIterator[Sight]:
        """What there is to see, and then every change, until it is over."""
        watch = self._watches.setdefault(batch_id, _Watch())
        watch.listeners += 1
        if watch.task is None:
            watch.task = asyncio.create_task(self._poll(watch, look))
            self._polls.add(watch.task)
            watch.task.add_done_callback(self._ended)
        seen: Sight | None = None
        ends = asyncio.get_running_loop().time() + self._stream_s
        try:
            while not self._closing and asyncio.get_running_loop().time() < ends:
                async with watch.changed:
                    if watch.sight is seen and not watch.task.done():
                        with suppress(TimeoutError):
                            await asyncio.wait_for(watch.changed.wait(), self._stream_s / 10)
                if watch.sight is not None and watch.sight is not seen:
                    seen = watch.sight
                    yield seen
                if watch.task.done() or (seen is not None and seen.over):
                    return
        finally:
            watch.listeners -= 1
            if watch.listeners == 0:
                if self._watches.get(batch_id) is watch:
                    del self._watches[batch_id]
                watch.enough.set()

    @contextmanager
    def closing_on(self, *signals: signal.Signals) -> Iterator[None]:
        """End every stream as soon as the process is told to stop.

        The HTTP server waits for open responses before it ends the application, so that a stream
        which waited for that would be waiting for itself. The server's own handler runs too: it
        hangs on the event loop's wake-up descriptor, ours on the interpreter.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in signals}
        # where nobody handles a signal it ends the process by itself, and must go on doing so
        handled = {number: handler for number, handler in before.items() if callable(handler)}

        def stop(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._close_soon)
            handled[signal.Signals(number)](number, frame)

        for number in handled:
            signal.signal(number, stop)
            signal.siginterrupt(number, False)
        try:
            yield
        finally:
            for number, handler in handled.items():
                signal.signal(number, handler)

    def _close_soon(self) -> None:
        self._closer = asyncio.ensure_future(self.close())

    async def close(self) -> None:
        """End every stream: the process stops."""
        self._closing = True
        for watch in list(self._watches.values()):
            watch.enough.set()
            async with watch.changed:
                watch.changed.notify_all()
        if self._polls:
            await asyncio.wait(self._polls, timeout=CLOSE_S)

    def __len__(self) -> int:
        return len(self._watches)

    def _ended(self, poll: asyncio.Task[None]) -> None:
        self._polls.discard(poll)
        if not poll.cancelled() and poll.exception() is not None:
            # the streams end, and the browsers ask again
            log.warning("a batch cannot be watched: %s", poll.exception())

    async def _poll(self, watch: _Watch, look: Look) -> None:
        try:
            while not watch.enough.is_set():
                sight = await look()
                if sight != watch.sight:
                    watch.sight = sight
                    async with watch.changed:
                        watch.changed.notify_all()
                if sight.over:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(watch.enough.wait(), self._look_s)
        finally:
            # whoever waits must see that nothing comes any more
            async with watch.changed:
                watch.changed.notify_all()
