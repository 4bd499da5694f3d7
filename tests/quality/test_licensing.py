"""Licences at work: from blind answers to deciding alone, and back."""

import itertools
from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Conflict, NotFound
from canut.quality.licences import store, store_blind
from canut.quality.licences.licensing import begin_earning, grant_person, review_due, review_licence
from canut.quality.licences.rules import (
    CLIMBING_PPM,
    EARNING_PPM,
    PLANNED,
    WORTH,
    Review,
    counted,
    review,
)
from canut.quality.licences.streams import decides_alone, settle_blind, shadowed
from canut.quality.licences.thresholds import delta_share
from canut.quality.licences.unseen import Confirmed, passed_over
from canut.quality.model import BlindAnswer, Licence, LicencePlace
from canut.questions.registry import load_question
from canut.truth.bounds import upper_rate
from tests import factories as make

SEED = "ab" * 32
QUESTION = load_question(make.COLOURS)
_versions = itertools.count(1)


def place(conn: psycopg.Connection[Any], kind: str = "agent") -> tuple[LicencePlace, make.Work]:
    work = make.work(conn, make.step(), items=5)
    who = make.contributor(conn)
    conn.execute("update contributor set kind = %s where id = %s", [kind, who])
    return LicencePlace(who, work.process_id, "colour"), work


def answered(
    conn: psycopg.Connection[Any], licence: Licence, right: list[bool], confidence: float = 0.9
) -> None:
    """Blind answers, settled, to tasks nobody else has."""
    tasks = [next(_versions) + 10**9 for _ in right]
    store_blind.record(conn, [(licence.id, task, "red", confidence) for task in tasks])
    decided = {task: "red" if ok else "blue" for task, ok in zip(tasks, right, strict=True)}
    assert settle_blind(conn, QUESTION, decided, make.NOW) == {licence.id}


def test_an_agent_earns_its_licence(db: psycopg.Connection[Any]) -> None:
    """Enough right blind answers prove a threshold; the next version decides alone, and its
    history names what proved it."""
    at, _ = place(db)
    licence = begin_earning(db, at, "v1", SEED, make.NOW)
    assert not decides_alone(licence, 1.0, in_its_stream=False)
    answered(db, licence, [True] * 150)
    assert review_licence(db, licence.id, SEED, make.NOW) is None
    noted = store.locked(db, licence.id)
    assert noted
    assert noted.finding
    assert noted.finding["shortfall"]["about"] > 0
    answered(db, licence, [True] * 350)
    change = review_licence(db, licence.id, "cd" * 32, make.NOW + 1)
    assert change
    assert change.becomes == "granted"
    new, old = store.history(db, at.process_id, "colour")
    assert (old.state, old.reason, new.state, new.version) == ("ended", "granted", "in_force", 2)
    assert new.root == licence.id
    assert new.finding
    assert new.finding["wrong"] == 0
    assert decides_alone(new, 0.9, in_its_stream=False)
    assert not decides_alone(new, 0.9, in_its_stream=True)
    assert not decides_alone(new, 0.89, in_its_stream=False)
    assert not decides_alone(new, None, in_its_stream=False)


def test_errors_revoke_and_it_is_earned_anew(db: psycopg.Connection[Any]) -> None:
    """When blind answers above the threshold go wrong the licence ends at once; the version that
    follows begins without evidence."""
    at, _ = place(db)
    licence = begin_earning(db, at, "v1", SEED, make.NOW)
    answered(db, licence, [True] * 600)
    change = review_licence(db, licence.id, SEED, make.NOW)
    assert change
    new = store.locked(db, change.licence_id)
    assert new
    answered(db, new, [False] * 30)
    change = review_licence(db, new.id, SEED, make.NOW + 1)
    assert change
    assert change.becomes == "revoked"
    again = store.locked(db, change.licence_id)
    assert again
    assert again.state == "earning"
    assert again.version == 3
    assert again.root == again.id
    assert store_blind.evidence(db, again.root) == []
    # a second look at what has ended changes nothing
    assert review_licence(db, new.id, SEED, make.NOW + 2) is None


def test_a_new_agent_version_begins_anew(db: psycopg.Connection[Any]) -> None:
    """What was proved of one model says nothing of the next; the same one again changes nothing."""
    at, _ = place(db)
    first = begin_earning(db, at, "v1", SEED, make.NOW)
    assert begin_earning(db, at, "v1", "00" * 32, make.NOW).id == first.id
    second = begin_earning(db, at, "v2", SEED, make.NOW)
    ended = store.locked(db, first.id)
    assert ended
    assert (ended.state, ended.reason) == ("ended", "superseded")
    assert (second.version, second.basis, second.state) == (2, "v2", "earning")
    with pytest.raises(NotFound):
        begin_earning(db, LicencePlace(at.contributor_id, 0, "colour"), "v1", SEED, make.NOW)


