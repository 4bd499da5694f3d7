"""CSV and its relatives: what is between the values, which bytes are text, which rows are whole."""

import csv
import io
from collections.abc import Generator, Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec import structs

from canut.channels.columns import Columns, header
from canut.channels.streams import PEEK_BYTES
from canut.channels.text import Readable, Text, read_columns
from canut.errors import Invalid, Problem
from canut.processes.model import ItemShape
from canut.work.intake import Block
from canut.work.table import Table

DELIMITERS = (",", ";", "\t", "|")
SPOKEN = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
#: rows in a block
BLOCK_ROWS = 10_000
#: rows looked at to tell what is between the values
SNIFFED_ROWS = 50


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
    text = Text(stream, file, encoding)
    names = _header(csv.reader(text.lines(), delimiter=delimiter), file)
    fields = header(names, columns, shape, file)
    yield from _blocks(text, fields, delimiter, file)


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


def _blocks(text: Text, fields: list[str], delimiter: str, file: str) -> Iterator[Block]:
    row = 0
    while piece := text.piece():
        columns, rest = read_columns(piece, len(fields), delimiter, last=text.ended)
        if columns is None:
            row = yield from _row_by_row(text, piece, fields, (delimiter, file), row)
            continue
        text.keep(rest)
        if columns and (count := len(columns[0])):
            table = Table(dict(zip(fields, columns, strict=True)), count)
            yield Block(range(row + 1, row + 1 + count), table, [], file, text.bytes_read)
            row += count


def _row_by_row(
    text: Text, piece: bytes, fields: list[str], about: tuple[str, str], row: int
) -> Generator[Block, None, int]:
    """A piece, and the rest of the row it ends in, by the csv module, which takes what comes.
    Gives the number of the last row."""
    delimiter, file = about
    reader = csv.reader(text.lines(piece), delimiter=delimiter)
    ended = False
    while not ended:
        read: list[list[str]] = []
        problems: list[Problem] = []
        try:
            # on an error the rows before it stay in the list
            ended = _take(reader, text, read)
        except csv.Error as error:
            problems.append(_unreadable(error, file))
        # lines without any value (spreadsheets leave them at the end) are no rows
        values = [value for value in read if value and (value[0] or any(value))]
        rows = range(row + 1, row + 1 + len(values))
        row += len(values)
        if problems:
            row += 1
            problems = [structs.replace(problem, row=row) for problem in problems]
        yield _block(rows, values, fields, problems, (delimiter, file, text.bytes_read))
    return row


def _take(reader: Any, text: Text, read: list[list[str]]) -> bool:
    """Add rows until there are enough, or (True) the text at hand ends where a row does."""
    for values in islice(reader, BLOCK_ROWS):
        read.append(values)
        if text.at_end():
            return True
    return len(read) < BLOCK_ROWS


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
    message = f"values in the row: {found}, in the header: {width}"
    more = f"put quotation marks around a value that holds {SPOKEN[delimiter]} or a line break"
    return Problem(message, more if found > width else "add the values that are missing", file, row)


def _unreadable(error: csv.Error, file: str) -> Problem:
    if "field limit" in str(error):
        message = f"a value is longer than {csv.field_size_limit():,} characters"
        return Problem(message, "is a quotation mark left open? close it, or shorten it", file)
    return Problem(f"the row cannot be read: {error}", "write the row again", file)
