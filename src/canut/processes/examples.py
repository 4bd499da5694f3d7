"""The sample and the gold of a process folder: items to try it on, and items with the answer.

`sample.csv` (or .jsonl) has a column `reference` and the fields of the item. `gold.csv` has
`reference` and a column per step with the answer; `gold.jsonl` has a line per item, such as
`{"reference": "R1", "item": {...}, "verdict": {...}}`, where `item` may be left out if the
reference is in the sample. In CSV, an answer that is not one word or text is written as JSON.
"""

import json
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any

from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.processes.files import Row, find, read_rows
from canut.processes.model import REFERENCE, ItemShape
from canut.processes.reading import suggest
from canut.processes.shape import Check, compile_shape
from canut.questions.base import Question


class SampleItem(Struct, frozen=True):
    """An item of the sample."""

    reference: str
    #: the item, clean
    payload: dict[str, Any]


class GoldItem(Struct, frozen=True):
    """An item whose right answers are known."""

    reference: str
    #: the item, clean
    payload: dict[str, Any]
    #: normalised answer by slug of the step
    answers: dict[str, Any]


def read_sample(
    folder: Traversable, shape: ItemShape, problems: list[Problem]
) -> tuple[SampleItem, ...]:
    """The sample of a folder, empty if there is none; bad rows are reported."""
    name = _either(folder, "sample", problems)
    if name is None:
        return ()
    check = compile_shape(shape, name)
    items: dict[str, SampleItem] = {}
    for number, row in read_rows(folder / name, name, problems):
        reference = _reference(row, items, name, number, problems)
        payload = check({k: v for k, v in row.items() if k != REFERENCE}, number, problems)
        if reference and payload is not None:
            items[reference] = SampleItem(reference, payload)
    return tuple(items.values())


def read_gold(
    folder: Traversable,
    shape: ItemShape,
    questions: Mapping[str, Question],
    sample: tuple[SampleItem, ...],
    problems: list[Problem],
) -> tuple[GoldItem, ...]:
    """The gold of a folder, empty if there is none; `questions` are the steps by slug."""
    name = _either(folder, "gold", problems)
    if name is None:
        return ()
    reader = _GoldReader(name, compile_shape(shape, name), questions, sample, problems)
    for number, row in read_rows(folder / name, name, problems):
        reader.read(number, row)
    return tuple(reader.items.values())


class _GoldReader:
    def __init__(
        self,
        name: str,
        check: Check,
        questions: Mapping[str, Question],
        sample: tuple[SampleItem, ...],
        problems: list[Problem],
    ):
        self.name = name
        self.check = check
        self.questions = questions
        self.payloads = {item.reference: item.payload for item in sample}
        self.problems = problems
        self.items: dict[str, GoldItem] = {}

    def read(self, number: int, row: Row) -> None:
        """One line of the file."""
        reference = _reference(row, self.items, self.name, number, self.problems)
        payload = self._payload(number, row, reference)
        answers = {
            key: self._answer(number, key, raw)
            for key, raw in row.items()
            if key not in (REFERENCE, "item") and raw not in (None, "")
        }
        if not answers:
            self._fault(number, "", "no answer", "add the right answer of at least one step")
        if reference and payload is not None:
            self.items[reference] = GoldItem(reference, payload, answers)

    def _payload(self, number: int, row: Row, reference: str) -> dict[str, Any] | None:
        if "item" in row:
            if isinstance(row["item"], dict):
                return self.check(row["item"], number, self.problems)
            self._fault(number, "item", "expected an object with the fields of the item")
        elif reference and reference not in self.payloads:
            mend = 'add it there, or give "item" here'
            self._fault(number, REFERENCE, f"{reference!r} is not in the sample", mend)
        return self.payloads.get(reference)

    def _answer(self, number: int, key: str, raw: Any) -> Any:
        question = self.questions.get(key)
        if question is None:
            steps = ", ".join(self.questions)
            mend = suggest(key, self.questions) or f"name a step: {steps}"
            self._fault(number, key, "there is no such step", mend)
            return None
        try:
            return _normalise(question, raw, self.name.endswith(".csv"))
        except Invalid as error:
            for problem in error.problems or [Problem(error.message, error.mend)]:
                field = f"{key}.{problem.field}" if problem.field else key
                self._fault(number, field, problem.message, problem.mend)
            return None

    def _fault(self, number: int, field: str, message: str, mend: str = "") -> None:
        self.problems.append(Problem(message, mend, self.name, number, field))


def _normalise(question: Question, raw: Any, from_cell: bool) -> Any:
    try:
        return question.normalise(raw)
    except Invalid:
        if not from_cell:
            raise
        try:
            value = json.loads(raw)
        except ValueError:
            value = raw
        return question.normalise(value)


def _either(folder: Traversable, stem: str, problems: list[Problem]) -> str | None:
    names = [name for name in (f"{stem}.csv", f"{stem}.jsonl") if find(folder, name)]
    if len(names) > 1:
        problems.append(Problem("there are two: .csv and .jsonl", "keep one", names[0]))
    return names[0] if names else None


def _reference(
    row: Row, taken: Mapping[str, Any], name: str, number: int, problems: list[Problem]
) -> str:
    reference = str(row.get(REFERENCE) or "").strip()
    if not reference:
        problems.append(Problem("no reference", "give every row its own", name, number, REFERENCE))
    elif reference in taken:
        message = f"{reference!r} is there twice"
        problems.append(Problem(message, "give every row its own", name, number, REFERENCE))
        return ""
    return reference
