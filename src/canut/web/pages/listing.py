"""Items as lists show them: a line each, with what was decided in words."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.insight.browse import Row
from canut.processes.model import ItemField
from canut.work import store
from canut.work.model import LoadedStep

#: letters of an item that a list may show
SHOWN = 200


class Listed(Struct, frozen=True):
    """An item of a list."""

    row: Row
    #: its first field that says something
    item: str
    #: the decision in words, and as JSON for an address; "" where there is none
    said: str
    value: str


def step_of(conn: SyncConn, batch_step_id: int) -> LoadedStep:
    """A step that is there."""
    found = store.read_step_sync(conn, batch_step_id)
    assert found is not None
    return found


def listed(rows: Sequence[Row], step: LoadedStep, locale: str) -> list[Listed]:
    """The rows, ready for a page."""
    question, names = (
        step.question,
        [field.name for field in sorted(step.item.fields, key=_is_picture)],
    )
    return [
        Listed(
            row,
            _first_text(names, row.payload),
            question.describe(row.value, locale) if row.decided else "",
            msgspec.json.encode(row.value).decode() if row.decided else "",
        )
        for row in rows
    ]


def _is_picture(field: ItemField) -> bool:
    return field.type == "image"


def _first_text(names: Sequence[str], item: dict[str, Any]) -> str:
    """Of the process's fields the first that says something, else of any others."""
    said = [*(item.get(name) for name in names), *item.values()]
    return next((str(value)[:SHOWN] for value in said if value not in (None, "")), "")
