"""Results on their way out: as many at once as a client may have, and nothing left open behind."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

from canut.channels.export import Format, export
from canut.db.pool import connect
from canut.web.house import House
from canut.work.model import Batch


async def open_export(
    shared: House, batch: Batch, format: Format, *, items: bool = True, undecided: bool = True
) -> AsyncIterator[bytes]:
    """The bytes of the file, read in threads on a connection of their own. Raises before the first
    byte: `TooMany` where the client has too many running."""
    held = ExitStack()
    held.callback(shared.busy.enter(batch.client_id))

    def start() -> Iterator[bytes]:
        conn = held.enter_context(connect(shared.settings.database_url, autocommit=True))
        return export(conn, batch.id, format, items=items, undecided=undecided)

    try:
        pieces = await asyncio.to_thread(start)
    except BaseException:
        held.close()
        raise
    stream = _pieces(pieces, held)
    # a stream that nobody began to read (the client left) ends without its `finally`
    weakref.finalize(stream, held.close)
    return stream


async def _pieces(pieces: Iterator[bytes], held: ExitStack) -> AsyncIterator[bytes]:
    try:
        while (piece := await asyncio.to_thread(_next, pieces)) is not None:
            yield piece
    finally:
        held.close()


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)
