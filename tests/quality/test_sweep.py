"""What a step learns from its own answers: counts kept by passes, put in order by sweeps."""

import msgspec
import numpy as np
import psycopg
import pytest

from canut.quality.beliefs import store
from canut.quality.beliefs.held import standing
from canut.quality.beliefs.model import StepPlace, classes_of, options_hash
from canut.quality.beliefs.sweep import sweep, sweep_due
from canut.quality.beliefs.voices import weights
from canut.questions.registry import load_question
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW

QUESTION = load_question(make.COLOURS)
CLASSES = classes_of(QUESTION) or []
OPTIONS = options_hash(CLASSES)


class Crowd(msgspec.Struct):
    """A step with answers that nobody weighed yet."""

    work: make.Work
    people: list[int]
    truth: np.ndarray

    @property
    def place(self) -> StepPlace:
        return StepPlace(self.work.process_id, "colour")


def crowd(conn: psycopg.Connection, items: int = 60, people: int = 6, skill: float = 0.8) -> Crowd:
    """Everybody answers every item; the last one takes blue for green, always."""
    random = np.random.default_rng(4)
    work = make.work(conn, make.step(min_answers=people, max_answers=people), items=items)
    who = [make.contributor(conn) for _ in range(people)]
    truth = random.integers(0, 3, items)
    for contributor in who:
        right = random.random(items) < skill
        said = np.where(right, truth, (truth + random.integers(1, 3, items)) % 3)
        if contributor == who[-1]:
            said = np.where(truth == 2, 1, truth)
        answer(conn, work.batch_steps[0], contributor, work.tasks, [CLASSES[s] for s in said])
    return Crowd(work, who, truth)


def answer(
    conn: psycopg.Connection, step: int, contributor: int, tasks: list[int], values: list[str]
) -> None:
    """Answers as `submit_answers` stores them, many at once."""
    given = [contributor, step, tasks, [msgspec.json.encode(v).decode() for v in values]]
    conn.execute(
        """with given as (
            select %s::bigint as who, %s::bigint as step, u.task, u.value
            from unnest(%s::bigint[], %s::jsonb[]) as u (task, value)
        ), held as (
            insert into assignment (task_id, contributor_id, batch_step_id, state, claimed_ms,
                                    deadline_ms)
            select task, who, step, 'submitted', 0, 0 from given
        ), told as (
            insert into inbox select task, who, step, 0 from given
        ) insert into answer (task_id, contributor_id, value, submitted_ms)
        select task, who, value, 0 from given""",
        given,
    )


def counts(conn: psycopg.Connection, place: StepPlace) -> list[tuple]:
    """Everything that is counted, but for rows of nothing but zeros."""
    rows = conn.execute(
        """select options, contributor_id, said, truth from confusion
        where process_id = %s and 0 < any (truth) order by 1, 2, 3""",
        [place.process_id],
    )
    return rows.fetchall()


def settle(conn: psycopg.Connection, limit: int = 10_000) -> None:
    """Weigh everything."""
    steps = Steps()
    while decide_fresh(conn, steps, NOW, limit).answers:
        pass


def test_passes_learn_who_confuses_what(db: psycopg.Connection) -> None:
    """In the transaction that decides: the one who takes blue for green is known for it, and
    everybody's counts are the sum of all."""
    found = crowd(db)
    settle(db)
    known = standing(db, found.place, QUESTION, found.people).track.known
    assert known is not None
    last = known.counts[-1]
    assert last[1, 2] > 5
    assert last[2].sum() == 0
    assert known.counts.sum(0) == pytest.approx(known.everybody, abs=1e-9)
    assert known.counts.sum() == pytest.approx(60 * 6, abs=1e-3)


def test_what_is_known_of_confusions_decides(db: psycopg.Connection) -> None:
    """Two strangers who disagree settle nothing; but where one takes blue for green and says green,
    the word of the other who says blue is enough."""
    found = crowd(db, items=90)
    settle(db)
    work = make.work(db, make.step(min_answers=2, max_answers=4, target_confidence=0.6), items=1)
    db.execute(
        "update batch_step set process_id = %s where id = %s",
        [found.work.process_id, work.batch_steps[0]],
    )
    for contributor, said in ((found.people[0], "blue"), (found.people[-1], "green")):
        answer(db, work.batch_steps[0], contributor, work.tasks, [said])
    settle(db)
    decided = "select value, confidence from decision where task_id = %s"
    assert make.one(db, decided, work.tasks[0]) == "blue"