def test_new_evidence_is_looked_at_once(db: psycopg.Connection[Any]) -> None:
    """The engine reviews licences whose evidence changed, and no others."""
    at, _ = place(db)
    licence = begin_earning(db, at, "v1", SEED, make.NOW)
    assert review_due(db, lambda: SEED, make.NOW) == []
    answered(db, licence, [True] * 600)
    [change] = review_due(db, lambda: SEED, make.NOW + 1)
    assert (change.becomes, change.licence.id) == ("granted", licence.id)
    assert review_due(db, lambda: SEED, make.NOW + 2) == []


def test_people_hold_licences_too(db: psycopg.Connection[Any]) -> None:
    """A person's licence is in force when granted, and is not granted twice."""
    at, _ = place(db, "person")
    licence = grant_person(db, at, make.NOW, {"exam": 1})
    assert (licence.state, licence.threshold, licence.version) == ("in_force", None, 1)
    with pytest.raises(Conflict), db.transaction():
        grant_person(db, at, make.NOW)
    store.end(db, at, make.NOW, "asked to stop")
    assert grant_person(db, at, make.NOW).version == 2


def test_what_is_open_holds_back_what_came_later(db: psycopg.Connection[Any]) -> None:
    """Evidence counts up to the first answer without a decision: what takes long is often hard.
    A cancelled batch holds nothing back."""
    at, work = place(db)
    licence = begin_earning(db, at, "v1", SEED, make.NOW)
    store_blind.record(db, [(licence.id, work.tasks[0], "red", 0.9)])
    answered(db, licence, [True] * 600)
    assert review_licence(db, licence.id, SEED, make.NOW) is None
    db.execute("update batch set state = 'cancelled' where id = %s", [work.batch_id])
    assert review_licence(db, licence.id, SEED, make.NOW) is not None


def licence_of(**given: Any) -> Licence:
    values: dict[str, Any] = {
        "id": 1, "contributor_id": 1, "process_id": 1, "step_slug": "s", "version": 1, "root": 1,
        "root_version": 1, "state": "earning", "basis": "", "error_max": 0.05, "delta": 0.05,
        "threshold": None, "rungs": None, "seed": SEED, "stream_ppm": 300_000, "finding": None,
        "standing": None, "flagged_ms": None, "started_ms": 0, "granted_ms": None,
        "ended_ms": None, "reason": "",
    }  # fmt: skip
    return Licence(**(values | given))


@pytest.mark.parametrize(
    ("runs", "between"), [(60, 300), pytest.param(200, 50, marks=pytest.mark.slow)]
)
def test_false_licences_are_rare(runs: int, between: int) -> None:
    """An agent that errs more than allowed at every confidence is granted one in at most delta of
    runs, looked at again and again."""
    rng = np.random.default_rng(7)
    false = 0
    for _ in range(runs):
        sure = rng.random(1000)
        wrong = rng.random(1000) < 0.06
        answers = [
            BlindAnswer(i, 1, float(c), bool(w))
            for i, (c, w) in enumerate(zip(sure, wrong, strict=True))
        ]
        false += any(
            review(licence_of(), answers[:n], 30_000).becomes == "granted"
            for n in range(100, 1001, between)
        )
    assert false <= 0.05 * runs


def test_good_agents_climb_down_the_ladder() -> None:
    """Errors only at low confidence: a threshold is granted, and lowered as evidence grows, never
    below where the errors begin."""
    rng = np.random.default_rng(8)
    sure = rng.random(4000)
    wrong = (sure < 0.5) & (rng.random(4000) < 0.5)
    answers = [
        BlindAnswer(i, 2, float(c), bool(w))
        for i, (c, w) in enumerate(zip(sure, wrong, strict=True))
    ]
    first = review(licence_of(), answers[:PLANNED], 30_000)
    assert first.becomes == "granted"
    assert first.threshold is not None
    held = licence_of(
        id=2, state="in_force", threshold=first.threshold, rungs=first.rungs, version=2
    )
    later = review(held, answers, 30_000)
    assert later.becomes == "widened"
    assert later.threshold is not None
    assert 0.4 < later.threshold < first.threshold
    assert later.stream_ppm == 30_000


@given(st.lists(st.sampled_from([True, False, None]), max_size=30))
def test_counted_is_the_settled_beginning(outcomes: list[bool | None]) -> None:
    """Nothing after the first open answer, everything before it."""
    answers = [BlindAnswer(i, 1, 0.5, wrong) for i, wrong in enumerate(outcomes)]
    kept = counted(answers)
    assert all(answer.wrong is not None for answer in kept)
    assert len(kept) == len(answers) or answers[len(kept)].wrong is None


def test_the_stream_is_the_same_whenever_asked() -> None:
    """A task is in the stream or not, for good, and about as many are as the licence says."""
    licence = licence_of()
    tasks = list(range(5000))
    first = shadowed(licence, tasks)
    assert (first == shadowed(licence, tasks)).all()
    assert 0.27 < first.mean() < 0.33


