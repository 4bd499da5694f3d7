"""What agents may not do without people."""

from typing import Any

import msgspec
import numpy as np
import psycopg

from canut.quality.beliefs import store as store_beliefs
from canut.quality.beliefs.model import UNIT, StepPlace, options_hash
from canut.quality.licences import store_blind
from canut.quality.licences.licensing import begin_earning
from canut.quality.licences.unseen import Confirmed
from canut.quality.model import BlindAnswer, Licence, LicencePlace
from canut.questions.registry import load_question
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make

SEED = "cd" * 32


def agent(conn: psycopg.Connection[Any], family: str) -> int:
    return make.one(
        conn,
        """insert into contributor (kind, name, family, created_ms)
        values ('agent', 'A', %s, %s) returning id""",
        *(family, make.NOW),
    )


def said(conn: psycopg.Connection[Any], who: int, step: int, task: int, now: int) -> None:
    make.claim(conn, who, 1, now=now)
    value, sure = [msgspec.json.encode("red").decode()], [0.99]
    sql = "select * from submit_answers(%s, %s, %s, %s::jsonb[], %s, %s::real[])"
    conn.execute(sql, [who, [task], [step], value, now, sure]).fetchall()


def test_agents_among_themselves_settle_nothing(db: psycopg.Connection[Any]) -> None:
    """Two families that agree are two voices, but no person has looked: nobody has a licence."""
    work = make.work(db, make.step(min_answers=2, target_confidence=0.6), items=1)
    for family in ("one", "two"):
        said(db, agent(db, family), work.batch_steps[0], work.tasks[0], make.NOW)
    done = decide_fresh(db, Steps(), make.NOW, 100)
    assert (done.answers, done.decided) == (2, 0)
    person = make.contributor(db)
    assert make.claim(db, person) == work.tasks
    make.submit(db, person, work.batch_steps[0], {work.tasks[0]: "red"})
    assert decide_fresh(db, Steps(), make.NOW, 100).decided == 1


def test_an_answer_of_a_former_version_counts_under_no_licence(
    db: psycopg.Connection[Any],
) -> None:
    """A task waits for people while the agent is replaced: the old answer is a voice like any
    other, and neither decides under the new licence nor is evidence for it."""
    work = make.work(db, make.step(min_answers=2, target_confidence=0.6), items=1)
    who = agent(db, "one")
    said(db, who, work.batch_steps[0], work.tasks[0], make.NOW)
    place = LicencePlace(who, work.process_id, "colour")
    licence = begin_earning(db, place, "v2", SEED, make.NOW + 1)
    db.execute(
        """update licence set state = 'in_force', threshold = 0.5, granted_ms = started_ms,
        stream_ppm = 0 where id = %s""",
        [licence.id],
    )
    assert decide_fresh(db, Steps(), make.NOW + 2, 100).decided == 0
    db.execute("update licence set stream_ppm = 1000000 where id = %s", [licence.id])
    person = make.contributor(db)
    assert make.claim(db, person) == work.tasks
    make.submit(db, person, work.batch_steps[0], {work.tasks[0]: "red"})
    assert decide_fresh(db, Steps(), make.NOW + 3, 100).decided == 1
    assert store_blind.evidence(db, licence.id) == []


