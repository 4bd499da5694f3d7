"""Exams from start to licence: what is asked, what is stored, what it leads to."""

import random
from collections.abc import Callable

import msgspec
import psycopg
import pytest

from canut.errors import Conflict, Invalid, NotFound
from canut.people.store import COMMAND_LINE
from canut.processes.model import StepDefinition
from canut.quality.exams import sitting as exams
from canut.quality.exams.mistakes import mistakes
from canut.quality.exams.rules import DAY_MS
from canut.quality.exams.values import Exam, Mistakes
from canut.quality.exams.words import sentences
from canut.quality.gold import pool as gold_pool
from canut.questions.registry import load_question
from tests import factories as make
from tests.factories import NOW
from tests.quality.test_gold import gold_of
from tests.quality.test_gold import right as right_of_task

COLOURS = ("red", "green", "blue")


def examined(
    conn: psycopg.Connection, golds: int = 100, step: StepDefinition | None = None
) -> make.Work:
    """A batch whose step asks for a licence, with gold."""
    work = make.work(conn, step or make.step(licence=True, min_answers=3), items=100)
    gold_of(conn, work, golds)
    return work


def begun(
    conn: psycopg.Connection, work: make.Work, who: int, at: int = NOW, seed: int = 7
) -> Exam:
    return exams.start(conn, who, work.process_id, "colour", seed, at)


def sit(
    conn: psycopg.Connection,
    exam: Exam,
    right: Callable[[int], bool],
    count: int = 1,
    at: int = NOW,
    most: int = 100,
) -> Exam:
    """Answer question after question until the exam is over, or `most` are answered."""
    who, done = exam.contributor_id, 0
    while done < most and (
        asked := exams.questions(conn, who, exam.id, min(count, most - done), at)
    ):
        answers = []
        for question in asked:
            colour = COLOURS[int(question.item["title"].split()[1]) % 3]
            wrong = COLOURS[(COLOURS.index(colour) + 1) % 3]
            answers.append((question.number, colour if right(question.number) else wrong))
        assert set(exams.answer(conn, who, exam.id, answers, at)) <= {"accepted", "ended"}
        done += len(answers)
    return exams.find(conn, who, exam.id)


def licences(conn: psycopg.Connection, who: int) -> int:
    return int(
        make.one(
            conn,
            "select count(*) from licence where contributor_id = %s and ended_ms is null",
            who,
        )
    )


def test_passing_opens_the_work(db: psycopg.Connection) -> None:
    """Before it no task can be claimed, afterwards it can; twelve right answers are enough."""
    work, who = examined(db), make.contributor(db)
    assert make.claim(db, who) == []
    [offered] = exams.list_open(db, who)
    assert (offered.level, offered.failures, offered.exam_id) == (0.7, 0, None)
    done = sit(db, begun(db, work, who), lambda number: True)
    assert (done.state, done.retake_ms) == ("passed", None)
    assert done.verdict is not None
    assert (done.verdict.answered, done.verdict.right) == (12, 12)
    assert done.verdict.proved >= 0.7
    assert licences(db, who) == 1
    assert exams.list_open(db, who) == []
    assert len(make.claim(db, who)) == 1


def test_the_same_seed_asks_the_same(db: psycopg.Connection) -> None:
    """Questions are drawn by the stored seed: anybody can draw them again; another seed asks
    others. Agents who take many at a time are asked the same as people who take one."""
    work = examined(db)
    asked = []
    for seed, count in ((7, 1), (7, 10), (8, 10)):
        who = make.contributor(db)
        exam = begun(db, work, who, seed=seed)
        sit(db, exam, lambda number: True, count)
        rows = db.execute(
            "select gold_id from gold_answer where exam_id = %s order by place limit 10", [exam.id]
        )
        asked.append([row[0] for row in rows])
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]


