"""Clients contest decisions: heard blind by others, upheld or overturned, and counted."""

import msgspec
import psycopg
import pytest

from canut.channels import webhooks
from canut.engine.audits import advance as job
from canut.errors import Conflict, Invalid, NotFound
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from canut.quality.audits import disputes, store_disputes, store_frames
from canut.quality.audits.rounds import settle_disputes
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import export
from canut.quality.certificates.statements import issued_certificate, statement
from canut.work.evidence import decode_evidence
from canut.work.results import read_page, read_sheet
from tests import factories as make
from tests.factories import NOW
from tests.quality.audited import Auditors, broken, delivered, run


def test_a_wrong_decision_is_overturned_before_any_audit(db: psycopg.Connection) -> None:
    """People who never had the item answer it, blind; the decision gets their value, what it was
    stays, the client is told once, the log knows, and the results show it."""
    work = delivered(db, 5, wrong=range(1))
    db.execute("update batch set state = 'running', delivered_ms = null")
    webhooks.create(db, work.client_id, "http://127.0.0.1:9/", NOW, private=True)
    made = disputes.contest(db, COMMAND_LINE, work.batch_id, "1", "colour", "It is red.", NOW)
    assert (made.outcome, made.was, made.value) == (None, "green", "green")
    with pytest.raises(Conflict, match="already"):
        disputes.contest(db, COMMAND_LINE, work.batch_id, "1", "colour", "Really.", NOW)
    assert job(db, lambda: NOW) == 0, "nothing before people have answered"
    two = Auditors(db, make.contributor(db), make.contributor(db))
    assert two.answer("red") == 2
    assert job(db, lambda: NOW) == 1
    assert job(db, lambda: NOW) == 0
    done = disputes.read(db, COMMAND_LINE, made.id)
    assert (done.outcome, done.was, done.value) == ("overturned", "green", "red")
    [result, *_] = read_page(db, read_sheet(db, work.batch_id))
    decided = result.decisions["colour"]
    assert (decided.value, decided.method, decided.n_answers) == ("red", "panel", 2)
    assert decided.confidence == pytest.approx(5 / 6)
    evidence = make.one(db, "select evidence::text from decision where method = 'panel'")
    assert [heard.agreement for heard in decode_evidence(evidence).answers] == [1, 1]
    was = db.execute("select value, frame_number, dispute_id from decision_was").fetchall()
    assert was == [("green", 0, made.id)]
    told = db.execute("select event_type, payload -> 'data' from webhook_delivery").fetchall()
    assert [
        (kind, data["outcome"], data["key"], data["was"], data["value"]) for kind, data in told
    ] == [("dispute.settled", "overturned", "1", "green", "red")]
    log = "select detail ->> 'outcome' from audit_log where action = 'settle.dispute'"
    assert db.execute(log).fetchall() == [("overturned",)]
    assert broken(db) == []


def test_a_right_decision_is_upheld_and_may_be_disputed_once_more(db: psycopg.Connection) -> None:
    """The second time new people hear it; there is no third."""
    work = delivered(db, 3)
    people = [make.contributor(db) for _ in range(4)]
    for n in (0, 2):
        made = disputes.contest(db, COMMAND_LINE, work.batch_id, "2", "colour", "No.", NOW)
        assert Auditors(db, *people[:n]).answer() == 0, "who heard it does not hear it again"
        assert Auditors(db, *people[n : n + 2]).answer() == 2
        [step] = work.batch_steps
        [settled] = settle_disputes(db, step, NOW)
        assert (settled.outcome, settled.value) == ("upheld", "red")
        assert settle_disputes(db, step, NOW) == []
        assert disputes.read(db, COMMAND_LINE, made.id).outcome == "upheld"
    with pytest.raises(Conflict, match="stands"):
        disputes.contest(db, COMMAND_LINE, work.batch_id, "2", "colour", "No!", NOW)
    assert broken(db) == []


