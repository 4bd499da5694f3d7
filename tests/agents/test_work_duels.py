"""Lessons, challengers and what follows from evidence about them."""

from typing import Any

import msgspec
import psycopg
import pytest

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena.duels import judge_duels, shadow
from canut.agents.running.model import AgentAtWork, Worth
from canut.agents.running.runner import Bench
from canut.agents.running.verbs import ask_lesson, pause
from canut.agents.standing import curve, standing
from canut.agents.teaching import store as store_teaching
from canut.agents.teaching.rules import (
    LEARNING_PPM,
    PROVING_PPM,
    begins_as,
    coverage_at,
    earning_ppm,
    lesson_due,
)
from canut.agents.teaching.teaching import teach, teach_due
from canut.agents.versions import begin_challenger, replace_champion
from canut.errors import Conflict
from canut.people.store import COMMAND_LINE
from canut.quality.licences import store_blind
from canut.quality.licences.rules import looked_back
from canut.quality.licences.streams import settle_blind
from canut.questions.registry import load_question
from canut.truth.designs import PPM
from tests import factories as make
from tests.agents.test_work_runner import Clock, Fake, hired

QUESTION = load_question(make.COLOURS)


def agent_of(db: psycopg.Connection[Any], who: int) -> AgentAtWork:
    found = store.agent(db, who)
    assert found
    return found


def decided(db: psycopg.Connection[Any], work: make.Work, method: str = "answers") -> None:
    db.execute(
        """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
        n_answers, evidence, decided_ms)
        select id, batch_step_id, item_id, '"red"', 0.97, %s, 1, '{}', id from task
        where batch_step_id = %s and not decided on conflict do nothing""",
        [method, work.batch_steps[0]],
    )
    db.execute("update task set decided = true, open = false")
    db.execute("update batch_step set n_decided = n_tasks")


def versioned(db: psycopg.Connection[Any], work: make.Work) -> tuple[AgentAtWork, Clock, int]:
    """An agent with a champion that was taught, and a challenger."""
    agent, clock, hands = agent_of(db, hired(db, work)), Clock(), Fake()
    step = Bench().step(db, work.batch_steps[0])
    for state, make_one in ((b"old", replace_champion), (b"new", begin_challenger)):
        name = store.keep_state(db, state, 0, 100, None)
        version = hands.version(agent, step, state)
        if make_one is replace_champion:
            replace_champion(db, agent, version, name, "learned", clock, Worth(100))
        else:
            number = begin_challenger(db, agent, version, name, clock, Worth(200))
    return agent, clock, number


def blind(
    db: psycopg.Connection[Any], agent: AgentAtWork, challenger: int, ours: str, theirs: str, n: int
) -> None:
    """Tasks of the stream, decided as red by people."""
    licence = store_duels.open_licence(db, agent)
    assert licence
    tasks = range(10**6, 10**6 + n)
    store_blind.record(db, [(licence.id, task, ours, 0.9) for task in tasks])
    for task in tasks:
        db.execute(
            """insert into agent_prediction values (%s, %s, %s, 0.9, '{}', 1, 'EUR', 1, 'x', 0)""",
            [challenger, task, msgspec.json.encode(theirs).decode()],
        )
        db.execute(
            """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
            n_answers, evidence, decided_ms)
            values (%s, 0, 0, '"red"', 1, 'answers', 2, '{}', 0)""",
            [task],
        )
    settle_blind(db, QUESTION, dict.fromkeys(tasks, "red"), 1)