def stream(db: psycopg.Connection[Any], items: int) -> tuple[make.Work, int, Licence]:
    """Work of an agent whose every task is in the stream of the licence that it earns, and of whom
    it is known that people do not share its errors."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.6), items=items)
    who = agent(db, "one")
    place = LicencePlace(who, work.process_id, "colour")
    licence = begin_earning(db, place, "v1", SEED, make.NOW - 1, stream_ppm=1_000_000)
    judged(db, licence, right=30, wrong=10)
    return work, who, licence


def judged(
    db: psycopg.Connection[Any], licence: Licence, right: int, wrong: int, confirmed: int = 0
) -> None:
    """Blind answers that two people have judged, of wrong ones so many as the first had given."""
    rows = [(n > wrong, n <= confirmed or n > wrong) for n in range(1, right + wrong + 1)]
    with db.cursor() as cursor:
        cursor.executemany(
            """insert into blind_answer (root, licence_id, contributor_id, task_id, value,
                                         confidence, wrong, confirmed)
            values (%s, %s, %s, -nextval('blind_answer_id_seq'), '"red"', 0.5, %s, %s)""",
            [
                (licence.id, licence.id, licence.contributor_id, not ok, shared)
                for ok, shared in rows
            ],
        )


def answers_all(db: psycopg.Connection[Any], work: make.Work, who: int, value: str = "red") -> None:
    """The agent answers every task, and an engine looks."""
    for _ in work.tasks:
        held = make.claim(db, who, 1)
        make.submit(db, who, work.batch_steps[0], dict.fromkeys(held, value))
    assert decide_fresh(db, Steps(), make.NOW, 100).decided == 0


def of_work(db: psycopg.Connection[Any], licence: Licence) -> list[BlindAnswer]:
    return [one for one in store_blind.evidence(db, licence.id) if one.task_id > 0]


def test_one_person_who_agrees_settles_most_of_a_stream(db: psycopg.Connection[Any]) -> None:
    """The rest, and where they differ, takes two: what goes unseen is measured there."""
    work, who, licence = stream(db, 60)
    answers_all(db, work, who)
    step = work.batch_steps[0]
    ones = {one.task_id for one in of_work(db, licence) if one.lone}
    assert 30 <= len(ones) < 60
    first, *others = (make.contributor(db) for _ in range(7))
    held = make.claim(db, first, 60)
    make.submit(db, first, step, {task: "red" if task % 3 else "blue" for task in held})
    decide_fresh(db, Steps(), make.NOW, 100)
    decided = {row[0] for row in db.execute("select task_id from decision")}
    assert decided == {task for task in ones if task % 3}
    outcomes = {one.task_id: one.wrong for one in of_work(db, licence)}
    assert all(outcomes[task] is False for task in decided)
    for person in others:
        held = make.claim(db, person, 60)
        make.submit(db, person, step, dict.fromkeys(held, "blue"))
        decide_fresh(db, Steps(), make.NOW, 100)
    assert len(list(db.execute("select from decision"))) == 60
    # of those that two were asked about, whatever the first said, he had agreed with these
    two = set(work.tasks) - ones
    agreed = sum(task % 3 != 0 for task in two)
    known = store_blind.judged_by_two(db, licence.root)
    assert known == Confirmed(40 + len(two), 10 + len(two), agreed)


def nearly_all_red(db: psycopg.Connection[Any], work: make.Work) -> None:
    """As if a thousand answers had been weighed, 98 in 100 of them to what is red."""
    classes = load_question(make.COLOURS).classes
    share = np.array([0.98 if name == "red" else 0.01 for name in classes])
    n = len(classes)
    said = (np.eye(n) * (0.85 - 0.15 / (n - 1)) + 0.15 / (n - 1)) * share * 1000
    place = StepPlace(work.process_id, "colour")
    rows = np.rint(said * UNIT).astype(np.int64)
    store_beliefs.add_confusions(db, place, options_hash(classes), [0] * n, list(range(n)), rows)


def test_what_two_agree_on_is_the_decision(db: psycopg.Connection[Any]) -> None:
    """Though one answer alone would be outvoted by how common another is: the agent's answer has
    no voice in the belief. And nobody's record changes by what one person may settle."""
    work, who, _ = stream(db, 60)
    nearly_all_red(db, work)
    answers_all(db, work, who, "blue")
    db.execute("update blind_answer set lone = true where task_id > 0")
    person = make.contributor(db)
    held = make.claim(db, person, 60)
    make.submit(db, person, work.batch_steps[0], dict.fromkeys(held, "blue"))
    decide_fresh(db, Steps(), make.NOW, 100)
    found = set(db.execute("select value, confidence >= 0.6 from decision").fetchall())
    assert found == {("blue", True)}
    assert not list(db.execute("select from track where contributor_id = %s", [person]))


def test_where_too_much_goes_unseen_two_are_asked(db: psycopg.Connection[Any]) -> None:
    """What people confirmed, though it was wrong, speaks against asking one alone."""
    work, who, licence = stream(db, 12)
    judged(db, licence, right=0, wrong=4, confirmed=4)
    answers_all(db, work, who)
    mine = of_work(db, licence)
    assert len(mine) == 12
    assert not any(one.lone for one in mine)


def test_what_a_cancelled_batch_leaves_is_what_counted(db: psycopg.Connection[Any]) -> None:
    """What people agree with is settled first, so that of a batch that ends in the midst only what
    stands before the first open answer is evidence."""
    work, who, licence = stream(db, 3)
    answers_all(db, work, who)
    tasks = [one.task_id for one in of_work(db, licence)]
    db.execute("update blind_answer set wrong = false where task_id = any (%s)", [tasks[::2]])
    db.execute("update batch set state = 'cancelled' where id = %s", [work.batch_id])
    assert [one.task_id for one in of_work(db, licence)] == tasks[:1]
