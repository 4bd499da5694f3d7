"""From delivery to a certificate: lists, draws, panels, statements, on real rows."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from canut.db.check import check
from canut.engine.audits import advance as job
from canut.errors import Invalid
from canut.quality.audits import store as store_audits
from canut.quality.audits import store_frames
from canut.quality.audits.draws import close_frames
from canut.quality.audits.frames import ROUND, ROUND_MIN
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import export, verify
from canut.quality.certificates.statements import certificate_of, issued_certificate, statement
from canut.truth.bounds import errors_allowed, upper_batch
from canut.truth.designs import Design, draw
from canut.work.store import OPEN_BATCHES
from tests import factories as make
from tests.factories import NOW
from tests.quality.audited import Auditors, advance, broken, decide_all, delivered, run


@pytest.fixture
def two(db: psycopg.Connection) -> Auditors:
    return Auditors(db, make.contributor(db), make.contributor(db))


def test_from_delivery_to_a_proof_that_anybody_can_check(
    db: psycopg.Connection, two: Auditors, tmp_path: Path
) -> None:
    """The list is closed, decisions drawn and answered by those who never had them, the promise
    proved, and the exported file holds without the database; changed, it does not."""
    work = delivered(db, 200)
    [step] = work.batch_steps
    [worker] = db.execute("select contributor_id from assignment limit 1").fetchone()
    assert advance(db) == 2
    frame = store_frames.latest(db, step)
    assert frame is not None
    assert (frame.number, frame.n_decisions, frame.kind) == (1, 200, "uniform")
    assert make.claim(db, worker, 50) == [], "nobody audits what they answered themselves"
    said = statement(db, step, NOW)
    assert said is not None
    assert (said.audits, said.proved) == (0, False)
    run(db, two)
    assert store_frames.latest(db, step).state == "proved"
    [issued] = store_statements.of_batch(db, work.batch_id)
    assert (issued.occasion, issued.statement.proved) == ("proved", True)
    assert issued.statement.wrong == 0
    fewer = upper_batch(issued.statement.audits - ROUND_MIN, 0, 200, frame.delta)
    assert fewer > errors_allowed(frame.error_max, 200), "hardly a draw after the proof"

    made = issued_certificate(db, issued)
    assert made.statement == issued.statement
    assert hashlib.sha256(export(made)).hexdigest() == issued.digest
    assert made.evidence.panel.people == 2
    drawn = draw(made.evidence.design, 200, issued.statement.audits)
    assert [a.decision for a in made.evidence.audits] == [str(n + 1) for n in drawn]
    file = tmp_path / "certificate.json"
    file.write_bytes(export(made))
    assert verify(file) == made
    file.write_bytes(export(made).replace(b'"right"', b'"wrong"', 1))
    with pytest.raises(Invalid, match="does not hold"):
        verify(file)
    assert broken(db) == []


def test_a_batch_with_five_per_cent_of_errors_does_not_certify_two(
    db: psycopg.Connection, two: Auditors
) -> None:
    """What the panel contradicts counts as wrong; audited whole, the certificate is the truth."""
    work = delivered(db, 200, wrong=range(0, 200, 20), error_max=0.02)
    run(db, two)
    [issued] = store_statements.of_batch(db, work.batch_id)
    assert (issued.occasion, issued.statement.proved) == ("spent", False)
    assert (issued.statement.audits, issued.statement.wrong) == (200, 10)
    assert issued.statement.errors_at_most == 10


def test_the_budget_is_the_end(db: psycopg.Connection, two: Auditors) -> None:
    """No more draws than the client pays for; the certificate says what they prove."""
    work = delivered(db, 120, error_max=0.01, audits_max=70, audit_share=0.5)
    run(db, two)
    [issued] = store_statements.of_batch(db, work.batch_id)
    assert (issued.occasion, issued.statement.audits) == ("spent", 60)
    assert 0 < issued.statement.bound < 0.2


def test_draws_by_risk_may_take_a_decision_twice(db: psycopg.Connection, two: Auditors) -> None:
    """One task, several draws, one outcome; the statement counts each with its weight, and is the
    same from the rows as from the evidence."""
    work = delivered(db, 60, wrong=range(3))
    [step] = work.batch_steps
    db.execute("update decision set confidence = 0.5 where value = '\"green\"'")
    close_frames(db, work.batch_id, NOW)
    db.execute("update frame set kind = 'risk'")
    frame = store_frames.latest(db, step)
    rows = store_frames.listed(db, step, frame.last_item, 1)
    from canut.quality.audits.frames import risks
    from canut.quality.certificates.bounds import digest_of
    from canut.truth.designs import weights

    risk = tuple(risks([row.confidence for row in rows]).tolist())
    most = float(weights(Design("risk", frame.seed), 60, risk).max())
    digest = digest_of([row.key for row in rows], risk)
    db.execute("update frame set weight_max = %s, digest = %s", [most, digest])
    advance(db)
    draws, tasks = db.execute("select count(*), count(distinct audit_task) from audit").fetchone()
    assert (draws, tasks < 50) == (50, True)
    two.answer()
    said = statement(db, step, NOW)
    assert certificate_of(db, step, NOW).statement == said
    assert said.audits == 50
    assert said.wrong >= 1
    run(db, two)
    assert store_frames.latest(db, step).state in ("proved", "spent")


def test_items_added_later_make_a_new_list(db: psycopg.Connection, two: Auditors) -> None:
    """The second list has all decisions, a seed and a share of delta of its own; panels that have
    answered are heard, not asked again; the first certificate stays what it was."""
    work = delivered(db, 100)
    [step] = work.batch_steps
    run(db, two)
    [first] = store_statements.of_batch(db, work.batch_id)
    before = export(issued_certificate(db, first))
    who = make.contributor(db)
    items = [
        row[0]
        for row in db.execute(
            """insert into item (batch_id, key, payload)
            select %s, 'new ' || n, '{"title": "t"}' from generate_series(1, 40) n returning id""",
            [work.batch_id],
        )
    ]
    db.execute(
        """insert into task (batch_step_id, item_id, wanted, slots)
        select %s, unnest(%s::bigint[]), 0, 0""",
        [step, items],
    )
    db.execute("update batch_step set n_tasks = 140; update batch set n_items = 140")
    decide_all(db, work, who, range(0))
    answered = make.one(db, "select count(*) from panel where settled_ms is not null")
    assert advance(db) == 2
    frame = store_frames.latest(db, step)
    assert (frame.number, frame.n_decisions) == (2, 140)
    assert frame.delta == pytest.approx(0.05 * 0.2 / 2)
    again = make.one(
        db, "select count(*) from audit where frame_id = %s and outcome = 'right'", frame.id
    )
    assert 0 < again <= answered
    run(db, two)
    both = store_statements.of_batch(db, work.batch_id)
    assert [one.list for one in both] == [1, 2]
    assert export(issued_certificate(db, both[0])) == before
    assert make.one(db, "select count(*) from frame where state = 'replaced'") == 1


def test_a_split_panel_grows_and_what_it_cannot_agree_on_is_wrong(db: psycopg.Connection) -> None:
    """Two who differ call a third, who settles; four who are of no one mind settle nothing, and
    the decision counts as wrong. Asking more depends on the panel alone."""
    work = delivered(db, 1)
    advance(db)
    people = [make.contributor(db) for _ in range(5)]
    auditors = Auditors(db, *people)
    panel = "select resolved, settled_ms is not null from panel"
    says = dict(zip(people, ["red", "green", "blue", "green", "blue"], strict=True))
    for count, wanted in ((2, 3), (3, 4)):
        Auditors(db, *people[:count]).answer(says)
        assert db.execute(panel).fetchone() == (None, False)
        assert make.one(db, "select wanted from task where kind = 'audit'") == wanted
    auditors.answer(says)
    assert db.execute(panel).fetchone() == (False, True)
    assert make.one(db, "select outcome from audit") == "wrong"
    assert (
        make.one(db, "select count(*) from answer where task_id = (select task_id from panel)") == 4
    ), "nobody is asked beyond twice the panel"
    assert work.tasks


def test_records_judged_against_a_wrong_decision_are_put_right(
    db: psycopg.Connection, two: Auditors
) -> None:
    """Once, by what the panel says: who gave the wrong answer loses what they were credited."""
    work = delivered(db, 10, wrong=range(2))
    before, judged = db.execute('select "right", judged from track').fetchone()
    run(db, two)
    assert db.execute('select "right", judged from track').fetchone() == (
        pytest.approx(before - 2 * 0.9),
        judged,
    )
    assert make.one(db, "select count(*) from panel where corrected") == 2
    assert work.tasks


def test_audits_wait_and_say_so_where_nobody_is_qualified(db: psycopg.Connection) -> None:
    """The figure for an operator's alarm: what waits, since when, and who could come."""
    work = delivered(db, 10, audit_skills=["colour-expert"])
    [step] = work.batch_steps
    stranger = make.contributor(db)
    advance(db)
    [waiting] = store_audits.waiting(db)
    assert (waiting.batch_step_id, waiting.panels, waiting.answers) == (step, 10, 20)
    assert waiting.qualified == 0
    assert make.claim(db, stranger, 10) == []
    make.contributor(db, ("colour-expert",))
    assert store_audits.waiting(db, step)[0].qualified == 1
    [worker] = db.execute("select contributor_id from assignment limit 1").fetchone()
    expert = make.one(db, "select max(id) from contributor")
    listed = [
        db.execute(OPEN_BATCHES, {"who": who, "bound": 3}).fetchall()
        for who in (worker, stranger, expert)
    ]
    assert [[row[5] for row in rows] for rows in listed] == [[], [], [10]]
    assert statement(db, step, NOW).bound == 1


