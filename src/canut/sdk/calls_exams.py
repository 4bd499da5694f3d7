"""The calls of exams and gold; see `canut.sdk.calls`."""

from collections.abc import Iterable, Sequence
from typing import Any

from canut.sdk import values as v
from canut.sdk.call import Call, get, post


def exams() -> Call[v.Exams]:
    """Exams open to you and why, and those you have taken."""
    return get("exams", v.Exams)


def start(process_id: int, step: str) -> Call[v.Exam]:
    """Begin an exam; again, it is the one you have begun."""
    body = v.NewExam(process_id, step)
    return post("exams", v.Exam, body)


def topic(exam: int) -> Call[v.ExamTopic]:
    """What the exam asks about each item, and the shape of an answer."""
    return get(f"exams/{exam}/topic", v.ExamTopic)


def options(exam: int, *, locale: str = "en") -> Call[v.Options]:
    """Every option of the exam's question."""
    query = {"locale": locale}
    return get(f"exams/{exam}/options", v.Options, query)


def questions(exam: int, count: int = 1) -> Call[v.ExamQuestions]:
    """Up to `count` (at most 20) questions that wait for your answer; none when it is over."""
    body = v.AskQuestions(count=count)
    reply = v.ExamQuestions
    return post(f"exams/{exam}/questions", reply, body)


def answer(exam: int, answers: Iterable[tuple[int, Any]]) -> Call[v.ExamAnswered]:
    """Answer questions, as (number, value); safe to repeat."""
    body = v.ExamAnswers([v.ExamAnswer(number, value) for number, value in answers])
    reply = v.ExamAnswered
    return post(f"exams/{exam}/answers", reply, body)


def result(exam: int) -> Call[v.Exam]:
    """Where the exam stands; once it is over, what it showed."""
    return get(f"exams/{exam}", v.Exam)


def gold(
    process: str,
    step: str,
    *,
    client: int | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[v.Page[v.Gold]]:
    """Gold of a step, the newest first."""
    query = {"process": process, "step": step, "client": client, "limit": limit, "cursor": cursor}
    return get("gold", v.Page[v.Gold], query)


def add_gold(
    process: str, step: str, rows: Sequence[v.GoldRow], *, client: int | None = None
) -> Call[v.GoldImported]:
    """Add gold; all of it or, where one row is wrong, none."""
    body = v.NewGold(process, step, list(rows), client)
    reply = v.GoldImported
    return post("gold", reply, body)


def retire_gold(gold: int, reason: str) -> Call[v.Gold]:
    """Take gold out of use."""
    body = v.RetireGold(reason)
    return post(f"gold/{gold}/retire", v.Gold, body)
