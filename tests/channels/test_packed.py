"""Parquet files that are small on disk and huge once read."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from canut.channels.files import read_stream
from canut.errors import Invalid
from canut.processes.model import ItemShape


def packed(rows: int, size: int, wrap: Any = lambda column: column) -> bytes:
    """A column that names one text of `size` characters `rows` times: some hundred bytes."""
    places = pa.array([0] * rows, pa.int32())
    column = wrap(pa.DictionaryArray.from_arrays(places, pa.array(["x" * size])))
    out = io.BytesIO()
    table = pa.table({"title": column})
    pq.write_table(
        table, out, compression="zstd", store_schema=False, dictionary_pagesize_limit=1 << 30
    )
    return out.getvalue()


def lists(column: Any) -> Any:
    """One list of everything, then an empty one."""
    return pa.ListArray.from_arrays(pa.array([0, len(column), len(column)], pa.int32()), column)


def test_a_text_named_often_is_read_a_part_at_a_time() -> None:
    """Two gigabytes of values in a file of some hundred bytes pass in parts of 64 MB at most."""
    data = packed(10_000, 200_000)
    assert len(data) < 1000
    largest = rows = 0
    for block in read_stream(io.BytesIO(data), "a.parquet", ItemShape(())):
        rows += len(block.rows)
        largest = max(largest, block.records.columns["title"].nbytes)  # type: ignore[attr-defined]
        del block
    assert rows == 10_000
    assert largest <= 65 << 20


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (packed(10_000, 200_000), "larger than 1,000,000 bytes"),
        (packed(200_000, 10), "larger than 1,000,000 bytes"),
        (packed(10_000, 200_000, lists), "larger than 1,000,000 bytes"),
        (packed(1, 20_000_000), "larger than 1,000,000 bytes"),
    ],
)
def test_the_limit_is_of_what_is_inside(data: bytes, message: str) -> None:
    """The largest upload counts values as they are written out, in lists too."""
    with pytest.raises(Invalid, match=message):
        list(read_stream(io.BytesIO(data), "a.parquet", ItemShape(()), bytes_max=1_000_000))


def test_a_row_has_a_limit() -> None:
    """One row that fills the memory by itself is refused before it is written out."""
    with pytest.raises(Invalid, match="a row of more than"):
        list(read_stream(io.BytesIO(packed(10_000, 200_000, lists)), "a.parquet", ItemShape(())))


def test_values_come_out_as_they_went_in() -> None:
    """Texts, bytes that are text, lists, objects and nothing at all."""
    given = {
        "text": ["a", None, "a"],
        "bytes": [b"a", None, b"b"],
        "list": [["a", None], None, []],
        "object": [{"u": "a", "v": 1}, None, {"u": None, "v": 2}],
        "deep": [[{"u": ["a"]}], [], None],
        "number": [1, None, 3],
    }
    out = io.BytesIO()
    pq.write_table(pa.table(given), out)
    blocks = list(read_stream(io.BytesIO(out.getvalue()), "a.parquet", ItemShape(())))
    found = [record for block in blocks for record in block.records]
    expected = [dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)]
    for row, texts in zip(expected, ["a", None, "b"], strict=True):
        row["bytes"] = texts
    assert found == expected
