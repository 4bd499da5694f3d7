"""What follows from answers once they are weighed: pure rules, without a database."""

import json

import msgspec
import numpy as np
import pytest

from canut.quality.beliefs.held import Standing
from canut.quality.beliefs.model import StepModel, StepPlace
from canut.quality.model import Licence
from canut.questions.base import Answers, Track
from canut.questions.registry import load_question
from canut.questions.voices import folded
from canut.truth.designs import PPM, in_stream
from canut.truth.posterior import nothing_known
from canut.work.evidence import Evidence, Heard, decode_evidence, encode_evidence
from canut.work.judge import judge, verdicts, wasted
from canut.work.store_decide import FreshTask, StepRules
from canut.work.weighed import (
    Weighed,
    agreement_with_decision,
    doubt_of,
    evidence_of,
    settled_by_licence,
)
from tests.factories import COLOURS

QUESTION = load_question(COLOURS)
INDEX = {"red": 0, "green": 1, "blue": 2}
ASK, DECIDE, ESCALATE = 0, 1, 2


def rules(**given: object) -> StepRules:
    values = {
        "batch_step_id": 1,
        "batch_id": 1,
        "position": 0,
        "process_id": 1,
        "slug": "colour",
        "min_answers": 2,
        "max_answers": 4,
        "target": 0.8,
        "error_max": 0.01,
        "doubt": 0.0,
        "doubted": 0,
        "expert_skill": "expert",
        "next_step_id": None,
        "next_min_answers": None,
    }
    return StepRules(**(values | given))


def weighed(
    *tasks: list[str],
    weight: list[float] | None = None,
    stated: list[float | None] | None = None,
    version: int = 0,
    silent: int = 0,
    wanted: int = 2,
) -> Weighed:
    """Tasks with these answers, each by another contributor: 100, 101, ..."""
    values = [value for said in tasks for value in said]
    n = len(values)
    answers = Answers(
        np.repeat(np.arange(len(tasks), dtype=np.int32), [len(said) for said in tasks]),
        np.arange(n, dtype=np.int32),
        values,
        len(tasks),
        None if weight is None else np.array(weight),
    )
    track = Track(np.zeros(n), np.zeros(n), nothing_known(n, 3))
    model = StepModel(version=version, skill=0.7)
    return Weighed(
        tasks=[
            FreshTask(i + 1, 1, i + 1, wanted, False, False, "work", None, 1)
            for i in range(len(tasks))
        ],
        contributors=list(range(100, 100 + n)),
        answers=answers,
        expert=[False] * n,
        stated=stated or [None] * n,
        beliefs=QUESTION.aggregate(answers, track),
        standing=Standing(
            StepPlace(1, "colour"), model, track, np.full(n, -1, np.int32), [], "hash", INDEX
        ),
        skill=np.full(n, 0.7),
        silent=np.full(len(tasks), silent),
    )


def licence(contributor: int, **given: object) -> Licence:
    values = {
        "id": 1,
        "contributor_id": contributor,
        "process_id": 1,
        "step_slug": "colour",
        "version": 1,
        "root": 1,
        "root_version": 1,
        "state": "in_force",
        "basis": "b",
        "error_max": 0.02,
        "delta": 0.05,
        "threshold": 0.9,
        "rungs": None,
        "seed": "aa",
        "stream_ppm": 0,
        "finding": None,
        "standing": None,
        "flagged_ms": None,
        "started_ms": 0,
        "granted_ms": 0,
        "ended_ms": None,
        "reason": "",
    }
    return Licence(**(values | given))


def test_a_family_that_agrees_with_itself_is_no_second_opinion() -> None:
    """Two clones are one voice: another answer is asked for; two people decide."""
    rule = rules(target=0.6)
    assert verdicts(weighed(["red", "red"]), rule).tolist() == [DECIDE]
    assert verdicts(weighed(["red", "red"], weight=[0.5, 0.5]), rule).tolist() == [ASK]


def test_clones_weigh_what_one_of_them_does() -> None:
    """With weights, and folded into records for types that know none: in any company."""
    one = weighed(["red", "blue"]).beliefs.confidence
    two = weighed(["red", "red", "blue"], weight=[0.5, 0.5, 1.0]).beliefs.confidence
    assert two == pytest.approx(one)
    right, judged = np.array([40.0, 40.0, 3.0]), np.array([50.0, 50.0, 9.0])
    answers = Answers(
        np.zeros(3, np.int32),
        np.arange(3, dtype=np.int32),
        ["red", "red", "blue"],
        1,
        np.array([0.5, 0.5, 1.0]),
    )
    both = QUESTION.aggregate(*folded(answers, Track(right, judged), 3))
    alone = Answers(np.zeros(2, np.int32), np.arange(2, dtype=np.int32), ["red", "blue"], 1)
    single = QUESTION.aggregate(alone, Track(right[1:], judged[1:]))
    assert both.confidence == pytest.approx(single.confidence)


def test_an_expert_is_asked_at_once_where_no_answers_could_settle_it() -> None:
    """But not before a sweep has told what a usual answer is worth, nor while they could."""
    split = ["red", "green", "blue"]
    rule = rules(target=0.95)
    assert verdicts(weighed(split, version=0), rule).tolist() == [ASK]
    assert verdicts(weighed(split, version=1), rule).tolist() == [ESCALATE]
    assert verdicts(weighed(split, version=1), rules(target=0.6)).tolist() == [ASK]
    assert verdicts(weighed(split, version=1), rules(expert_skill=None)).tolist() == [ASK]


