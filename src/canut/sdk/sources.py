"""What items are read from: a path, a file object, or any iterable of dicts.

A source is read in blocks, so that a file of any size is sent in bounded memory.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from canut.sdk.errors import CanutAPIError

#: bytes sent at a time
BLOCK = 256 * 1024

MEDIA_TYPES = {
    ".csv": "text/csv",
    ".jsonl": "application/x-ndjson",
    ".ndjson": "application/x-ndjson",
    ".parquet": "application/vnd.apache.parquet",
}
NDJSON = MEDIA_TYPES[".ndjson"]

#: what can be submitted
Items = str | Path | IO[bytes] | Iterable[Mapping[str, Any]]


class Source(Struct, frozen=True):
    """Bytes to send."""

    media_type: str
    #: opens it, from the start
    blocks: Callable[[], Iterator[bytes]]
    #: it can be opened more than once, so a failed upload can be sent again
    again: bool


def open_source(items: Items, media_type: str | None = None) -> Source:
    """The source for what was given. Raises `CanutAPIError` when its format is not known:
    a file object without a name needs `media_type`."""
    if isinstance(items, str | Path):
        path = Path(items)
        if not path.is_file():
            raise CanutAPIError(f"There is no file {path}.", code="source")
        return Source(media_type or _media_type(path.name), lambda: _file(path), again=True)
    if hasattr(items, "read"):
        stream: Any = items
        known = media_type or _media_type(str(getattr(items, "name", "")))
        return Source(known, lambda: _stream(stream), again=False)
    return Source(NDJSON, lambda: _lines(items), again=isinstance(items, Sequence))


def _media_type(name: str) -> str:
    known = MEDIA_TYPES.get(Path(name).suffix.lower())
    if known is None:
        raise CanutAPIError(
            f"The format of {name or 'this file'} is not known.",
            code="source",
            mend=f"name it {', '.join(MEDIA_TYPES)}, or give media_type",
        )
    return known


def _file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _stream(file)


def _stream(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(BLOCK):
        yield block


def _lines(items: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    buffer = bytearray()
    encode = msgspec.json.encode
    for item in items:
        buffer += encode(item) + b"\n"
        if len(buffer) >= BLOCK:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
