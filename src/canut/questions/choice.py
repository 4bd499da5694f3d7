"""`choice`: one of several options, or one class of a taxonomy of any size.

Definition: `title`, `instructions`, `options` (see `canut.questions.options`), `any_level`.
Answer: the value of an option, a string.

Widget: template "choice.html"; data:
    name          form field to send the chosen value in, once ("answer")
    title, instructions
    large         true with more than 50 options; then there is no `options` here, and the page
                  fetches `Choice.options(locale)` once
    count         number of options
    options       list of value, label, hint, path (list of labels, outermost first), synonyms
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.questions.base import Answers, Beliefs, Localised, Track, Widget, localise
from canut.questions.definition import Definition, first
from canut.questions.options import Options, read_options
from canut.truth.categorical import naive_bayes
from canut.truth.posterior import Said, weigh
from canut.truth.votes import Votes


class Choice(Struct, frozen=True):
    """A question answered by one of several options."""

    title: Localised
    instructions: Localised
    choices: Options

    def schema(self) -> dict[str, Any]:
        """A string, one of the values."""
        return {"type": "string", "enum": self.choices.answerable}

    def normalise(self, raw: Any) -> str:
        """The option's value; raises `Invalid`. Takes the same time for any number of options."""
        value = self.choices.check(raw)
        if isinstance(value, Problem):
            raise Invalid("This answer cannot be accepted.", problems=[value])
        return value

    def agree(self, left: Any, right: Any) -> float:
        """1 for the same option, else 0: a neighbour in the taxonomy is still a wrong answer."""
        return float(left == right)

    @property
    def classes(self) -> list[str]:
        """The values (`canut.questions.base.HasClasses`)."""
        return self.choices.answerable

    def group(self, value: Any) -> str:
        """The outermost class it belongs to (`canut.questions.base.HasGroups`), below one that all
        belong to; of a list without parents, the value."""
        return self.choices.group.get(value, "")

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """By who confuses what (`canut.truth.posterior`) where that is known, else by naive Bayes
        over the options (`canut.truth.categorical`)."""
        index, values = self.choices.index, self.choices.answerable
        label = np.fromiter(map(index.__getitem__, answers.value), np.int32, len(answers.value))
        votes = Votes(
            answers.task, answers.contributor, label, answers.n_tasks, len(track.right), len(values)
        )
        if track.known is not None:
            said = weigh(votes, track.known, track.right, track.judged, answers.weight)
            return _from_dense(values, votes, said)
        posterior = naive_bayes(votes, track.right, track.judged)
        return Beliefs(
            value=[values[i] if i >= 0 else None for i in posterior.best.tolist()],
            confidence=posterior.confidence,
            agreement=posterior.of_votes(),
        )

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> str | None:
        """The value sent as `name`."""
        return first(form, name)

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The value, as `name`."""
        return {name: [value]}

    def options(self, locale: str) -> list[dict[str, Any]]:
        """Every option that can be answered (`canut.questions.base.HasOptions`)."""
        return self.choices.listed(locale)

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """Template "choice.html"; its data is described at the top of this module."""
        data = {
            "name": name,
            "title": localise(self.title, locale),
            "instructions": localise(self.instructions, locale),
            **self.choices.shown(locale),
        }
        return Widget("choice.html", data)

    def describe(self, value: Any, locale: str) -> str:
        """The label with its path."""
        return self.choices.in_words(value, locale)


def _from_dense(values: list[str], votes: Votes, said: Said) -> Beliefs:
    answered = np.bincount(votes.task, minlength=votes.n_tasks) > 0
    best = said.posterior.argmax(1).tolist()
    return Beliefs(
        value=[values[i] if there else None for i, there in zip(best, answered, strict=True)],
        confidence=np.where(answered, np.clip(said.posterior.max(1, initial=0.0), 0.0, 1.0), 0.0),
        agreement=said.posterior[votes.task, votes.label],
        said=said,
    )


class ChoiceType:
    """The question type `choice`."""

    name = "choice"

    def load(self, definition: Mapping[str, Any]) -> Choice:
        """Read a definition; raises `Invalid`."""
        table = Definition(definition)
        question = Choice(
            title=table.text("title", required=True),
            instructions=table.text("instructions"),
            choices=read_options(table),
        )
        table.finish()
        return question

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """A small taxonomy, and answers."""
        definition = {
            "type": "choice",
            "title": {"en": "Which category?", "fr": "Quelle catégorie ?"},
            "instructions": {
                "en": "Choose by what the product is for.",
                "fr": "Choisissez selon l’usage du produit.",
            },
            "options": [
                {"value": "kitchen", "label": {"en": "Kitchen", "fr": "Cuisine"}},
                {
                    "value": "kettle",
                    "label": {"en": "Kettles", "fr": "Bouilloires"},
                    "hint": {"en": "Electric or not", "fr": "Électriques ou non"},
                    "parent": "kitchen",
                    "synonyms": ["teapot warmer"],
                },
                {
                    "value": "toaster",
                    "label": {"en": "Toasters", "fr": "Grille-pain"},
                    "parent": "kitchen",
                },
                {"value": "garden", "label": {"en": "Garden", "fr": "Jardin"}},
            ],
        }
        return definition, ["kettle", "toaster", " garden "]


CHOICE = ChoiceType()
