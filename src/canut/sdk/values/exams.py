"""Exams, and the gold they are made of."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import Id, ItemField, Text, TimeMs

Number = Annotated[int, Meta(description="Number of the question, from 1.", ge=1, le=10_000)]
Words = Annotated[dict[str, list[str]], Meta(description="In words, by language.")]
ExamState = Literal["running", "passed", "failed", "abandoned"]
#: accepted (also when sent before), or why not: conflict (another answer of yours stands), unknown
#: (it was not asked), ended (the exam was over)
ExamOutcome = Literal["accepted", "conflict", "unknown", "ended"]


class ExamOffer(Struct, frozen=True):
    """An exam open to you, now or later."""

    process_id: Annotated[int, Meta(description="Number of the process, to start with.")]
    process: Annotated[str, Meta(description="Name of the process.")]
    step: str
    title: Text
    step_title: Text
    level: Annotated[float, Meta(description="Share of right answers that passing proves.")]
    most: Annotated[int, Meta(description="Questions at most.")]
    why: Annotated[dict[str, str], Meta(description="Why it is offered, by language.")]
    ready: Annotated[bool, Meta(description="There are enough questions that you have not seen.")]
    retake_ms: Annotated[int | None, Meta(description="Not before.")] = None
    exam: Annotated[int | None, Meta(description="The one that you have begun.")] = None


class Exam(Struct, frozen=True):
    """An exam of yours."""

    id: int
    process_id: int
    process: str
    step: str
    state: ExamState
    answered: Annotated[int, Meta(description="Answers that count so far.")]
    open: Annotated[int, Meta(description="Questions asked and not answered.")]
    most: Annotated[int, Meta(description="Questions at most.")]
    level: Annotated[float, Meta(description="Share of right answers that passing proves.")]
    started_ms: TimeMs
    explanation: Words
    right: Annotated[int | None, Meta(description="Right answers; null while it runs.")] = None
    proved: Annotated[
        float | None,
        Meta(description="You are right so often at least, proved by the exam."),
    ] = None
    ended_ms: int | None = None
    retake_ms: Annotated[int | None, Meta(description="The next one may start then.")] = None


class Exams(Struct, frozen=True):
    """Exams open to you, and those you have taken."""

    open: list[ExamOffer]
    taken: Annotated[list[Exam], Meta(description="Newest first.")]


class NewExam(Struct, frozen=True, forbid_unknown_fields=True):
    """Which exam to begin."""

    process_id: Id
    step: Annotated[str, Meta(max_length=200, examples=["category"])]


class AskQuestions(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How many questions to hold."""

    count: Annotated[int, Meta(description="Questions, 1 to 20.", ge=1, le=20)] = 1


class ExamQuestion(Struct, frozen=True):
    """A question of an exam."""

    number: Number
    item: Annotated[dict[str, Any], Meta(description="What may be seen of the item.")]


class ExamQuestions(Struct, frozen=True):
    """Questions that wait for an answer; none when the exam is over."""

    questions: list[ExamQuestion]


class ExamAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer to a question of an exam."""

    number: Number
    value: Annotated[Any, Meta(description="Of the shape that the exam's `answer` says.")]


class ExamAnswers(Struct, frozen=True, forbid_unknown_fields=True):
    """Answers to hand in; sending them again is safe."""

    answers: Annotated[list[ExamAnswer], Meta(min_length=1, max_length=20)]


class ExamAnswerOutcome(Struct, frozen=True):
    """What became of one answer."""

    number: int
    outcome: ExamOutcome


class ExamAnswered(Struct, frozen=True):
    """What became of each answer, in the order they were sent; and where the exam stands."""

    outcomes: list[ExamAnswerOutcome]
    exam: Exam


class ExamTopic(Struct, frozen=True):
    """What an exam asks about each item. It never changes."""

    exam: int
    process: str
    step: str
    title: Text
    instructions: Annotated[dict[str, str], Meta(description="Markdown by language.")]
    type: Annotated[str, Meta(description="The type of the question.")]
    question: Annotated[dict[str, Any], Meta(description="How to show it: its texts and choices.")]
    answer: Annotated[dict[str, Any], Meta(description="JSON Schema of an answer.")]
    item: Annotated[list[ItemField], Meta(description="The fields that are shown.")]
    options: Annotated[
        str | None, Meta(description="Where every option is, if there are options.")
    ] = None


class Gold(Struct, frozen=True):
    """An item whose right answer is known: a secret of those who hand work over."""

    id: int
    process_id: int
    step: str
    item: dict[str, Any]
    answer: Any
    reference: str
    origin: Annotated[str, Meta(description="process, operator or expert.")]
    state: Literal["active", "retired"]
    cause: Annotated[
        str | None, Meta(description="Why it was retired: edited, leaked, disputed or person.")
    ]
    reason: str
    shown: Annotated[int, Meta(description="Contributors it was shown to.")]
    answered: int
    right: Annotated[int, Meta(description="Answers that were right.")]
    created_ms: TimeMs
    retired_ms: int | None = None


class GoldRow(Struct, frozen=True, forbid_unknown_fields=True):
    """An item with its right answer."""

    item: Annotated[dict[str, Any], Meta(description="Of the shape of the process.")]
    answer: Annotated[Any, Meta(description="Of the shape of the step's answers.")]
    reference: Annotated[
        str, Meta(description="A name; gold of the same name is replaced.", max_length=200)
    ] = ""


class NewGold(Struct, frozen=True, forbid_unknown_fields=True):
    """Gold for a step of a process of yours."""

    process: Annotated[str, Meta(max_length=200, examples=["catalogue/categorise"])]
    step: Annotated[str, Meta(max_length=200, examples=["category"])]
    gold: Annotated[list[GoldRow], Meta(min_length=1, max_length=20_000)]
    client: Annotated[
        Id | None, Meta(description="Whose process, if you act for several; operators: nobody's.")
    ] = None


class GoldImported(Struct, frozen=True):
    """What became of gold that was sent."""

    added: int
    known: Annotated[int, Meta(description="There already.")]
    replaced: Annotated[int, Meta(description="Retired, for its name says something else now.")]


class RetireGold(Struct, frozen=True, forbid_unknown_fields=True):
    """Why gold is taken out of use."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, examples=["Two answers fit."])]