def test_only_proved_rungs_stay_above_a_threshold() -> None:
    """An alarm raises a threshold to a rung above it: one that the descent which proved it
    never met would be no promise."""
    sure = np.concatenate([np.full(6, 0.99), np.linspace(0.5, 0.9, 594)])
    np.random.default_rng(9).shuffle(sure)
    # the surest are wrong too often to be proved by themselves
    answers = [BlindAnswer(i, 1, float(c), bool(c > 0.95 and i % 2)) for i, c in enumerate(sure)]
    given = review(licence_of(), answers, 30_000)
    assert given.becomes == "granted"
    assert given.rungs is not None
    assert given.finding is not None
    assert given.threshold is not None
    higher = [rung for rung, _ in given.rungs if rung > given.threshold]
    assert set(higher) <= set(given.finding.proved)
    assert max(rung for rung, _ in given.rungs) < 0.9
    assert given.threshold < 0.75


def test_evidence_is_gathered_fast_only_while_it_may_prove_more() -> None:
    """Of an agent that guesses, no faster than in force once enough is known; of one in force, as
    long as the next rung is within reach."""
    rng = np.random.default_rng(10)

    def found(rate: float, n: int, **licence: Any) -> Review:
        answers = [
            BlindAnswer(i, 1, float(c), bool(w))
            for i, (c, w) in enumerate(zip(rng.random(n), rng.random(n) < rate, strict=True))
        ]
        return review(licence_of(**licence), answers, 30_000)

    assert found(0.5, PLANNED - 1).stream_ppm == EARNING_PPM
    assert found(0.5, PLANNED).stream_ppm == 30_000
    everything = found(0.0, PLANNED)
    assert everything.becomes == "granted"
    assert everything.finding is not None
    assert everything.finding.shortfall is None
    assert everything.stream_ppm == 30_000
    # the surest half is proved, and the next rung never will be
    sure = np.random.default_rng(11).random(PLANNED)
    answers = [BlindAnswer(i, 1, float(c), bool(c < 0.4)) for i, c in enumerate(sure)]
    half = review(licence_of(), answers, 30_000, left=10**6)
    assert half.finding is not None
    missing = half.finding.shortfall
    assert missing is not None
    for left in (0, 10**6):
        ppm = review(licence_of(), answers, 30_000, left=left).stream_ppm
        enough = missing.about is not None and missing.about * WORTH <= left
        assert ppm == (CLIMBING_PPM if enough else 30_000)


def test_where_one_who_agrees_is_enough_less_is_allowed() -> None:
    """Errors that this person makes too go unseen, so fewer may be found: the same answers prove
    less, and what they prove allows for what was not seen. Nothing of it weakens the watch."""
    sure = np.linspace(0.5, 1.0, PLANNED)
    two = [BlindAnswer(i, 1, float(c), i % 60 == 0, confirmed=False) for i, c in enumerate(sure)]
    ones = [msgspec.structs.replace(one, lone=True, confirmed=None) for one in two]
    assert review(licence_of(), two, 30_000).becomes == "granted"
    assert review(licence_of(), ones, 30_000).becomes == "same"
    clean = [msgspec.structs.replace(answer, wrong=False) for answer in ones]
    found = review(licence_of(), clean, 30_000).finding
    assert found is not None
    assert found.unseen == pytest.approx(0.2)
    plain = upper_rate(found.audits, 0, delta_share(0.05, 1) / 2)
    assert found.bound == pytest.approx(plain / 0.8)
    held = licence_of(state="in_force", threshold=0.5, rungs=[(0.5, 1.0)])
    wrong = [msgspec.structs.replace(answer, wrong=True) for answer in ones[:30]]
    assert review(held, wrong, 30_000).becomes == "revoked"


def test_what_goes_unseen_is_told_by_what_two_have_judged() -> None:
    """It leans on two in ten, so two are asked until four errors were found and none was shared;
    and where what two agree on would be wrong too often, for nothing is known of the agent."""
    assert Confirmed().unseen == 0.2
    assert not Confirmed(100, 3, 0).one_is_enough(0.05)
    assert Confirmed(100, 4, 0).one_is_enough(0.05)
    assert not Confirmed(100, 20, 3).one_is_enough(0.05)
    assert not Confirmed(40, 20, 0).one_is_enough(0.02)


def test_errors_that_are_sure_and_shared_count_where_they_are() -> None:
    """What an agent is sure of and gets wrong is what people get wrong too: many errors elsewhere
    that nobody shares do not hide them."""
    sure = np.repeat([0.9, 0.3], 100)
    wrong, confirmed = np.arange(200) % 10 == 0, np.arange(200) < 100
    lone = np.arange(200) % 5 > 0
    over = passed_over([0.9, 0.3], sure, wrong, lone, confirmed)
    assert over == pytest.approx([0.8 * 14 / 20, 0.8 * 14 / 30])
    alike = passed_over([0.9, 0.3], sure, wrong, np.zeros(200, bool), confirmed)
    assert alike.tolist() == [0, 0]
