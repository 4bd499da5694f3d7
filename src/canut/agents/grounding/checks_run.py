"""Running the checks of a step on an answer: what is wrong with it, in words.

A finding says what a person would want to know before believing the answer, in English and in
French, for it is kept as evidence and read long after.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from canut.agents.grounding.spans import ground
from canut.errors import Invalid
from canut.processes.checks import (
    WHOLE,
    Check,
    Checks,
    DigitsCheck,
    FormatCheck,
    SourceCheck,
    SumCheck,
    UnitCheck,
)
from canut.processes.digits import SCHEMES
from canut.questions.number import parse_number

#: longest value that is compared with a pattern, in characters
_VALUE_MAX = 200
_NUMBER_FIRST = re.compile(r"\s*[-+]?\d[\d \u00a0\u202f'’.,]*")


class Finding(Struct, frozen=True):
    """A check that failed."""

    #: "source", "sum", "format", "digits", "unit"
    check: str
    #: path of the value in the answer: "total", "lines[2].amount"
    field: str
    #: what is wrong, by language ("en", "fr")
    text: dict[str, str]


def run(checks: Checks, item: Mapping[str, Any], value: Any) -> tuple[Finding, ...]:
    """The checks that an answer fails; none where all hold.

    `item` holds the fields that the answer may come from (those shown, `prompt.visible`); `value`
    is normalised. A field without a value is not checked, for whether it must have one is the
    question's to say; a sum needs all its parts but the optional ones.
    """
    answer = value if isinstance(value, Mapping) else {WHOLE: value}
    found: dict[tuple[str, str], Finding] = {}
    for check in checks:
        for finding in _run_one(check, item, answer):
            found.setdefault((finding.check, finding.field), finding)
    return tuple(found.values())


def _run_one(check: Check, item: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[Finding]:
    if isinstance(check, SumCheck):
        yield from _sum(check, item, answer)
        return
    for field in check.fields:
        for path, value in at(answer, field):
            text = _one(check, item, value)
            if text is not None:
                yield Finding(_NAMES[type(check)], path, text)


def _one(check: Check, item: Mapping[str, Any], value: Any) -> dict[str, str] | None:
    shown = repr(value)[:80] if isinstance(value, str) else _plain(value)[:80]
    match check:
        case SourceCheck():
            return _source(check, item, value, shown)
        case FormatCheck():
            return _format(check, value, shown)
        case DigitsCheck():
            if SCHEMES[check.scheme](_plain(value)):
                return None
            return {
                "en": f"{shown} is no {check.scheme.upper()}: its check digits are wrong",
                "fr": f"{shown} n’est pas un {check.scheme.upper()} : sa clé est fausse",
            }
        case UnitCheck():
            unit = _NUMBER_FIRST.sub("", _plain(value), count=1).strip()
            if unit in check.units:
                return None
            allowed = ", ".join(check.units)
            return {
                "en": f"the unit of {shown} is not one of {allowed}",
                "fr": f"l’unité de {shown} n’est pas l’une de {allowed}",
            }
    return None


def at(answer: Mapping[str, Any], field: str) -> Iterator[tuple[str, Any]]:
    """The values under a path, each with its own: "lines.amount" is "lines[1].amount", ..."""
    found: list[tuple[str, Any]] = [("", answer)]
    for name in field.split("."):
        found = [
            (f"{path}.{name}" if path else name, part[name])
            for path, part in found
            if isinstance(part, Mapping) and part.get(name) is not None
        ]
        found = [
            entry
            for path, part in found
            for entry in (
                [(f"{path}[{i}]", one) for i, one in enumerate(part, 1)]
                if isinstance(part, list | tuple)
                else [(path, part)]
            )
        ]
    yield from found


def _source(
    check: SourceCheck, item: Mapping[str, Any], value: Any, shown: str
) -> dict[str, str] | None:
    sources = {
        name: _plain(text)
        for name, text in item.items()
        if text is not None and (not check.within or name in check.within)
    }
    span = ground(value, sources)
    if span is not None and span.score >= check.score_min:
        return None
    return {
        "en": f"{shown} does not stand in the item",
        "fr": f"{shown} ne figure pas dans l’élément",
    }


def _format(check: FormatCheck, value: Any, shown: str) -> dict[str, str] | None:
    text = _plain(value)
    if check.date:
        try:
            datetime.strptime(text, check.date)  # noqa: DTZ007 - only whether it can be read
        except ValueError:
            return {
                "en": f"{shown} is not a date written as {check.date}",
                "fr": f"{shown} n’est pas une date écrite sous la forme {check.date}",
            }
        return None
    if len(text) <= _VALUE_MAX and re.fullmatch(check.pattern, text):
        return None
    return {
        "en": f"{shown} is not written as it should be: {check.pattern}",
        "fr": f"{shown} n’est pas écrit comme il le faudrait : {check.pattern}",
    }


def _sum(check: SumCheck, item: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[Finding]:
    totals = _amounts(check.total, item, answer)
    if not totals:
        return
    signed = [(-1 if part.startswith("-") else 1, part.removeprefix("-")) for part in check.parts]
    parts = [(sign, name, _amounts(name, item, answer)) for sign, name in signed]
    missing = [name for _, name, found in parts if not found and name not in check.optional]
    if missing:
        yield _finding(
            check,
            f"cannot be checked without {', '.join(missing)}",
            f"ne peut pas être vérifié sans {', '.join(missing)}",
        )
        return
    try:
        total = sum(_minor(value, check.decimals) for value in totals)
        made = sum(
            sign * _minor(value, check.decimals) for sign, _, found in parts for value in found
        )
    except (Invalid, InvalidOperation):
        yield _finding(
            check,
            "cannot be checked: an amount is not a number",
            "ne peut pas être vérifié : un montant n’est pas un nombre",
        )
        return
    if abs(total - made) > check.tolerance:
        written = " + ".join(check.parts).replace("+ -", "- ")
        said, came = _major(total, check.decimals), _major(made, check.decimals)
        yield _finding(
            check,
            f"is {said}, but {written} makes {came}",
            f"vaut {said}, mais {written} donne {came}",
        )


def _finding(check: SumCheck, en: str, fr: str) -> Finding:
    return Finding("sum", check.total, {"en": f"{check.total} {en}", "fr": f"{check.total} {fr}"})


def _amounts(path: str, item: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Any]:
    if path.startswith("item."):
        return [value for _, value in at(item, path.removeprefix("item."))]
    return [value for _, value in at(answer, path)]


def _minor(value: Any, decimals: int) -> int:
    """An amount in minor units. By way of its decimal writing: 0.1 + 0.2 is 0.3 in an account."""
    exact = Decimal(str(parse_number(value))).scaleb(decimals)
    return int(exact.to_integral_value(ROUND_HALF_EVEN))


def _major(minor: int, decimals: int) -> str:
    return str(Decimal(minor).scaleb(-decimals)) if decimals else str(minor)


def _plain(value: Any) -> str:
    """A value as a person would write it: 12, not 12.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_NAMES = {SourceCheck: "source", FormatCheck: "format", DigitsCheck: "digits", UnitCheck: "unit"}
