"""People's licences: what counts as evidence, when a person must look, and who may end one."""

from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from canut.errors import Conflict, Forbidden, Invalid, NotFound
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from canut.quality.licences import acts
from canut.quality.licences import store as store_licences
from canut.quality.licences import store_acts as store_licence_acts
from canut.quality.licences.licensing import grant_person
from canut.quality.licences.people_watch import evidence_of, watch_due
from canut.quality.licences.people_watch_rules import Audited, Seen, in_order, judge
from canut.quality.model import Licence, LicencePlace
from canut.truth.designs import Design, draw, drawn_uniformly
from tests import factories as make

Conn = psycopg.Connection[Any]
SEED = "ab" * 32


def person(db: Conn, **given: Any) -> tuple[Licence, make.Work]:
    """Somebody with a licence for a step whose exam proves 0.7."""
    work = make.work(db, make.step(licence=True, min_answers=1), items=40)
    who = make.contributor(db)
    place = LicencePlace(who, work.process_id, "colour")
    return grant_person(db, place, make.NOW, given or None), work


def hidden_gold(db: Conn, licence: Licence, right: list[bool], start: int = 1) -> None:
    """Answers to gold in the work, judged, one a second."""
    for n, ok in enumerate(right, start):
        gold = make.one(
            db,
            """insert into gold (process_id, step_slug, payload, value, origin, digest, created_ms)
            values (%s, 'colour', '{}', '"red"', 'process', %s, 0) returning id""",
            *(licence.process_id, f"{licence.id}-{n}"),
        )
        db.execute(
            """insert into gold_answer (contributor_id, gold_id, task_id, shown_ms, value,
            agreement, answered_ms, counted) values (%s, %s, %s, 0, '"red"', %s, %s, true)""",
            [licence.contributor_id, gold, -gold, float(ok), make.NOW + 1000 * n],
        )


def audited(db: Conn, licence: Licence, work: make.Work, says: list[str | None]) -> int:
    """A list whose draws are the tasks in order, each answered "red" by the person; what panels
    say of them, None: nothing yet, "": they are of no one mind."""
    frame = make.one(
        db,
        """insert into frame (batch_step_id, number, closed_ms, last_item, n_decisions, error_max,
        delta, kind, seed, uniform_ppm, weight_max, reason, digest, audits_max)
        values (%s, 1, %s, 1, 40, 0.02, 0.05, 'uniform', %s, 800000, 1, '', '', 40) returning id""",
        *(work.batch_steps[0], make.NOW + 5, SEED),
    )
    for n, said in enumerate(says):
        task, judged = work.tasks[n], make.NOW + 10_000 + n if said is not None else None
        db.execute(
            "insert into answer values (%s, %s, '\"red\"', false, %s)",
            [task, licence.contributor_id, make.NOW + 1],
        )
        outcome = None if said is None else "right" if said == "red" else "wrong"
        resolved = None if said is None else bool(said)
        db.execute(
            """insert into panel (task_id, of_task, batch_step_id, people, people_max, opened_ms,
            value, resolved, settled_ms) values (%s, %s, %s, 2, 4, 0, %s, %s, %s)""",
            [-task, task, work.batch_steps[0], Jsonb(said), resolved, judged],
        )
        db.execute(
            "insert into audit values (%s, %s, %s, %s, '\"red\"', 1, %s, %s)",
            [frame, n, task, -task, outcome, judged],
        )
    return int(frame)


def now(db: Conn, licence: Licence) -> Licence:
    found = store_licences.locked(db, licence.id)
    assert found
    return found


def test_proof_flags_and_ends_nothing(db: Conn) -> None:
    """Hidden gold that goes wrong far beyond the exam's level flags a person's licence, once, in
    the log; it stays in force. Somebody within the level is not flagged."""
    bad, _ = person(db)
    good, _ = person(db)
    hidden_gold(db, bad, [False] * 40)
    hidden_gold(db, good, [n % 5 > 0 for n in range(60)])
    assert watch_due(db, make.NOW + 100_000) == [bad.id]
    assert watch_due(db, make.NOW + 200_000) == []
    flagged, fine = now(db, bad), now(db, good)
    assert (flagged.state, flagged.flagged_ms) == ("in_force", make.NOW + 100_000)
    assert flagged.standing
    assert (flagged.standing["wrong"], flagged.standing["gold"]) == (40, 40)
    assert flagged.standing["capital"] >= flagged.standing["bar"]
    assert (fine.flagged_ms, fine.standing and fine.standing["wrong"]) == (None, 12)
    logged = db.execute("select subject_id from audit_log where action = 'flag.licence'").fetchall()
    assert logged == [(str(bad.id),)]