def test_a_lesson_leaves_out_evidence_and_what_an_agent_decided(
    db: psycopg.Connection[Any],
) -> None:
    """What a licence rests on is held out for good, and nobody learns from itself."""
    work = make.work(db, items=6)
    who = hired(db, work)
    agent, bench, hands, clock = agent_of(db, who), Bench(), Fake(), Clock()
    decided(db, work)
    db.execute("update decision set method = 'licence' where task_id = %s", [work.tasks[0]])
    version = hands.version(agent, bench.step(db, work.batch_steps[0]), None)
    replace_champion(db, agent, version, None, "first", clock, Worth())
    licence = store_duels.open_licence(db, agent)
    assert licence
    store_blind.record(db, [(licence.id, work.tasks[1], "red", 0.9)])
    rows = store_teaching.decided(db, who, work.batch_steps, 100)
    assert [row.task_id for row in rows] == work.tasks[2:]
    assert store_teaching.protected(db, who, work.tasks) == {work.tasks[1]}
    assert teach(db, hands, bench, agent, clock) is None
    taught = teach(db, hands, bench, agent, clock, anyway=True)
    assert taught
    assert taught.role == "champion"
    assert 1 <= taught.worth.examples <= 4
    assert teach(db, hands, bench, agent, clock, anyway=True) is None


def test_a_lesson_that_is_asked_for_is_given_once(db: psycopg.Connection[Any]) -> None:
    """Far fewer decisions than the rules ask for are enough where a person asks; where nothing is
    new, the record says so, and nobody is asked again."""
    work = make.work(db, items=6)
    agent, bench, hands, clock = agent_of(db, hired(db, work)), Bench(), Fake(), Clock()
    decided(db, work)
    assert teach_due(db, hands, bench, clock) == []
    for told in (1, 0):
        ask_lesson(db, COMMAND_LINE, agent.id)
        assert len(teach_due(db, hands, bench, clock)) == told
    assert [event.kind for event in store.events(db, agent.id)][:2] == ["lesson", "replaced"]
    assert teach_due(db, hands, bench, clock) == []
    pause(db, COMMAND_LINE, agent.id)
    with pytest.raises(Conflict, match="paused"):
        ask_lesson(db, COMMAND_LINE, agent.id)


def test_a_better_challenger_takes_over_with_its_evidence(db: psycopg.Connection[Any]) -> None:
    """What it said in the shadow, before people decided, licenses it at once; the old one goes. It
    decided nothing, so there is nothing to go back to, and no canary."""
    agent, clock, challenger = versioned(db, make.work(db, items=2))
    blind(db, agent, challenger, ours="blue", theirs="red", n=400)
    assert judge_duels(db, lambda _: QUESTION, clock) == {agent.id: "promoted"}
    versions = store.open_versions(db, agent.id)
    assert (versions["champion"].id, len(versions)) == (challenger, 1)
    licence = store_duels.open_licence(db, agent)
    assert licence
    assert (licence.state, licence.basis) == ("in_force", versions["champion"].hash)
    assert (licence.canary_ppm, licence.stream_floor_ppm) == (PPM, 0)
    assert len(store_blind.evidence(db, licence.root)) == 400
    shown = standing(db, agent)
    assert shown.events[0].kind == "promoted"
    assert shown.curve[-1].accuracy == 1.0


def test_a_worse_challenger_is_dropped_and_spends_a_version(db: psycopg.Connection[Any]) -> None:
    """Who tries many finds one that is lucky: each has its share of delta, dropped or not."""
    agent, clock, challenger = versioned(db, make.work(db, items=2))
    blind(db, agent, challenger, ours="red", theirs="blue", n=90)
    assert judge_duels(db, lambda _: QUESTION, clock) == {agent.id: "dropped"}
    assert list(store.open_versions(db, agent.id)) == ["champion"]
    assert store_duels.tried(db, agent) == 1


def test_a_promoted_version_that_is_revoked_goes_back(db: psycopg.Connection[Any]) -> None:
    """To the one that stood before it, which earns its licence anew."""
    agent, clock, challenger = versioned(db, make.work(db, items=2))
    before = store.open_versions(db, agent.id)["champion"]
    blind(db, agent, challenger, ours="blue", theirs="red", n=400)
    judge_duels(db, lambda _: QUESTION, clock)
    db.execute(
        """update licence set state = 'ended', ended_ms = %s, reason = 'revoked'
        where ended_ms is null""",
        [clock()],
    )
    assert judge_duels(db, lambda _: QUESTION, clock) == {agent.id: "rolled back"}
    champion = store.open_versions(db, agent.id)["champion"]
    assert champion.id == before.id
    licence = store_duels.open_licence(db, agent)
    assert licence
    assert (licence.state, licence.basis) == ("earning", before.hash)


