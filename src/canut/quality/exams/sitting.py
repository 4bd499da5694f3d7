"""Exams: the same for people and agents, on gold drawn at random, as long as it takes to be clear.

Every question and answer is stored as it happens; a server that dies loses nothing, and an exam
goes on where it was. Results count the answers in the order in which the questions were asked, up
to the first that is open: to leave out the hard ones helps nobody.
"""

from collections.abc import Sequence
from typing import Any

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.people.model import Principal
from canut.people.store.log import audit_sync
from canut.quality.exams import store
from canut.quality.exams import store_watch as store_exam_watch
from canut.quality.exams.grant import grant
from canut.quality.exams.mistakes import mistakes
from canut.quality.exams.rules import Rules, Verdict, retake_ms, verdict
from canut.quality.exams.values import (
    AnswerOutcome,
    Asked,
    Exam,
    ExamQuestion,
    ExamStep,
    OpenExam,
    Result,
)

#: questions that may be open at once
OPEN_MAX = 20
#: an exam at which nothing happened for so long is abandoned
IDLE_MS = 86_400_000


def list_open(conn: SyncConn, contributor_id: int) -> list[OpenExam]:
    """What this contributor may be examined in, now or later."""
    return store.open_exams(conn, contributor_id)


def start(
    conn: SyncConn, contributor_id: int, process_id: int, step_slug: str, seed: int, now_ms: int
) -> Exam:
    """Begin an exam, or go on with the one that was begun. `seed` is a random number below 2^62.

    Raises `NotFound` where no exam is open to the contributor, `Conflict` where they must wait or
    there is too little gold they have not seen.
    """
    with conn.transaction():
        for step in store.open_exams(conn, contributor_id):
            if (step.process_id, step.step_slug) == (process_id, step_slug):
                return _start(conn, contributor_id, step, seed, now_ms)
    raise NotFound("There is no such exam, or it is not open to you.", mend="list the exams first")


def _start(conn: SyncConn, contributor_id: int, step: OpenExam, seed: int, now_ms: int) -> Exam:
    if step.exam_id is not None:
        found = store.one(conn, step.exam_id, contributor_id)
        assert found is not None
        return found
    if step.retake_ms is not None and step.retake_ms > now_ms:
        raise Conflict(
            "You took this exam a short while ago.",
            mend="wait until the day it says, or ask an operator",
        )
    rules = rules_of(step)
    if rules.most < rules.clean:
        raise Conflict(
            "There are too few questions that you have not seen.",
            mend="ask an operator to add gold to the step",
        )
    return store.begin(conn, contributor_id, step, seed, rules, now_ms)


def rules_of(step: OpenExam) -> Rules:
    """How an exam at this step would be judged."""
    usual = Rules(step.level)
    return Rules(step.level, most=min(usual.most, step.available))


def find(conn: SyncConn, contributor_id: int, exam_id: int) -> Exam:
    """An exam of this contributor. Raises `NotFound`."""
    found = store.one(conn, exam_id, contributor_id)
    if found is None:
        raise NotFound("There is no such exam, or it is not yours to see.")
    return found


def taken(conn: SyncConn, contributor_id: int) -> list[Result]:
    """This contributor's exams, the newest first (at most 100); without the kinds of mistakes."""
    found = store.of_contributor(conn, contributor_id)
    return [Result(one, _said(conn, one), 0, []) for one in found]


def _said(conn: SyncConn, exam: Exam) -> Verdict:
    if exam.verdict is not None:
        return exam.verdict
    return Verdict("more", len(_counted(store.asked(conn, exam.id))), 0, 0.0)


def find_step(conn: SyncConn, exam: Exam) -> ExamStep:
    """What the exam asks about each item."""
    return store.step(conn, exam.step_id)


