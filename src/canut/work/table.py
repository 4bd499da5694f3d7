"""Rows by columns, so that a block is checked and written in a few calls without the interpreter
lock; they look like a sequence of records to whoever wants one row."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from canut.processes.bulk import Values, Written, encoder, held_bytes, write_column
from canut.processes.model import REFERENCE, ItemField

#: types of a column made from Python values that lose nothing; others stay as they are
_SIMPLE = {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.null()}


class Table(Sequence[dict[str, Any]]):
    """The columns of a block, all of one length."""

    def __init__(self, columns: Mapping[str, Values], rows: int):
        self.columns = columns
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    @cached_property
    def _records(self) -> list[dict[str, Any]]:
        held = [v.to_pylist() if isinstance(v, pa.Array) else v for v in self.columns.values()]
        if not held:
            return [{} for _ in range(self.rows)]
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*held, strict=True)]

    def __getitem__(self, place: Any) -> Any:
        return self._records[place]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._records == list(other)

    __hash__ = None  # type: ignore[assignment]

    def take(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Some of the records."""
        if len(places) > self.rows // 10 or "_records" in self.__dict__:
            return [self._records[place] for place in places]
        return [
            {
                name: values[place].as_py() if isinstance(values, pa.Array) else values[place]
                for name, values in self.columns.items()
            }
            for place in places
        ]


def as_table(records: Sequence[dict[str, Any]]) -> Table | None:
    """Records as columns, a field that some lack being None there; None where that cannot be."""
    if isinstance(records, Table):
        return records
    names: dict[str, None] = dict.fromkeys(records[0])
    for record in records:
        if len(record) != len(names) or record.keys() != names.keys():
            names.update(dict.fromkeys(record))
    try:
        columns = {name: _column([record.get(name) for record in records]) for name in names}
    except UnicodeEncodeError:
        return None
    return Table(columns, len(records))


def _column(values: list[Any]) -> Values:
    try:
        made = pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        if isinstance(error, UnicodeEncodeError):
            raise
        return values
    return made if made.type in _SIMPLE else values


class Lines:
    """The items of a table in COPY's text format, and of which rows that is right."""

    def __init__(self, text: Any, odd: Sequence[int]):
        self._text = text
        #: places of the rows that must be looked at one by one
        self.odd = odd

    def spliced(self, others: Sequence[bytes | None]) -> bytes:
        """The lines, with those of the odd rows replaced (None: left out)."""
        _, offsets, data = self._text.buffers()
        start, end = self._text.offset, self._text.offset + len(self._text) + 1
        bounds = np.frombuffer(offsets, np.int32)[start:end]
        view = memoryview(data)
        parts: list[bytes] = []
        at = int(bounds[0])
        for place, other in zip(self.odd, others, strict=True):
            parts += [bytes(view[at : bounds[place]]), other or b""]
            at = int(bounds[place + 1])
        parts.append(bytes(view[at : bounds[-1]]))
        return b"".join(parts)


class Writer:
    """Writes the tables of one import as lines."""

    def __init__(self, fields: Sequence[ItemField], extra: bool, line_max: int):
        self._fields = {field.name: field for field in fields}
        self._required = [field.name for field in fields if field.required]
        self._extra = extra
        self._line_max = line_max

    def write(
        self, table: Table, keys: pa.Array, sure: pa.Array | None, seen: set[str], prefix: str
    ) -> Lines | None:
        """Lines of `prefix`, key and item; `sure` tells of which keys that is right. None when
        the table has fields that are not `seen`, or holds what columns cannot tell."""
        columns = self._columns(table, seen)
        if columns is None or not all(name in columns for name in self._required):
            return None
        right = [sure] + [written.sure for written in columns.values()]
        right += [pc.is_valid(columns[name].json) for name in self._required]
        text = self._joined(columns, keys, prefix)
        if pc.max(pc.binary_length(text)).as_py() > self._line_max:
            right.append(pc.less_equal(pc.binary_length(text), self._line_max))
        return Lines(text, _false(right))

    def _columns(self, table: Table, seen: set[str]) -> dict[str, Written] | None:
        columns: dict[str, Written] = {}
        for name, values in table.columns.items():
            field = self._fields.get(name)
            if name == REFERENCE:
                continue
            written = write_column(values, field) if field or self._extra else None
            if written is None:
                return None
            if written.json.null_count == len(written.json):
                # nothing to write; a value that must be looked at has a text
                continue
            if name not in seen:
                return None
            columns[name] = written
        return columns

    def _joined(self, columns: Mapping[str, Written], keys: pa.Array, prefix: str) -> Any:
        """One text a row. A column without gaps comes first, so that commas fall into place."""
        whole = {name: written for name, written in columns.items() if not written.json.null_count}
        parts: list[Any] = [prefix, keys, "\t{"]
        for place, (name, written) in enumerate(whole.items()):
            before, after = _around(name, written.quoted, "," if place else "")
            parts += [before, written.json, after]
        for name, written in columns.items():
            if name not in whole:
                before, after = _around(name, written.quoted, ",")
                piece = pc.binary_join_element_wise(before, written.json, after, "")
                parts.append(pc.fill_null(piece, ""))
        text = pc.binary_join_element_wise(*_merged([*parts, "}\n"]), "")
        if columns and not whole:
            text = pc.replace_substring(text, "\t{,", "\t{", max_replacements=1)
        # COPY reads a backslash as the start of an escape
        if (held_bytes(text) == 0x5C).any():
            text = pc.replace_substring(text, "\\", r"\\")
        return text


def _around(name: str, quoted: bool, comma: str) -> tuple[str, str]:
    mark = '"' if quoted else ""
    return f"{comma}{encoder.encode(name).decode()}:{mark}", mark


def _merged(parts: Sequence[Any]) -> list[Any]:
    """Constants that follow each other as one."""
    merged: list[Any] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    return merged


def _false(masks: Sequence[pa.Array | None]) -> Sequence[int]:
    """Places where any mask is false."""
    wrong = None
    for mask in masks:
        if mask is None or (mask.null_count == 0 and mask.true_count == len(mask)):
            continue
        is_wrong = np.asarray(pc.invert(pc.fill_null(mask, True)))
        wrong = is_wrong if wrong is None else wrong | is_wrong
    return [] if wrong is None else np.flatnonzero(wrong).tolist()
