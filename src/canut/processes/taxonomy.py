"""Taxonomies: a CSV of classes, read into the options of a choice question.

Columns: `code`, `parent`, `label_en`, `label_fr` (or one `label` for every language),
`hint_en`, `hint_fr`, `synonyms` (separated by `|`). Only one kind of label is required; without
a code the label is the code. A parent is the code of another row, before or after its own.
"""

import re
import unicodedata
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from canut.errors import Invalid, NotFound, Problem
from canut.processes.files import Row, read_rows
from canut.processes.reading import suggest

Option = dict[str, Any]

_COLUMN = re.compile(r"(label|hint)(_[a-z]{2})?")
_PLAIN = ("code", "parent", "synonyms")


def options_of(file: Path | Traversable) -> list[Option]:
    """The options that a taxonomy file makes. Raises `Invalid` with every fault of it, `NotFound`
    where there is no such file."""
    if not file.is_file():
        raise NotFound(f"There is no file {file}.")
    problems: list[Problem] = []
    options = read_taxonomy(file, file.name, problems)
    if problems:
        raise Invalid("The taxonomy cannot be used.", problems=problems)
    return options


def read_taxonomy(file: Traversable, name: str, problems: list[Problem]) -> list[Option]:
    """The options of a taxonomy file; every fault in it is added to `problems`."""
    before = len(problems)
    rows = read_rows(file, name, problems)
    if not rows:
        if len(problems) == before:
            problems.append(Problem("no classes", "add a row per class", name))
        return []
    columns = list(rows[0][1])
    problems += _bad_columns(columns, name)
    options = []
    row_of: dict[str, int] = {}
    for number, row in rows:
        option = _option(row)
        code = option["value"]
        if not code:
            problems.append(Problem("no code and no label", "give it both", name, number, "code"))
        elif not code.isprintable():
            message = "the code holds a character that cannot be shown"
            problems.append(Problem(message, "remove it", name, number, "code"))
        elif "label" not in option:
            problems.append(Problem("no label", "name the class", name, number, "label"))
        elif code in row_of:
            message = f"{code!r} is already the code of row {row_of[code]}"
            problems.append(Problem(message, "give it a code of its own", name, number, "code"))
        else:
            row_of[code] = number
            options.append(option)
    problems += _bad_parents(options, row_of, name)
    return options


def _bad_columns(columns: list[str], name: str) -> list[Problem]:
    known = [*_PLAIN, "label", "label_en", "label_fr", "hint_en", "hint_fr"]
    wrong = [
        Problem("unknown column", suggest(column, known), name, 0, column)
        for column in columns
        if column not in _PLAIN and not _COLUMN.fullmatch(column)
    ]
    if not any(column.startswith("label") for column in columns):
        wrong.append(Problem("no column of labels", "add label_en and label_fr", name, 0, "label"))
    return wrong


def _option(row: Row) -> Option:
    cells = {column: _clean(cell) for column, cell in row.items()}
    option: Option = {"value": cells.get("code", "")}
    for key in ("label", "hint"):
        text = _localised(cells, key)
        if text:
            option[key] = text
    if not option["value"] and "label" in option:
        label = option["label"]
        option["value"] = label if isinstance(label, str) else next(iter(label.values()))
    if cells.get("parent"):
        option["parent"] = cells["parent"]
    synonyms = [word.strip() for word in cells.get("synonyms", "").split("|")]
    if any(synonyms):
        option["synonyms"] = [word for word in synonyms if word]
    return option


def _clean(cell: str) -> str:
    # Tables copied from web pages and spreadsheets are full of spaces that are none.
    return " ".join(unicodedata.normalize("NFC", cell).split())


def _localised(cells: dict[str, str], key: str) -> str | dict[str, str]:
    prefix = f"{key}_"
    texts = {
        column.removeprefix(prefix): cell
        for column, cell in cells.items()
        if column.startswith(prefix) and cell
    }
    return texts or cells.get(key, "")


def _bad_parents(options: list[Option], row_of: dict[str, int], name: str) -> list[Problem]:
    parent_of = {option["value"]: option.get("parent") for option in options}
    wrong = []
    for code, parent in parent_of.items():
        if parent is None:
            continue
        if parent not in parent_of:
            mend = suggest(parent, parent_of) or "add a row for it"
            message = f"the parent {parent!r} is not in the file"
            wrong.append(Problem(message, mend, name, row_of[code], "parent"))
        elif _circular(code, parent_of):
            message = f"{code!r} is among its own parents"
            wrong.append(Problem(message, "break the circle", name, row_of[code], "parent"))
    return wrong


def _circular(code: str, parent_of: dict[str, str | None]) -> bool:
    # Only the codes on the circle itself are at fault, not those that hang below it.
    seen = {code}
    place = parent_of.get(code)
    while place is not None and place not in seen:
        seen.add(place)
        place = parent_of.get(place)
    return place == code
