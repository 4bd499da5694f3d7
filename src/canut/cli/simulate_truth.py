"""What is true of each item: found by what a contributor sees of it, never by the client's key."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from canut.channels.files import open_items
from canut.cli.simulate_answers import as_answer
from canut.errors import Invalid
from canut.processes.model import ItemShape
from canut.sdk import values as v

Row = Mapping[str, Any]
Fingerprint = tuple[tuple[str, str], ...]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV, JSON lines or Parquet file, as they are. Raises `Invalid`."""
    rows: list[dict[str, Any]] = []
    with open_items(str(path), ItemShape(())) as blocks:
        for block in blocks:
            if block.problems:
                raise Invalid(f"{path} cannot be read.", problems=list(block.problems))
            rows += block.records
    return rows


class Truth:
    """The right answers of a file, by what is seen of an item.

    Items that look the same and have different answers are told apart by the order in which
    they are first seen: the first gets the first row, and so on.
    """

    def __init__(
        self,
        rows: Iterable[Row],
        column: str,
        *,
        columns: Mapping[str, str] | None = None,
    ):
        """`column` holds the truth; `columns` has the column of a field where names differ."""
        self.rows = list(rows)
        self.column = column
        self.columns = dict(columns or {})
        #: by the fields that are seen: rows by fingerprint
        self._seen_as: dict[tuple[str, ...], dict[Fingerprint, list[int]]] = {}
        #: row by item and step
        self._given: dict[tuple[int, str], int] = {}
        self._next: dict[tuple[int, Fingerprint], int] = {}

    def find(self, question: v.StepQuestion, task: v.Task) -> Any:
        """The right answer to a task; None if the file does not know the item."""
        row = self._row(question, task)
        return None if row is None else self.of(question.answer, self.rows[row])

    def of(self, schema: Mapping[str, Any], row: Row) -> Any:
        """The right answer that a row holds, in the shape of this schema."""
        return as_answer(schema, row.get(self.column), row)

    def _row(self, question: v.StepQuestion, task: v.Task) -> int | None:
        known = self._given.get((question.step, task.task))
        if known is not None:
            return known
        fields = tuple(field.name for field in question.item)
        found = self._index(fields).get(_fingerprint(task.item, fields, {}))
        if found is None:
            return None
        seen = (question.step, _fingerprint(task.item, fields, {}))
        place = self._next.get(seen, 0)
        self._next[seen] = place + 1
        self._given[question.step, task.task] = found[place % len(found)]
        return found[place % len(found)]

    def _index(self, fields: tuple[str, ...]) -> dict[Fingerprint, list[int]]:
        if fields not in self._seen_as:
            index: dict[Fingerprint, list[int]] = {}
            for place, row in enumerate(self.rows):
                index.setdefault(_fingerprint(row, fields, self.columns), []).append(place)
            self._seen_as[fields] = index
        return self._seen_as[fields]


def _fingerprint(item: Row, fields: tuple[str, ...], columns: Mapping[str, str]) -> Fingerprint:
    """What is seen, in one form whether it came from a file or from JSON."""
    seen = ((name, _plain(item.get(columns.get(name, name)))) for name in fields)
    return tuple((name, text) for name, text in seen if text)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    text = str(value).strip()
    try:
        return repr(float(text))
    except ValueError:
        return text
