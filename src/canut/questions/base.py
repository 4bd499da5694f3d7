"""What a question type is: the contract every plug-in of `canut.question_types` keeps.

A question type is registered under an entry point of the group `canut.question_types`; the
object behind it has a `name` and a `load` that turns a definition (the `[step.question]` table
of a process) into a `Question`. `canut.questions.conformance` holds the tests that every type
must pass. Nothing in this room knows a database, a clock or randomness.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

if TYPE_CHECKING:
    # a third of a second, which commands that infer nothing would wait for
    from canut.truth.posterior import Known, Said
    from canut.truth.votes import Float64, Int32

#: a text for people: one string for every language, or one string per language ("en", "fr")
Localised = str | dict[str, str]


def localise(text: Localised, locale: str) -> str:
    """The text in this language, else in English, else in any language there is."""
    if isinstance(text, str):
        return text
    return text.get(locale) or text.get("en") or next(iter(text.values()), "")


class Answers(Struct, frozen=True):
    """Answers to one question, as columns of the same length n, in any order."""

    #: index of the task each answer is for, int32, 0 <= task < n_tasks
    task: "Int32"
    #: index of who answered, int32, 0 <= contributor < n_contributors
    contributor: "Int32"
    #: what they answered, as `Question.normalise` returned it
    value: Sequence[Any]
    n_tasks: int
    #: how much each counts, 0 to 1, float64 (n answers): clones share a voice; None: 1 for all.
    #: Only a question that `HasClasses` is given it, with `Track.known`, or one that `Weighs`; for
    #: all others it is folded into the record before (`canut.questions.voices`)
    weight: "Float64 | None" = None


class Track(Struct, frozen=True):
    """What a step knows of its contributors before these answers, float64 (n_contributors,)."""

    #: expected number of right answers so far
    right: "Float64"
    #: number of answers that could be judged so far
    judged: "Float64"
    #: who confuses what with what, for a question that `HasClasses`; None where nobody looked
    known: "Known | None" = None


class Beliefs(Struct, frozen=True):
    """What the answers say, per task and per answer."""

    #: the most likely answer of each task (n_tasks); None where a task has no answer
    value: Sequence[Any]
    #: probability that `value` is right, float64 (n_tasks), 0 where a task has no answer
    confidence: "Float64"
    #: how far each answer agrees with the belief of its task: the probability, under that belief,
    #: that the answer is right; float64 (n answers). What `Track.right` is the sum of.
    agreement: "Float64"
    #: probabilities over the classes of a question that `HasClasses`, where `Track.known` was
    #: given; else None
    said: "Said | None" = None


class Widget(Struct, frozen=True):
    """How a question is shown: a template of `canut/questions/widgets` and its values."""

    #: file name of the Jinja template, for example "choice.html"
    template: str
    #: values for the template, in the language asked for, safe to encode as JSON
    data: dict[str, Any]


class Question(Protocol):
    """One question of a step, loaded and checked."""

    @property
    def title(self) -> Localised:
        """What is asked, in one line."""

    def schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of an answer, without `$schema`, so that it can be nested."""

    def normalise(self, raw: Any) -> Any:
        """The answer in its one canonical form, as JSON values.

        Raises `canut.errors.Invalid` with a problem per wrong field. Idempotent.
        """

    def agree(self, left: Any, right: Any) -> float:
        """How far two normalised answers agree: 1 the same, 0 nothing in common; symmetric."""

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """What the answers say, for all tasks at once (vectorised; pure; same result for any
        order of the answers)."""

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> Any:
        """The raw answer that a plain HTML form carries under `name` (`normalise` comes next).

        None where the form says nothing. A question made of others names theirs
        `<name>.<field>`.
        """

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The form fields that carry a normalised answer, to show one that was given before:
        `normalise(from_form(to_form(value)))` is `value`."""

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """How to show the question in this language, as form fields under `name`.

        Of every widget, `data` has at least `name`, `title` and `instructions` (may be "").
        """

    def describe(self, value: Any, locale: str) -> str:
        """A normalised answer in words, for tables and exports a person reads."""


@runtime_checkable
class HasOptions(Protocol):
    """A question whose answers are picked from a list, which may be too long for a page."""

    def options(self, locale: str) -> list[dict[str, Any]]:
        """Every option that can be answered, in order: `value`, `label`, `hint`, `path` (labels
        of what it belongs to, from the outermost) and `synonyms`; to be served once, as JSON."""


@runtime_checkable
class HasClasses(Protocol):
    """A question answered by exactly one of a list, so that confusions can be counted."""

    @property
    def classes(self) -> list[str]:
        """Every value that can be answered, in order."""


@runtime_checkable
class HasGroups(Protocol):
    """A question whose answers fall into groups in which a contributor may be good or bad apart."""

    def group(self, value: Any) -> str:
        """The group of a normalised answer, the same for as long as the definition is."""


@runtime_checkable
class Weighs(Protocol):
    """A question whose `aggregate` heeds `Answers.weight` itself."""

    @property
    def weighs(self) -> bool:
        """Whether it does."""


class QuestionType(Protocol):
    """A kind of question: what a plug-in registers."""

    @property
    def name(self) -> str:
        """The `type` of a definition, and the name of the entry point."""

    def load(self, definition: Mapping[str, Any]) -> Question:
        """Read a `[step.question]` table; raises `Invalid` with a problem per wrong field.

        `definition["type"]` is the type's name; texts may be `Localised`; `title` is required,
        `instructions` may be given; a key the type does not know is a problem. Problems name
        their field by its path from the table: "question.options[3].value".
        """

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """A definition and at least three valid raw answers to it, two of them different;
        the conformance kit and the docs run on them."""
