"""Which column of a file is which field of the process."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.processes.model import REFERENCE, ItemShape


class Columns(Struct, frozen=True):
    """How the columns of a file are to be read."""

    #: column of the file by field of the process, as `--map title="Product name"`
    renamed: dict[str, str] = {}
    #: column that holds the client's own key of each item; "": `reference` where there is one,
    #: else the row number
    key: str = ""


def parse_map(pairs: Sequence[str]) -> dict[str, str]:
    """`["title=Product name"]` as {"title": "Product name"}. Raises `Invalid`."""
    renamed: dict[str, str] = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not (equals and field.strip() and column.strip()):
            raise Invalid(f"{pair!r} maps nothing.", mend="write FIELD=COLUMN, e.g. title=Name")
        if field.strip() in renamed:
            raise Invalid(f"{field.strip()} is mapped twice.")
        renamed[field.strip()] = column.strip()
    return renamed


def header(found: Sequence[str], columns: Columns, shape: ItemShape, file: str) -> list[str]:
    """Names of the fields for the columns of a table, in their order.

    Raises `Invalid` with everything wrong: a column named twice or mapped and not there, and the
    fields that the process requires and nothing brings, each with the columns found.
    """
    names = [name.strip() or f"column {place}" for place, name in enumerate(found, 1)]
    problems = [
        Problem("two columns have this name", "rename one", file, 0, name)
        for place, name in enumerate(names)
        if name in names[:place]
    ]
    problems += _not_there(names, columns, file)
    fields = _renamed(names, columns)
    problems += _required(fields, names, shape, file)
    if problems:
        raise Invalid(f"The columns of {file} do not fit the process.", problems=problems)
    return fields


def renamer(columns: Columns) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    """What renames the fields of one record, where each record names its own; None: nothing to."""
    wanted = _wanted(columns)
    if not wanted:
        return None
    from_ = {column: field for field, column in wanted.items()}

    def rename(record: dict[str, Any]) -> dict[str, Any]:
        fields = {from_.get(name, name): value for name, value in record.items()}
        if columns.key:
            # a record without the key is reported as such, not given its row number
            fields.setdefault(REFERENCE, None)
        return fields

    return rename


def _wanted(columns: Columns) -> dict[str, str]:
    key = {REFERENCE: columns.key} if columns.key else {}
    return {**columns.renamed, **key}


def _renamed(names: Sequence[str], columns: Columns) -> list[str]:
    """A column that is mapped takes the field's name; another column of that name steps aside."""
    from_ = {column: field for field, column in _wanted(columns).items()}
    taken = set(from_.values())
    return [from_.get(name, f"{name} (file)" if name in taken else name) for name in names]


def _not_there(names: Sequence[str], columns: Columns, file: str) -> list[Problem]:
    return [
        Problem(
            f"there is no column {column!r} to take {field} from",
            _near(column, names),
            file,
            0,
            field,
        )
        for field, column in _wanted(columns).items()
        if column not in names
    ]


def _required(
    fields: Sequence[str], names: Sequence[str], shape: ItemShape, file: str
) -> list[Problem]:
    return [
        Problem(
            "the process requires this column",
            _near(field.name, names, f"map one to it: --map {field.name}=COLUMN; "),
            file,
            0,
            field.name,
        )
        for field in shape.fields
        if field.required and field.name not in fields
    ]


def _near(name: str, names: Sequence[str], else_: str = "") -> str:
    lower = {other.lower(): other for other in names}
    near = get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    near = near or [other for other in lower if name.lower() in other][:1]
    shown = ", ".join(repr(other) for other in names[:30])
    hint = f"did you mean {lower[near[0]]!r}? " if near else else_
    return f"{hint}the file has: {shown}"
