"""The values of exams."""

from typing import Any, Literal

from msgspec import Struct

from canut.processes.model import ItemShape, StepDefinition
from canut.quality.exams.rules import Rules, Verdict
from canut.questions.base import Localised, Question

ExamState = Literal["running", "passed", "failed", "abandoned"]
#: what became of an answer: accepted (also when it was sent before), conflict (another answer to
#: that question stands), unknown (that question was not asked), ended (the exam was over)
AnswerOutcome = Literal["accepted", "conflict", "unknown", "ended"]


class OpenExam(Struct, frozen=True):
    """An exam that a contributor may take, now or later."""

    process_id: int
    process_slug: str
    title: Localised
    step_id: int
    step_slug: str
    step_title: Localised
    #: the share of right answers that passing proves
    level: float
    #: gold that this contributor could be asked about
    available: int
    #: exams at the step that were not passed
    failures: int
    #: not before this moment
    retake_ms: int | None
    #: one that goes on
    exam_id: int | None


class Exam(Struct, frozen=True):
    """An exam of a contributor."""

    id: int
    contributor_id: int
    process_id: int
    process_slug: str
    step_slug: str
    step_title: Localised
    step_id: int
    seed: int
    state: ExamState
    rules: Rules
    #: None while it runs
    verdict: Verdict | None
    started_ms: int
    seen_ms: int
    ended_ms: int | None
    retake_ms: int | None
    corrected_ms: int | None


class ExamStep(Struct, frozen=True):
    """The question of an exam, ready for use."""

    process_slug: str
    #: whose process it is; None: everybody's
    client_id: int | None
    definition: StepDefinition
    item: ItemShape
    question: Question

    def visible(self, payload: dict[str, Any]) -> dict[str, Any]:
        """What a contributor may see of an item."""
        return {
            field.name: payload[field.name]
            for field in self.item.fields
            if field.show and not field.personal and field.name in payload
        }


class Asked(Struct, frozen=True):
    """A question of an exam as it stands in the database."""

    gold_id: int
    #: from 1, in the order of asking
    place: int
    payload: dict[str, Any]
    #: the right answer
    right: Any
    #: what was answered; None: nothing yet
    value: Any
    agreement: float | None
    shown_ms: int
    answered_ms: int | None
    #: the gold is still in use
    active: bool


class ExamQuestion(Struct, frozen=True):
    """A question as its contributor gets it."""

    #: from 1
    number: int
    #: what may be seen of the item
    item: dict[str, Any]
    shown_ms: int


class Mistakes(Struct, frozen=True):
    """Mistakes of one kind; never which question, and never the right answer."""

    #: field, too_high, too_low, left_out, too_many, group
    kind: str
    #: title of the field, or of the group of options that was answered
    about: Localised
    count: int


class Result(Struct, frozen=True):
    """Where an exam stands, and what it showed."""

    exam: Exam
    verdict: Verdict
    #: questions asked and not answered yet
    open: int
    mistakes: list[Mistakes]