def test_what_counts_as_evidence(db: Conn) -> None:
    """Audits in the order of the draw up to the first open one, without those on which the panel
    is of no one mind; gold that is retired, or asked in an exam, counts for nothing."""
    licence, work = person(db)
    audited(db, licence, work, ["red", "", "green", None, "green"])
    hidden_gold(db, licence, [True, False, False])
    db.execute("update gold_answer set counted = false where agreement = 0 and gold_id % 2 = 0")
    seen = evidence_of(db, [licence.id])[licence.id]
    assert [one.source for one in seen] == ["gold", "gold", "audit", "audit"]
    assert [one.wrong for one in seen][2:] == [False, True]
    db.execute("update licence set granted_ms = %s", [make.NOW + 10**6])
    assert evidence_of(db, [licence.id])[licence.id] == []


def test_draws_by_risk_are_no_evidence(db: Conn) -> None:
    """In the risk design only the draws that gave every decision the same chance count."""
    licence, work = person(db)
    frame = audited(db, licence, work, ["green"] * 40)
    db.execute("update frame set kind = 'risk', uniform_ppm = 500000 where id = %s", [frame])
    design = Design("risk", SEED, 500_000)
    uniform = [drawn_uniformly(design, place) for place in range(40)]
    assert 5 < sum(uniform) < 35
    assert len(evidence_of(db, [licence.id])[licence.id]) == sum(uniform)
    # with all risk on one decision, whatever else is drawn was drawn uniformly
    places = draw(design, 1000, 40, [10**6, *[0] * 999]).tolist()
    assert [place != 0 for place in places] == uniform


def test_the_level_is_that_of_the_exam(db: Conn) -> None:
    """Who passed an exam of 0.9 is held to 0.9, whatever the step asks for now."""
    strict, work = person(db)
    step_id = make.one(db, "select id from step where process_version_id = %s", work.version_id)
    exam = make.one(
        db,
        """insert into exam (contributor_id, process_id, step_slug, step_id, seed, state, rules,
        started_ms, seen_ms, ended_ms) values (%s, %s, 'colour', %s, 1, 'passed',
        '{"level": 0.9}', 0, 0, 0) returning id""",
        *(strict.contributor_id, strict.process_id, step_id),
    )
    usual, _ = person(db)
    db.execute("update licence set finding = %s where id = %s", [Jsonb({"exam": exam}), strict.id])
    for licence in (strict, usual):
        hidden_gold(db, licence, [n % 10 < 7 for n in range(150)])
    assert watch_due(db, make.NOW + 10**6) == [strict.id]
    assert (now(db, strict).standing or {})["level"] == 0.9
    assert (now(db, usual).standing or {})["level"] == 0.7


def test_only_a_person_ends_it_with_a_cause_and_a_reason(db: Conn) -> None:
    """The cause is from the list, the reason is said, and the evidence that the operator had before
    them is kept. Evidence is no cause where there is none; nobody ends their own."""
    licence, _ = person(db)
    for cause, reason in (("mood", "x"), ("conduct", " "), ("evidence", "x"), ("other", "x" * 501)):
        with pytest.raises(Invalid), db.transaction():
            acts.end(db, COMMAND_LINE, licence.id, cause, reason, make.NOW)
    own = Principal(contributor_id=licence.contributor_id, scopes=frozenset({"operate", "work"}))
    for by in (own, Principal(scopes=frozenset({"work"}))):
        with pytest.raises(Forbidden), db.transaction():
            acts.end(db, by, licence.id, "conduct", "Answers by a script.", make.NOW)
    hidden_gold(db, licence, [False] * 40)
    watch_due(db, make.NOW + 1)
    ended = acts.end(db, COMMAND_LINE, licence.id, "evidence", "All wrong. ", make.NOW + 2)
    assert (ended.state, ended.reason) == ("ended", "All wrong.")
    [act] = store_licence_acts.acts(db, [licence.id])
    assert (act.action, act.cause, act.reason) == ("end.licence", "evidence", "All wrong.")
    assert act.evidence
    assert (act.evidence["answers"], act.evidence["wrong"]) == (40, 40)
    with pytest.raises(Conflict), db.transaction():
        acts.end(db, COMMAND_LINE, licence.id, "asked", "again", make.NOW)
    with pytest.raises(NotFound), db.transaction():
        acts.end(db, COMMAND_LINE, licence.id + 99, "asked", "again", make.NOW)


