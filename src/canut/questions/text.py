"""`text`: free text.

Definition: `title`, `instructions`, `max_length` (1000 characters), `multiline` (false),
`case_sensitive` (false), `transcript` (false), `tolerance` (0.1): two answers whose normalised
edit distance is no more than this are the same answer. Answer: a string in Unicode normal form C,
trimmed.

With `transcript`, it is the words of a recording or a page that are asked for. Answers are compared
word by word, punctuation around words apart: their distance is the word error rate, errors divided
by the number of words of the longer one. The decision is put together from what most say at each
place (`canut.truth.rover`), with its punctuation and lines; its confidence is the probability that
its word error rate is within the tolerance. Words are what spaces part, and spaces beyond one are
taken out.

Widget: template "text.html"; data:
    name          form field to send the text in, once ("answer")
    title, instructions, max_length, multiline
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from canut.questions.base import Answers, Beliefs, Localised, Track, Widget, localise
from canut.questions.definition import Definition, first, refuse
from canut.questions.transcript import Words, sentence, spaced, words_of
from canut.truth.categorical import backed_off
from canut.truth.central import around, central_belief, medoid
from canut.truth.distance import text_distance, word_distance
from canut.truth.rover import Transcripts, rover
from canut.truth.votes import Votes

#: longest text a question may allow
LENGTH_MAX = 20_000
#: what no text may hold: control characters (PostgreSQL cannot keep NUL) and half characters
FORBIDDEN = r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff]"

_FORBIDDEN = re.compile(FORBIDDEN)


class Text(Struct, frozen=True):
    """A question answered in free text."""

    title: Localised
    instructions: Localised
    max_length: int
    multiline: bool
    case_sensitive: bool
    tolerance: float
    transcript: bool = False

    def schema(self) -> dict[str, Any]:
        """A string that is not blank."""
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": self.max_length,
            "pattern": r"\S",
            "not": {"pattern": FORBIDDEN},
        }

    def normalise(self, raw: Any) -> str:
        """The text in normal form C, with plain line ends, trimmed; raises `Invalid`."""
        if raw is None:
            raise refuse("no answer is given")
        if not isinstance(raw, str):
            raise refuse("must be a text")
        if _FORBIDDEN.search(raw):
            raise refuse("holds a control character", "take it out")
        lines = raw.replace("\r\n", "\n").replace("\r", "\n")
        value = unicodedata.normalize("NFC", lines).strip()
        if self.transcript:
            value = spaced(value)
        if not value:
            raise refuse("no answer is given", "write a text")
        if len(value) > self.max_length:
            raise refuse(
                f"is {len(value)} characters long", f"at most {self.max_length} are allowed"
            )
        return value

    def _compared(self, value: str) -> str:
        spaced = " ".join(value.split())
        return spaced if self.case_sensitive else spaced.casefold()

    def agree(self, left: Any, right: Any) -> float:
        """1 - normalised edit distance; spacing, and case unless `case_sensitive`, do not count.
        Of transcripts, 1 - word error rate, over the longer one; punctuation does not count."""
        if self.transcript:
            words = [self._words(value).spoken for value in (left, right)]
            return 1.0 - float(word_distance(words[:1], words[1:])[0])
        distance = text_distance([self._compared(left)], [self._compared(right)])
        return 1.0 - float(distance[0])

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """The answer nearest to all the others, believed as far as answers within the tolerance
        of it back it (`canut.truth.central`).

        Where answers differ only in spacing or case, the most frequent writing is taken.
        Transcripts are put together instead (`canut.truth.rover`).
        """
        if self.transcript:
            return self._fused(answers, track)
        compared = [self._compared(value) for value in answers.value]
        forms = sorted(set(compared))
        index = {form: i for i, form in enumerate(forms)}
        form = np.fromiter((index[text] for text in compared), np.int32, len(compared))
        weight = backed_off(track.right, track.judged)[answers.contributor]
        best, distance = medoid(answers.task, form, weight, forms, answers.n_tasks)
        votes = Votes(
            answers.task,
            answers.contributor,
            form,
            answers.n_tasks,
            len(track.right),
            len(forms),
        )
        posterior = around(votes, distance <= self.tolerance, track.right, track.judged)
        return Beliefs(
            value=_writings(answers, form == best[answers.task], weight),
            confidence=central_belief(posterior, answers.n_tasks),
            agreement=posterior.of_votes(),
        )

    def _words(self, value: str) -> Words:
        return words_of(value, case_sensitive=self.case_sensitive)

    def _fused(self, answers: Answers, track: Track) -> Beliefs:
        """What transcripts say together. Where that is no answer, for it says nothing or is too
        long, the one answer that is likeliest word by word."""
        read = {value: self._words(value) for value in set(answers.value)}
        transcripts = Transcripts(
            answers.task,
            answers.contributor,
            [read[value].spoken for value in answers.value],
            [read[value].written for value in answers.value],
            answers.n_tasks,
        )
        belief = rover(transcripts, track.right, track.judged, tolerance=self.tolerance)
        values = [None if words is None else sentence(words) for words in belief.words]
        confidence = belief.confidence.copy()
        for task, value in enumerate(values):
            if value is not None and not 0 < len(value) <= self.max_length:
                here = np.flatnonzero(answers.task == task).tolist()
                one = min(here, key=lambda i: (-belief.agreement[i], answers.value[i]))
                values[task] = answers.value[one]
                confidence[task] *= belief.agreement[one]
        return Beliefs(value=values, confidence=confidence, agreement=belief.agreement)

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> str | None:
        """The text typed into `name`."""
        return first(form, name)

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The text, as `name`."""
        return {name: [value]}

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """Template "text.html"; its data is described at the top of this module."""
        data = {
            "name": name,
            "title": localise(self.title, locale),
            "instructions": localise(self.instructions, locale),
            "max_length": self.max_length,
            "multiline": self.multiline,
        }
        return Widget("text.html", data)

    def describe(self, value: Any, locale: str) -> str:
        """The text itself."""
        return str(value)


def _writings(answers: Answers, central: Any, weight: Any) -> list[str | None]:
    """Of each task, the heaviest writing of its central form; the first in order of equals."""
    writings: list[dict[str, list[float]]] = [{} for _ in range(answers.n_tasks)]
    for i in np.flatnonzero(central).tolist():
        here = writings[int(answers.task[i])]
        here.setdefault(answers.value[i], []).append(float(weight[i]))
    # sums of sorted weights do not depend on the order of the answers
    return [
        min(here, key=lambda text: (-sum(sorted(here[text])), text)) if here else None
        for here in writings
    ]


class TextType:
    """The question type `text`."""

    name = "text"

    def load(self, definition: Mapping[str, Any]) -> Text:
        """Read a definition; raises `Invalid`."""
        table = Definition(definition)
        question = Text(
            title=table.text("title", required=True),
            instructions=table.text("instructions"),
            max_length=table.integer("max_length", 1000, 1, LENGTH_MAX),
            multiline=table.flag("multiline", default=False),
            case_sensitive=table.flag("case_sensitive", default=False),
            tolerance=table.number("tolerance", 0.1, 0.0, 0.9),
            transcript=table.flag("transcript", default=False),
        )
        table.finish()
        return question

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """A brand copied from a product title, and answers."""
        definition = {
            "type": "text",
            "title": {"en": "Which brand?", "fr": "Quelle marque ?"},
            "max_length": 60,
        }
        return definition, ["Belvoie", "  Ondine & Fils ", "Cafe\u0301 Martelle"]


TEXT = TextType()
