"""What is asked in an exam, and the answers of whoever takes it."""

import msgspec
from litestar import get, post

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.quality.exams import sitting as exams
from canut.questions.base import HasOptions
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.exams import EXAM, LANGUAGES, exam_value
from canut.web.api.processes import FIELD, item_field
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, reply
from canut.web.api.work import OptionsQuery
from canut.web.auth import WebRequest, principal

ASK = Reader(v.AskQuestions)
ANSWERS = Reader(v.ExamAnswers)
QUESTION = v.ExamQuestion(1, {"title": "Bouilloire inox 1,7 L"})

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
        return v.ExamAnswered(told, exam_value(exams.result(conn, who, id)))

    return reply(await in_thread(request, take))


ROUTES = [topic, options, questions, answer]
