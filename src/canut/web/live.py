"""Batches people watch: one look at the database per batch and interval, however many watch."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from msgspec import Struct

#: seconds between two looks
LOOK_S = 1.0
#: seconds after which a stream ends and the browser asks again, so that none outlives a server
#: that is being replaced, or a session that has ended
STREAM_S = 300.0


class Sight(Struct, frozen=True):
    """What was seen of a batch."""

    #: JSON for the script of the page
    body: str
    #: nothing more will happen
    over: bool


Look = Callable[[], Awaitable[Sight]]


class _Watch:
    """One batch being watched."""

    def __init__(self) -> None:
        self.listeners = 0
        self.sight: Sight | None = None
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None


class Live:
    """The watches of one web process."""

    def __init__(self, look_s: float = LOOK_S, stream_s: float = STREAM_S) -> None:
        self._look_s = look_s
        self._stream_s = stream_s
        self._watches: dict[int, _Watch] = {}
        self._closing = False

    async def follow(self, batch_id: int, look: Look) -> AsyncIterator[Sight]:
        """What there is to see, and then every change, until it is over."""
        watch = self._watches.setdefault(batch_id, _Watch())
        watch.listeners += 1
        if watch.task is None:
            watch.task = asyncio.create_task(self._poll(watch, look))
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
                self._watches.pop(batch_id, None)
                watch.task.cancel()

    async def close(self) -> None:
        """End every stream: the process stops."""
        self._closing = True
        for watch in list(self._watches.values()):
            if watch.task is not None:
                watch.task.cancel()
            async with watch.changed:
                watch.changed.notify_all()

    def __len__(self) -> int:
        return len(self._watches)

    async def _poll(self, watch: _Watch, look: Look) -> None:
        try:
            while not self._closing:
                sight = await look()
                if sight != watch.sight:
                    watch.sight = sight
                    async with watch.changed:
                        watch.changed.notify_all()
                if sight.over:
                    return
                await asyncio.sleep(self._look_s)
        finally:
            # whoever waits must see that nothing comes any more
            async with watch.changed:
                watch.changed.notify_all()
