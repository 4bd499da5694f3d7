"""Results as files: CSV, JSON lines, Parquet, streamed; memory does not grow with the batch.

    for piece in export(conn, batch_id, "csv"):
        out.write(piece)

The generator blocks while it reads, so a server runs it in a thread, with a synchronous
connection of its own in autocommit mode.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.channels.cells import csv_lines, moment_text, plain_cell, quoted, safe_cell
from canut.work.results import Outcome, Result, Sheet, SheetStep, read_results, read_sheet
from canut.work.store_results import Conn

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}

#: what is told of a decision beside its value
ABOUT = ("confidence", "method", "n_answers", "decided_at")


#: written as they are
NUMBERS = (pa.float64(), pa.int64(), pa.int32())


class Column(Struct, frozen=True):
    """A column of a flat file."""

    name: str
    kind: pa.DataType
    take: Callable[[Result], Any]


def export(
    conn: Conn,
    batch_id: int,
    format: Format = "csv",
    *,
    items: bool = True,
    undecided: bool = True,
    raw: bool = False,
) -> Iterator[bytes]:
    """The results of a batch as the bytes of a file.

    `items` adds the items' own columns, `undecided=False` leaves out what is not done, `raw`
    writes CSV cells as they are, also those that a spreadsheet would run as a formula.
    Raises `NotFound` before the first byte.
    """
    sheet = read_sheet(conn, batch_id)
    pages = read_results(conn, sheet, undecided=undecided)
    if format == "jsonl":
        return _json_lines(pages, sheet, items)
    columns = flat_columns(sheet, items)
    if format == "parquet":
        return _parquet(pages, columns)
    return _csv(pages, columns, raw)


def as_object(result: Result, sheet: Sheet, items: bool = True) -> dict[str, Any]:
    """A result as JSON values: a line of JSON lines, and what the API returns."""
    given = {"item": result.item} if items else {}
    return {
        "key": result.key,
        "done": result.done,
        **given,
        "decisions": {
            slug: {
                "value": found.value,
                "confidence": _rounded(found.confidence),
                "method": found.method,
                "n_answers": found.n_answers,
                "decided_at": moment_text(_moment(found.decided_ms)),
            }
            for slug, found in result.decisions.items()
        },
        "process": sheet.process_slug,
        "version": sheet.version,
    }


def flat_columns(sheet: Sheet, items: bool = True) -> list[Column]:
    """The columns of a flat file: `key`, `done`, the item's fields as `item.NAME`, then for each
    step its value (for a record `STEP.FIELD` each) and `STEP.confidence` and so on."""
    columns = [
        Column("key", pa.string(), lambda result: result.key),
        Column("done", pa.bool_(), lambda result: result.done),
    ]
    if items:
        columns += [_item_column(name, sheet) for name in sheet.columns]
    for step in sheet.steps:
        columns += [*_value_columns(step), *_about_columns(step)]
    columns.append(Column("process", pa.string(), lambda _: sheet.process_slug))
    columns.append(Column("version", pa.int32(), lambda _: sheet.version))
    return columns


def _item_column(name: str, sheet: Sheet) -> Column:
    field = sheet.fields.get(name)
    kinds = {"number": pa.float64(), "boolean": pa.bool_()}
    kind = kinds.get(field.type, pa.string()) if field else pa.string()
    fit = _fitting(kind)
    return Column(f"item.{name}", kind, lambda result: fit(result.item.get(name)))


def _value_columns(step: SheetStep) -> list[Column]:
    slug = step.slug
    fields = step.schema.get("properties") if step.schema.get("type") == "object" else None
    if not fields:
        kind = _kind(step.schema)
        fit = _fitting(kind)
        return [Column(slug, kind, lambda result: fit(_value(result, slug)))]
    return [_field_column(slug, name, _kind(schema)) for name, schema in fields.items()]


def _field_column(slug: str, name: str, kind: pa.DataType) -> Column:
    # a field of a record that is called "confidence" must not hide the decision's own
    column = f"{slug}.value.{name}" if name in ABOUT else f"{slug}.{name}"
    fit = _fitting(kind)
    return Column(column, kind, lambda result: fit(_held(result, slug, name)))


def _about_columns(step: SheetStep) -> list[Column]:
    def about(name: str, kind: pa.DataType, take: Callable[[Outcome], Any]) -> Column:
        def of(result: Result) -> Any:
            found = result.decisions.get(step.slug)
            return None if found is None else take(found)

        return Column(f"{step.slug}.{name}", kind, of)

    return [
        about("confidence", pa.float64(), lambda found: _rounded(found.confidence)),
        about("method", pa.string(), lambda found: found.method),
        about("n_answers", pa.int32(), lambda found: found.n_answers),
        about("decided_at", pa.timestamp("ms", "UTC"), lambda found: _moment(found.decided_ms)),
    ]


def _kind(schema: dict[str, Any]) -> pa.DataType:
    match schema.get("type"):
        case "number":
            return pa.float64()
        case "integer":
            return pa.int64()
        case "boolean":
            return pa.bool_()
        case "array" if (schema.get("items") or {}).get("type") == "string":
            return pa.list_(pa.string())
    return pa.string()


def _fitting(kind: pa.DataType) -> Callable[[Any], Any]:
    """What puts a value in its column's type; as JSON text where the column is text and the
    value not."""
    if kind == pa.float64():
        return lambda value: None if value is None else float(value)
    if kind == pa.string():
        return _as_text
    return lambda value: value


def _as_text(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    return msgspec.json.encode(value).decode()


def _value(result: Result, slug: str) -> Any:
    found = result.decisions.get(slug)
    return None if found is None else found.value


def _held(result: Result, slug: str, name: str) -> Any:
    value = _value(result, slug)
    return value.get(name) if isinstance(value, dict) else None


def _rounded(confidence: float) -> float:
    # the database keeps four bytes of it; more digits would be noise
    return round(confidence, 6)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def _json_lines(pages: Iterable[list[Result]], sheet: Sheet, items: bool) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode_lines
    for page in pages:
        yield encode([as_object(result, sheet, items) for result in page])


def _csv(pages: Iterable[list[Result]], columns: list[Column], raw: bool) -> Iterator[bytes]:
    cell = plain_cell if raw else safe_cell
    yield csv_lines([[quoted(cell(column.name))] for column in columns])
    for page in pages:
        yield csv_lines([_cells(page, column, cell) for column in columns])


def _cells(page: list[Result], column: Column, cell: Callable[[Any], Any]) -> Iterable[str]:
    values = map(column.take, page)
    if column.kind in NUMBERS:
        return ["" if value is None else repr(value) for value in values]
    return [quoted(cell(value)) for value in values]


def _parquet(pages: Iterable[list[Result]], columns: list[Column]) -> Iterator[bytes]:
    schema = pa.schema([(column.name, column.kind) for column in columns])
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema) as writer:
        for page in pages:
            arrays = [
                pa.array([column.take(result) for result in page], column.kind)
                for column in columns
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


class Sink(io.RawIOBase):
    """Collects what the writer of Parquet gives, to be handed on."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._position += len(piece)
        return len(piece)

    def taken(self) -> bytes:
        """What came since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
