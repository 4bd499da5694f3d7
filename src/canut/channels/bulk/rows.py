"""Rows of the input, checked as intake checks them, and kept between two stages of a run."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.errors import Problem
from canut.processes.model import REFERENCE, ItemShape
from canut.processes.shape import compile_shape
from canut.work.encoding import KEY_LENGTH_MAX
from canut.work.intake import Block

#: rows kept in memory at once
BLOCK_ROWS = 4_096

#: rows with their item, as JSON text: what is staged, and what goes to people
SCHEMA = pa.schema(
    [("position", pa.int64()), ("key", pa.string()), ("way", pa.string()), ("item", pa.string())]
)


class Row(Struct, frozen=True):
    """A row that can be answered."""

    #: in the whole input, from 1
    position: int
    #: the client's own, or the position
    key: str
    payload: dict[str, Any]


class Checked(Struct, frozen=True):
    """The good rows of a block, and what is wrong with the others."""

    rows: list[Row]
    problems: list[Problem]
    rejected: int


class Checker:
    """Checks the rows of one file; `offset` rows of the input come before it."""

    def __init__(self, shape: ItemShape, file: str, offset: int):
        self._check = compile_shape(shape, file)
        self._file, self._offset = file, offset
        self._keyed: bool | None = None

    def check(self, block: Block) -> Checked:
        """What intake would take of the block."""
        problems = list(block.problems)
        unread = len({problem.row for problem in problems})
        rows: list[Row] = []
        for number, record in zip(block.rows, block.records, strict=True):
            if self._keyed is None:
                # as intake: one file never mixes keys with row numbers
                self._keyed = REFERENCE in record
            given = dict(record)
            key = self._key(number, given.pop(REFERENCE, None), problems)
            payload = self._check(given, number, problems)
            if payload is not None and key is not None:
                rows.append(Row(self._offset + number, key, payload))
        return Checked(rows, problems, unread + len(block.records) - len(rows))

    def _key(self, number: int, raw: Any, problems: list[Problem]) -> str | None:
        if not self._keyed and raw is None:
            return str(self._offset + number)
        key = raw.strip() if type(raw) is str else str(raw) if type(raw) is int else ""
        if key and len(key) <= KEY_LENGTH_MAX and key.isprintable():
            return key
        message = "the row has no key that can be used"
        mend = f"1 to {KEY_LENGTH_MAX} printable characters"
        problems.append(Problem(message, mend, self._file, number, REFERENCE))
        return None


class RowWriter:
    """Writes rows with their items to a Parquet file."""

    def __init__(self, out: IO[bytes]):
        self._writer = pq.ParquetWriter(pa.PythonFile(out, mode="w"), SCHEMA, compression="zstd")
        self._encode = msgspec.json.Encoder(decimal_format="string").encode

    def write(self, rows: Iterable[tuple[Row, str]]) -> None:
        """Rows, each with its way ("" where that is not known yet)."""
        found = list(rows)
        if not found:
            return
        columns = [
            [row.position for row, _ in found],
            [row.key for row, _ in found],
            [way for _, way in found],
            [self._encode(row.payload).decode() for row, _ in found],
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=SCHEMA))

    def close(self) -> None:
        self._writer.close()


def read_rows(stream: IO[bytes]) -> Iterator[list[tuple[Row, str]]]:
    """What a `RowWriter` wrote, a block at a time."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for batch in pq.ParquetFile(pa.PythonFile(stream, mode="r")).iter_batches(BLOCK_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        yield [
            (Row(position, key, decode(item)), way)
            for position, key, way, item in zip(*columns, strict=True)
        ]
