"""Reading gold from CSV and JSONL: every bad row is told, and nothing is half read.

A row is an item of the process and its right answer, in a column named after the step or in
`answer`; a `reference` names it. In JSONL the item may stand as an object under `item`; in CSV an
answer that is not one word or text is written as JSON.
"""

import json
from collections.abc import Iterable
from typing import Any

from canut.errors import Invalid, Problem
from canut.processes.files import Row, parse_rows
from canut.processes.model import REFERENCE
from canut.processes.shape import compile_shape
from canut.quality.gold.values import GoldStep, NewGold

#: golds in one file
ROWS_MAX = 20_000
#: characters of a reference
REFERENCE_MAX = 200
ANSWER = "answer"


def read_gold(data: bytes, name: str, step: GoldStep) -> list[NewGold]:
    """The gold of a file; `name` ends in .csv or .jsonl. Raises `Invalid` with every problem."""
    problems: list[Problem] = []
    if not name.endswith((".csv", ".jsonl")):
        raise Invalid(f"{name!r} is neither .csv nor .jsonl.", mend="save it as one of these")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{name!r} is not UTF-8.", mend="save the file as UTF-8") from None
    rows = parse_rows(text, name, problems)
    found = check_gold(rows, name, step, problems)
    if problems:
        raise Invalid("The gold was not taken.", problems=problems)
    return found


def check_gold(
    rows: Iterable[tuple[int, Row]], name: str, step: GoldStep, problems: list[Problem]
) -> list[NewGold]:
    """The gold of these numbered rows; what is wrong with them is added to `problems`."""
    check = compile_shape(step.item, name)
    found: dict[str, NewGold] = {}
    named: set[str] = set()
    for number, row in rows:
        before = len(problems)
        reference = str(row.get(REFERENCE) or "").replace("\0", "\ufffd").strip()[:REFERENCE_MAX]
        if reference and reference in named:
            message = f"{reference!r} is there twice"
            mend = "give every row its own"
            problems.append(Problem(message, mend, name, number, REFERENCE))
        named.add(reference)
        column = step.slug if step.slug in row else ANSWER
        value = _answer(row, column, name, number, step, problems)
        payload = check(_item(row, column), number, problems)
        if payload is not None and len(problems) == before:
            gold = NewGold(step.slug, reference, payload, value)
            found.setdefault(gold.digest, gold)
    if not found and not problems:
        problems.append(Problem("there is no gold in it", "write one item a row", name))
    if len(found) > ROWS_MAX:
        mend = f"send at most {ROWS_MAX} at a time"
        problems.append(Problem(f"{len(found)} rows are too many", mend, name))
    return list(found.values())


def _item(row: Row, answer: str) -> dict[str, Any]:
    if isinstance(row.get("item"), dict):
        return dict(row["item"])
    return {key: value for key, value in row.items() if key not in (REFERENCE, answer)}


def _answer(
    row: Row, column: str, name: str, number: int, step: GoldStep, problems: list[Problem]
) -> Any:
    raw = row.get(column)
    if raw in (None, ""):
        mend = f"write it under {step.slug!r}"
        problems.append(Problem("the right answer is missing", mend, name, number, column))
        return None
    try:
        return _normalise(raw, step, from_cell=name.endswith(".csv"))
    except Invalid as error:
        for problem in error.problems or [Problem(error.message, error.mend)]:
            field = f"{column}.{problem.field}" if problem.field else column
            problems.append(Problem(problem.message, problem.mend, name, number, field))
        return None


def _normalise(raw: Any, step: GoldStep, *, from_cell: bool) -> Any:
    try:
        return step.question.normalise(raw)
    except Invalid:
        if not from_cell:
            raise
        try:
            value = json.loads(raw)
        except ValueError:
            value = raw
        return step.question.normalise(value)