def test_another_list_of_options_begins_anew(db: psycopg.Connection) -> None:
    """Counts belong to a list of options; for another one the scalar record is leaned on."""
    found = crowd(db)
    settle(db)
    options = [{"value": value} for value in ("red", "green", "blue", "grey")]
    other = load_question(make.COLOURS | {"options": options})
    known = standing(db, found.place, other, found.people)
    assert known.track.known is not None
    assert not known.track.known.counts.any()
    assert known.track.judged.min() > 50


def test_a_sweep_depends_on_the_answers_alone(fresh_url: str) -> None:
    """Whatever the counts were before it, lost or wrong, after a crash or none: to the bit."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        found = crowd(conn)
        for _ in range(40):
            with conn.transaction():
                decide_fresh(conn, Steps(), NOW, 11)
        assert sweep(conn, found.place, NOW) is not None
        once = counts(conn, found.place)
        assert sweep(conn, found.place, NOW) is not None
        assert counts(conn, found.place) == once
        conn.execute("delete from confusion where said = 1")
        conn.execute("update confusion set truth = array[5, 0, 7] where contributor_id = 0")
        assert sweep(conn, found.place, NOW) is not None
        assert counts(conn, found.place) == once
        assert make.one(conn, "select version from step_model") == 3


def test_what_a_pass_adds_while_a_sweep_computes_is_kept(fresh_url: str) -> None:
    """The sweep writes differences: a task decided after its snapshot is there once."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        found = crowd(conn, items=30)
        with conn.transaction():
            settle(conn)
        assert sweep(conn, found.place, NOW) is not None
        before = counts(conn, found.place)
        more = make.work(conn, make.step(min_answers=2, max_answers=2), items=1)
        step = more.batch_steps[0]
        process = found.work.process_id
        conn.execute("update batch_step set process_id = %s where id = %s", [process, step])
        with psycopg.connect(fresh_url, autocommit=True) as other:

            def meanwhile() -> None:
                if make.one(other, "select not decided from task where id = %s", more.tasks[0]):
                    for who in found.people[:2]:
                        answer(other, step, who, more.tasks, ["red"])
                    with other.transaction():
                        settle(other)

            assert sweep(conn, found.place, NOW, meanwhile) is not None
        total = sum(sum(row[3]) for row in counts(conn, found.place) if row[1] == 0)
        assert total - sum(sum(row[3]) for row in before if row[1] == 0) == pytest.approx(
            2e6, abs=9
        )


def test_a_step_is_swept_when_it_has_grown(fresh_url: str) -> None:
    """At 200 answers first, then by a fifth; nobody sweeps a step that another one is sweeping."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        found = crowd(conn)
        assert sweep_due(conn, NOW) == 0
        with conn.transaction():
            settle(conn)
        with psycopg.connect(fresh_url, autocommit=True) as other:
            key = f"{found.place.process_id}/colour"
            other.execute("select pg_advisory_lock(3, hashtext(%s))", [key])
            assert sweep_due(conn, NOW) == 0
            other.execute("select pg_advisory_unlock_all()")
        assert sweep_due(conn, NOW) == 1
        assert sweep_due(conn, NOW) == 0
        model = store.model(conn, found.place)
        assert (model.version, model.parameters.calibration.n) == (1, 0)
        assert 0.7 < model.skill < 0.9


def test_tasks_that_the_counts_would_decide_are_weighed_again(fresh_url: str) -> None:
    """Nobody says anything new of them; they count as no answers."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        rule = make.step(min_answers=2, max_answers=5, target_confidence=0.95)
        work = make.work(conn, rule, items=1)
        found = crowd(conn, people=5, skill=0.97)
        step = work.batch_steps[0]
        process = found.work.process_id
        conn.execute("update batch_step set process_id = %s where id = %s", [process, step])
        for who in found.people[:2]:
            answer(conn, step, who, work.tasks, ["red"])
        with conn.transaction():
            decide_fresh(conn, Steps(), NOW, 2)
        with conn.transaction():
            settle(conn)
        conn.execute("delete from decision where task_id = %s", [work.tasks[0]])
        conn.execute("update task set decided = false where id = %s", [work.tasks[0]])
        swept = sweep(conn, found.place, NOW)
        assert swept is not None
        assert swept.again == 1
        with conn.transaction():
            done = decide_fresh(conn, Steps(), NOW, 10)
        assert (done.answers, done.decided) == (0, 1)


