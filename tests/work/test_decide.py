"""From answers to decisions: when to stop, when to ask, when an expert is called."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import psycopg
import pytest

from canut.work.decide import decide_fresh
from canut.work.evidence import decode_evidence
from canut.work.store import read_step_sync
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW


@pytest.fixture
def steps() -> Iterator[Steps]:
    return Steps()


def _answer(db: psycopg.Connection, work: make.Work, *values: str, skills: tuple = ()) -> None:
    """One new contributor per value answers the first open task."""
    for value in values:
        who = make.contributor(db, skills)
        [task] = make.claim(db, who, batch=work.batch_id)
        [step] = db.execute("select batch_step_id from task where id = %s", [task]).fetchone()
        assert make.submit(db, who, step, {task: value}) == {task: "accepted"}


def _decisions(db: psycopg.Connection, work: make.Work) -> list[tuple]:
    return db.execute(
        "select value, method, n_answers from decision where batch_step_id = any (%s)"
        " order by task_id",
        [work.batch_steps],
    ).fetchall()


def test_agreement_decides_as_soon_as_it_is_strong_enough(
    db: psycopg.Connection, steps: Steps
) -> None:
    """Two answers are asked for; they agree but are not enough at 0.9; the third decides."""
    work = make.work(db, make.step(min_answers=2, target_confidence=0.9), items=1)
    _answer(db, work, "red", "red")
    assert decide_fresh(db, steps, NOW, 100).decided == 0
    _answer(db, work, "red")
    done = decide_fresh(db, steps, NOW, 100)
    assert (done.answers, done.decided, done.escalated) == (1, 1, 0)
    assert _decisions(db, work) == [("red", "answers", 3)]
    assert [batch["id"] for batch in done.delivered] == [work.batch_id]
    assert make.claim(db, make.contributor(db)) == []


def test_nothing_fresh_changes_nothing(db: psycopg.Connection, steps: Steps) -> None:
    """A pass over an empty inbox does nothing, and a second pass does not count twice."""
    work = make.work(db, items=1)
    assert decide_fresh(db, steps, NOW, 100).answers == 0
    _answer(db, work, "red", "blue")
    assert decide_fresh(db, steps, NOW, 100).answers == 2
    assert decide_fresh(db, steps, NOW, 100).answers == 0
    [step] = work.batch_steps
    assert make.one(db, "select n_answers from batch_step where id = %s", step) == 2


def test_a_good_record_needs_fewer_answers(db: psycopg.Connection, steps: Steps) -> None:
    """Contributors who were right 97 times of 100 decide in two answers."""
    work = make.work(db, make.step(min_answers=2, target_confidence=0.95), items=1)
    for _ in range(2):
        who = make.contributor(db)
        db.execute("insert into track values (%s, 'colour', %s, 194, 200)", [work.process_id, who])
        [task] = make.claim(db, who)
        make.submit(db, who, work.batch_steps[0], {task: "blue"})
    decide_fresh(db, steps, NOW, 100)
    assert _decisions(db, work) == [("blue", "answers", 2)]


def test_disagreement_goes_to_an_expert_whose_word_stands(
    db: psycopg.Connection, steps: Steps
) -> None:
    """After max_answers without a belief, only an expert may claim, and settles it; those who
    said the same are credited, those who did not are not."""
    step = make.step(min_answers=2, max_answers=3, target_confidence=0.95)
    work = make.work(db, step, items=1, expert_skill="expert")
    _answer(db, work, "red", "blue")
    decide_fresh(db, steps, NOW, 100)
    _answer(db, work, "green")
    assert decide_fresh(db, steps, NOW, 100).escalated == 1
    assert make.claim(db, make.contributor(db)) == []
    _answer(db, work, "blue", skills=("expert",))
    assert decide_fresh(db, steps, NOW, 100).decided == 1
    assert _decisions(db, work) == [("blue", "expert", 4)]
    track = db.execute('select "right", judged from track order by contributor_id').fetchall()
    assert [(round(right, 1), judged) for right, judged in track] == [(0, 1), (0.9, 1), (0, 1)]


def test_an_expert_who_answered_before_is_heard(db: psycopg.Connection, steps: Steps) -> None:
    """The only expert was among those who disagreed: nobody could be asked any more, and the task
    would wait for ever; the expert's answer settles it."""
    step = make.step(min_answers=2, max_answers=2, target_confidence=0.95)
    work = make.work(db, step, items=1, expert_skill="expert")
    _answer(db, work, "red")
    _answer(db, work, "blue", skills=("expert",))
    assert decide_fresh(db, steps, NOW, 100).decided == 1
    assert _decisions(db, work) == [("blue", "expert", 2)]


