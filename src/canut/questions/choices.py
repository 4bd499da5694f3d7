"""`choices`: several of the options, or none of them.

Definition: `title`, `instructions`, `options` and `any_level` (see `canut.questions.options`),
`min` (0) and `max` (all) picked. Answer: list of values, in the order of the definition.

Widget: template "choices.html"; data as of `choice`, and
    name          form field to send each picked value in, repeated ("answer")
    min, max      how many may be picked
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.questions.base import Answers, Beliefs, Localised, Track, Widget, localise
from canut.questions.definition import Definition
from canut.questions.options import Options, read_options
from canut.truth.several import Picks, several


class Choices(Struct, frozen=True):
    """A question answered by several of the options."""

    title: Localised
    instructions: Localised
    choices: Options
    min: int
    max: int

    def schema(self) -> dict[str, Any]:
        """An array of different values."""
        return {
            "type": "array",
            "items": {"type": "string", "enum": self.choices.answerable},
            "uniqueItems": True,
            "minItems": self.min,
            "maxItems": self.max,
        }

    def normalise(self, raw: Any) -> list[str]:
        """The values picked, each once, in the order of the definition; raises `Invalid`."""
        if not isinstance(raw, list | tuple):
            problem = Problem(message="must be a list of options")
            raise Invalid("This answer cannot be accepted.", problems=[problem])
        checked = [self.choices.check(value) for value in raw]
        problems = [problem for problem in checked if isinstance(problem, Problem)]
        picked = sorted(
            {v for v in checked if isinstance(v, str)}, key=self.choices.index.__getitem__
        )
        if not problems and not self.min <= len(picked) <= self.max:
            problems = [
                Problem(
                    message=f"{len(picked)} options are picked",
                    mend=f"pick at least {self.min} and at most {self.max}",
                )
            ]
        if problems:
            raise Invalid("This answer cannot be accepted.", problems=problems)
        return picked

    def agree(self, left: Any, right: Any) -> float:
        """Options in both, divided by options in either (Jaccard, 1901); two empty ones agree."""
        either = len(set(left) | set(right))
        return len(set(left) & set(right)) / either if either else 1.0

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """One yes-or-no question per option, from contributors of whom some forget options and
        some pick too many (`canut.truth.several`); the confidence is that of the least sure
        option, or that none was forgotten by all, whichever is less.

        The least, not the product: options of one item stand or fall together (they share its
        difficulty and its readers), and a product would ask for ever about long lists.
        """
        index, values = self.choices.index, self.choices.answerable
        picks = Picks(
            answers.task,
            answers.contributor,
            [[index[value] for value in picked] for picked in answers.value],
            answers.n_tasks,
            len(track.right),
            len(values),
        )
        belief = several(picks, track.right, track.judged, answers.weight)
        return Beliefs(
            value=[
                None if labels is None else [values[i] for i in self._allowed(labels)]
                for labels in belief.ranked
            ],
            confidence=belief.confidence,
            agreement=belief.agreement,
        )

    @property
    def weighs(self) -> bool:
        """Always (`canut.questions.base.Weighs`)."""
        return True

    def _allowed(self, ranked: list[tuple[int, float]]) -> list[int]:
        """The options that are likelier than not, and as many as the question allows."""
        likely = sum(probability > 0.5 for _, probability in ranked)
        return sorted(label for label, _ in ranked[: min(max(likely, self.min), self.max)])

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> list[str]:
        """The values sent as `name`; a form says nothing about boxes that are not ticked."""
        return [value for value in form.get(name) or () if value]

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The values, as `name`, repeated."""
        return {name: list(value)}

    def options(self, locale: str) -> list[dict[str, Any]]:
        """Every option that can be answered (`canut.questions.base.HasOptions`)."""
        return self.choices.listed(locale)

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """Template "choices.html"; its data is described at the top of this module."""
        data = {
            "name": name,
            "title": localise(self.title, locale),
            "instructions": localise(self.instructions, locale),
            "min": self.min,
            "max": self.max,
            **self.choices.shown(locale),
        }
        return Widget("choices.html", data)

    def describe(self, value: Any, locale: str) -> str:
        """The labels, or "none"."""
        none = {"en": "none", "fr": "aucune"}
        words = [self.choices.in_words(option, locale) for option in value]
        return ", ".join(words) or localise(none, locale)


class ChoicesType:
    """The question type `choices`."""

    name = "choices"

    def load(self, definition: Mapping[str, Any]) -> Choices:
        """Read a definition; raises `Invalid`."""
        table = Definition(definition)
        choices = read_options(table)
        count = max(len(choices.answerable), 1)
        question = Choices(
            title=table.text("title", required=True),
            instructions=table.text("instructions"),
            choices=choices,
            min=table.integer("min", 0, 0, count),
            max=table.integer("max", count, 1, count),
        )
        if question.min > question.max:
            table.problem("min", f"is larger than max, {question.max}")
        table.finish()
        return question

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """Tags of an image, and answers."""
        definition = {
            "type": "choices",
            "title": {"en": "What is in the picture?", "fr": "Que voit-on sur l’image ?"},
            "max": 3,
            "options": [
                {"value": "person", "label": {"en": "A person", "fr": "Une personne"}},
                {"value": "animal", "label": {"en": "An animal", "fr": "Un animal"}},
                {"value": "plant", "label": {"en": "A plant", "fr": "Une plante"}},
                {"value": "text", "label": {"en": "Writing", "fr": "Du texte"}},
            ],
        }
        return definition, [["person", "text"], ["plant", "animal"], [], ["text"]]


CHOICES = ChoicesType()