def test_answers_are_not_called_wasted_where_they_could_settle() -> None:
    """Two usual answers take 0.5 between two classes to 0.84; nothing said is never wasted."""
    said, left = np.array([0.5, 0.5, 0.0]), np.array([2, 2, 2])
    lost = [wasted(said, left, target, 0.7, 2).tolist() for target in (0.8, 0.9)]
    assert lost == [[False, False, False], [True, True, False]]


def test_contradictions_go_to_better_contributors_first() -> None:
    """A task below what usual answers make it is doubtful; one on its way is not."""
    found = judge(
        weighed(["red", "blue"], ["red", "red"]),
        rules(target=0.99),
        {},
        [Evidence(), Evidence()],
    )
    assert (found.ask, found.doubtful) == ([1, 2], [True, False])


def test_an_agent_decides_alone_only_under_its_licence() -> None:
    """In force, as sure as it asks, outside of the blind stream; else nothing is settled."""
    given = weighed(["red"], stated=[0.95])
    settled = settled_by_licence(given, [licence(100)])
    assert (settled[0].value, settled[0].trust, settled[0].method) == ("red", 0.98, "licence")
    agreement = agreement_with_decision(QUESTION, given, settled)
    [decision] = judge(given, rules(), settled, evidence_of(given, agreement)).decisions
    assert (decision.value, decision.method, decision.n_answers) == ("red", "licence", 1)
    for other in (
        licence(100, state="earning"),
        licence(100, threshold=0.96),
        licence(100, threshold=None),
        licence(100, stream_ppm=PPM),
        licence(7),
    ):
        assert settled_by_licence(given, [other]) == {}
    assert settled_by_licence(weighed(["red"]), [licence(100)]) == {}


def test_the_blind_stream_is_drawn_by_the_task() -> None:
    """The same tasks whenever it is asked, those that the design draws."""
    given = weighed(*[["red"]] * 40, stated=[1.0] * 40)
    settled = settled_by_licence(
        given, [licence(who, stream_ppm=PPM // 2) for who in range(100, 140)]
    )
    blind = in_stream("aa", [str(i + 1) for i in range(40)], PPM // 2)
    assert sorted(settled) == np.flatnonzero(~blind).tolist()


def test_agents_that_contradict_each_other_settle_nothing() -> None:
    """Two licences, two answers: people are asked."""
    given = weighed(["red", "blue"], stated=[0.99, 0.99])
    assert settled_by_licence(given, [licence(100), licence(101)]) == {}
    given = weighed(["red", "red"], stated=[0.99, 0.99])
    assert settled_by_licence(given, [licence(100), licence(101)])[0].rows == {0, 1}


def test_who_has_no_voice_is_not_waited_for() -> None:
    """An answer of a blind stream was asked for like the others: with it in, one more is."""
    given = weighed(["red"], silent=1)
    assert judge(given, rules(), {}, [Evidence()]).ask == [1]
    assert judge(weighed(["red"]), rules(), {}, [Evidence()]).ask == []


def test_evidence_holds_the_numbers_and_old_evidence_is_read() -> None:
    """What each answer was worth; short, because there is one for each decision."""
    usual = Heard(7, 0.91, 0.8)
    evidence = Evidence((usual, Heard(8, 0.09, 0.7, 0.5), Heard(9, 0.91, 0.7, 1.0, 0.97)), 3)
    kept = encode_evidence(evidence)
    assert json.loads(kept)[:2] == [3, [7, 0.91, 0.8]]
    assert decode_evidence(kept) == evidence
    old = decode_evidence("[[7, 0.91], [8, 0.4]]")
    assert old == Evidence((Heard(7, 0.91), Heard(8, 0.4)), 0)
    assert old.answers[0].skill is None


def test_what_the_whole_leaves_room_for_is_decided() -> None:
    """Two of three usual answers agree, which is less than the target of one decision: where those
    before were surer than the promise asks, that is enough, the surest first; not where people
    judge an agent, nor before as many answers are in as the step asks for at least."""
    split = weighed(["red", "red"], ["red", "red", "blue"], wanted=2)
    assert 0.8 < split.beliefs.confidence[0] < 0.95
    room = rules(target=0.95, error_max=0.05, doubt=1.0, doubted=100)
    judged = judge(split, room, {}, [Evidence()] * 2)
    assert [(one.task_id, one.method) for one in judged.decisions] == [(1, "answers")]
    assert judged.decisions[0].doubt == pytest.approx(1 - split.beliefs.confidence[0])
    assert judged.ask == [2]
    none = judge(split, rules(target=0.95, error_max=0.05), {}, [Evidence()] * 2)
    assert (none.decisions, none.ask) == ([], [1, 2])
    blind = msgspec.structs.replace(split, judged=frozenset({1}))
    assert judge(blind, room, {}, [Evidence()] * 2).decisions == []
    thin = rules(target=0.95, error_max=0.05, doubt=1.0, doubted=100, min_answers=3)
    assert judge(split, thin, {}, [Evidence()] * 2).decisions == []


def test_what_a_licence_decides_counts_with_its_own_errors() -> None:
    """As they were shown blind, what went unseen among them; never more than it allows."""
    proved = licence(100, error_max=0.05, finding={"audits": 98, "wrong": 1, "unseen": 0.2})
    assert doubt_of(proved) == pytest.approx(0.02 / 0.8)
    assert doubt_of(licence(100, error_max=0.05)) == 0.05
    many = licence(100, error_max=0.05, finding={"audits": 98, "wrong": 9})
    assert doubt_of(many) == 0.05
