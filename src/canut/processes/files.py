"""The files beside process.toml: rows of CSV and JSONL, Markdown, from a folder or a package."""

import csv
import io
import json
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any

from canut.errors import Problem

Row = dict[str, Any]


def find(folder: Traversable, path: str) -> Traversable | None:
    """The file at this relative path, or None; never one outside the folder."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        return None
    place = folder
    for part in parts:
        place = place / part
    return place if place.is_file() else None


def read_text(file: Traversable, name: str, problems: list[Problem]) -> str:
    """A UTF-8 text; empty after reporting that it is not one."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"not UTF-8: byte {error.start} cannot be read"
        problems.append(Problem(message, "save the file as UTF-8", name))
        return ""


def read_rows(file: Traversable, name: str, problems: list[Problem]) -> list[tuple[int, Row]]:
    """The rows of a .csv or .jsonl file, with their numbers from 1; bad ones are reported."""
    return parse_rows(read_text(file, name, problems), name, problems)


def parse_rows(text: str, name: str, problems: list[Problem]) -> list[tuple[int, Row]]:
    """The same, of a text at hand; `name` says of which kind it is."""
    rows = _jsonl_rows if name.endswith(".jsonl") else _csv_rows
    return list(rows(text, name, problems))


def _csv_rows(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[int, Row]]:
    # Spreadsheets in countries with a decimal comma separate with semicolons.
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        problems += _bad_header(header, name)
        for number, cells in enumerate((line for line in reader if line), 1):
            if len(cells) != len(header):
                message = f"{len(cells)} cells where the header has {len(header)}"
                problems.append(
                    Problem(message, f"quote cells that hold {delimiter!r}", name, number)
                )
            else:
                yield number, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        problems.append(Problem(f"not CSV: {error}", "check the quotes", name))


def _bad_header(header: list[str], name: str) -> Iterator[Problem]:
    if not header:
        yield Problem("the file is empty", "begin with a line of column names", name)
    for column in sorted({cell for cell in header if header.count(cell) > 1}):
        yield Problem("the column is there twice", "rename or remove one", name, 0, column)
    if "" in header:
        yield Problem("a column has no name", "name every column in the first line", name)


def _jsonl_rows(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[int, Row]]:
    number = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        number += 1
        try:
            row = json.loads(line)
        except ValueError as error:
            problems.append(Problem(f"not JSON: {error}", "one JSON object a line", name, number))
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            problems.append(Problem("not an object", "one JSON object a line", name, number))
