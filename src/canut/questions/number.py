"""`number`: a quantity, with its unit.

Definition: `title`, `instructions`, `min`, `max`, `unit` (`Localised`), `integer` (false),
`tolerance` (0, in the unit) and `relative_tolerance` (0, a share): two answers that differ by no
more than the larger of the two are the same answer. Answer: a number; an integer where
`integer`.

Widget: template "number.html"; data:
    name          form field to send the number in, once ("answer"); "12.5" and "12,5" both do
    title, instructions, unit ("" where there is none), integer
    min, max      null where the definition gives none
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from babel import Locale, UnknownLocaleError
from babel.numbers import format_decimal
from msgspec import Struct

from canut.questions.base import Answers, Beliefs, Localised, Track, Widget, localise
from canut.questions.definition import Definition, first, refuse
from canut.truth.numbers import ROUNDING, Readings, numbers

#: largest size of a number: up to here, every JSON reader keeps whole numbers exact
LIMIT = 10**15

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}([ \u00a0\u202f'’][0-9]{3})+([.,][0-9]+)?")
#: "1,234" is a thousand to one reader and one and a bit to another
_AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")


def parse_number(raw: Any) -> int | float:
    """The number that a JSON value or a typed text stands for; raises `Invalid`.

    Typed numbers may have a decimal point or comma, and spaces or apostrophes between thousands.
    """
    if isinstance(raw, str):
        raw = _parse_text(raw.strip())
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise refuse("no answer is given" if raw is None else "must be a number")
    if not -LIMIT <= raw <= LIMIT:  # also refuses NaN
        raise refuse("is not a number we can keep", f"its size may be at most {LIMIT:,}")
    return raw


def _parse_text(text: str) -> int | float | None:
    if not text:
        return None
    if _AMBIGUOUS.fullmatch(text):
        joined, pointed = text.replace(",", ""), text.replace(",", ".")
        raise refuse(f"{text!r} can be read in two ways", f"write {joined} or {pointed}")
    if _GROUPED.fullmatch(text):
        text = re.sub(r"[ \u00a0\u202f'’]", "", text)
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise refuse(f"{text[:80]!r} is not a number", "write digits, such as 1250 or 12.5")
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


class Number(Struct, frozen=True):
    """A question answered by a number."""

    title: Localised
    instructions: Localised
    unit: Localised
    min: float | None
    max: float | None
    integer: bool
    tolerance: float
    relative_tolerance: float

    def schema(self) -> dict[str, Any]:
        """A number or an integer, bounded."""
        return {
            "type": "integer" if self.integer else "number",
            "minimum": -LIMIT if self.min is None else self.min,
            "maximum": LIMIT if self.max is None else self.max,
        }

    def normalise(self, raw: Any) -> int | float:
        """The number; raises `Invalid`."""
        value = parse_number(raw)
        if self.integer and value != int(value):
            raise refuse("must be a whole number")
        if self.min is not None and value < self.min:
            raise refuse("is too small", f"the smallest allowed is {self.min:g}")
        if self.max is not None and value > self.max:
            raise refuse("is too large", f"the largest allowed is {self.max:g}")
        # adding zero turns -0.0 into 0.0
        return int(value) if self.integer else float(value) + 0.0

    def agree(self, left: Any, right: Any) -> float:
        """1 within the tolerance, else 0."""
        share = max(self.relative_tolerance, ROUNDING)
        return float(math.isclose(left, right, rel_tol=share, abs_tol=self.tolerance))

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """The answer that is likeliest to be within the tolerance of what is right, once biases
        and gross errors are taken out (`canut.truth.numbers`).

        An answer rather than a number between two: whole numbers stay whole, and somebody stands
        behind what is decided.
        """
        readings = Readings(
            answers.task,
            answers.contributor,
            np.array(answers.value, np.float64),
            answers.n_tasks,
            len(track.right),
        )
        belief = numbers(
            readings,
            track.right,
            track.judged,
            tolerance=self.tolerance,
            relative_tolerance=self.relative_tolerance,
        )
        return Beliefs(
            value=[answers.value[i] if i >= 0 else None for i in belief.chosen.tolist()],
            confidence=belief.confidence,
            agreement=belief.agreement,
        )

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> str | None:
        """The text typed into `name`."""
        return first(form, name)

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The number, as `name`, with a decimal point."""
        return {name: [repr(value)]}

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """Template "number.html"; its data is described at the top of this module."""
        data = {
            "name": name,
            "title": localise(self.title, locale),
            "instructions": localise(self.instructions, locale),
            "unit": localise(self.unit, locale),
            "min": self.min,
            "max": self.max,
            "integer": self.integer,
        }
        return Widget("number.html", data)

    def describe(self, value: Any, locale: str) -> str:
        """The number as people of this language write it, and its unit."""
        try:
            known = Locale.parse(locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            known = Locale("en")
        written: str = format_decimal(value, locale=known, decimal_quantization=False)
        unit = localise(self.unit, locale)
        return f"{written}\u00a0{unit}" if unit else written


class NumberType:
    """The question type `number`."""

    name = "number"

    def load(self, definition: Mapping[str, Any]) -> Number:
        """Read a definition; raises `Invalid`."""
        table = Definition(definition)
        question = Number(
            title=table.text("title", required=True),
            instructions=table.text("instructions"),
            unit=table.text("unit"),
            min=_bound(table, "min"),
            max=_bound(table, "max"),
            integer=table.flag("integer", default=False),
            tolerance=table.number("tolerance", 0.0, 0.0, LIMIT),
            relative_tolerance=table.number("relative_tolerance", 0.0, 0.0, 0.5),
        )
        if question.min is not None and question.max is not None and question.min > question.max:
            table.problem("min", f"is larger than max, {question.max:g}")
        table.finish()
        return question

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """A weight read from a product sheet, and answers."""
        definition = {
            "type": "number",
            "title": {"en": "What does it weigh?", "fr": "Combien pèse-t-il ?"},
            "unit": {"en": "g", "fr": "g"},
            "min": 0,
            "max": 100_000,
            "tolerance": 1,
        }
        return definition, [250, "1 250,5", 249.5, 0]


def _bound(table: Definition, key: str) -> float | None:
    return table.number(key, 0.0, -LIMIT, LIMIT) if table.take(key) is not None else None


NUMBER = NumberType()
