"""Watching a batch: one look for many listeners, and an end for each of them."""

import asyncio
import os
import signal

from canut.web.live import Live, Sight


class Loom:
    """Something to watch, that counts how often it is looked at."""

    def __init__(self) -> None:
        self.looks = 0
        self.rows = 0
        self.over = False

    async def look(self) -> Sight:
        self.looks += 1
        await asyncio.sleep(0)
        return Sight(str(self.rows), self.over)


async def collect(live: Live, loom: Loom) -> list[str]:
    return [sight.body async for sight in live.follow(1, loom.look)]


async def test_many_listeners_cost_one_look() -> None:
    """Fifty people who watch a batch cost the database what one costs, and all see the same."""
    live, loom = Live(look_s=0.01), Loom()
    watching = [asyncio.create_task(collect(live, loom)) for _ in range(50)]
    for _ in range(5):
        await asyncio.sleep(0.03)
        loom.rows += 1
    loom.over = True
    seen = await asyncio.wait_for(asyncio.gather(*watching), 5)
    assert all(one[-1] == "5" for one in seen)
    assert loom.looks < 50
    assert len(live) == 0


async def test_nobody_watching_costs_nothing() -> None:
    """When the last listener leaves, the looking ends."""
    live, loom = Live(look_s=0.01), Loom()
    stream = live.follow(1, loom.look)
    assert (await anext(stream)).body == "0"
    await stream.aclose()
    await asyncio.sleep(0.05)
    looks = loom.looks
    await asyncio.sleep(0.05)
    assert loom.looks == looks
    assert len(live) == 0


async def test_a_stream_ends_after_its_time() -> None:
    """A session that was ended elsewhere is not shown more than the rest of its stream."""
    live, loom = Live(look_s=0.01, stream_s=0.1), Loom()
    assert await asyncio.wait_for(collect(live, loom), 2) == ["0"]


async def test_closing_ends_every_stream() -> None:
    """A process that stops leaves no response open, for the HTTP server waits for them."""
    live, loom = Live(look_s=0.01), Loom()
    watching = [asyncio.create_task(collect(live, loom)) for _ in range(3)]
    await asyncio.sleep(0.05)
    await live.close()
    assert await asyncio.wait_for(asyncio.gather(*watching), 1) == [["0"]] * 3


async def test_a_signal_ends_the_streams_and_reaches_the_server() -> None:
    """The signal that stops the server ends the streams first; its handler is called, and is back
    in its place afterwards."""
    live, loom, told = Live(look_s=0.01), Loom(), []

    def server(number: int, frame: object) -> None:
        told.append(number)

    before = signal.signal(signal.SIGTERM, server)
    try:
        with live.closing_on(signal.SIGTERM):
            watching = asyncio.create_task(collect(live, loom))
            await asyncio.sleep(0.05)
            os.kill(os.getpid(), signal.SIGTERM)
            assert await asyncio.wait_for(watching, 1) == ["0"]
        assert signal.getsignal(signal.SIGTERM) is server
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]


async def test_a_look_that_fails_ends_the_stream() -> None:
    """Without a database the stream ends; the browser asks again later."""

    async def look() -> Sight:
        raise OSError("the database does not answer")

    live = Live(look_s=0.01)
    assert await asyncio.wait_for(_follow(live, look), 1) == []


async def _follow(live: Live, look: object) -> list[Sight]:
    return [sight async for sight in live.follow(1, look)]  # type: ignore[arg-type]
