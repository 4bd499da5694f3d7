"""CSV and its relatives: what is between the values, which bytes are text, which rows are whole."""

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, Protocol

from msgspec import structs

from canut.channels.columns import Columns, header
from canut.channels.streams import PEEK_BYTES
from canut.errors import Invalid, Problem
from canut.processes.model import ItemShape
from canut.work.intake import Block

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
#: rows in a block
BLOCK_ROWS = 10_000
#: bytes read at once
CHUNK_BYTES = 1 << 20
#: longest row, in bytes: beyond this the file is no table
ROW_BYTES_MAX = 16 << 20
#: rows looked at to tell what is between the values
SNIFFED_ROWS = 50


class Readable(Protocol):
    """A buffered stream of bytes."""

    def read(self, size: int, /) -> bytes: ...
    def peek(self, size: int, /) -> bytes: ...
    def tell(self) -> int: ...


def sniff_delimiter(text: str) -> str:
    """What separates the values: what cuts the first rows into the most equal, most numerous
    parts. A comma where nothing does."""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            rows = list(
                islice(csv.reader(io.StringIO(text, ""), delimiter=delimiter), SNIFFED_ROWS)
            )
        except csv.Error:
            continue
        # the last row may be cut where the look ended
        widths = [len(row) for row in rows if row][: max(1, len(rows) - 1)]
        if not widths or widths[0] < 2:
            continue
        score = sum(width == widths[0] for width in widths) / len(widths) * widths[0]
        if score > best_score:
            best, best_score = delimiter, score
    return best


def read(stream: Readable, file: str, columns: Columns, shape: ItemShape) -> Iterator[Block]:
    """Rows of a CSV, block by block. The first row names the columns.

    UTF-8, or UTF-16 with its mark. Raises `Invalid` when there is no header that fits; what is
    wrong with one row is a problem of that row.
    """
    encoding = _encoding(stream.peek(PEEK_BYTES))
    start = stream.peek(PEEK_BYTES)[:PEEK_BYTES]
    delimiter = sniff_delimiter(start.decode(encoding, "replace").lstrip("\ufeff"))
    position = _Position()
    lines = chain.from_iterable(_lines(stream, file, encoding, position))
    reader = csv.reader(lines, delimiter=delimiter)
    names = _header(reader, file)
    fields = header(names, columns, shape, file)
    yield from _blocks(reader, fields, delimiter, file, position)


class _Position:
    """Bytes read so far, told by the reader of lines to the maker of blocks."""

    bytes_read = 0


def _encoding(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8-sig"


def _header(reader: Any, file: str) -> list[str]:
    try:
        names: list[str] | None = next((row for row in reader if row), None)
    except csv.Error as error:
        raise Invalid(f"The first row of {file} cannot be read: {error}.") from error
    if names is None:
        raise Invalid(f"{file} is empty.", mend="the first row names the columns")
    return names


def _lines(
    stream: Readable, file: str, encoding: str, position: _Position
) -> Iterator[Iterator[str]]:
    """The file in pieces that end with a line, each an iterator of lines.

    Bytes that are no UTF-8 become lone surrogates, which the check of the field reports.
    """
    if encoding == "utf-16":
        yield _utf16(stream, file)
        return
    rest = b""
    first = True
    while chunk := stream.read(CHUNK_BYTES):
        position.bytes_read += len(chunk)
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest += chunk
            if len(rest) > ROW_BYTES_MAX:
                raise Invalid(f"{file} has a row of more than {ROW_BYTES_MAX:,} bytes.")
            continue
        piece, rest = rest + chunk[:cut], chunk[cut:]
        yield io.StringIO(_text(piece, first), newline="")
        first = False
    if rest:
        yield io.StringIO(_text(rest, first), newline="")


def _text(piece: bytes, first: bool) -> str:
    return piece.decode("utf-8-sig" if first else "utf-8", "surrogateescape")


def _utf16(stream: Readable, file: str) -> Iterator[str]:
    lines = io.TextIOWrapper(stream, "utf-16", newline="")  # type: ignore[type-var]
    try:
        yield from lines
    except UnicodeError as error:
        raise Invalid(f"{file} is not valid UTF-16: {error}.", mend="save it as UTF-8") from error


def _blocks(
    reader: Any, fields: list[str], delimiter: str, file: str, position: _Position
) -> Iterator[Block]:
    row = 0
    while True:
        read: list[list[str]] = []
        problems: list[Problem] = []
        try:
            # on an error the rows before it stay in the list
            read.extend(islice(reader, BLOCK_ROWS))
        except csv.Error as error:
            problems.append(_unreadable(error, file))
        if not read and not problems:
            return
        # lines without any value (spreadsheets leave them at the end) are no rows
        values = [value for value in read if value and (value[0] or any(value))]
        rows = range(row + 1, row + 1 + len(values))
        row += len(values)
        if problems:
            row += 1
            problems = [structs.replace(problem, row=row) for problem in problems]
        yield _block(rows, values, fields, problems, (delimiter, file, position.bytes_read))


def _block(
    rows: Sequence[int],
    values: list[list[str]],
    fields: list[str],
    problems: list[Problem],
    about: tuple[str, str, int],
) -> Block:
    delimiter, file, bytes_read = about
    width = len(fields)
    if any(len(value) != width for value in values):
        ragged = zip(rows, values, strict=True)
        problems += [
            _ragged(len(value), width, delimiter, file, row)
            for row, value in ragged
            if len(value) != width
        ]
        good = [place for place, value in enumerate(values) if len(value) == width]
        rows, values = [rows[place] for place in good], [values[place] for place in good]
    records = [dict(zip(fields, value, strict=True)) for value in values]
    return Block(rows, records, problems, file, bytes_read)


def _ragged(found: int, width: int, delimiter: str, file: str, row: int) -> Problem:
    message = f"the row has {found} values and the header {width}"
    more = f"put quotation marks around a value that holds {NAMES[delimiter]} or a line break"
    return Problem(message, more if found > width else "add the values that are missing", file, row)


def _unreadable(error: csv.Error, file: str) -> Problem:
    if "field limit" in str(error):
        message = f"a value is longer than {csv.field_size_limit():,} characters"
        return Problem(message, "is a quotation mark left open? close it, or shorten it", file)
    return Problem(f"the row cannot be read: {error}", "write the row again", file)
