"""Checking items against the shape of a process, fast enough for bulk intake.

`compile_shape` turns an `ItemShape` into one function; it is called once per file and the
function once per row, so the work per row is a dictionary lookup and a parse per column
(little over a microsecond for three short texts; `python -m bench.shape`).
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from canut.errors import Invalid, Problem
from canut.processes.model import ItemField, ItemShape
from canut.processes.reading import suggest

#: (payload, row, problems) -> the clean payload, or None after adding to `problems`
Check = Callable[[Mapping[str, Any], int, list[Problem]], dict[str, Any] | None]
Parse = Callable[[Any], Any]

YES = {"true", "yes", "y", "1", "oui", "o", "vrai", "x"}
NO = {"false", "no", "n", "0", "non", "faux"}
_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
_ASSET = re.compile(r"(?:asset:|picture:)[A-Za-z0-9][A-Za-z0-9._-]*")
_NUMBER = re.compile(r"[+-]?(\d+)(?:([.,])(\d*))?([eE][+-]?\d{1,3})?", re.ASCII)
_NUMBER_LENGTH_MAX = 40
URL_LENGTH_MAX = 4_000


class _FaultError(Exception):
    """A value that is not what its field says: what is wrong, and the mend."""

    def __init__(self, message: str, mend: str = ""):
        super().__init__(message)
        self.message = message
        self.mend = mend


def compile_shape(shape: ItemShape, file: str = "") -> Check:
    """The function that checks and cleans one row of this shape.

    Values may come as strings (CSV) or as JSON values. Text is stripped, numbers and booleans
    are parsed, empty values are left out, other columns are kept as they are unless the shape
    refuses them. `file` is named in the problems.
    """
    parsers = {field.name: _parser(field) for field in shape.fields}
    names = [field.name for field in shape.fields]
    texts = {field.name: field.length_max for field in shape.fields if field.type == "text"}
    required = [field.name for field in shape.fields if field.required]
    parser_of, other = parsers.get, _keep if shape.extra else _refuse

    def check(
        payload: Mapping[str, Any], row: int, problems: list[Problem]
    ) -> dict[str, Any] | None:
        clean: dict[str, Any] = {}
        before = len(problems)
        for name, value in payload.items():
            # Most cells are short plain texts: they are done with here, without a call.
            if type(value) is str and name in texts:
                clean_text = value.strip()
                if clean_text.isascii() and len(clean_text) <= texts[name] and "\0" not in value:
                    if clean_text:
                        clean[name] = clean_text
                    continue
            try:
                parsed = parser_of(name, other)(value)
            except _FaultError as fault:
                mend = fault.mend if name in parsers else suggest(name, names)
                problems.append(Problem(fault.message, mend, file, row, name))
            else:
                if parsed is not None:
                    clean[name] = parsed
        for name in required:
            if name not in clean:
                wrong = {problem.field for problem in problems[before:]}
                if name not in wrong:
                    problems.append(_missing(name, payload, file, row))
        return clean if len(problems) == before else None

    return check


def check_item(shape: ItemShape, payload: Mapping[str, Any]) -> dict[str, Any]:
    """One payload, checked and clean; raises `Invalid` with a problem per wrong field."""
    problems: list[Problem] = []
    clean = compile_shape(shape)(payload, 0, problems)
    if clean is None:
        raise Invalid("The item does not have the shape of the process.", problems=problems)
    return clean


def _missing(name: str, payload: Mapping[str, Any], file: str, row: int) -> Problem:
    if name in payload:
        return Problem("the value is empty", "fill it in: the process requires it", file, row, name)
    close = suggest(name, [key for key in payload if isinstance(key, str)])
    mend = close or "add the column, or map one of yours to it"
    return Problem("the field is missing", mend, file, row, name)


def _storable(value: str) -> None:
    # PostgreSQL cannot store NUL in jsonb, and half of a surrogate pair has no UTF-8.
    if "\0" in value:
        raise _FaultError("the text holds a NUL character", "remove it")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _FaultError("the text is not valid Unicode", "save the file as UTF-8") from None


def _keep(value: Any) -> Any:
    if type(value) is str:
        _storable(value)
    return None if _is_nan(value) else value


def _refuse(value: Any) -> Any:
    raise _FaultError("the process has no such field")


def _is_nan(value: Any) -> bool:
    return type(value) is float and math.isnan(value)


def _parser(field: ItemField) -> Parse:
    match field.type:
        case "text":
            return _text_parser(field.length_max)
        case "number":
            return _number
        case "boolean":
            return _boolean
        case "url":
            return _url
        case "image":
            return _image


def _text_parser(length_max: int) -> Parse:
    def text(value: Any) -> str | None:
        clean: str = (value if type(value) is str else _as_text(value)).strip()
        if not clean:
            return None
        if len(clean) > length_max:
            raise _FaultError(f"the text is longer than {length_max} characters", "shorten it")
        # ASCII without NUL is most of what comes, and needs no further look
        if "\0" in clean or not clean.isascii():
            _storable(clean)
        return clean

    return text


def _as_text(value: Any) -> str:
    if value is None or _is_nan(value):
        return ""
    # A bar code or a size read as a number by the client's tool is still a text to us.
    if type(value) in (int, float):
        return str(value)
    raise _FaultError(f"expected a text, not {_kind(value)}")


def _number(value: Any) -> int | float | None:
    if value is None or _is_nan(value):
        return None
    if type(value) is str:
        value = value.strip()
        if not value:
            return None
        value = _parse_number(value)
    if type(value) not in (int, float):
        raise _FaultError(f"expected a number, not {_kind(value)}")
    if not math.isfinite(value) or abs(value) >= 2**63:
        raise _FaultError("the number is too large")
    return value  # type: ignore[no-any-return]


def _parse_number(text: str) -> int | float:
    found = _NUMBER.fullmatch(text) if len(text) <= _NUMBER_LENGTH_MAX else None
    if found is None:
        mend = "write digits only, such as 12 or 12.5"
        raise _FaultError(f"{text[:_NUMBER_LENGTH_MAX]!r} is not a number", mend)
    whole, mark, decimals, power = found.groups()
    if mark is None and power is None:
        return int(text)
    if mark == ",":
        # "1,234" is a thousand to some and one and a bit to others: we do not guess.
        if len(decimals) == 3 and len(whole) <= 3 and whole != "0":
            mend = f"write {whole}{decimals} or {whole}.{decimals}"
            raise _FaultError("is the comma for thousands or decimals?", mend)
        text = text.replace(",", ".")
    return float(text)


def _boolean(value: Any) -> bool | None:
    if value is None or type(value) is bool:
        return value
    if _is_nan(value):
        return None
    word = str(value).strip().lower() if type(value) in (str, int) else None
    if word == "":
        return None
    if word in YES or word in NO:
        return word in YES
    raise _FaultError(f"{value!r} is neither yes nor no", "write true or false")


def _url(value: Any) -> str | None:
    text = _address(value)
    if text and not _URL.fullmatch(text):
        raise _FaultError("this is not a web address", "write it in full, from https:// on")
    return text


def _image(value: Any) -> str | None:
    text = _address(value)
    if text and not _URL.fullmatch(text) and not _ASSET.fullmatch(text):
        if _PICTURE_FILE.search(text):
            mend = "hand the picture in with the table, or write https://... or picture:NAME"
            raise _FaultError("this names a file, and is no address of an image", mend)
        raise _FaultError("this is no address of an image", "write https://... or picture:NAME")
    return text


def _address(value: Any) -> str | None:
    if value is None or _is_nan(value):
        return None
    if type(value) is not str:
        raise _FaultError(f"expected a web address, not {_kind(value)}")
    text = value.strip()
    if len(text) > URL_LENGTH_MAX:
        raise _FaultError(f"the address is longer than {URL_LENGTH_MAX} characters")
    _storable(text)
    return text or None


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "a list", bool: "a boolean", bytes: "bytes"}
    return kinds.get(type(value), f"{type(value).__name__}")
