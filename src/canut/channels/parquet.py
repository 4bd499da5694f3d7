"""Parquet, a row group at a time."""

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from canut.channels import packed
from canut.channels.columns import Columns, header
from canut.channels.delimited import BLOCK_ROWS
from canut.channels.streams import limit_of
from canut.channels.text import CHUNK_BYTES, Readable
from canut.errors import Invalid
from canut.processes.model import ItemShape
from canut.work.intake import Block
from canut.work.table import Table

#: a file smaller than this is kept in memory when its source cannot be read out of order
SPOOLED_BYTES = 64 << 20
#: other ways to hold text
TEXTS = (pa.large_string(), pa.string_view())


def read(stream: Readable, file: str, columns: Columns, shape: ItemShape) -> Iterator[Block]:
    """Rows of a Parquet file, block by block. Dates, times and decimals come as text.

    The format is read from its end, so the stream is first copied to a temporary file.
    Raises `Invalid` for a broken file, a column of bytes, or columns that do not fit.
    """
    with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as whole:
        while chunk := stream.read(CHUNK_BYTES):
            whole.write(chunk)
        size = whole.tell()
        whole.seek(0)
        try:
            rows = packed.open_packed(whole)
            yield from _blocks(rows, file, columns, shape, (size, limit_of(stream)))
        except (pa.ArrowException, OSError) as error:
            raise Invalid(f"{file} cannot be read as Parquet: {error}.") from error


class _Groups:
    """Some row groups of a file, read as a file."""

    def __init__(self, table: Any, groups: Sequence[int]):
        self.schema_arrow, self.metadata = table.schema_arrow, table.metadata
        self._table, self._groups = table, list(groups)

    def iter_batches(self, rows_max: int) -> Iterator[Any]:
        yield from self._table.iter_batches(rows_max, row_groups=self._groups)


def read_groups(
    stream: IO[bytes],
    file: str,
    columns: Columns,
    shape: ItemShape,
    groups: Sequence[int],
    before: int = 0,
) -> Iterator[Block]:
    """Some row groups of a Parquet file that can be read out of order; `before` rows of the file
    come before them. Raises as `read`."""
    try:
        rows = _Groups(packed.open_packed(stream), groups)
        yield from _blocks(rows, file, columns, shape, (0, None), before)
    except (pa.ArrowException, OSError) as error:
        raise Invalid(f"{file} cannot be read as Parquet: {error}.") from error


def _blocks(
    table: Any,
    file: str,
    columns: Columns,
    shape: ItemShape,
    sizes: tuple[int, int | None],
    row: int = 0,
) -> Iterator[Block]:
    fields = header(table.schema_arrow.names, columns, shape, file)
    total = max(1, table.metadata.num_rows)
    size, bytes_max = sizes
    for batch in packed.batches(table, BLOCK_ROWS, file, bytes_max):
        values = [_plain(column, file, name) for name, column in _named(batch)]
        records = Table(dict(zip(fields, values, strict=True)), batch.num_rows)
        rows = range(row + 1, row + 1 + batch.num_rows)
        row += batch.num_rows
        yield Block(rows, records, [], file, size * row // total)


def _named(batch: Any) -> Iterator[tuple[str, Any]]:
    yield from zip(batch.schema.names, batch.columns, strict=True)


def _plain(column: Any, file: str, name: str) -> Any:
    """The column in a type that JSON has."""
    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        # many writers do not mark text as such
        return _text(column, file, name)
    if pa.types.is_temporal(kind) or pa.types.is_decimal(kind) or kind in TEXTS:
        return pc.cast(column, pa.string())
    if pa.types.is_floating(kind):
        return pc.cast(column, pa.float64())
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return pc.cast(column, pa.int64())
    return column


def _text(column: Any, file: str, name: str) -> Any:
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowInvalid as error:
        mend = "leave the column out, or give addresses instead of bytes"
        raise Invalid(f"The column {name!r} of {file} holds bytes.", mend=mend) from error