def test_experts_who_contradict_each_other_settle_nothing(
    db: psycopg.Connection, steps: Steps
) -> None:
    """Two experts disagreed: a third one is asked."""
    step = make.step(min_answers=2, max_answers=2, target_confidence=0.95)
    work = make.work(db, step, items=1, expert_skill="expert")
    _answer(db, work, "red", "blue", skills=("expert",))
    done = decide_fresh(db, steps, NOW, 100)
    assert (done.decided, done.escalated) == (0, 1)
    _answer(db, work, "red", skills=("expert",))
    decide_fresh(db, steps, NOW, 100)
    assert _decisions(db, work) == [("red", "expert", 3)]


def test_without_an_expert_the_best_belief_is_marked(db: psycopg.Connection, steps: Steps) -> None:
    """A step without escalation decides when answers are spent, and says that they were."""
    step = make.step(min_answers=2, max_answers=2, target_confidence=0.99)
    work = make.work(db, step, items=1)
    _answer(db, work, "red", "red")
    assert decide_fresh(db, steps, NOW, 100).decided == 1
    assert _decisions(db, work) == [("red", "exhausted", 2)]


def test_decided_items_go_on_to_the_next_step(db: psycopg.Connection, steps: Steps) -> None:
    """The second step gets a task when the first is decided; delivered only after both."""
    one = {"min_answers": 1, "max_answers": 1, "target_confidence": 0.5}
    work = make.work(db, make.step("first", **one), make.step("second", **one), items=1)
    _answer(db, work, "red")
    done = decide_fresh(db, steps, NOW, 100)
    assert (done.decided, done.delivered) == (1, [])
    _answer(db, work, "green")
    done = decide_fresh(db, steps, NOW, 100)
    assert [batch["key"] for batch in done.delivered]
    assert [value for value, _, _ in _decisions(db, work)] == ["red", "green"]


def test_a_family_of_agents_is_one_voice(db: psycopg.Connection, steps: Steps) -> None:
    """Three of one model who agree are not three who agree: a person is asked."""
    work = make.work(db, make.step(min_answers=3, max_answers=5, target_confidence=0.7), items=2)
    for _ in range(3):
        who = make.contributor(db)
        db.execute("update contributor set family = 'wren' where id = %s", [who])
        [task] = make.claim(db, who)
        make.submit(db, who, work.batch_steps[0], {task: "red"})
    assert decide_fresh(db, steps, NOW, 100).decided == 0
    wanted = db.execute("select wanted from task order by id").fetchall()
    assert wanted == [(4,), (3,)]


def test_a_doubtful_task_is_marked_and_a_decision_keeps_its_numbers(
    db: psycopg.Connection, steps: Steps
) -> None:
    """Where answers contradict each other the better contributors get the task first; the decision
    names who said what, how good they were held to be, and how sure an agent said it was."""
    work = make.work(db, make.step(min_answers=2, max_answers=9, target_confidence=0.8), items=1)
    _answer(db, work, "red", "blue")
    decide_fresh(db, steps, NOW, 100)
    assert make.one(db, "select doubtful from task")
    for _ in range(2):
        _answer(db, work, "red")
        db.execute("update answer set confidence = 0.5 where submitted_ms = %s", [NOW])
        decide_fresh(db, steps, NOW, 100)
    evidence = decode_evidence(make.one(db, "select evidence::text from decision"))
    assert evidence.model == 0
    agreed, other = evidence.answers[0], evidence.answers[1]
    assert agreed.agreement > 0.8
    assert other.agreement < 0.2
    assert (agreed.skill, agreed.weight, agreed.stated) == (0.7, 1.0, 0.5)


