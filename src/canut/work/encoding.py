"""Rows of a file as lines for COPY, checked; made for 100,000 rows a second.

The fast way checks and writes a whole block by its columns, in a few calls that leave the
interpreter lock to the thread that copies. Rows that are out of the ordinary are looked at one
by one, to tell what is wrong with them.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from canut.errors import Problem
from canut.processes.bulk import encoder
from canut.processes.model import REFERENCE, ItemShape
from canut.work.table import Writer, as_table

#: longest key of an item, in characters
KEY_LENGTH_MAX = 200
#: largest item, in bytes of JSON
ITEM_BYTES_MAX = 1_000_000
#: different fields the items of a batch may have
COLUMNS_MAX = 500
#: keys that need no look: what can be seen of ASCII, and what COPY takes as it is
PLAIN_KEY = r"^[ -\[\]-~]+$"

Check = Callable[[Mapping[str, Any], int, list[Problem]], dict[str, Any] | None]


class Rows(Protocol):
    """A block of rows, as `canut.work.intake.Block`."""

    @property
    def rows(self) -> Sequence[int]: ...
    @property
    def records(self) -> Sequence[dict[str, Any]]: ...
    @property
    def problems(self) -> Sequence[Problem]: ...
    @property
    def file(self) -> str: ...


class Encoded(Struct, frozen=True):
    """The good rows of a block, and what is wrong with the others."""

    #: number of each good row in its file
    rows: Sequence[int]
    #: batch_id, key, payload in COPY's text format, a line a row
    lines: bytes
    problems: list[Problem]
    #: how many rows have something wrong
    rejected: int


def joined(parts: Sequence[Encoded]) -> Encoded:
    """Encoded blocks of one file, one after the other, as one."""
    return Encoded(
        list(chain.from_iterable(part.rows for part in parts)),
        b"".join([part.lines for part in parts]),
        [problem for part in parts for problem in part.problems],
        sum(part.rejected for part in parts),
    )


class Encoder:
    """Checks and encodes block after block of one import."""

    def __init__(
        self,
        compile_shape: Callable[[ItemShape, str], Check],
        shape: ItemShape,
        batch_id: int,
        columns: Sequence[str],
    ):
        self._compile = compile_shape
        self._shape = shape
        self._file: str | None = None
        self._check: Check = compile_shape(shape, "")
        self._json = encoder
        self._writer = Writer(shape.fields, shape.extra, ITEM_BYTES_MAX)
        self._prefix = f"{batch_id}\t"
        # whether the file brings keys of its own: decided by its first record, so that one file
        # never mixes keys with row numbers
        self._keyed: bool | None = None
        #: every field seen, in the order of first appearance
        self.columns = list(columns)
        self._seen = set(columns)

    def encode(self, block: Rows) -> Encoded:
        """The block as lines, with a problem for everything wrong in it."""
        if block.file != self._file:
            self._file, self._keyed = block.file, None
            self._check = self._compile(self._shape, block.file)
        problems = list(block.problems)
        rejected = len({problem.row for problem in problems})
        if not len(block.records):
            return Encoded([], b"", problems, rejected)
        rows, lines = self._by_columns(block, problems) or self._by_rows(block, problems)
        return Encoded(rows, lines, problems, rejected + len(block.rows) - len(rows))

    def _by_rows(self, block: Rows, problems: list[Problem]) -> tuple[Sequence[int], bytes]:
        rows, lines = self._looked_at(block.rows, block.records, problems)
        return rows, b"".join(lines)

    def _by_columns(
        self, block: Rows, problems: list[Problem]
    ) -> tuple[Sequence[int], bytes] | None:
        """The block in a few calls, but for rows that are out of the ordinary; None when it must
        go row by row, as the first block of a file does: it tells the fields and the keys."""
        table = as_table(block.records) if self._keyed is not None else None
        if table is None:
            return None
        try:
            keys = self._keys(block.rows, table.columns.get(REFERENCE))
            lines = keys and self._writer.write(table, *keys, self._seen, self._prefix)
        except pa.ArrowException:
            return None
        if not lines:
            return None
        rows = block.rows
        others: list[bytes | None] = []
        if lines.odd:
            odd = [rows[place] for place in lines.odd]
            held = dict(zip(*self._looked_at(odd, table.take(lines.odd), problems), strict=True))
            others = [held.get(row) for row in odd]
            wrong = {row for row in odd if row not in held}
            rows = [row for row in rows if row not in wrong]
        return rows, lines.spliced(others)

    def _keys(self, rows: Sequence[int], found: Any) -> tuple[pa.Array, pa.Array | None] | None:
        """The key of each row, and whether it can be taken as it is."""
        if not self._keyed:
            numbers = np.arange(rows.start, rows.stop) if isinstance(rows, range) else rows
            keys = pc.cast(pa.array(numbers, pa.int64()), pa.string())
            if found is None:
                return keys, None
            return (keys, pc.is_null(found)) if isinstance(found, pa.Array) else None
        if not isinstance(found, pa.Array):
            return None
        if pa.types.is_int64(found.type):
            found = pc.cast(found, pa.string())
        if not pa.types.is_string(found.type):
            return None
        keys = pc.utf8_trim_whitespace(found)
        sure = pc.and_(
            pc.match_substring_regex(keys, PLAIN_KEY),
            pc.less_equal(pc.binary_length(keys), KEY_LENGTH_MAX),
        )
        return keys, pc.fill_null(sure, False)

    def _looked_at(
        self, rows: Sequence[int], records: Sequence[dict[str, Any]], problems: list[Problem]
    ) -> tuple[list[int], list[bytes]]:
        """The good rows, and a line for each of them."""
        good, keys, items = self._checked(rows, records, problems)
        lines = self._fast(keys, items)
        if lines is None:
            return self._row_by_row(good, keys, items, problems)
        return good, lines

    def _checked(
        self, rows: Sequence[int], records: Sequence[dict[str, Any]], problems: list[Problem]
    ) -> tuple[list[int], list[str], list[dict[str, Any]]]:
        good: list[int] = []
        keys: list[str] = []
        items: list[dict[str, Any]] = []
        check, seen = self._check, self._seen
        if self._keyed is None and records:
            self._keyed = REFERENCE in records[0]
        for row, record in zip(rows, records, strict=True):
            raw = record.pop(REFERENCE, None)
            key = self._key(row, raw, problems) if self._keyed or raw is not None else str(row)
            item = check(record, row, problems)
            if item is None or key is None:
                continue
            if not (item.keys() <= seen or self._widen(row, item, problems)):
                continue
            good.append(row)
            keys.append(key)
            items.append(item)
        return good, keys, items

    def _key(self, row: int, raw: Any, problems: list[Problem]) -> str | None:
        key = raw.strip() if type(raw) is str else str(raw) if type(raw) is int else ""
        # isprintable is false for every control character, and so for what COPY would escape
        if self._keyed and key and len(key) <= KEY_LENGTH_MAX and key.isprintable():
            return key
        message, mend = _key_fault(raw, key, self._keyed)
        problems.append(Problem(message, mend, self._file or "", row, REFERENCE))
        return None

    def _widen(self, row: int, item: dict[str, Any], problems: list[Problem]) -> bool:
        new = [name for name in item if name not in self._seen]
        if not all(name.isprintable() and len(name) <= KEY_LENGTH_MAX for name in new):
            message, mend = "a field has a name that cannot be shown", "rename it"
        elif len(self.columns) + len(new) > COLUMNS_MAX:
            message = f"the batch would have more than {COLUMNS_MAX} different fields"
            mend = "put what varies into one field"
        else:
            self.columns += new
            self._seen.update(new)
            return True
        problems.append(Problem(message, mend, self._file or "", row, new[0][:50]))
        return False

    def _fast(self, keys: list[str], items: list[dict[str, Any]]) -> list[bytes] | None:
        """A line an item, or None if one of them needs a closer look."""
        if not items:
            return []
        try:
            payloads = self._json.encode_lines(items)
            names = "\n".join(keys).encode()
        except (UnicodeEncodeError, TypeError, RecursionError, ValueError, OverflowError):
            return None
        if b"\\u0000" in payloads:
            return None
        if b"\\" in payloads:
            payloads = payloads.replace(b"\\", b"\\\\")
        if b"\\" in names:
            names = names.replace(b"\\", b"\\\\")
        split = payloads.split(b"\n")
        if split[-1] == b"":
            split.pop()
        if split and max(map(len, split)) > ITEM_BYTES_MAX:
            return None
        line = f"{self._prefix}%b\t%b\n".encode()
        return list(map(line.__mod__, zip(names.split(b"\n"), split, strict=True)))

    def _row_by_row(
        self,
        rows: list[int],
        keys: list[str],
        items: list[dict[str, Any]],
        problems: list[Problem],
    ) -> tuple[list[int], list[bytes]]:
        good: list[int] = []
        lines: list[bytes] = []
        for row, key, item in zip(rows, keys, items, strict=True):
            fault = self._fault(item)
            if fault is None:
                payload = self._json.encode(item).replace(b"\\", b"\\\\")
                name = key.encode().replace(b"\\", b"\\\\")
                lines.append(self._prefix.encode() + name + b"\t" + payload + b"\n")
                good.append(row)
            else:
                message, mend, field = fault
                problems.append(Problem(message, mend, self._file or "", row, field))
        return good, lines

    def _fault(self, item: dict[str, Any]) -> tuple[str, str, str] | None:
        """What keeps an item from being stored: message, mend, field."""
        size = 0
        for name, value in item.items():
            try:
                payload = self._json.encode(value)
                name.encode()
            except (UnicodeEncodeError, ValueError):
                return "the text is not valid Unicode", "save the file as UTF-8", name
            except (TypeError, RecursionError, OverflowError):
                return "the value cannot be written as JSON", "simplify it", name
            if b"\\u0000" in payload and _has_nul(value):
                return "the text holds a NUL character", "remove it", name
            size += len(payload) + len(name)
        if size > ITEM_BYTES_MAX:
            return f"the row is larger than {ITEM_BYTES_MAX} bytes", "shorten it", ""
        return None


def _key_fault(raw: Any, key: str, keyed: bool | None) -> tuple[str, str]:
    if not keyed:
        return "this row has a key, and the first row has none", "give every row a key, or none"
    if raw is None or raw == "" or (type(raw) is str and not key):
        return "the row has no key", "give every row a key of its own"
    if not key:
        return "the key is neither a text nor a whole number", "write it as a text"
    if len(key) > KEY_LENGTH_MAX:
        return f"the key is longer than {KEY_LENGTH_MAX} characters", "shorten it"
    return "the key holds a character that cannot be shown", "remove it"


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_has_nul(key) or _has_nul(held) for key, held in value.items())
    return isinstance(value, list | tuple) and any(map(_has_nul, value))
