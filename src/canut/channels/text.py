"""Lines of text as they come: in pieces of whole lines, and, where a piece is plain, by columns."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from canut.errors import Invalid

#: bytes read at once
CHUNK_BYTES = 1 << 20
#: longest row, in bytes: beyond this the file is no table
ROW_BYTES_MAX = 16 << 20
#: longest value that the csv module takes, in characters
VALUE_MAX = csv.field_size_limit()

QUOTE, CR, LF = 0x22, 0x0D, 0x0A

#: NUL, and bytes that are no UTF-8, as `Text` reads them
_NOT_KEPT = re.compile("[\0\ud800-\udfff]")


def kept(text: str) -> str:
    """The text as it can be kept and shown: a replacement character for what cannot."""
    return _NOT_KEPT.sub("\N{REPLACEMENT CHARACTER}", text)


class Readable(Protocol):
    """A buffered stream of bytes."""

    def read(self, size: int, /) -> bytes: ...
    def peek(self, size: int, /) -> bytes: ...
    def tell(self) -> int: ...


class Text:
    """The lines of a stream: pieces of whole lines, or lines one by one. Both may be used in
    turn: what was not taken as a line comes with the next piece."""

    def __init__(self, stream: Readable, file: str, encoding: str):
        self._file = file
        self._chunks = _utf16(stream, file) if encoding == "utf-16" else _utf8(stream)
        self._first = True
        self._rest = b""
        self._lines = io.StringIO()
        self._length = 0
        #: bytes of the file read so far
        self.bytes_read = 0
        #: nothing is left to be read
        self.ended = False

    def piece(self) -> bytes:
        """The next lines, in UTF-8 or what was sent for it; nothing at the end. What was kept
        or not taken as a line comes first."""
        if not self.at_end():
            left = self._lines.read()
            return left.encode("utf-8", "surrogateescape")
        while not self.ended:
            chunk = next(self._chunks, b"")
            self.ended = not chunk
            self.bytes_read += len(chunk)
            cut = chunk.rfind(b"\n") + 1
            if cut:
                piece, self._rest = self._rest + chunk[:cut], chunk[cut:]
                return piece
            self._rest += chunk
            if len(self._rest) > ROW_BYTES_MAX:
                raise Invalid(f"{self._file} has a row of more than {ROW_BYTES_MAX:,} bytes.")
        piece, self._rest = self._rest, b""
        return piece

    def keep(self, piece: bytes) -> None:
        """Put the end of a piece back: it comes again, with the next chunk behind it."""
        self._rest = piece + self._rest

    def lines(self, piece: bytes = b"") -> Iterator[str]:
        """The lines of a piece, and when they are used up all that follow. Bytes that are no
        UTF-8 become lone surrogates, which the check of the field reports."""
        piece = piece or self.piece()
        while piece:
            encoding = "utf-8-sig" if self._first else "utf-8"
            self._first = False
            text = piece.decode(encoding, "surrogateescape")
            self._lines, self._length = io.StringIO(text, newline=""), len(text)
            # "yield from" would close them when the reader is done
            for line in self._lines:  # noqa: UP028
                yield line
            piece = self.piece()

    def at_end(self) -> bool:
        """Every line that was handed over was taken."""
        return self._lines.tell() >= self._length


def _utf8(stream: Readable) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        yield chunk


def _utf16(stream: Readable, file: str) -> Iterator[bytes]:
    text = io.TextIOWrapper(stream, "utf-16", newline="")  # type: ignore[type-var]
    try:
        while chunk := text.read(CHUNK_BYTES):
            yield chunk.encode()
    except UnicodeError as error:
        raise Invalid(f"{file} is not valid UTF-16: {error}.", mend="save it as UTF-8") from error


def read_columns(
    piece: bytes, width: int, delimiter: str, *, last: bool
) -> tuple[list[pa.Array] | None, bytes]:
    """The columns of a piece of CSV, all texts, without rows that are empty; and the end of it
    that is no whole row yet. None for the columns where the csv module must read it: a quotation
    mark in an odd place, a row that is too long or too short, bytes that are no UTF-8.
    """
    end = _whole(piece, delimiter)
    if end is None or (end < len(piece) and (last or len(piece) - end > VALUE_MAX)):
        return None, b""
    if not end:
        return [], piece
    names = [str(place) for place in range(width)]
    try:
        table = pc_csv.read_csv(
            pa.BufferReader(pa.py_buffer(piece).slice(0, end)),
            pc_csv.ReadOptions(use_threads=False, block_size=end + 1, column_names=names),
            pc_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            pc_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowException:
        return None, b""
    columns = _filled([column.combine_chunks() for column in table.columns])
    if any((pc.max(pc.binary_length(column)).as_py() or 0) > VALUE_MAX for column in columns):
        return None, b""
    return columns, piece[end:]


def _whole(piece: bytes, delimiter: str) -> int | None:
    """How far the piece holds whole rows; None when a quotation mark neither starts nor ends a
    value, nor is one of two.

    Taken in turn, marks start and end values, if each that starts one follows a delimiter, a
    line end or (being the second of two) the mark before it, and each that ends one comes before
    such.
    """
    data = np.frombuffer(piece, np.uint8)
    marks = np.flatnonzero(data == QUOTE)
    if not len(marks):
        return len(piece)
    around = np.isin(np.arange(256), [ord(delimiter), CR, LF, QUOTE])
    starts, ends = marks[::2], marks[1::2]
    inner = starts[1:] if starts[0] == 0 else starts
    if not around[data[inner - 1]].all():
        return None
    if not around[data[ends[ends < len(piece) - 1] + 1]].all():
        return None
    if len(marks) % 2 == 0:
        return len(piece)
    at = int(starts[-1])
    while (at := piece.rfind(b"\n", 0, at)) >= 0:
        if np.searchsorted(marks, at) % 2 == 0:
            return at + 1
    return 0


def _filled(columns: list[pa.Array]) -> list[pa.Array]:
    """Without the rows that hold nothing (spreadsheets leave them at the end)."""
    empty = None
    for column in columns:
        lengths = pc.binary_length(column)
        if pc.min(lengths).as_py() != 0:
            return columns
        nothing = pc.equal(lengths, 0)
        empty = nothing if empty is None else pc.and_(empty, nothing)
    if empty is None or empty.true_count == 0:
        return columns
    return [column.filter(pc.invert(empty)) for column in columns]