def test_disputes_count_against_the_certificate(db: psycopg.Connection) -> None:
    """Contested: wrong until settled. Overturned: wrong for good, in a certificate issued anew;
    the one before stays what it was, and both are made again byte for byte."""
    work = delivered(db, 60, wrong=range(0), error_max=0.05)
    [step] = work.batch_steps
    two = Auditors(db, make.contributor(db), make.contributor(db))
    run(db, two)
    [first] = store_statements.of_batch(db, work.batch_id)
    before = export(issued_certificate(db, first))
    assert first.statement.proved
    drawn = [a.decision for a in issued_certificate(db, first).evidence.audits]
    keys = drawn[:4]
    for key in keys:
        disputes.contest(db, COMMAND_LINE, work.batch_id, key, "colour", "Look again.", NOW)
    said = statement(db, step, NOW)
    assert said is not None
    assert (said.wrong, said.proved) == (4, False)
    # two more each: with those who said red before, they are of no one mind, or three against one
    strict = [make.contributor(db) for _ in range(2)]
    Auditors(db, *strict).answer("blue")
    last = [make.contributor(db) for _ in range(2)]
    Auditors(db, *last).answer("blue")
    settled = settle_disputes(db, step, NOW)
    assert {one.outcome for one in settled} == {"overturned"}
    [kept, second] = store_statements.of_batch(db, work.batch_id)
    assert export(issued_certificate(db, kept)) == before
    assert (second.occasion, second.statement.wrong) == ("dispute", 4)
    assert sorted(issued_certificate(db, second).evidence.overturned) == sorted(keys)
    assert issued_certificate(db, second).statement == second.statement
    assert not second.statement.proved
    assert store_frames.latest(db, step).state == "open", "draws go on"
    assert broken(db) == []


def test_what_cannot_be_contested(db: psycopg.Connection) -> None:
    """A reason is needed, a step that is there, an item that is decided."""
    work = delivered(db, 2)
    with pytest.raises(Invalid, match="does not fit"):
        disputes.contest(db, COMMAND_LINE, work.batch_id, "1", "colour", "  ", NOW)
    with pytest.raises(Invalid, match="does not fit") as found:
        disputes.contest(db, COMMAND_LINE, work.batch_id, "1", "shape", "No.", NOW)
    assert "colour" in str(found.value)
    for key in ("3", ""):
        with pytest.raises(NotFound):
            disputes.contest(db, COMMAND_LINE, work.batch_id, key, "colour", "No.", NOW)
    stranger = Principal(name="another", client_ids=(make.client(db),))
    with pytest.raises(NotFound, match="not yours"):
        disputes.contest(db, stranger, work.batch_id, "1", "colour", "No.", NOW)
    other = make.work(db, items=1)
    with pytest.raises(NotFound):
        disputes.contest(db, COMMAND_LINE, other.batch_id, "1", "colour", "Not decided.", NOW)


def test_a_panel_at_work_hears_the_dispute_too(db: psycopg.Connection) -> None:
    """One audit task an item and step: what is drawn already is not asked twice; what an audit
    found wrong is overturned at once."""
    work = delivered(db, 4, wrong=range(1))
    two = Auditors(db, make.contributor(db), make.contributor(db))
    job(db, lambda: NOW)
    tasks = "select count(*) from task where kind = 'audit'"
    assert make.one(db, tasks) == 4
    disputes.contest(db, COMMAND_LINE, work.batch_id, "2", "colour", "No.", NOW)
    assert make.one(db, tasks) == 4
    assert two.answer() == 8
    made = disputes.contest(db, COMMAND_LINE, work.batch_id, "1", "colour", "It is red.", NOW)
    assert two.answer() == 0
    job(db, lambda: NOW)
    assert disputes.read(db, COMMAND_LINE, made.id).outcome == "overturned"
    found = disputes.disputes(db, work.batch_id, 2**62, 10)
    assert [(one.key, one.outcome) for one in found] == [("1", "overturned"), ("2", "upheld")]
    assert store_disputes.due(db, 10) == []
    [*_, last] = store_statements.of_batch(db, work.batch_id)
    evidence = issued_certificate(db, last).evidence
    assert (evidence.contested, evidence.overturned) == ((), ("1",))
    assert msgspec.json.decode(export(issued_certificate(db, last)))["statement"]["wrong"] == 1
