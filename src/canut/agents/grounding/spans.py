"""Where in the item a value comes from.

A language model writes values that look right; one that stands nowhere in the item was made up,
or copied from an example. Each value is looked for as it is, then in other writings of the same
thing (case, accents, spaces, formats of numbers and dates), then nearly so; digits are never
"nearly" the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from canut.agents.grounding.text import (
    dates,
    fold,
    numbers,
    occurrences,
    readings,
    stands_alone,
)
from canut.truth.distance import text_distance

How = Literal["exact", "normalised", "fuzzy"]

#: least similarity at which a value is nearly what the source says
FUZZY_MIN = 0.85
#: shortest value that may be found nearly, in characters: short words are all alike
FUZZY_LENGTH_MIN = 6
#: score of another writing of the same thing, and of one that could be read otherwise
NORMALISED, AMBIGUOUS = 0.95, 0.9
#: parts of a source that are compared in full with a value
_CANDIDATES = 32
#: longest text in which something is looked for nearly, in words
_WORDS_MAX = 20_000

_DIGITS = re.compile(r"\d+")
_WORD = re.compile(r"[^\s.,;:()\[\]]\S*?(?=[.,;:()\[\]]*(?:\s|$))")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_WRITTEN_NUMBER = re.compile(r"[-+−]?\d[\d \u00a0\u202f'’.,]*")


class Span(Struct, frozen=True):
    """Where a value stands in an item."""

    #: field of the item
    field: str
    #: first character, and the one after the last
    start: int
    end: int
    how: How
    #: how sure it is that this is the value, 0..1; 1 where it stands there as it is
    score: float


def ground(value: Any, sources: Mapping[str, str]) -> Span | None:
    """The best span for a value among the texts of an item (field -> text); None where it stands
    nowhere. Of equals, the first in order of fields and places."""
    if isinstance(value, bool) or value is None:
        return None
    found = [
        span
        for field, text in sources.items()
        if (span := _in_text(value, field, text)) is not None
    ]
    return max(found, key=lambda span: span.score, default=None)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values of an answer with their paths: "total", "lines[2].amount"; an answer that
    is itself a plain value has the path ""."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value, 1):
            yield from leaves(part, f"{path}[{i}]")
    else:
        yield path, value


def ground_answer(value: Any, sources: Mapping[str, str]) -> dict[str, Span | None]:
    """The span of each plain value of an answer, by its path. Values that no text states, such as
    the options of a choice, come out as None: what that means is for the checks to say."""
    return {path: ground(leaf, sources) for path, leaf in leaves(value)}


def _in_text(value: Any, field: str, text: str) -> Span | None:
    if isinstance(value, int | float):
        return _number(Decimal(str(value)), field, text)
    written = str(value).strip()
    if not written:
        return None
    exact = next(occurrences(written, text), None)
    if exact is not None:
        return Span(field, exact, exact + len(written), "exact", 1.0)
    return (
        _folded(written, field, text)
        or _as_date(written, field, text)
        or _as_number(written, field, text)
        or _nearly(written, field, text)
    )


def _folded(written: str, field: str, text: str) -> Span | None:
    # With digits in it, it may be a code, which people cut into groups as they like.
    for squeeze in (False, True) if _DIGITS.search(written) else (False,):
        hay, needle = fold(text, squeeze=squeeze), fold(written, squeeze=squeeze).text
        if squeeze and len(needle) < FUZZY_LENGTH_MIN:
            return None
        place = hay.text.find(needle) if needle else -1
        while place >= 0:
            start, end = hay.back(place, place + len(needle))
            if stands_alone(text, start, end):
                return Span(field, start, end, "normalised", NORMALISED)
            place = hay.text.find(needle, place + 1)
    return None


def _as_date(written: str, field: str, text: str) -> Span | None:
    if not _ISO.fullmatch(written):
        return None
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return _best(field, ((a, b, sure) for a, b, days, sure in dates(text) if day in days))


def _as_number(written: str, field: str, text: str) -> Span | None:
    if not _WRITTEN_NUMBER.fullmatch(written):
        return None
    meant = readings(written)
    return _number(meant.pop(), field, text) if len(meant) == 1 else None


def _number(number: Decimal, field: str, text: str) -> Span | None:
    return _best(field, ((a, b, sure) for a, b, read, sure in numbers(text) if number in read))


def _best(field: str, found: Iterable[tuple[int, int, bool]]) -> Span | None:
    """The first that can be read in one way only, else the first."""
    spans = [
        Span(field, start, end, "normalised", NORMALISED if sure else AMBIGUOUS)
        for start, end, sure in found
    ]
    return max(spans, key=lambda span: span.score, default=None)


def _nearly(written: str, field: str, text: str) -> Span | None:
    """A part of the source, of about as many words, that differs in few characters."""
    needle, hay = fold(written).text, fold(text)
    words = [(found.start(), found.end()) for found in _WORD.finditer(hay.text)]
    if len(needle) < FUZZY_LENGTH_MIN or len(words) > _WORDS_MAX:
        return None
    digits, grams, size = _DIGITS.findall(needle), _grams(needle), len(needle.split())
    ranked = []
    for width in range(max(size - 1, 1), size + 2):
        for (first, _), (_, last) in zip(words, words[width - 1 :], strict=False):
            window = hay.text[first:last]
            if abs(len(window) - len(needle)) > len(needle) * (1 - FUZZY_MIN) + 1:
                continue
            shared = len(grams & _grams(window)) / len(grams)
            if shared > 0.4 and _DIGITS.findall(window) == digits:
                ranked.append((-shared, first, last))
    best = sorted(ranked)[:_CANDIDATES]
    distance = text_distance([needle] * len(best), [hay.text[a:b] for _, a, b in best])
    near = [(1 - d, -a, -b) for d, (_, a, b) in zip(distance.tolist(), best, strict=True)]
    score, start, end = max(near, default=(0.0, 0, 0))
    if score < FUZZY_MIN:
        return None
    return Span(field, *hay.back(-start, -end), "fuzzy", score)


def _grams(text: str) -> set[str]:
    return {text[i : i + 2] for i in range(len(text) - 1)}
