"""What must hold of an answer whatever a model thinks of it: checks that a process declares.

A step declares them as `[[step.checks]]` tables. Each names its `check`:

    check = "source"   field or fields; in = fields of the item (all that are shown);
                       score_min (0.85): the value stands in the item
    check = "sum"      total; parts = fields, one with "-" before it is taken off; decimals (2);
                       tolerance (0), in minor units; optional = parts that may be missing:
                       the parts make up the total
    check = "format"   field or fields; pattern (a regular expression of the whole value), or
                       date = a format such as "%Y-%m-%d"
    check = "digits"   field or fields; scheme: the check digits are right
    check = "unit"     field or fields; units = list: what follows the number is one of them

A field is a path in the answer: "total"; "lines.amount" is that of every line; "answer" is the
whole answer of a step that asks for one value. In a sum, "item.NAME" is a field of the item.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.processes.digits import SCHEMES
from canut.processes.model import ItemShape
from canut.processes.patterns import is_slow
from canut.questions.base import Question

#: path of the answer to a question that is not a record
WHOLE = "answer"
#: longest pattern, in characters
PATTERN_MAX = 300

_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class SourceCheck(Struct, frozen=True, tag="source"):
    """The values stand in the item."""

    fields: tuple[str, ...]
    #: fields of the item they may stand in; empty for all that are shown
    within: tuple[str, ...]
    score_min: float


class SumCheck(Struct, frozen=True, tag="sum"):
    """The parts make up the total."""

    total: str
    parts: tuple[str, ...]
    #: digits after the point of a minor unit: 2 for cents
    decimals: int
    #: difference allowed, in minor units
    tolerance: int
    #: parts that count nothing where they are missing
    optional: tuple[str, ...]


class FormatCheck(Struct, frozen=True, tag="format"):
    """The values are written in one way."""

    fields: tuple[str, ...]
    #: regular expression of the whole value, or ""
    pattern: str
    #: format of a date, or ""
    date: str


class DigitsCheck(Struct, frozen=True, tag="digits"):
    """The check digits of the values are right."""

    fields: tuple[str, ...]
    scheme: str


class UnitCheck(Struct, frozen=True, tag="unit"):
    """What follows the number is an allowed unit."""

    fields: tuple[str, ...]
    units: tuple[str, ...]


Check = SourceCheck | SumCheck | FormatCheck | DigitsCheck | UnitCheck
Checks = tuple[Check, ...]


def read_checks(
    tables: Sequence[Mapping[str, Any]],
    answer_fields: Sequence[str] | None = None,
    item_fields: Sequence[str] | None = None,
) -> Checks:
    """The checks of a step, from its `[[step.checks]]` tables.

    With `answer_fields` and `item_fields` (names at the top of the answer and of the item), other
    names are problems too. Raises `Invalid` with a problem per wrong field, named as
    "checks[1].field", counted from 1.
    """
    problems: list[Problem] = []
    checks = []
    for number, table in enumerate(tables, 1):
        reader = _Table(table, f"checks[{number}]", problems, answer_fields, item_fields)
        check = _read(reader)
        reader.close()
        if check is not None:
            checks.append(check)
    if problems:
        raise Invalid("The checks of this step cannot be used.", problems=problems)
    return tuple(checks)


def checks_of(
    tables: Sequence[Mapping[str, Any]], question: Question | None, item: ItemShape
) -> Checks:
    """The checks of a step that asks this question (None: not known) about items of this shape.
    Values can only stand in fields that agents see. Raises `Invalid` with every problem."""
    names: list[str] | None = None
    if question is not None:
        fields = getattr(question, "fields", ())
        names = [field.name for field in fields] or [WHOLE]
    seen = [field.name for field in item.fields if field.show and not field.personal]
    return read_checks(tables, names, seen)


class _Table:
    """A table being read: what is wrong is remembered, what nobody asked for is reported."""

    def __init__(
        self,
        table: Mapping[str, Any],
        path: str,
        problems: list[Problem],
        answer_fields: Sequence[str] | None,
        item_fields: Sequence[str] | None,
    ):
        self.table = table if isinstance(table, Mapping) else {}
        self.path = path
        self.problems = problems
        self.answer_fields = answer_fields
        self.item_fields = item_fields
        self.known: set[str] = set()

    def fault(self, key: str, message: str, mend: str = "") -> None:
        self.problems.append(Problem(message, mend, field=f"{self.path}.{key}"))

    def text(self, key: str, *, required: bool = True) -> str:
        self.known.add(key)
        value = self.table.get(key)
        if isinstance(value, str) and value:
            return value
        if value is not None or required:
            self.fault(key, "is missing" if value is None else "must be a text that is not empty")
        return ""

    def texts(self, key: str, *, required: bool = True) -> tuple[str, ...]:
        self.known.add(key)
        value = self.table.get(key)
        if value is None and not required:
            return ()
        if isinstance(value, list) and value and all(isinstance(v, str) and v for v in value):
            return tuple(value)
        self.fault(key, "is missing" if value is None else "must be a list of texts, at least one")
        return ()

    def number(self, key: str, default: float, low: float, high: float) -> float:
        self.known.add(key)
        value = self.table.get(key, default)
        wrong = isinstance(value, bool) or not isinstance(value, type(default) | int)
        if wrong or not low <= value <= high:
            kind = "a whole number" if isinstance(default, int) else "a number"
            self.fault(key, f"must be {kind} between {low:g} and {high:g}")
            return default
        return float(value) if isinstance(default, float) else int(value)

    def fields(self) -> tuple[str, ...]:
        """`field`, or `fields`: paths in the answer."""
        key = "fields" if "fields" in self.table else "field"
        self.known |= {"field", "fields"}
        if "field" in self.table and "fields" in self.table:
            self.fault("field", "both field and fields are given", "keep one")
        one = self.texts(key) if key == "fields" else (self.text(key),)
        return tuple(path for path in one if path and self.path_of(key, path))

    def path_of(self, key: str, path: str, *, item: bool = False) -> bool:
        """Whether this is the path of a value that there can be."""
        if not _PATH.fullmatch(path):
            self.fault(key, f"{path!r} is no field", 'write a name, or "lines.amount"')
            return False
        head, *rest = path.split(".")
        known = self.answer_fields
        if item and head == "item" and rest:
            head, known = rest[0], self.item_fields
        return self.known_field(key, head, known)

    def known_field(self, key: str, name: str, known: Sequence[str] | None) -> bool:
        if known is None or name in known:
            return True
        near = get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"known are: {', '.join(known)}"
        self.fault(key, f"there is no field {name!r}", mend)
        return False

    def close(self) -> None:
        for key in self.table:
            if key not in self.known:
                self.fault(
                    str(key), "is not known here", f"known are: {', '.join(sorted(self.known))}"
                )


def _read(table: _Table) -> Check | None:
    name = table.text("check")
    reader = _READERS.get(name)
    if reader is None:
        table.known |= set(table.table)
        if name:
            table.fault("check", f"there is no check {name!r}", f"one of {', '.join(_READERS)}")
        return None
    return reader(table)


def _source(table: _Table) -> Check:
    within = table.texts("in", required=False)
    for name in within:
        table.known_field("in", name, table.item_fields)
    return SourceCheck(table.fields(), within, table.number("score_min", 0.85, 0.5, 1.0))


def _sum(table: _Table) -> Check:
    total, parts = table.text("total"), table.texts("parts")
    optional = table.texts("optional", required=False)
    if total:
        table.path_of("total", total, item=True)
    for part in parts:
        table.path_of("parts", part.removeprefix("-"), item=True)
    names = [part.removeprefix("-") for part in parts]
    for part in optional:
        if part not in names:
            table.fault("optional", f"{part!r} is none of the parts")
    decimals = int(table.number("decimals", 2, 0, 6))
    return SumCheck(total, parts, decimals, int(table.number("tolerance", 0, 0, 10**9)), optional)


def _format(table: _Table) -> Check:
    pattern, date = table.text("pattern", required=False), table.text("date", required=False)
    if bool(pattern) == bool(date):
        table.fault("pattern", "one of pattern and date is needed", "write one of them")
    if len(pattern) > PATTERN_MAX:
        table.fault("pattern", f"is longer than {PATTERN_MAX} characters")
    try:
        re.compile(pattern)
    except re.error as error:
        table.fault("pattern", f"is no regular expression: {error}")
    if is_slow(pattern):
        mend = "repeat only one of them, or say how often"
        table.fault("pattern", "repeats a group that holds a repetition or an alternative", mend)
    if date and not re.search(r"%[dmyYjbB]", date):
        table.fault("date", f"{date!r} is no format of a date", 'write such as "%d/%m/%Y"')
    return FormatCheck(table.fields(), pattern, date)


def _digits(table: _Table) -> Check:
    scheme = table.text("scheme")
    if scheme and scheme not in SCHEMES:
        table.fault("scheme", f"there is no scheme {scheme!r}", f"one of {', '.join(SCHEMES)}")
    return DigitsCheck(table.fields(), scheme)


def _unit(table: _Table) -> Check:
    return UnitCheck(table.fields(), table.texts("units"))


_READERS: dict[str, Callable[[_Table], Check]] = {
    "source": _source,
    "sum": _sum,
    "format": _format,
    "digits": _digits,
    "unit": _unit,
}
