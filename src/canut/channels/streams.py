"""Bytes of a file as they come: counted, limited, unpacked, and looked at before they are read."""

import gzip
import io
import zlib
from typing import IO, Any, cast

import pyarrow as pa

from canut.errors import Invalid

#: how much is looked at to tell what a file is
PEEK_BYTES = 65_536
#: how many times a file may be packed
PACKED_MAX = 2

GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


class Counted(io.RawIOBase):
    """A stream that counts what was read from it, and refuses to give more than a limit."""

    def __init__(self, stream: IO[bytes], bytes_max: int | None, file: str):
        super().__init__()
        self.stream = stream
        self.bytes_max = bytes_max
        self.file = file
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        self.bytes_read += len(data)
        if self.bytes_max is not None and self.bytes_read > self.bytes_max:
            raise too_large(self.file, self.bytes_max)
        buffer[: len(data)] = data
        return len(data)


def too_large(file: str, bytes_max: int) -> Invalid:
    """The file is refused because it holds more than it may."""
    return Invalid(
        f"{file} is larger than {bytes_max:,} bytes (unpacked).",
        mend="submit it in parts, each under the same key of batch",
    )


def limit_of(stream: Any) -> int | None:
    """How much may be read of a stream that `unpacked` gave."""
    raw = getattr(stream, "raw", None)
    return raw.bytes_max if isinstance(raw, Counted) else None


def buffered(stream: Any) -> io.BufferedReader:
    """The stream with a buffer large enough to peek into."""
    return io.BufferedReader(stream, PEEK_BYTES)


def unpacked(stream: IO[bytes], bytes_max: int | None, file: str) -> io.BufferedReader:
    """The stream with gzip and Zstandard taken off, at most `bytes_max` bytes of it."""
    found = buffered(_Raw(stream))
    for _ in range(PACKED_MAX):
        start = found.peek(4)[:4]
        if start.startswith(GZIP):
            found = buffered(cast(Any, _Unpacking(gzip.GzipFile(fileobj=found), file)))
        elif start.startswith(ZSTD):
            packed = pa.PythonFile(found, mode="r")
            found = buffered(cast(Any, _Unpacking(pa.CompressedInputStream(packed, "zstd"), file)))
        else:
            break
    return buffered(Counted(cast(IO[bytes], found), bytes_max, file))


class _Raw(io.RawIOBase):
    """Any object with `read(size)` (a socket's file, a request's body) as a raw stream."""

    def __init__(self, stream: Any):
        super().__init__()
        self.stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


class _Unpacking(_Raw):
    """What a decompressor gives; a broken archive is the file's fault, not ours."""

    def __init__(self, stream: Any, file: str):
        super().__init__(stream)
        self.file = file

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except (OSError, EOFError, zlib.error) as error:
            raise Invalid(
                f"{self.file} cannot be unpacked: {error}.", mend="pack it again, or send it as is"
            ) from error
