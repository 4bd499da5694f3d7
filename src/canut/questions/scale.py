"""`scale`: a point on an ordered scale, whose neighbours are nearly right.

Definition: `title`, `instructions`, `min` (1), `max` (5), `labels` (a text for each point or
for some: `{ 1 = "Irrelevant", 5 = "Exact" }`), `tolerance` (0): how many points beside the
right one still count as right. Answer: an integer.

Widget: template "scale.html"; data:
    name          form field to send the point in, once ("answer")
    title, instructions, min, max
    points        list of value (integer) and label ("" where there is none), from min to max
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from canut.questions.base import Answers, Beliefs, Localised, Track, Widget, localise
from canut.questions.definition import Definition, first, refuse
from canut.questions.number import parse_number
from canut.truth.ordinal import ordinal
from canut.truth.votes import Votes

#: the most points a scale may have; with more, it is a number
POINTS_MAX = 101
#: how far from zero a scale may reach
REACH = 1_000_000


class Scale(Struct, frozen=True):
    """A question answered by a point on a scale."""

    title: Localised
    instructions: Localised
    min: int
    max: int
    labels: dict[int, Localised]
    tolerance: int

    def schema(self) -> dict[str, Any]:
        """An integer from min to max."""
        return {"type": "integer", "minimum": self.min, "maximum": self.max}

    def normalise(self, raw: Any) -> int:
        """The point, as an integer; raises `Invalid`."""
        value = parse_number(raw)
        if value != int(value) or not self.min <= value <= self.max:
            raise refuse("is not a point of the scale", f"choose from {self.min} to {self.max}")
        return int(value)

    def agree(self, left: Any, right: Any) -> float:
        """1 for the same point, falling evenly to 0 for the two ends."""
        return float(1.0 - abs(left - right) / (self.max - self.min))

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """The likeliest point once everybody's lean and spread are taken out
        (`canut.truth.ordinal.ordinal`), and the probability that the right one is within the
        tolerance of it."""
        label = np.fromiter(answers.value, np.int32, len(answers.value)) - np.int32(self.min)
        points = self.max - self.min + 1
        votes = Votes(
            answers.task, answers.contributor, label, answers.n_tasks, len(track.right), points
        )
        belief = ordinal(votes, track.right, track.judged, tolerance=self.tolerance)
        return Beliefs(
            value=[i + self.min if i >= 0 else None for i in belief.best.tolist()],
            confidence=belief.confidence,
            agreement=belief.agreement,
        )

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> str | None:
        """The point sent as `name`."""
        return first(form, name)

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The point, as `name`."""
        return {name: [str(value)]}

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """Template "scale.html"; its data is described at the top of this module."""
        data = {
            "name": name,
            "title": localise(self.title, locale),
            "instructions": localise(self.instructions, locale),
            "min": self.min,
            "max": self.max,
            "points": [
                {"value": point, "label": localise(self.labels.get(point, ""), locale)}
                for point in range(self.min, self.max + 1)
            ],
        }
        return Widget("scale.html", data)

    def describe(self, value: Any, locale: str) -> str:
        """The point and its label: "5 (Exact)"."""
        label = localise(self.labels.get(value, ""), locale)
        return f"{value} ({label})" if label else str(value)


class ScaleType:
    """The question type `scale`."""

    name = "scale"

    def load(self, definition: Mapping[str, Any]) -> Scale:
        """Read a definition; raises `Invalid`."""
        table = Definition(definition)
        low = table.integer("min", 1, -REACH, REACH)
        high = table.integer("max", 5, -REACH, REACH)
        if not 1 <= high - low < POINTS_MAX:
            table.problem("max", f"must give a scale of 2 to {POINTS_MAX} points", "change max")
        question = Scale(
            title=table.text("title", required=True),
            instructions=table.text("instructions"),
            min=low,
            max=high,
            labels=_read_labels(table, low, high),
            tolerance=table.integer("tolerance", 0, 0, max(high - low - 1, 0)),
        )
        table.finish()
        return question

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """How well a product answers a search, and answers."""
        definition = {
            "type": "scale",
            "title": {
                "en": "How well does it match the search?",
                "fr": "Correspond-il à la recherche ?",
            },
            "min": 1,
            "max": 4,
            "labels": {
                "1": {"en": "Not at all", "fr": "Pas du tout"},
                "4": {"en": "Exactly", "fr": "Exactement"},
            },
        }
        return definition, [1, "3", 4, 4.0]


def _read_labels(table: Definition, low: int, high: int) -> dict[int, Localised]:
    written = table.take("labels")
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        table.problem("labels", "must be a table of points and texts", '{ 1 = "Poor" }')
        return {}
    labels: dict[int, Localised] = {}
    for point, text in written.items():
        name = str(point)
        if not name.lstrip("-").isdecimal() or not low <= int(name) <= high:
            table.problem(f"labels.{name}", f"is not a point from {low} to {high}")
        else:
            labels[int(name)] = table.localised(f"labels.{name}", text)
    return labels


SCALE = ScaleType()