def test_a_flag_is_looked_at_and_the_licence_kept(db: Conn) -> None:
    """Kept, a licence is a new version: old evidence is not held against it again."""
    licence, _ = person(db, exam=None)
    with pytest.raises(Conflict), db.transaction():
        acts.keep(db, COMMAND_LINE, licence.id, "fine", make.NOW)
    hidden_gold(db, licence, [False] * 40)
    watch_due(db, make.NOW + 100_000)
    new = acts.keep(db, COMMAND_LINE, licence.id, "A bad day.", make.NOW + 100_001)
    assert (new.state, new.version, new.flagged_ms) == ("in_force", 2, None)
    assert now(db, licence).state == "ended"
    db.execute("update licence set reviewed_ms = 0")
    assert watch_due(db, make.NOW + 200_000) == []


def test_agents_begin_and_people_are_granted(db: Conn) -> None:
    """An agent's own key begins for itself and nobody else; an operator grants to people only."""
    licence, work = person(db)
    agent = make.contributor(db)
    db.execute("update contributor set kind = 'agent' where id = %s", [agent])
    at = LicencePlace(agent, work.process_id, "colour")
    key = Principal(contributor_id=agent, scopes=frozenset({"work"}))
    begun = acts.begin(db, key, at, "sha256:1", SEED, make.NOW)
    assert (begun.state, begun.basis) == ("earning", "sha256:1")
    assert acts.begin(db, key, at, "sha256:1", SEED, make.NOW).id == begun.id
    other = Principal(contributor_id=licence.contributor_id, scopes=frozenset({"work"}))
    with pytest.raises(Forbidden):
        acts.begin(db, other, at, "sha256:2", SEED, make.NOW)
    with pytest.raises(Conflict):
        acts.grant(db, COMMAND_LINE, at, "known well", make.NOW)
    people = LicencePlace(licence.contributor_id, work.process_id, "colour")
    with pytest.raises(Conflict):
        acts.begin(db, COMMAND_LINE, people, "v1", SEED, make.NOW)
    with pytest.raises(NotFound):
        acts.grant(db, COMMAND_LINE, LicencePlace(agent, work.process_id, "no"), "x", make.NOW)
    newcomer = LicencePlace(make.contributor(db), work.process_id, "colour")
    assert acts.grant(db, COMMAND_LINE, newcomer, "known well", make.NOW).state == "in_force"
    log = db.execute("select action, count(*) from audit_log group by 1 order by 1").fetchall()
    assert dict(log) == {"begin.licence": 1, "grant.licence": 1}


AUDITS = st.lists(
    st.builds(
        Audited,
        frame_id=st.integers(1, 2),
        draw=st.integers(0, 9),
        task_id=st.integers(1, 8),
        judged_ms=st.none() | st.integers(1, 50),
        wrong=st.none() | st.booleans(),
    ),
    unique_by=lambda one: (one.frame_id, one.draw),
    max_size=12,
)
GOLD = st.lists(st.builds(Seen, st.integers(1, 50), st.booleans(), st.just("gold")), max_size=6)


@given(GOLD, AUDITS, st.integers(1, 50))
def test_evidence_only_grows(gold: list[Seen], found: list[Audited], at: int) -> None:
    """What was the evidence at a moment is the beginning of what is the evidence later: else
    looking again and again would not be fair."""
    known = sorted(gold, key=lambda one: one.at_ms)
    drawn = sorted(found, key=lambda one: (one.frame_id, one.draw))
    then = [
        Audited(o.frame_id, o.draw, o.task_id, o.judged_ms if (o.judged_ms or 99) <= at else None,
                o.wrong)
        for o in drawn
    ]  # fmt: skip
    # the same task in two lists: which one counts may be known later only
    if len({o.task_id for o in drawn}) < len(drawn):
        return
    before = in_order([one for one in known if one.at_ms <= at], then)
    after = in_order(known, drawn)
    assert [(o.at_ms, o.source) for o in before] == [
        (o.at_ms, o.source) for o in after if o.at_ms <= at
    ]
    assert all(o.at_ms > at for o in after[len(before) :])


def test_good_people_are_rarely_flagged() -> None:
    """Somebody exactly as good as the exam proves is flagged in at most delta of careers of 600
    pieces of evidence; somebody much worse, nearly always."""
    rng = np.random.default_rng(11)

    def flagged(skill: float) -> int:
        careers = rng.random((200, 600)) >= skill
        return sum(
            judge([Seen(0, bool(w), "gold") for w in career], 0.7, 0.05, 1).flagged_after
            is not None
            for career in careers
        )

    assert flagged(0.7) <= 0.05 * 200
    assert flagged(0.5) >= 0.95 * 200