def questions(
    conn: SyncConn, contributor_id: int, exam_id: int, count: int, now_ms: int
) -> list[ExamQuestion]:
    """Up to `count` questions that wait for an answer: those asked before, then new ones. None
    where the exam is over. Raises `NotFound`, `Invalid` for a count outside 1..OPEN_MAX."""
    if not 1 <= count <= OPEN_MAX:
        raise Invalid(f"An exam asks 1 to {OPEN_MAX} questions at a time, not {count}.")
    with conn.transaction():
        exam = _held(conn, contributor_id, exam_id)
        if exam.state != "running":
            return []
        rows = _drawn(conn, exam, count, now_ms)
        waiting = [row for row in rows if row.answered_ms is None and row.active]
        if not waiting:
            _conclude(conn, exam, rows, now_ms, spent=True)
        store.seen(conn, exam.id, now_ms)
        step = store.step(conn, exam.step_id)
    return [ExamQuestion(q.place, step.visible(q.payload), q.shown_ms) for q in waiting[:count]]


def _drawn(conn: SyncConn, exam: Exam, count: int, now_ms: int) -> list[Asked]:
    """Every question so far, with new ones where fewer than `count` wait. What gold that was
    retired meanwhile took away is made up for."""
    rows = store.asked(conn, exam.id)
    waiting = sum(row.answered_ms is None and row.active for row in rows)
    room = exam.rules.most - sum(row.active for row in rows)
    wanted = min(count - waiting, room)
    if wanted > 0 and store.draw(conn, exam, rows[-1].place if rows else 0, wanted, now_ms):
        rows = store.asked(conn, exam.id)
    return rows


def answer(
    conn: SyncConn,
    contributor_id: int,
    exam_id: int,
    answers: Sequence[tuple[int, Any]],
    now_ms: int,
) -> list[AnswerOutcome]:
    """Hand in raw answers as (number of the question, value); outcomes in the same order. Safe to
    repeat. Nothing is stored unless every answer is valid: raises `Invalid` with a problem per
    wrong field, its `row` the place of the answer (from 1); `NotFound`."""
    with conn.transaction():
        exam = _held(conn, contributor_id, exam_id)
        step = store.step(conn, exam.step_id)
        values = _checked(step, answers)
        rows = {row.place: row for row in store.asked(conn, exam.id)}
        outcomes = [_outcome(exam, rows.get(number), value) for number, value in values]
        new = {
            number: value
            for (number, value), outcome in zip(values, outcomes, strict=True)
            if outcome == "accepted" and rows[number].answered_ms is None
        }
        if new:
            agree = step.question.agree
            marks = [(n, value, agree(value, rows[n].right)) for n, value in new.items()]
            store.answer(conn, exam.id, marks, now_ms)
            store.seen(conn, exam.id, now_ms)
            _conclude(conn, exam, store.asked(conn, exam.id), now_ms)
    return outcomes


def pass_by(
    conn: SyncConn, contributor_id: int, exam_id: int, numbers: Sequence[int], now_ms: int
) -> None:
    """An agent has no answer to these questions. Each counts as a wrong one: else the hard ones
    could be left out."""
    with conn.transaction():
        exam = _held(conn, contributor_id, exam_id)
        rows = {row.place: row for row in store.asked(conn, exam.id)}
        marks = [(n, None, 0.0) for n in numbers if n in rows and rows[n].answered_ms is None]
        if marks and exam.state == "running":
            store.answer(conn, exam.id, marks, now_ms)
            store.seen(conn, exam.id, now_ms)
            _conclude(conn, exam, store.asked(conn, exam.id), now_ms)


def _checked(step: ExamStep, answers: Sequence[tuple[int, Any]]) -> list[tuple[int, Any]]:
    if not 1 <= len(answers) <= OPEN_MAX:
        raise Invalid(f"Hand in 1 to {OPEN_MAX} answers at a time, not {len(answers)}.")
    checked: list[tuple[int, Any]] = []
    problems: list[Problem] = []
    for row, (number, raw) in enumerate(answers, start=1):
        try:
            if any(number == other for other, _ in checked):
                raise Invalid(f"Question {number} is there twice.", mend="send one answer each")
            checked.append((number, step.question.normalise(raw)))
        except Invalid as error:
            found = error.problems or [Problem(error.message, mend=error.mend)]
            problems += [Problem(p.message, p.mend, row=row, field=p.field) for p in found]
    if problems:
        raise Invalid("The answer is not valid.", problems=problems)
    return checked


