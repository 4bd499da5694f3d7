"""Parquet without explosions. A text that a file holds once and names a million times is a million
texts once it is read: a file of 300 bytes could fill any memory. So texts are read as the file has
them, each once with the places that name it, and written out a bounded part at a time."""

from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from canut.channels.streams import too_large
from canut.channels.text import ROW_BYTES_MAX
from canut.errors import Invalid

#: bytes of values written out at once
PART_BYTES_MAX = 64 << 20


def open_packed(stream: IO[bytes]) -> Any:
    """The file, its texts to be read each once."""
    schema = pq.ParquetFile(pa.PythonFile(stream, mode="r")).schema
    columns = [schema.column(place) for place in range(len(schema))]
    texts = [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]
    return pq.ParquetFile(pa.PythonFile(stream, mode="r"), read_dictionary=texts)


def batches(table: Any, rows_max: int, file: str, bytes_max: int | None) -> Iterator[Any]:
    """Its rows, at most `rows_max` and about PART_BYTES_MAX at a time. Raises `Invalid` for a row
    of more than ROW_BYTES_MAX bytes, and beyond `bytes_max` bytes of values."""
    total = 0
    for batch in table.iter_batches(rows_max):
        total += _size_of(batch)
        if bytes_max is not None and total > bytes_max:
            raise too_large(file, bytes_max)
        yield from _parts(batch, file)


def _size_of(batch: Any) -> int:
    return sum(_size(column) for column in batch.columns)


def _parts(batch: Any, file: str) -> Iterator[Any]:
    size = _size_of(batch)
    if batch.num_rows > 1 and size > PART_BYTES_MAX:
        half = batch.num_rows // 2
        yield from _parts(batch.slice(0, half), file)
        yield from _parts(batch.slice(half), file)
        return
    if batch.num_rows == 1 and size > ROW_BYTES_MAX:
        raise Invalid(f"{file} has a row of more than {ROW_BYTES_MAX:,} bytes.")
    columns = [pc.cast(column, _written(column.type)) for column in batch.columns]
    yield pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _size(column: Any) -> int:
    """Bytes of the values once written out."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        if not (pa.types.is_string(kind.value_type) or pa.types.is_binary(kind.value_type)):
            return int(column.nbytes)
        lengths = pc.cast(pc.binary_length(column.dictionary), pa.int64())
        return pc.sum(pc.take(lengths, column.indices)).as_py() or 0
    if pa.types.is_map(kind):
        column = column.cast(pa.list_(pa.struct([kind.key_field, kind.item_field])))
        kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _size(column.flatten()) + 4 * len(column)
    if pa.types.is_struct(kind):
        return sum(_size(part) for part in column.flatten())
    return int(column.nbytes)


def _written(kind: Any) -> Any:
    """The type with every text written out."""
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_map(kind):
        return pa.map_(_written(kind.key_type), _written(kind.item_type))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = kind.value_field.with_type(_written(kind.value_type))
        return pa.list_(inner) if pa.types.is_list(kind) else pa.large_list(inner)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_written(field.type)) for field in kind])
    return kind
