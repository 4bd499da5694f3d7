"""Exams: the same for agents here as for people on the pages."""

import secrets

import msgspec
from litestar import get, post

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.quality import exams
from canut.quality.exam_values import OpenExam, Result
from canut.quality.exam_words import WHY, Locale, sentences
from canut.questions.base import HasOptions
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.processes import FIELD, item_field
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, reply
from canut.web.api.work import OptionsQuery
from canut.web.auth import WebRequest, principal

NEW = Reader(v.NewExam)
ASK = Reader(v.AskQuestions)
ANSWERS = Reader(v.ExamAnswers)
LANGUAGES: tuple[Locale, ...] = ("en", "fr")
#: random bits of a seed
SEED_BITS = 62
WHEN_MS = 1_790_000_000_000
EXAM = v.Exam(
    id=31,
    process_id=4,
    process="catalogue/categorise",
    step="category",
    state="passed",
    answered=12,
    open=0,
    most=60,
    level=0.7,
    started_ms=WHEN_MS,
    explanation={
        "en": ["Passed: you may work on this step.", "You had 12 of 12 right."],
        "fr": ["Réussi : vous pouvez travailler à cette étape."],
    },
    right=12,
    proved=0.71,
    ended_ms=WHEN_MS + 600_000,
)
OFFER = v.ExamOffer(
    process_id=4,
    process="catalogue/categorise",
    step="category",
    title={"en": "Categorise products", "fr": "Classer des produits"},
    step_title={"en": "Category", "fr": "Catégorie"},
    level=0.7,
    most=60,
    why=dict(WHY),
    ready=True,
)
QUESTION = v.ExamQuestion(1, {"title": "Bouilloire inox 1,7 L"})

LIST_OP = Operation(
    name="list_exams",
    summary="List exams",
    description="Exams open to you and why, and those you have taken. A step that asks for a "
    "licence has one; passing gives the licence.",
    tag="work",
    scopes=("work",),
    reply=v.Exams,
    reply_example=v.Exams([OFFER], [EXAM]),
)
START_OP = Operation(
    name="start_exam",
    summary="Begin an exam",
    description="Begun again, it is the one you have begun. 409 where you must wait after one that "
    "was not passed, or there are too few questions that you have not seen.",
    tag="work",
    scopes=("work",),
    body=v.NewExam,
    body_example=v.NewExam(4, "category"),
    status=200,
    reply=v.Exam,
    reply_example=EXAM,
    refuses=(400, 404, 409, 415, 422),
)
RESULT_OP = Operation(
    name="get_exam",
    summary="Read an exam",
    description="Where it stands; once it is over, what it showed and what comes next, in words. "
    "The right answers stay secret.",
    tag="work",
    scopes=("work",),
    reply=v.Exam,
    reply_example=EXAM,
    refuses=(404, 422),
)
TOPIC_OP = Operation(
    name="get_exam_topic",
    summary="Read what an exam asks",
    description="The question asked about each item, and the shape of an answer. It never changes.",
    tag="work",
    scopes=("work",),
    reply=v.ExamTopic,
    reply_example=v.ExamTopic(
        exam=31,
        process="catalogue/categorise",
        step="category",
        title={"en": "Category", "fr": "Catégorie"},
        instructions={"en": "Choose by what the product is for."},
        type="choice",
        question={"title": "Which category?", "large": False},
        answer={"type": "string", "enum": ["kettles", "toasters"]},
        item=[FIELD],
        options=f"{PREFIX}/exams/31/options",
    ),
    refuses=(404, 422),
)
OPTIONS_OP = Operation(
    name="get_exam_options",
    summary="List the options of an exam's question",
    description="Every option that can be answered.",
    tag="work",
    scopes=("work",),
    query=OptionsQuery,
    reply=v.Options,
    reply_example=v.Options([v.Option("kettles", "Bouilloires", path=["Cuisine"])]),
    refuses=(404, 422),
)
QUESTIONS_OP = Operation(
    name="ask_exam_questions",
    summary="Get questions of an exam",
    description="Up to `count` questions that wait for your answer: those asked before, then new "
    "ones; none when the exam is over. Answers count in the order of the questions, up to the "
    "first that is open.",
    tag="work",
    scopes=("work",),
    body=v.AskQuestions,
    body_example=v.AskQuestions(count=10),
    status=200,
    reply=v.ExamQuestions,
    reply_example=v.ExamQuestions([QUESTION]),
    refuses=(400, 404, 415, 422),
)
ANSWER_OP = Operation(
    name="answer_exam",
    summary="Answer questions of an exam",
    description="Nothing is stored unless every answer is of the shape asked for. Sending the same "
    "answers again is safe. The exam ends by itself as soon as it is clear.",
    tag="work",
    scopes=("work",),
    body=v.ExamAnswers,
    body_example=v.ExamAnswers([v.ExamAnswer(1, "kettles")]),
    status=200,
    reply=v.ExamAnswered,
    reply_example=v.ExamAnswered([v.ExamAnswerOutcome(1, "accepted")], EXAM),
    refuses=(400, 404, 415, 422),
)