def _outcome(exam: Exam, row: Asked | None, value: Any) -> AnswerOutcome:
    if row is None:
        return "unknown"
    if row.answered_ms is not None:
        return "accepted" if row.value == value else "conflict"
    return "accepted" if exam.state == "running" else "ended"


def result(conn: SyncConn, contributor_id: int, exam_id: int) -> Result:
    """Where the exam stands, and what it showed. Raises `NotFound`."""
    exam = find(conn, contributor_id, exam_id)
    rows = store.asked(conn, exam.id)
    said = exam.verdict or judged(rows, exam.rules)
    waiting = sum(row.answered_ms is None and row.active for row in rows)
    if exam.state == "running":
        # how the answers were so far is told at the end: it would tell which of them were right
        return Result(exam, Verdict("more", said.answered, 0, 0.0), waiting, [])
    question = store.step(conn, exam.step_id).question
    counted = _counted(rows)[: said.answered]
    wrong = [
        (row.value, row.right) for row in counted if (row.agreement or 0) < exam.rules.right_from
    ]
    return Result(exam, said, 0, mistakes(question, wrong, len(counted)))


def judged(rows: Sequence[Asked], rules: Rules, *, spent: bool = False) -> Verdict:
    """What the answers to these questions show; with `spent` there are no more to ask."""
    right = [(row.agreement or 0) >= rules.right_from for row in _counted(rows)]
    found = verdict(right, rules)
    if spent and found.state == "more":
        return Verdict("failed", found.answered, found.right, found.proved, spent=True)
    return found


def _counted(rows: Sequence[Asked]) -> list[Asked]:
    """Answers in the order of their questions, up to the first open one; without retired gold."""
    counted: list[Asked] = []
    for row in rows:
        if row.active and row.answered_ms is None:
            break
        if row.active:
            counted.append(row)
    return counted


def _conclude(
    conn: SyncConn, exam: Exam, rows: Sequence[Asked], now_ms: int, *, spent: bool = False
) -> None:
    said = judged(rows, exam.rules, spent=spent)
    if said.state == "passed":
        store.end(conn, exam.id, "passed", said, None, now_ms)
        grant(conn, exam, said, now_ms)
    elif said.state == "failed":
        _end_unpassed(conn, exam, "failed", said, now_ms)


def abandon_idle(conn: SyncConn, now_ms: int, limit: int = 1000) -> int:
    """End exams that nobody went on with; how many."""
    with conn.transaction():
        idle = store.idle(conn, now_ms - IDLE_MS, limit)
        for exam in idle:
            said = judged(store.asked(conn, exam.id), exam.rules)
            _end_unpassed(conn, exam, "abandoned", said, now_ms)
    return len(idle)


def _end_unpassed(conn: SyncConn, exam: Exam, state: str, said: Verdict, now_ms: int) -> None:
    again = retake_ms(now_ms, store.failures(conn, exam) + 1)
    store.end(conn, exam.id, state, said, again, now_ms)


def allow_retake(conn: SyncConn, who: Principal, exam_id: int, now_ms: int) -> None:
    """Let the contributor of this exam take the next one at once (operators). Raises `Conflict`
    where there is nothing to wait for."""
    with conn.transaction():
        if not store_exam_watch.allow(conn, exam_id, now_ms):
            raise Conflict("There is nothing to allow: no wait is running for this exam.")
        audit_sync(conn, who, "allow.exam", "exam", exam_id)


def _held(conn: SyncConn, contributor_id: int, exam_id: int) -> Exam:
    found = store.one(conn, exam_id, contributor_id, hold=True)
    if found is None:
        raise NotFound("There is no such exam, or it is not yours to see.")
    return found