def test_who_copies_is_one_voice_and_is_shown(fresh_url: str) -> None:
    """Two who give the same answers, wrong ones too: found, stored with the numbers, and worth
    less where they meet; nothing else comes of it."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        found = crowd(conn, items=150, people=8, skill=0.7)
        rows = conn.execute(
            "select task_id, value from answer where contributor_id = %s", [found.people[0]]
        ).fetchall()
        copier = make.contributor(conn)
        tasks, values = zip(*rows, strict=True)
        answer(conn, found.work.batch_steps[0], copier, list(tasks), list(values))
        with conn.transaction():
            settle(conn)
        swept = sweep(conn, found.place, NOW)
        assert swept is not None
        [pair] = swept.pairs
        assert (pair.one, pair.other, pair.common) == (found.people[0], copier, 150)
        assert pair.same_wrong > 2 * pair.chance
        assert pair.share > 0.7
        known = standing(conn, found.place, QUESTION, [found.people[0], copier])
        assert known.alike == [(0, 1, pytest.approx(pair.share, abs=1e-4))]
        weight = weights(known.family, known.alike, np.zeros(2, np.int32), np.arange(2), 1)
        assert weight == pytest.approx(1 / (1 + pair.share), abs=1e-4)
        states = "select count(*) from contributor where state <> 'active'"
        assert make.one(conn, states) == 0


def gilded(conn: psycopg.Connection, found: Crowd, items: int, said: str | None = None) -> None:
    """Gold of the step, answered by everybody as the engine leaves it."""
    random = np.random.default_rng(9)
    step = found.work.batch_steps[0]
    for n in range(items):
        right = CLASSES[n % 3]
        gold = make.one(
            conn,
            """insert into gold (process_id, step_slug, payload, value, origin, digest, created_ms)
            values (%s, 'colour', '{}', %s::jsonb, 'process', %s, 0) returning id""",
            *(found.place.process_id, msgspec.json.encode(right).decode(), str(n)),
        )
        task = make.one(
            conn,
            """insert into task (batch_step_id, item_id, wanted, slots, open, kind)
            values (%s, %s, 0, 0, false, 'gold') returning id""",
            *(step, -gold),
        )
        for who in found.people:
            value = right if random.random() < 0.6 else CLASSES[random.integers(0, 3)]
            conn.execute(
                "insert into gold_answer (contributor_id, gold_id, task_id, shown_ms, value,"
                " agreement, answered_ms) values (%s, %s, %s, 0, %s::jsonb, %s, 0)",
                [who, gold, task, msgspec.json.encode(value).decode(), float(value == right)],
            )


def test_gold_calibrates(fresh_url: str) -> None:
    """With gold enough the pool is fitted, and the step says how far it can be believed."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        found = crowd(conn, people=3)
        with conn.transaction():
            settle(conn)
        gilded(conn, found, 12)
        swept = sweep(conn, found.place, NOW)
        assert swept is not None
        assert not swept.parameters.fitted
        assert swept.parameters.calibration.n == 12
        conn.execute("delete from gold_answer; delete from gold")
        gilded(conn, found, 90)
        sweep(conn, found.place, NOW)
        parameters = store.model(conn, found.place).parameters
        assert parameters.fitted[OPTIONS].n_gold == 90
        assert 0 < sum(parameters.fitted[OPTIONS].weight) < 2
        assert sum(bin.n for bin in parameters.calibration.bins) == 90
        assert parameters.calibration.error < 0.25
        known = standing(conn, found.place, QUESTION, found.people).track.known
        assert known is not None
        assert known.stack is not None
