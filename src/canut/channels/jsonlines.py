"""JSON lines: an object a line."""

from collections.abc import Iterator
from typing import Any

import msgspec

from canut.channels.columns import Columns, renamer
from canut.channels.text import CHUNK_BYTES, ROW_BYTES_MAX, Readable
from canut.errors import Invalid, Problem
from canut.processes.model import ItemShape
from canut.work.intake import Block

_decoder = msgspec.json.Decoder(dict[str, Any])


def read(stream: Readable, file: str, columns: Columns, shape: ItemShape) -> Iterator[Block]:
    """Records of a JSON lines file (NDJSON), block by block; blank lines are no rows.

    Each record names its own fields, so that one which is missing is a problem of its row.
    """
    rename = renamer(columns)
    row = bytes_read = 0
    for piece in _pieces(stream, file):
        bytes_read += len(piece)
        records, rows, problems, row = _decode(piece, row, file)
        if rename is not None:
            records = [rename(record) for record in records]
        yield Block(rows, records, problems, file, bytes_read)


def _pieces(stream: Readable, file: str) -> Iterator[bytes]:
    """The file in pieces of whole lines."""
    rest = b""
    first = True
    while chunk := stream.read(CHUNK_BYTES):
        if first:
            chunk, first = chunk.removeprefix(b"\xef\xbb\xbf"), False
        cut = chunk.rfind(b"\n") + 1
        if not cut:
            rest += chunk
            if len(rest) > ROW_BYTES_MAX:
                raise Invalid(f"{file} has a line of more than {ROW_BYTES_MAX:,} bytes.")
            continue
        yield rest + chunk[:cut]
        rest = chunk[cut:]
    if rest.strip():
        yield rest


def _decode(
    piece: bytes, row: int, file: str
) -> tuple[list[dict[str, Any]], range | list[int], list[Problem], int]:
    try:
        records = _decoder.decode_lines(piece)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _line_by_line(piece, row, file)
    end = row + len(records)
    return records, range(row + 1, end + 1), [], end


def _line_by_line(
    piece: bytes, row: int, file: str
) -> tuple[list[dict[str, Any]], list[int], list[Problem], int]:
    """Which lines are wrong, and the others."""
    records: list[dict[str, Any]] = []
    rows: list[int] = []
    problems: list[Problem] = []
    for line in filter(bytes.strip, piece.split(b"\n")):
        row += 1
        try:
            records.append(_decoder.decode(line))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            problems.append(_fault(error, line, file, row))
        else:
            rows.append(row)
    return records, rows, problems, row


def _fault(error: Exception, line: bytes, file: str, row: int) -> Problem:
    if isinstance(error, RecursionError):
        return Problem("the line is nested too deep", "flatten it", file, row)
    try:
        line.decode()
    except UnicodeDecodeError:
        return Problem("the line is not valid UTF-8", "save the file as UTF-8", file, row)
    if isinstance(error, msgspec.ValidationError):
        return Problem(f"the line is no object: {error}", 'write {"name": value, ...}', file, row)
    return Problem(f"the line is not valid JSON: {error}", "write one object a line", file, row)
