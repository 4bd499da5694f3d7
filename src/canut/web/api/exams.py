"""Exams: the same for agents here as for people on the pages. What is asked in one, and the
answers, are in `exam_questions`."""

import secrets

from litestar import get, post

from canut.db.pool import SyncConn
from canut.quality.exams import sitting as exams
from canut.quality.exams.values import OpenExam, Result
from canut.quality.exams.words import WHY, sentences
from canut.quality.figures import Locale
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.reading import Reader
from canut.web.api.replying import Json, reply
from canut.web.auth import WebRequest, principal

NEW = Reader(v.NewExam)
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


@get(f"{PREFIX}/exams", opt=described(LIST_OP))
async def list_exams(request: WebRequest) -> Json:
    """Exams of the contributor who asks."""
    who = principal(request).contributor()

    def read(conn: SyncConn) -> v.Exams:
        return v.Exams(
            [_offer(one) for one in exams.list_open(conn, who)],
            [exam_value(one) for one in exams.taken(conn, who)],
        )

    return reply(await in_thread(request, read))


@post(f"{PREFIX}/exams", opt=described(START_OP), status_code=200)
async def start(request: WebRequest) -> Json:
    """Begin an exam."""
    new = await NEW.read(request)
    who, seed = principal(request).contributor(), secrets.randbits(SEED_BITS)

    def begin(conn: SyncConn) -> v.Exam:
        begun = exams.start(conn, who, new.process_id, new.step, seed, now_ms())
        return exam_value(exams.result(conn, who, begun.id))

    return reply(await in_thread(request, begin))


@get(f"{PREFIX}/exams/{{id:str}}", opt=described(RESULT_OP))
async def result(request: WebRequest) -> Json:
    """Where an exam stands."""
    who, id = principal(request).contributor(), number(request)
    return reply(await in_thread(request, lambda conn: exam_value(exams.result(conn, who, id))))


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


def exam_value(result: Result) -> v.Exam:
    """An exam as it is told: what it showed only once it is over."""
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


ROUTES = [list_exams, start, result]