def test_rules_of_lessons() -> None:
    """A lesson when it helps; a takeover at once only where nothing is lost."""
    assert not lesson_due(99, 0)
    assert lesson_due(100, 0)
    assert not lesson_due(149, 100)
    assert lesson_due(115, 100, drifted=True)
    poor, good = Worth(100, right=0.5), Worth(200, right=0.9)
    assert begins_as(in_force=False, before=poor, now=good) == "champion"
    assert begins_as(in_force=True, before=poor, now=good) == "challenger"
    assert begins_as(in_force=True, before=good, now=good) == "challenger"
    assert begins_as(in_force=False, before=good, now=good) == "champion"
    # 17 of 18, then 43 of 52: luck may do that; 180 of 200, then 220 of 300: not
    lucky, usual = Worth(90, right=17 / 18), Worth(260, right=43 / 52)
    assert begins_as(in_force=False, before=lucky, now=usual) == "champion"
    proven, worse = Worth(1000, right=0.9), Worth(1500, right=220 / 300)
    assert begins_as(in_force=False, before=proven, now=worse) == "challenger"
    assert begins_as(in_force=False, before=proven, now=Worth(1500)) == "champion"
    # examples first where little would be licensed, evidence first where much would be
    shares = [earning_ppm(Worth(coverage=covered)) for covered in (-0.1, 0.0, 0.5, 1.0, 1.2)]
    assert shares[:2] == [LEARNING_PPM] * 2
    assert shares[3:] == [PROVING_PPM] * 2
    assert LEARNING_PPM < shares[2] < PROVING_PPM
    assert coverage_at([0.9, 0.8, 0.7, 0.6], [1, 1, 1, 0], 0.5) == 1.0
    assert coverage_at([0.9] * 3, [0, 0, 0], 0.5) == 0.0


def test_no_answer_of_a_challenger_is_a_wrong_one() -> None:
    """Or it would look good by saying little."""
    row = store_duels.PairRow(1, False, None, 0.0, '"red"')
    assert [one.wrong for one in shadow(QUESTION, [row])] == [True]
    assert [
        one.wrong for one in shadow(QUESTION, [store_duels.PairRow(1, None, '"red"', 1, None)])
    ] == [None]


def test_a_curve_falls_with_coverage() -> None:
    """Equal confidences stand together; the last point is everything."""
    points = curve([(0.9, False)] * 10 + [(0.5, True)] * 10)
    assert [(p.coverage, p.accuracy) for p in points] == [(0.5, 1.0), (1.0, 0.5)]


def test_a_challenger_looks_once_at_what_was_decided_before_it(
    db: psycopg.Connection[Any],
) -> None:
    """And no more, however long it is tried: the moment of its promotion is chosen by what it said
    since."""
    agent, clock, challenger = versioned(db, make.work(db, items=2))
    blind(db, agent, challenger, ours="blue", theirs="red", n=400)
    fixed = store.open_versions(db, agent.id)["challenger"].fixed_ms
    db.execute("update blind_answer set settled_ms = %s where task_id %% 4 = 3", [fixed])
    assert judge_duels(db, lambda _: QUESTION, clock) == {agent.id: "promoted"}
    licence = store_duels.open_licence(db, agent)
    assert licence
    brought = store_blind.evidence(db, licence.root)
    assert sum(one.looked_back for one in brought) == 300
    # up to the first that came later
    assert looked_back(brought) == 3