def test_answers_after_the_decision_are_kept_and_change_nothing(
    db: psycopg.Connection, steps: Steps
) -> None:
    """Who held the task when it was decided may still hand in."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.5), items=1)
    db.execute("update task set wanted = 2, slots = 2")
    late = make.contributor(db)
    [task] = make.claim(db, late)
    _answer(db, work, "red")
    decide_fresh(db, steps, NOW, 100)
    assert make.submit(db, late, work.batch_steps[0], {task: "blue"}) == {task: "accepted"}
    assert decide_fresh(db, steps, NOW, 100).answers == 1
    assert _decisions(db, work) == [("red", "answers", 1)]


def test_a_crash_before_the_commit_loses_nothing(db: psycopg.Connection, steps: Steps) -> None:
    """Rolled back half-way, the next pass finds the same answers and decides once."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.5), items=1)
    _answer(db, work, "red")
    with db.transaction(force_rollback=True):
        assert decide_fresh(db, steps, NOW, 100).decided == 1
    assert decide_fresh(db, steps, NOW, 100).decided == 1
    assert _decisions(db, work) == [("red", "answers", 1)]


class _Broken:
    """A question whose plug-in fails."""

    def aggregate(self, *_: object) -> None:
        raise ValueError("a bug of a plug-in")


def test_a_failing_question_type_stops_only_its_own_step(
    db: psycopg.Connection, steps: Steps
) -> None:
    """Its answers wait in the inbox until it is mended; the other steps go on."""
    rule = make.step(min_answers=1, target_confidence=0.5)
    broken, well = make.work(db, rule, items=1), make.work(db, rule, items=1)
    _answer(db, broken, "red")
    _answer(db, well, "blue")
    loaded = read_step_sync(db, broken.batch_steps[0])
    steps.keep(msgspec.structs.replace(loaded, question=_Broken()))
    done = decide_fresh(db, steps, NOW, 100)
    assert (done.decided, list(done.failed)) == (1, broken.batch_steps)
    assert _decisions(db, well) == [("blue", "answers", 1)]
    assert make.one(db, "select count(*) from inbox") == 1
    assert decide_fresh(db, Steps(), NOW, 100).decided == 1
    assert (
        make.one(db, "select n_answers from batch_step where id = %s", broken.batch_steps[0]) == 1
    )


def test_two_engines_decide_everything_once(fresh_url: str) -> None:
    """Engines that share the tasks of a step: every task decided once, every answer counted."""
    with psycopg.connect(fresh_url) as conn:
        rule = make.step(min_answers=3, max_answers=3, target_confidence=0.5)
        work = make.work(conn, rule, items=100)
        for _ in range(3):
            who = make.contributor(conn)
            for _ in range(2):
                tasks = make.claim(conn, who, 50)
                make.submit(conn, who, work.batch_steps[0], dict.fromkeys(tasks, "red"))

    def engine(_: int) -> int:
        steps, total = Steps(), 0
        with psycopg.connect(fresh_url, autocommit=True) as conn:
            for _ in range(60):
                with conn.transaction():
                    total += decide_fresh(conn, steps, NOW, 7).decided
        return total

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(engine, range(3))) == 100
    with psycopg.connect(fresh_url) as conn:
        assert make.one(conn, "select count(*) from decision") == 100
        counts = conn.execute("select n_answers, n_decided from batch_step").fetchone()
        assert counts == (300, 100)
        assert make.one(conn, "select count(*) from inbox") == 0
        assert make.one(conn, "select state from batch") == "delivered"
