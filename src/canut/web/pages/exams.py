"""Exams for people: what is open and why, one question at a time, and what came of it."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from markupsafe import Markup

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, NotFound, Problem
from canut.quality.exams import sitting as exams
from canut.quality.exams import store_watch as store_exam_watch
from canut.quality.exams.values import Exam, ExamQuestion, ExamStep, Result
from canut.quality.exams.words import WHY, sentences
from canut.quality.figures import Locale
from canut.questions.base import HasOptions, localise
from canut.web.api.common import in_thread
from canut.web.api.exams import SEED_BITS
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.i18n import N_
from canut.web.kept import OptionList
from canut.web.pages.forms import whole_number
from canut.web.pages.guide import to_html
from canut.web.pages.items import shown_fields
from canut.web.pages.options import found_options, listed_options
from canut.web.pages.pictures import private_pictures
from canut.web.pages.render import go, locale_of
from canut.web.pages.screen import ANSWER, named_questions
from canut.web.pages.view import now_ms, show, told
from canut.web.pages.work import read_form

CONTRIBUTORS = requires("contributor")
OPERATORS = requires("operator")
#: exams on a page of operators
PAGE = 50
#: state of an exam -> its name for people
STATES: dict[str, str] = {
    "running": N_("begun"),
    "passed": N_("passed"),
    "failed": N_("not passed"),
    "abandoned": N_("abandoned"),
}

Form = Mapping[str, Sequence[str]]


@get("/exams", opt=CONTRIBUTORS, include_in_schema=False)
async def list_exams(request: WebRequest) -> Response[str]:
    """Exams open to the contributor, and those taken."""
    return await _list(request)


@post("/exams", opt=CONTRIBUTORS, include_in_schema=False)
async def start(request: WebRequest) -> Response[Any]:
    """Begin one, or go on with it."""
    form, who = await read_form(request), principal(request).contributor()
    process = whole_number(_first(form, "process")) or 0
    step, seed = _first(form, "step"), secrets.randbits(SEED_BITS)
    try:
        begun = await in_thread(
            request, lambda conn: exams.start(conn, who, process, step, seed, now_ms())
        )
    except CanutError as error:
        return await _list(request, error)
    return go(f"/exams/{begun.id}")


@get("/exams/{exam_id:int}", opt=CONTRIBUTORS, include_in_schema=False)
async def show_exam(request: WebRequest, exam_id: FromPath[int]) -> Response[str]:
    """The question that waits for an answer; when there is none, the result."""
    return await _screen(request, exam_id)


@post("/exams/{exam_id:int}/answer", opt=CONTRIBUTORS, include_in_schema=False)
async def answer(request: WebRequest, exam_id: FromPath[int]) -> Response[Any]:
    """Hand in the answer to a question."""
    form, who = await read_form(request), principal(request).contributor()
    number = whole_number(_first(form, "number")) or 0

    def take(conn: SyncConn) -> None:
        step = exams.find_step(conn, exams.find(conn, who, exam_id))
        raw = step.question.from_form(form, ANSWER)
        exams.answer(conn, who, exam_id, [(number, raw)], now_ms())

    try:
        await in_thread(request, take)
    except Invalid as error:
        problems = error.problems or [Problem(error.message, error.mend)]
        return await _screen(request, exam_id, status=422, given=form, problems=problems)
    return go(f"/exams/{exam_id}")


@get("/exams/{exam_id:int}/options.json", opt=CONTRIBUTORS, include_in_schema=False)
async def options_json(
    request: WebRequest, exam_id: FromPath[int], name: FromQuery[str] = ANSWER
) -> Response[bytes]:
    """Every option of one question of an exam."""
    return listed_options(request, await _options(request, exam_id, name))


@get("/exams/{exam_id:int}/options", opt=CONTRIBUTORS, include_in_schema=False)
async def options_page(
    request: WebRequest,
    exam_id: FromPath[int],
    name: FromQuery[str] = ANSWER,
    q: FromQuery[str] = "",
) -> Response[str]:
    """Look for an option without a script."""
    listed = await _options(request, exam_id, name)
    return found_options(request, await asyncio.to_thread(lambda: listed.search), name, q)


async def _options(request: WebRequest, exam_id: int, name: str) -> OptionList:
    who = principal(request).contributor()

    def read(conn: SyncConn) -> tuple[int, ExamStep]:
        exam = exams.find(conn, who, exam_id)
        return exam.step_id, exams.find_step(conn, exam)

    step_id, step = await in_thread(request, read)
    question = dict(named_questions(step.question)).get(name)
    if not isinstance(question, HasOptions):
        raise NotFound("This question has no options.")
    # steps of versions beside steps of batches, which count from 1 as well
    return house(request).kept.option_list(-step_id, name, locale_of(request), question)


@get("/operator/exams", opt=OPERATORS, include_in_schema=False)
async def everybodys(request: WebRequest, before: FromQuery[int] = 0) -> Response[str]:
    """Exams of all contributors, and what came of them."""
    return await _everybodys(request, before)


@post("/operator/exams/{exam_id:int}", opt=OPERATORS, include_in_schema=False)
async def allow(
    request: WebRequest, exam_id: FromPath[int], before: FromQuery[int] = 0
) -> Response[Any]:
    """Let somebody try again at once."""
    by = principal(request)
    try:
        await in_thread(request, lambda conn: exams.allow_retake(conn, by, exam_id, now_ms()))
    except CanutError as error:
        return await _everybodys(request, before, error)
    return go(f"/operator/exams?before={before}")


async def _list(request: WebRequest, error: CanutError | None = None) -> Response[str]:
    who, locale, now = principal(request).contributor(), _locale(request), now_ms()
    offers, taken = await in_thread(
        request, lambda conn: (exams.list_open(conn, who), exams.taken(conn, who))
    )
    rules = [exams.rules_of(offer) for offer in offers]
    open_ = [
        {"offer": offer, "rules": rule, "ready": rule.most >= rule.clean,
         "wait": offer.retake_ms is not None and offer.retake_ms > now}
        for offer, rule in zip(offers, rules, strict=True)
    ]  # fmt: skip
    values: dict[str, Any] = {"open": open_, "taken": taken, "why": WHY[locale], "states": STATES}
    problems = told(request, _problems(error))
    return show(
        request, "exams/list.html", status=422 if error else 200, problems=problems, **values
    )


async def _screen(
    request: WebRequest,
    exam_id: int,
    *,
    status: int = 200,
    given: Form | None = None,
    problems: Sequence[Problem] = (),
) -> Response[str]:
    who = principal(request).contributor()

    def read(conn: SyncConn) -> tuple[list[ExamQuestion], Result, ExamStep]:
        # asking may end the exam, so it comes before the result
        asked = exams.questions(conn, who, exam_id, 1, now_ms())
        found = exams.result(conn, who, exam_id)
        return asked, found, exams.find_step(conn, found.exam)

    asked, found, step = await in_thread(request, read)
    title = localise(step.definition.title, locale_of(request))
    if not asked:
        lines = sentences(found, _locale(request))
        ended: dict[str, Any] = {
            "result": found,
            "exam": found.exam,
            "lines": lines,
            "step_title": title,
        }
        return show(request, "exams/result.html", now=now_ms(), **ended)
    private = await private_pictures(request, step.client_id)
    values = _question_values(request, found.exam, asked[0], step, given or {}, problems)
    values["fields"] = shown_fields(
        step.item.fields,
        asked[0].item,
        step.process_slug,
        locale_of(request),
        private,
        step.definition.about,
    )
    values |= {"answered": found.verdict.answered, "step_title": title}
    return show(request, "exams/question.html", status=status, **values)


def _question_values(
    request: WebRequest,
    exam: Exam,
    asked: ExamQuestion,
    step: ExamStep,
    given: Form,
    problems: Sequence[Problem],
) -> dict[str, Any]:
    locale, kept = locale_of(request), house(request).kept
    widget = step.question.widget(locale, ANSWER)
    said = told(request, problems, ANSWER)
    names = {name for name, _ in named_questions(step.question)}
    text = step.definition.instructions
    markdown = localise(text, locale) if text else ""
    guide = markdown and (
        kept.guides.get(markdown) or kept.guides.keep(markdown, to_html(markdown))
    )
    return {
        "exam": exam,
        "asked": asked,
        "widget": widget.template,
        "data": widget.data,
        "given": given,
        "problems": said,
        "stray": [problem for problem in said if problem.field not in names],
        "options_at": f"/exams/{exam.id}",
        "instructions": Markup(guide),  # noqa: S704 - cleaned by `to_html`
    }


async def _everybodys(
    request: WebRequest, before: int, error: CanutError | None = None
) -> Response[str]:
    start = before or 2**63 - 1
    found = await in_thread(
        request, lambda conn: store_exam_watch.everybodys(conn, start, PAGE + 1)
    )
    older = found[PAGE - 1].id if len(found) > PAGE else None
    values: dict[str, Any] = {"exams": found[:PAGE], "older": older, "before": before}
    problems = told(request, _problems(error))
    status = 422 if error else 200
    return show(
        request,
        "operator/exams.html",
        status=status,
        problems=problems,
        now=now_ms(),
        states=STATES,
        **values,
    )


def _problems(error: CanutError | None) -> list[Problem]:
    return (error.problems or [Problem(error.message, error.mend)]) if error else []


def _locale(request: WebRequest) -> Locale:
    return "fr" if locale_of(request) == "fr" else "en"


def _first(form: Form, name: str) -> str:
    return next(iter(form.get(name, [])), "")


ROUTES: list[Any] = [
    list_exams,
    start,
    show_exam,
    answer,
    options_json,
    options_page,
    everybodys,
    allow,
]