def test_what_a_result_says(db: psycopg.Connection) -> None:
    """Failing ends early, says how many were right and what was proved, in both languages; never
    an answer. The wait for the next grows, and an operator may lift it."""
    work, who = examined(db, 120), make.contributor(db)
    failed = sit(db, begun(db, work, who), lambda number: number % 2 == 0)
    assert failed.state == "failed"
    assert failed.verdict is not None
    assert failed.verdict.answered < 10
    assert failed.retake_ms == NOW + DAY_MS
    said = exams.result(db, who, failed.id)
    english, french = sentences(said, "en"), sentences(said, "fr")
    assert f"You had {said.verdict.right} of {said.verdict.answered} right." in english
    assert len(french) == len(english)
    assert not any(colour in " ".join(english + french) for colour in COLOURS)
    with pytest.raises(Conflict):
        begun(db, work, who, NOW + DAY_MS - 1)
    again = sit(db, begun(db, work, who, NOW + DAY_MS), lambda n: n > 3, at=NOW + DAY_MS)
    assert again.retake_ms == NOW + 4 * DAY_MS
    exams.allow_retake(db, COMMAND_LINE, again.id, NOW + DAY_MS)
    with pytest.raises(Conflict):
        exams.allow_retake(db, COMMAND_LINE, again.id, NOW + DAY_MS)
    third = begun(db, work, who, NOW + DAY_MS)
    assert third.state == "running"
    repeats = db.execute(
        "select gold_id from gold_answer where contributor_id = %s group by 1 having count(*) > 1",
        [who],
    ).fetchall()
    assert repeats == []


def test_an_exam_goes_on_where_it_was(db: psycopg.Connection) -> None:
    """Begun again it is the same one; questions asked are asked again, answers sent again are the
    same answers, and another answer to the same question does not count."""
    work, who = examined(db), make.contributor(db)
    exam = begun(db, work, who)
    [first] = exams.questions(db, who, exam.id, 1, NOW)
    assert begun(db, work, who, seed=99) == exams.find(db, who, exam.id)
    assert exams.questions(db, who, exam.id, 1, NOW + 5) == [first]
    assert exams.answer(db, who, exam.id, [(1, "red"), (2, "red")], NOW) == ["accepted", "unknown"]
    assert exams.answer(db, who, exam.id, [(1, "red")], NOW) == ["accepted"]
    assert exams.answer(db, who, exam.id, [(1, "blue")], NOW) == ["conflict"]
    [shown, answered] = db.execute(
        "select shown_ms, answered_ms from gold_answer where exam_id = %s", [exam.id]
    ).fetchone()
    assert (shown, answered) == (NOW, NOW)
    with pytest.raises(Invalid) as refused:
        exams.answer(db, who, exam.id, [(1, "red"), (2, "mauve")], NOW)
    assert [problem.row for problem in refused.value.problems] == [2]


