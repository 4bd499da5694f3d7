"""Texts in a form in which different writings of the same thing are equal, with the way back.

Every function here says where in the source its finding begins and ends (characters, end
exclusive), for evidence is shown by marking the source.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache, lru_cache

from babel import Locale
from msgspec import Struct

#: languages whose names of months are read
MONTH_LOCALES = ("en", "fr", "de", "es", "it", "nl", "pt")

_APOSTROPHES = {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'"}
_DASHES = dict.fromkeys("‐‑‒–—−", "-")
_SPACES = " \u00a0\u202f\u2009"
_SEPARATORS = rf"{_SPACES}'’.,"
# Grouped by three, or as in India by two and then three; a letter may follow (a unit), and before
# it only the code of a currency: the 32 of "FR32" is no number, nor is a part of a date.
_NUMBER = re.compile(
    rf"(?:(?<![\w])|(?<=\b[A-Z]{{3}}))(?<!\d[.,])(?:[-+−][{_SPACES}]?)?"
    rf"(?:\d{{1,3}}(?:[{_SEPARATORS}]\d{{3}})+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}|\d+)"
    r"(?:[.,]\d+|[.,][-–])?(?!\d)(?![.,]\d)"
)
_NUMERIC_DATE = re.compile(r"(?<![\d])(\d{1,4})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{1,4})(?!\d)")
_WORDED_DATE = re.compile(
    r"(?<![\w])(\d{1,2})(?:st|nd|rd|th|er|\.|º)?[\s-]*(?:de\s+)?([^\W\d_]{3,12})\.?,?[\s-]*(?:de\s+)?(\d{2,4})(?!\d)"
    r"|(?<![\w])([^\W\d_]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)"
)


class Folded(Struct, frozen=True):
    """A text folded, and where each of its characters comes from."""

    text: str
    #: start in the source of each character, and at the end the length of the source
    start: list[int]

    def back(self, first: int, last: int) -> tuple[int, int]:
        """The span of the source behind characters `first` to `last` (exclusive)."""
        return self.start[first], self.start[last - 1] + 1


@lru_cache(maxsize=64)
def fold(source: str, *, squeeze: bool = False) -> Folded:
    """Without case, accents and the look of quotes and dashes, and with one space for several;
    with `squeeze`, of letters and digits only, as numbers of accounts and firms are compared."""
    text: list[str] = []
    start: list[int] = []
    for place, character in enumerate(source):
        plain = _APOSTROPHES.get(character) or _DASHES.get(character) or character
        if plain.isspace():
            if not squeeze and text and text[-1] != " ":
                text.append(" ")
                start.append(place)
            continue
        for part in unicodedata.normalize("NFKD", plain).casefold():
            if unicodedata.combining(part) or (squeeze and not part.isalnum()):
                continue
            text.append(part)
            start.append(place)
    if text and text[-1] == " ":
        text.pop()
        start.pop()
    return Folded("".join(text), [*start, len(source)])


def stands_alone(text: str, first: int, last: int) -> bool:
    """Whether a part is no piece of a longer word or number: "art" in "party" is none. Scripts
    that write words without spaces between them have no such edges."""
    before = text[first - 1] if first else " "
    after = text[last] if last < len(text) else " "
    return not (_joins(before, text[first]) or _joins(text[last - 1], after))


def _joins(left: str, right: str) -> bool:
    if not (left.isalnum() and right.isalnum()):
        return False
    return not (unicodedata.category(left) == "Lo" or unicodedata.category(right) == "Lo")


def occurrences(needle: str, hay: str) -> Iterator[int]:
    """Where a text begins in another and stands alone there."""
    place = hay.find(needle) if needle else -1
    while place >= 0:
        if stands_alone(hay, place, place + len(needle)):
            yield place
        place = hay.find(needle, place + 1)


def readings(text: str) -> set[Decimal]:
    """The numbers that a written number can stand for: "1,234" is a thousand to some and one and
    a bit to others; "1 234,56" and "1.234,56" and "1,234.56" are one number to all."""
    plain = re.sub(rf"[{_SPACES}'’]", "", text).replace("−", "-").removesuffix("-").rstrip("–.,")
    plain = plain.removeprefix("+")
    marks = [mark for mark in plain if mark in ".,"]
    if not marks:
        written = {plain}
    elif len(set(marks)) == 2:
        last = marks[-1]
        other = "." if last == "," else ","
        written = {plain.replace(other, "").replace(last, ".")} if marks.count(last) == 1 else set()
    elif len(marks) > 1:
        written = {plain.replace(marks[0], "")}
    else:
        mark = marks[0]
        written = {plain.replace(mark, ".")}
        if len(plain.partition(mark)[2]) == 3 and plain.lstrip("-")[0] not in f"0{mark}":
            written.add(plain.replace(mark, ""))
    return {number for one in written if (number := _decimal(one)) is not None}


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def numbers(source: str) -> Iterator[tuple[int, int, set[Decimal], bool]]:
    """Every number written in a text: start, end, what it can stand for, and whether it can be
    read in one way only. "12 345" is one number, and may be two beside each other: the parts are
    given as well, as doubtful."""
    for found in _NUMBER.finditer(source):
        meant = readings(found[0])
        yield found.start(), found.end(), meant, len(meant) == 1
        parts = list(re.finditer(rf"[^{_SPACES}]+", found[0]))
        for part in parts if len(parts) > 1 else []:
            start = found.start() + part.start()
            yield start, start + len(part[0]), readings(part[0]), False


def dates(source: str) -> Iterator[tuple[int, int, set[date], bool]]:
    """Every date written in a text: start, end, the days it can stand for, and whether it can be
    read in one way only: "03/04/2025" is in April to some and in March to others."""
    for found in _NUMERIC_DATE.finditer(source):
        first, second, third = found[1], found[3], found[4]
        orders = [(third, second, first), (third, first, second)]
        if len(first) == 4:
            orders = [(first, second, third)]
        days = {day for order in orders if (day := _day(*order)) is not None}
        if days:
            yield found.start(), found.end(), days, len(days) == 1
    for found in _WORDED_DATE.finditer(source):
        written = (found[3], found[2], found[1]) if found[1] else (found[6], found[4], found[5])
        month = _months().get(fold(written[1]).text)
        read = _day(written[0], str(month), written[2]) if month else None
        if read is not None:
            yield found.start(), found.end(), {read}, True


def _day(year: str, month: str, day: str) -> date | None:
    if len(year) not in (2, 4):
        return None
    century = 2000 if len(year) == 2 else 0
    try:
        return date(century + int(year), int(month), int(day))
    except ValueError:
        return None


@cache
def _months() -> dict[str, int]:
    """Names of months, folded, in every language we read; full and short."""
    names: dict[str, int] = {}
    for code in MONTH_LOCALES:
        months = Locale.parse(code).months["format"]
        for width in ("wide", "abbreviated"):
            for number, name in months[width].items():
                names.setdefault(fold(name.rstrip(".")).text, number)
    return names
