"""Results: what was decided about each item, in the order of intake, while a batch runs or after.

sheet = read_sheet(conn, batch_id)
for results in read_results(conn, sheet):      # lists of up to PAGE_ITEMS
    ...
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from msgspec import Struct

from canut.errors import NotFound
from canut.processes.model import ItemField
from canut.questions.registry import load_question
from canut.work import store_results as store

#: items in a page
PAGE_ITEMS = 2_000


class SheetStep(Struct, frozen=True):
    """A step, as a column (or, for a record, columns) of the results."""

    batch_step_id: int
    slug: str
    #: JSON Schema of a value
    schema: dict[str, Any]


class Sheet(Struct, frozen=True):
    """What the results of a batch look like."""

    batch_id: int
    batch_key: str
    process_slug: str
    version: int
    #: every field the items have; the process's own first
    columns: tuple[str, ...]
    #: the fields that the process names, by name
    fields: dict[str, ItemField]
    steps: tuple[SheetStep, ...]


class Outcome(Struct, frozen=True):
    """What was decided at one step, and on what grounds."""

    value: Any
    #: probability that the value is right, 0..1
    confidence: float
    #: "answers" weighed, an "expert", "exhausted": all answers spent without agreement, "licence":
    #: an agent alone, or "panel": contested and overturned
    method: str
    n_answers: int
    decided_ms: int


class Result(Struct, frozen=True):
    """One item and what was decided about it."""

    #: where to go on reading after it
    item_id: int
    key: str
    item: dict[str, Any]
    #: by slug of the step; a step without a decision is not there
    decisions: dict[str, Outcome]
    #: every step is decided
    done: bool


def read_sheet(conn: store.Conn, batch_id: int) -> Sheet:
    """What the results of this batch look like. Raises `NotFound`."""
    found = store.sheet(conn, batch_id)
    if found is None:
        raise NotFound(f"There is no batch {batch_id}.")
    key, columns, slug, version, shape, steps = found
    fields = {field.name: field for field in shape.fields}
    named = [name for name in fields if name in columns]
    return Sheet(
        batch_id=batch_id,
        batch_key=key,
        process_slug=slug,
        version=version,
        columns=(*named, *(name for name in columns if name not in fields)),
        fields=fields,
        steps=tuple(
            SheetStep(step, definition.slug, load_question(definition.question).schema())
            for step, definition in steps
        ),
    )


def read_page(
    conn: store.Conn, sheet: Sheet, after: int = 0, limit: int = PAGE_ITEMS
) -> list[Result]:
    """The results of up to `limit` items after the item `after`, decided or not."""
    slugs = {step.batch_step_id: step.slug for step in sheet.steps}
    rows = store.page(conn, sheet.batch_id, list(slugs), after, limit)
    return [_result(item, list(held), slugs) for item, held in groupby(rows, itemgetter(0))]


def read_results(
    conn: store.Conn, sheet: Sheet, *, undecided: bool = True
) -> Iterator[list[Result]]:
    """Every result, page by page; `undecided=False` leaves out items that are not done.

    A connection in autocommit mode sees the decisions made while it reads.
    """
    after = 0
    while page := read_page(conn, sheet, after):
        after = page[-1].item_id
        yield page if undecided else [result for result in page if result.done]


def _result(item_id: int, rows: Sequence[Any], slugs: dict[int, str]) -> Result:
    decisions = {
        slugs[step]: Outcome(value, confidence, method, n_answers, decided_ms)
        for _, _, _, step, value, confidence, method, n_answers, decided_ms in rows
        if step is not None
    }
    return Result(item_id, rows[0][1], rows[0][2], decisions, len(decisions) == len(slugs))