def test_a_server_that_dies_loses_nothing_of_an_exam(fresh_url: str) -> None:
    """Killed in the middle of a request, the answers that were acknowledged are there, the others
    are not, and the exam goes on."""
    with psycopg.connect(fresh_url) as conn:
        work, who = examined(conn, 40), make.contributor(conn)
        exam = sit(conn, begun(conn, work, who), lambda number: True, most=5)
        conn.commit()
    with (
        psycopg.connect(fresh_url, autocommit=True) as admin,
        psycopg.connect(fresh_url) as dying,
    ):
        dying.execute("select")
        assert sit(dying, exam, lambda number: True, most=3).state == "running"
        admin.execute("select pg_terminate_backend(%s)", [dying.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            dying.commit()
        dying.close()
    with psycopg.connect(fresh_url) as conn:
        assert exams.result(conn, who, exam.id).verdict.answered == 5
        assert sit(conn, exam, lambda number: True).state == "passed"


def test_the_hard_ones_cannot_be_left_out(db: psycopg.Connection) -> None:
    """Answers count in the order of the questions, up to the first that is open."""
    work, who = examined(db), make.contributor(db)
    exam = begun(db, work, who)
    asked = exams.questions(db, who, exam.id, 20, NOW)
    sure = [(q.number, COLOURS[int(q.item["title"].split()[1]) % 3]) for q in asked[1:]]
    exams.answer(db, who, exam.id, sure, NOW)
    said = exams.result(db, who, exam.id)
    assert (said.exam.state, said.verdict.answered, said.open) == ("running", 0, 1)
    with pytest.raises(Invalid):
        exams.questions(db, who, exam.id, 21, NOW)


def test_a_part_of_the_pool_is_never_asked(db: psycopg.Connection) -> None:
    """However many exams are taken, a quarter of the gold stays for the work; when what is left is
    too little there is no exam, and it says so."""
    work, at = examined(db, 100), NOW
    who = make.contributor(db)

    def again_and_again() -> None:
        nonlocal at
        for _ in range(20):
            sit(db, begun(db, work, who, at), lambda number: number % 4 > 0, at=at)
            db.execute("delete from licence")
            at += 10 * DAY_MS

    with pytest.raises(Conflict, match="too few questions"):
        again_and_again()
    [seen] = db.execute("select count(*) from gold_answer").fetchone()
    assert 60 <= seen <= 85


def test_what_was_an_exam_is_not_hidden_in_the_work(db: psycopg.Connection) -> None:
    """Nobody gets a gold twice, in whatever way; and an exam is no part of the blind record."""
    db.execute("select setseed(0.5)")
    work, who = examined(db, 30), make.contributor(db)
    sit(db, begun(db, work, who), lambda number: True)
    [track] = db.execute("select count(*) from track").fetchone()
    assert track == 0
    hidden = 0
    for _ in range(80):
        for task in make.claim(db, who):
            hidden += right_of_task(db, task) is not None
            make.submit(db, who, work.batch_steps[0], {task: "red"})
    assert 0 < hidden <= 30 - 12


def test_an_exam_left_alone_is_abandoned(db: psycopg.Connection) -> None:
    """After a day without an answer; it counts as one that was not passed."""
    work, who = examined(db), make.contributor(db)
    exam = sit(db, begun(db, work, who), lambda number: True, most=5)
    assert exams.abandon_idle(db, NOW + DAY_MS) == 0
    assert exams.abandon_idle(db, NOW + DAY_MS + 1) == 1
    ended = exams.find(db, who, exam.id)
    assert (ended.state, ended.retake_ms) == ("abandoned", NOW + 2 * DAY_MS + 1)
    assert exams.questions(db, who, exam.id, 1, NOW) == []
    assert exams.answer(db, who, exam.id, [(5, "red")], NOW) != ["ended"]


def test_who_may_take_which_exam(db: psycopg.Connection) -> None:
    """The skills of the step are needed, and open work where the process is a client's own; an exam
    of others does not exist."""
    work = examined(db, 40, make.step(licence=True, skills=("eye",)))
    able, unable = make.contributor(db, ("eye",)), make.contributor(db)
    assert len(exams.list_open(db, able)) == 1
    assert exams.list_open(db, unable) == []
    with pytest.raises(NotFound):
        begun(db, work, unable)
    exam = begun(db, work, able)
    for refused in (
        lambda: exams.questions(db, unable, exam.id, 1, NOW),
        lambda: exams.answer(db, unable, exam.id, [(1, "red")], NOW),
        lambda: exams.result(db, unable, exam.id),
    ):
        with pytest.raises(NotFound):
            refused()
    db.execute("update batch_step set open = false")
    assert exams.list_open(db, able) == []


def asked_wrong(conn: psycopg.Connection, exam: Exam) -> list[int]:
    rows = conn.execute(
        "select gold_id from gold_answer where exam_id = %s and agreement < 1", [exam.id]
    )
    return [row[0] for row in rows]


def test_bad_gold_is_taken_back_from_those_who_failed(db: psycopg.Connection) -> None:
    """Without it, who passes gets the licence, who is not failed may try again at once; nobody who
    passed loses anything."""
    work = examined(db, 120)
    passed, unlucky, close = (make.contributor(db) for _ in range(3))
    # nobody is failed by one mistake among so many right ones: three are needed, soon
    lucky = sit(db, begun(db, work, passed, seed=1), lambda n: True)
    failed = sit(db, begun(db, work, unlucky, seed=2), lambda n: n > 3, count=20)
    near = sit(db, begun(db, work, close, seed=3), lambda n: n > 3)
    assert [lucky.state, failed.state, near.state] == ["passed", "failed", "failed"]
    bad = [*asked_wrong(db, failed), *asked_wrong(db, near)]
    right = db.execute("select gold_id from gold_answer where exam_id = %s", [lucky.id]).fetchone()
    for gold in {*bad, right[0]}:
        gold_pool.retire_gold(db, COMMAND_LINE, gold, "wrong", NOW)
    first, second, third = (exams.find(db, e.contributor_id, e.id) for e in (lucky, failed, near))
    assert first == lucky
    assert (second.state, second.corrected_ms) == ("passed", NOW)
    assert [licences(db, who) for who in (passed, unlucky, close)] == [1, 1, 0]
    assert (third.state, third.retake_ms) == ("failed", NOW)
    assert begun(db, work, close).state == "running"
    told = [sentences(exams.result(db, e.contributor_id, e.id), "en") for e in (second, third)]
    assert all(any("turned out" in sentence for sentence in said) for said in told)


def test_kinds_of_mistakes_never_answers() -> None:
    """Told are fields, directions and groups, where they are frequent; one mistake is nobody's to
    learn from."""
    number = load_question({"type": "number", "title": "How many?"})
    assert mistakes(number, [(5, 3)] * 4 + [(1, 3)] * 2, 20) == [Mistakes("too_high", "", 4)]
    assert mistakes(number, [(5, 3)] * 4, 9) == []
    assert mistakes(number, [(5, 3)] * 2, 20) == []
    choice = load_question(make.COLOURS)
    assert mistakes(choice, [("red", "blue")] * 9, 20) == []
    fields = [
        {**make.COLOURS, "name": "colour", "title": "Colour"},
        {"type": "number", "name": "count", "title": "Count"},
    ]
    record = load_question({"type": "record", "title": "Look", "fields": fields})
    wrong = [({"colour": "red", "count": n}, {"colour": "blue", "count": n}) for n in range(3)]
    assert mistakes(record, wrong, 20) == [Mistakes("field", "Colour", 3)]
    grouped = load_question(
        {
            **make.COLOURS,
            "options": [
                {"value": "warm", "label": "Warm"},
                {"value": "red", "label": "Red", "parent": "warm"},
                {"value": "blue", "label": "Blue"},
            ],
        }
    )
    [told] = mistakes(grouped, [("red", "blue")] * 3, 20)
    assert (told.kind, told.about, told.count) == ("group", {"en": "Warm", "fr": "Warm"}, 3)


def test_exams_through_the_database_err_as_rarely_as_computed(db: psycopg.Connection) -> None:
    """A seeded handful of whole exams, at skills far from the level on either side."""
    work, chance = examined(db, 100), random.Random(46)
    states = []
    for skill in [0.45] * 6 + [0.98] * 6:
        exam = begun(db, work, make.contributor(db), seed=chance.getrandbits(60))
        states.append(sit(db, exam, lambda n, s=skill: chance.random() < s, count=20).state)
    assert states == ["failed"] * 6 + ["passed"] * 6


def test_rules_are_kept_as_they_were(db: psycopg.Connection) -> None:
    """An exam is judged by the rules it began with, and they can be read again."""
    work, who = examined(db, 40), make.contributor(db)
    exam = begun(db, work, who)
    assert msgspec.convert(msgspec.to_builtins(exam.rules), type(exam.rules)) == exam.rules
    assert exam.rules.most < 60