@get(f"{PREFIX}/exams", opt=described(LIST_OP))
async def list_exams(request: WebRequest) -> Json:
    """Exams of the contributor who asks."""
    who = principal(request).contributor()

    def read(conn: SyncConn) -> v.Exams:
        return v.Exams(
            [_offer(one) for one in exams.list_open(conn, who)],
            [_exam(one) for one in exams.taken(conn, who)],
        )

    return reply(await in_thread(request, read))


@post(f"{PREFIX}/exams", opt=described(START_OP), status_code=200)
async def start(request: WebRequest) -> Json:
    """Begin an exam."""
    new = await NEW.read(request)
    who, seed = principal(request).contributor(), secrets.randbits(SEED_BITS)

    def begin(conn: SyncConn) -> v.Exam:
        begun = exams.start(conn, who, new.process_id, new.step, seed, now_ms())
        return _exam(exams.result(conn, who, begun.id))

    return reply(await in_thread(request, begin))


@get(f"{PREFIX}/exams/{{id:str}}", opt=described(RESULT_OP))
async def result(request: WebRequest) -> Json:
    """Where an exam stands."""
    who, id = principal(request).contributor(), number(request)
    return reply(await in_thread(request, lambda conn: _exam(exams.result(conn, who, id))))


@get(f"{PREFIX}/exams/{{id:str}}/topic", opt=described(TOPIC_OP))
async def topic(request: WebRequest) -> Json:
    """What an exam asks."""
    who, id = principal(request).contributor(), number(request)

    def read(conn: SyncConn) -> v.ExamTopic:
        exam = exams.find(conn, who, id)
        step = exams.find_step(conn, exam)
        definition = step.definition
        has_options = isinstance(step.question, HasOptions)
        return v.ExamTopic(
            exam=id,
            process=exam.process_slug,
            step=exam.step_slug,
            title=definition.title,
            instructions=definition.instructions,
            type=definition.question["type"],
            question=msgspec.to_builtins(step.question.widget(LANGUAGES[0]).data),
            answer=step.question.schema(),
            item=[item_field(f) for f in step.item.fields if f.show and not f.personal],
            options=f"{PREFIX}/exams/{id}/options" if has_options else None,
        )

    return reply(await in_thread(request, read))


@get(f"{PREFIX}/exams/{{id:str}}/options", opt=described(OPTIONS_OP))
async def options(request: WebRequest) -> Json:
    """Every option of an exam's question."""
    locale = read_query(request, OptionsQuery).locale
    who, id = principal(request).contributor(), number(request)

    def read(conn: SyncConn) -> v.Options:
        question = exams.find_step(conn, exams.find(conn, who, id)).question
        if not isinstance(question, HasOptions):
            raise NotFound("This question has no options.")
        return v.Options([v.Option(**one) for one in question.options(locale)])

    return reply(await in_thread(request, read))


@post(f"{PREFIX}/exams/{{id:str}}/questions", opt=described(QUESTIONS_OP), status_code=200)
async def questions(request: WebRequest) -> Json:
    """Questions that wait for an answer."""
    asked = await ASK.read(request)
    who, id = principal(request).contributor(), number(request)
    found = await in_thread(
        request, lambda conn: exams.questions(conn, who, id, asked.count, now_ms())
    )
    return reply(v.ExamQuestions([v.ExamQuestion(one.number, one.item) for one in found]))


@post(f"{PREFIX}/exams/{{id:str}}/answers", opt=described(ANSWER_OP), status_code=200)
async def answer(request: WebRequest) -> Json:
    """Answers of the contributor who asks."""
    given = await ANSWERS.read(request)
    who, id = principal(request).contributor(), number(request)
    pairs = [(one.number, one.value) for one in given.answers]

    def take(conn: SyncConn) -> v.ExamAnswered:
        outcomes = exams.answer(conn, who, id, pairs, now_ms())
        told = list(map(v.ExamAnswerOutcome, [n for n, _ in pairs], outcomes))
        return v.ExamAnswered(told, _exam(exams.result(conn, who, id)))

    return reply(await in_thread(request, take))


def _offer(one: OpenExam) -> v.ExamOffer:
    rules = exams.rules_of(one)
    return v.ExamOffer(
        process_id=one.process_id,
        process=one.process_slug,
        step=one.step_slug,
        title=one.title,
        step_title=one.step_title,
        level=one.level,
        most=rules.most,
        why=dict(WHY),
        ready=rules.most >= rules.clean,
        retake_ms=one.retake_ms,
        exam=one.exam_id,
    )


def _exam(result: Result) -> v.Exam:
    exam, said = result.exam, result.verdict
    over = exam.state != "running"
    return v.Exam(
        id=exam.id,
        process_id=exam.process_id,
        process=exam.process_slug,
        step=exam.step_slug,
        state=exam.state,
        answered=said.answered,
        open=result.open,
        most=exam.rules.most,
        level=exam.rules.level,
        started_ms=exam.started_ms,
        explanation={locale: sentences(result, locale) for locale in LANGUAGES},
        right=said.right if over else None,
        proved=said.proved if over else None,
        ended_ms=exam.ended_ms,
        retake_ms=exam.retake_ms,
    )


ROUTES = [list_exams, start, result, topic, options, questions, answer]