def test_several_engines_and_one_that_dies_do_it_once(fresh_url: str) -> None:
    """One that is killed leaves nothing behind; four at once close one list and draw one round, and
    the rows hold together."""
    with psycopg.connect(fresh_url) as conn:
        work = delivered(conn, 80)
        conn.commit()
        with conn.transaction(force_rollback=True):
            assert advance(conn) == 2
        assert store_frames.latest(conn, work.batch_steps[0]) is None

    def engine(_: int) -> int:
        with psycopg.connect(fresh_url, autocommit=True) as own:
            return sum(job(own, lambda: NOW) for _ in range(3))

    with ThreadPoolExecutor(4) as engines:
        assert sum(engines.map(engine, range(4))) == 2
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        counts = "select (select count(*) from frame), (select count(*) from audit)"
        frames, draws = conn.execute(counts).fetchone()
        assert frames == 1
        assert 0 < draws <= ROUND, "one round"
        assert check(conn) == []


def test_certificates_are_for_ever(db: psycopg.Connection, two: Auditors) -> None:
    """Nobody changes or deletes what was stated."""
    delivered(db, 3)
    run(db, two)
    for sql in ("update certificate set draws = 0", "delete from certificate"):
        with pytest.raises(psycopg.errors.RaiseException), db.transaction():
            db.execute(sql)
