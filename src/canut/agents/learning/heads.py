"""What a question comes down to for a linear model: one target or several, each with its answers.

`choice`, `scale`, `text` and questions of plug-ins are one of the answers seen; `number` too, or a
quantity where hardly any answer repeats; `choices` is one yes-or-no per option; `record` is its
fields. An answer is known here by its canonical JSON.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.questions.base import HasOptions, Question
from canut.questions.choices import Choices
from canut.questions.fields import Condition
from canut.questions.number import Number
from canut.questions.record import Record
from canut.questions.scale import Scale
from canut.truth.numbers import ROUNDING

Kind = Literal["one", "several", "size"]

#: a field that may be left out, and was
ABSENT = "absent"
#: a number whose answers repeat less often than this, on average, is a quantity
REPEATS_MIN = 3.0
#: numbers of more different values are a quantity
DIFFERENT_MAX = 1000
#: options that are known before the first example, by their names, up to so many
NAMED_MAX = 300


class Head(Struct, frozen=True):
    """One thing to be told of each item."""

    #: name of the field of a record; "" for a question without fields
    field: str
    question: Question
    #: whether every answer has it
    required: bool = True
    #: where it is asked for; None for always
    when: Condition | None = None

    def part(self, value: Any) -> str | None:
        """The canonical JSON of this part of an answer, `ABSENT` where it was left out, None
        where it was not asked for."""
        if not self.field:
            return written(value)
        if self.when and not self.when.holds(value):
            return None
        return written(value[self.field]) if self.field in value else ABSENT

    def kind(self, answers: Sequence[str]) -> Kind:
        """How it is learned from these answers, each as `part` returned it."""
        if isinstance(self.question, Choices):
            return "several"
        told = [answer for answer in answers if answer != ABSENT]
        if isinstance(self.question, Number) and len(told) == len(answers):
            different = len(set(told))
            few = different <= DIFFERENT_MAX and len(told) >= REPEATS_MIN * different
            return "one" if few else "size"
        return "one"

    def answers(self, values: Sequence[str]) -> list[str]:
        """The answers it may give after examples with these values: options that have names
        first, in their order."""
        if isinstance(self.question, Choices):
            return [written(value) for value in self.question.choices.answerable]
        seen = {self.part(msgspec.json.decode(value)) for value in values}
        named = list(self.named())
        return named + sorted(answer for answer in seen - set(named) if answer is not None)

    def closed(self) -> list[str] | None:
        """Every answer there can be, None where nobody can list them."""
        if isinstance(self.question, HasOptions):
            values = [written(option["value"]) for option in self.question.options("en")]
        elif isinstance(self.question, Scale):
            scale = self.question
            values = [written(point) for point in range(scale.min, scale.max + 1)]
        else:
            return None
        return values if self.required else [ABSENT, *values]

    def named(self) -> dict[str, str]:
        """What the options are called, by their canonical JSON: read before the first example.
        Empty where there are too many, or none."""
        if not isinstance(self.question, HasOptions) or isinstance(self.question, Choices):
            return {}
        names: dict[str, list[str]] = {}
        for locale in ("en", "fr"):
            for option in self.question.options(locale):
                words = names.setdefault(written(option["value"]), [])
                told = (str(option["value"]).replace("_", " "), option["label"], option["hint"])
                words += [word for word in (*told, *option["synonyms"]) if word not in words]
        if len(names) > NAMED_MAX:
            return {}
        return {value: " . ".join(words) for value, words in names.items()}


def heads_of(question: Question) -> list[Head]:
    """What has to be told to answer this question."""
    if isinstance(question, Record):
        return [Head(f.name, f.question, f.required, f.when) for f in question.fields]
    return [Head("", question)]


def neighbours(head: Head, answers: Sequence[str]) -> NDArray[np.float32] | None:
    """Whether answer i counts as right where j is, float32 (K, K); None where only equals do."""
    question = head.question
    if not (isinstance(question, Number) or (isinstance(question, Scale) and question.tolerance)):
        return None
    # what was left out is near nothing but itself
    known = np.array([answer != ABSENT for answer in answers], bool)
    size = np.array([float(msgspec.json.decode(a)) if a != ABSENT else 0.0 for a in answers])
    apart, largest = np.abs(size[:, None] - size), np.maximum(np.abs(size[:, None]), np.abs(size))
    share = max(question.relative_tolerance, ROUNDING) if isinstance(question, Number) else 0.0
    near = (apart <= np.maximum(share * largest, question.tolerance)) & known & known[:, None]
    np.fill_diagonal(near, True)
    told: NDArray[np.float32] = near.astype(np.float32)
    return told


def right_enough(question: Question, left: Any, right: Any) -> bool:
    """Whether two answers are the same for all that the question asks."""
    if isinstance(question, Scale):
        return bool(abs(left - right) <= question.tolerance)
    return question.agree(left, right) == 1


def written(value: Any) -> str:
    """The canonical JSON of an answer."""
    return msgspec.json.encode(value, order="sorted").decode()
