"""A version that took over: a share of the tasks first, more while it is clean, back where not."""

from typing import Any

import psycopg
from msgspec.structs import replace

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena.canary import CLEAN, progress
from canut.agents.arena.duels import judge_duels, shadow, stands
from canut.agents.arena.store import PairRow
from canut.agents.running.runner import Bench, answer_once
from canut.quality.licences import store as store_licences
from canut.quality.licences import store_blind
from canut.quality.licences.caution import restore
from canut.quality.licences.licensing import CANARY_PPM
from canut.quality.licences.streams import held_back, settle_blind, shadowed
from canut.quality.model import Licence
from canut.truth.designs import PPM
from tests import factories as make
from tests.agents.test_work_duels import QUESTION, AgentAtWork, Clock, blind, versioned
from tests.agents.test_work_runner import Fake


def licence_of(db: psycopg.Connection[Any], agent: AgentAtWork) -> Licence:
    found = store_duels.open_licence(db, agent)
    assert found
    return found


def promoted(db: psycopg.Connection[Any]) -> tuple[AgentAtWork, Clock, Licence]:
    """An agent whose champion decided alone until a challenger took its place."""
    agent, clock, challenger = versioned(db, make.work(db, items=2))
    db.execute(
        """update licence set state = 'in_force', granted_ms = 1, threshold = 0.7,
        rungs = '[[0.7, 1.0]]', finding = '{"coverage": 1.0}' where ended_ms is null"""
    )
    before = licence_of(db, agent)
    blind(db, agent, challenger, ours="blue", theirs="red", n=400)
    assert judge_duels(db, lambda _: QUESTION, clock) == {agent.id: "promoted"}
    return agent, clock, before


def answered(db: psycopg.Connection[Any], agent: AgentAtWork, values: list[str], at: int) -> None:
    """Blind answers to what it would decide alone, while it is a canary; red is right."""
    licence = licence_of(db, agent)
    tasks = range(at, at + len(values))
    store_blind.record(
        db, [(licence.id, task, value, 0.9) for task, value in zip(tasks, values, strict=True)]
    )
    settle_blind(db, QUESTION, dict.fromkeys(tasks, "red"), 2)


def test_a_canary_decides_more_while_it_is_clean(db: psycopg.Connection[Any]) -> None:
    """Four fifths of its tasks, then all; meanwhile people see the others, blind, and one who
    agrees is enough for most. Nothing else is held back from it, but what its stream lacks."""
    agent, clock, _ = promoted(db)
    licence = licence_of(db, agent)
    assert (licence.state, licence.canary_ppm) == ("in_force", CANARY_PPM[0])
    tasks = range(20_000)
    assert 0.79 < 1 - held_back(licence, tasks).mean() < 0.81
    assert (held_back(licence, tasks) == shadowed(licence, tasks)).all()
    thin = replace(licence, stream_ppm=50_000)
    assert (held_back(thin, tasks) >= shadowed(thin, tasks)).all()
    assert held_back(thin, tasks).mean() > 0.19
    assert licence.stream_floor_ppm == 200_000
    assert shadowed(licence, tasks).mean() > 0.19
    answered(db, agent, ["red"] * CLEAN, 2 * 10**6)
    judge_duels(db, lambda _: QUESTION, clock)
    assert licence_of(db, agent).canary_ppm == CANARY_PPM[1] == PPM
    assert licence_of(db, agent).stream_floor_ppm == 0
    assert judge_duels(db, lambda _: QUESTION, clock) == {}


def test_a_canary_that_errs_goes_back_to_the_one_before(db: psycopg.Connection[Any]) -> None:
    """Which decides alone again, by the licence that it held: nothing spoke against that."""
    agent, clock, before = promoted(db)
    answered(db, agent, ["blue"] * 4, 2 * 10**6)
    assert judge_duels(db, lambda _: QUESTION, clock) == {agent.id: "canary rolled back"}
    licence = licence_of(db, agent)
    assert (licence.basis, licence.state, licence.threshold) == (before.basis, "in_force", 0.7)
    assert (licence.root, licence.canary_ppm) == (before.root, 1_000_000)
    assert licence.version > before.version
    told = store.events(db, agent.id)[0]
    assert (told.kind, told.detail["wrong"]) == ("rolled_back", 4)


def test_a_licence_that_evidence_ended_does_not_come_back(db: psycopg.Connection[Any]) -> None:
    """Only what another version's took the place of."""
    agent, clock, before = promoted(db)
    db.execute("update licence set reason = 'revoked' where id = %s", [before.id])
    assert restore(db, agent.licence_place, before.id, "00", clock()) is None
    assert store_licences.one(db, before.id) is not None


def test_evidence_says_how_far_a_canary_goes() -> None:
    """One error in many slows nothing for long; errors as often as allowed seldom end it."""
    assert progress([False] * (CLEAN - 1), CANARY_PPM[0], 0.02).next_ppm == CANARY_PPM[0]
    assert progress([False] * CLEAN, CANARY_PPM[0], 0.02).next_ppm == CANARY_PPM[1]
    assert progress([True] * 4, CANARY_PPM[0], 0.02).next_ppm == 0
    assert progress([True] + [False] * 39, CANARY_PPM[0], 0.05).next_ppm == CANARY_PPM[1]
    # begun under other shares
    assert progress([False] * CLEAN, 700_000, 0.02).next_ppm == PPM


def test_a_challenger_is_judged_by_what_its_champion_passed_on(
    db: psycopg.Connection[Any],
) -> None:
    """Else one that can do more would get no evidence for it, and be licensed by the easy part.
    Two people at least decide these, and the champion's own licence does not count them."""
    work = make.work(db, items=10)
    agent, clock, challenger = versioned(db, work)
    db.execute("update licence set stream_ppm = 1000000 where ended_ms is null")

    class Wider(Fake):
        """The challenger answers everything."""

        def answer(self, agent: Any, step: Any, state: Any, items: Any) -> Any:
            said = super().answer(agent, step, state, items)
            if state != b"new":
                return said
            return [
                type(one)(one.key, "red", 0.8, one.version, "fake") if one.value is None else one
                for one in said
            ]

    answer_once(db, Wider(), Bench(), clock)
    rows = db.execute("select count(*) from blind_answer where value = 'null'").fetchone()
    assert rows == (5,)
    licence = licence_of(db, agent)
    assert store_blind.evidence(db, licence.root) == []
    tasks = [row[0] for row in db.execute("select task_id from blind_answer order by 1")]
    db.execute(
        """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
        n_answers, evidence, decided_ms)
        select id, batch_step_id, item_id, '"red"', 1, 'answers', 2, '{}', 9 from task
        where id = any (%s)""",
        [tasks],
    )
    settle_blind(db, QUESTION, dict.fromkeys(tasks, "red"), 9)
    found = stands(db, agent, QUESTION)
    assert found
    assert (found.pairs.judged, found.pairs.won, found.pairs.lost) == (5, 5, 0)
    assert found.challenger.id == challenger
    assert shadow(QUESTION, [PairRow(1, True, '"red"', 0.8, '"red"')])[0].wrong is False