class Slow(Fake):
    """Hands that take their time to learn: meanwhile people decide a task as they had before."""

    def __init__(self, db: psycopg.Connection[Any], task: int) -> None:
        super().__init__()
        self.db, self.task = db, task
        db.execute("create temporary table late on commit drop as select * from decision")
        db.execute("delete from decision where task_id = %s", [task])

    def learn(self, *given: Any) -> bytes:
        at = "insert into decision select * from late where task_id = %s on conflict do nothing"
        self.db.execute(at, [self.task])
        return super().learn(*given)


def looks_back(
    db: psycopg.Connection[Any], answered: int = 100, spoke: str = "", *, slow: bool = False
) -> tuple[set[int], set[int], list[int]]:
    """What a new version brings: tasks its licence rests on, tasks it predicted, and tasks 0 to 3,
    of which the champion's stream had 1 to 3 and people have decided 1 and 2, the second of them
    while it learns if it is `slow`. `answered`: of a hundred tasks that the champion was asked;
    `spoke`: how a licence ended after that."""
    work = make.work(db, items=12)
    words = ["amber", "basalt", "cedar", "damask", "ebony", "fennel", "gneiss", "hazel"]
    for place, item in enumerate(work.items):
        title = f"{words[place % 8] * 3} {place}"
        db.execute(
            "update item set payload = jsonb_build_object('title', %s::text) where id = %s",
            [title, item],
        )
    agent, bench, hands, clock = agent_of(db, hired(db, work)), Bench(), Fake(), Clock()
    step = bench.step(db, work.batch_steps[0])
    number = replace_champion(
        db, agent, hands.version(agent, step, None), None, "first", clock, Worth()
    )
    db.execute(
        "insert into agent_cost values (%s, %s, 'EUR', 100, %s, 0, 0)",
        [number, work.batch_steps[0], answered],
    )
    licence = store_duels.open_licence(db, agent)
    assert licence
    store_blind.record(db, [(licence.id, task, "red", 0.9) for task in work.tasks[1:4]])
    decided(db, work)
    db.execute("delete from decision where task_id = %s", [work.tasks[3]])
    if spoke:
        db.execute("update licence set state = 'ended', ended_ms = 1, reason = %s", [spoke])
    if slow:
        hands = Slow(db, work.tasks[2])
    taught = teach(db, hands, bench, agent, clock, anyway=True)
    assert taught
    assert taught.role == "champion"
    new = store_duels.open_licence(db, agent)
    assert new
    brought = {one.task_id for one in store_blind.evidence(db, new.root)}
    said = db.execute(
        "select task_id from agent_prediction where version_id = %s", [taught.version_id]
    )
    return brought, {row[0] for row in said}, work.tasks[:4]


@pytest.mark.parametrize("slow", [False, True])
def test_a_new_version_brings_what_it_says_of_tasks_held_out(
    db: psycopg.Connection[Any], slow: bool
) -> None:
    """They were drawn uniformly and nobody learned from them: evidence need not be gathered again
    for each version. Where people have not decided yet, it waits; what they decide while it learns
    is settled, for nobody would come back to it."""
    brought, said, tasks = looks_back(db, slow=slow)
    assert said == set(tasks[1:])
    # of the odd ones it says nothing, which is no evidence of what it decides
    assert brought <= set(tasks[1:])
    assert tasks[2] in brought
    wrong = dict(
        db.execute("select task_id, wrong from blind_answer where value = '\"red\"'").fetchall()
    )
    assert wrong[tasks[2]] is False
    at = "select b.settled_ms = r.started_ms from blind_answer b join licence r on r.id = b.root"
    assert db.execute(f"{at} where b.task_id = %s order by b.id desc", [tasks[2]]).fetchone() == (
        True,
    )


@pytest.mark.parametrize(("answered", "spoke"), [(90, ""), (100, "revoked"), (100, "narrowed")])
def test_what_is_not_looked_back_at(db: psycopg.Connection[Any], answered: int, spoke: str) -> None:
    """Of an agent that passes tasks by, only what it could answer was drawn; and what was drawn
    before evidence spoke against a licence may be of another kind of work."""
    assert looks_back(db, answered, spoke)[:2] == (set(), set())
