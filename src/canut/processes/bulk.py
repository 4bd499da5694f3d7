"""Checking whole columns against the shape of a process: a fifth of the time of row by row.

`write_column` knows the plain cases only, and tells of each value whether it is sure. What it is
not sure of goes to `canut.processes.shape.compile_shape`, which decides, and words the problem.
Where it is sure, both give the same item (tests/processes/test_bulk.py).
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from canut.processes.model import ItemField
from canut.processes.shape import NO, URL_LENGTH_MAX, YES

#: whole numbers and decimals of which a float keeps every digit; a decimal comma where it cannot
#: be one for thousands
_NUMBER = (
    r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,8})\.[0-9]{1,6}"
    r"|-?[1-9][0-9]{0,8},(?:[0-9]{1,2}|[0-9]{4,6})|-?0,[0-9]{1,6})$"
)
_URL = r'^(?i:https?)://[!-"$-.0->@-~][!-~]*$'
_IMAGE = _URL + "|^(?:asset|picture):[A-Za-z0-9][A-Za-z0-9._-]*$"
_ESCAPES = (("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t"))
_CONTROL = r"[\x00-\x1f]"
_WHOLE_MIN = -(2**63)
#: JSON as items are written
encoder = msgspec.json.Encoder(decimal_format="string")

Values: TypeAlias = pa.Array | Sequence[Any]


class Written(Struct, frozen=True):
    """A column as JSON."""

    #: text of each value; null: left out of the item
    json: Any
    #: the text is still to be put between quotation marks
    quoted: bool = False
    #: for each value whether `json` is right; None: for all
    sure: Any = None


def write_column(values: Values, field: ItemField | None) -> Written | None:
    """The values as JSON, stripped and parsed as `field` says (None: kept as they are); None when
    they must be looked at one by one."""
    if not isinstance(values, pa.Array):
        return _kept(values) if field is None else None
    kind = values.type
    if pa.types.is_null(kind):
        return Written(pa.nulls(len(values), pa.string()))
    if pa.types.is_string(kind):
        return _from_text(values, field)
    if pa.types.is_boolean(kind) and (field is None or field.type == "boolean"):
        return Written(pc.cast(values, pa.string()))
    if pa.types.is_int64(kind) and (field is None or field.type == "number"):
        return Written(pc.cast(values, pa.string()), sure=pc.greater(values, _WHOLE_MIN))
    if pa.types.is_int64(kind) and field and field.type == "text":
        text = pc.cast(values, pa.string())
        return _text(text, _short(text, pc.binary_length(text), field.length_max))
    if pa.types.is_float64(kind) and (field is None or field.type == "number"):
        return Written(pc.cast(values, pa.string()), sure=pc.less(pc.abs(values), 2.0**63))
    return _kept(values.to_pylist()) if field is None else None


def _from_text(values: pa.Array, field: ItemField | None) -> Written:
    if field is None:
        return _text(values)
    text = pc.utf8_trim_whitespace(values)
    lengths = pc.binary_length(text)
    if pc.min(lengths).as_py() == 0:
        text = pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.string()), text)
    match field.type:
        case "text":
            return _text(text, _short(text, lengths, field.length_max))
        case "number":
            sure = pc.match_substring_regex(text, _NUMBER)
            return Written(pc.replace_substring(text, ",", "."), sure=sure)
        case "boolean":
            word = pc.ascii_lower(text)
            yes = pc.is_in(word, pa.array(sorted(YES)))
            empty = pc.is_null(text)
            sure = pc.or_(pc.or_(yes, pc.is_in(word, pa.array(sorted(NO)))), empty)
            json = pc.if_else(yes, "true", "false")
            return Written(pc.if_else(empty, pa.scalar(None, pa.string()), json), sure=sure)
        case "url" | "image" as kind:
            found = pc.match_substring_regex(text, _URL if kind == "url" else _IMAGE)
            return _text(text, _both(found, _short(text, lengths, URL_LENGTH_MAX)))


def _short(text: pa.Array, lengths: pa.Array, length_max: int) -> pa.Array | None:
    longest = pc.max(lengths).as_py()
    if longest is None or longest <= length_max:
        return None
    return pc.less_equal(pc.utf8_length(text), length_max)


def _both(one: pa.Array, other: pa.Array | None) -> pa.Array:
    return one if other is None else pc.and_(one, other)


def _text(text: pa.Array, sure: pa.Array | None = None) -> Written:
    """Escaped as JSON wants it."""
    held = held_bytes(text)
    if (held == 0x5C).any():
        text = pc.replace_substring(text, "\\", r"\\")
    if (held == 0x22).any():
        text = pc.replace_substring(text, '"', r"\"")
    if (held < 0x20).any():
        for plain, escaped in _ESCAPES:
            text = pc.replace_substring(text, plain, escaped)
        clean = pc.invert(pc.match_substring_regex(text, _CONTROL))
        sure = _both(clean, sure)
    return Written(text, quoted=True, sure=sure)


def held_bytes(text: pa.Array) -> Any:
    """The bytes of all texts of an array, as numbers."""
    _, offsets, data = text.buffers()
    if data is None or not len(text):
        return np.empty(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[[text.offset, text.offset + len(text)]]
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[1]]


def _kept(values: Sequence[Any]) -> Written | None:
    """Lists, objects and mixtures as they are."""
    encode = encoder.encode
    try:
        json = [None if value is None else encode(value).decode() for value in values]
    except (UnicodeEncodeError, TypeError, RecursionError, ValueError, OverflowError):
        return None
    # NUL cannot be stored, and what is no number has to be left out
    sure = [text is None or not ("\\u0000" in text or (text == "null")) for text in json]
    return Written(pa.array(json, pa.string()), sure=pa.array(sure))
