"""Drift that is injected into a running engine: what is noticed, what is done, in which order."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg.types.json import Jsonb

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import store_watch
from canut.agents.arena.drift import CALM, STEPS
from canut.agents.arena.watching import watch_due
from canut.agents.model import Item, Prediction, Step
from canut.agents.running.model import AgentAtWork
from canut.agents.running.runner import Bench, answer_once
from canut.engine.loop import one_pass
from canut.quality.audits.draws import new_seed
from canut.quality.licences.caution import CAREFUL_PPM
from canut.quality.licences.licensing import review_due
from canut.quality.model import Licence
from canut.work.tasks import Steps
from tests import factories as make
from tests.agents.test_work_duels import agent_of
from tests.agents.test_work_runner import Clock, Fake, hired

#: what the agent knows: the last word says it all
KNOWN = {"brick": "red", "rose": "red", "leaf": "green", "corona": "green"}
RUNGS = [(0.97, 0.2), (0.9, 0.5), (0.6, 1.0)]


class Knows(Fake):
    """Answers by a word it knows; of others it is less sure, and says red."""

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        version = self.version(agent, step, state).hash()
        said = []
        for item in items:
            word = item.payload["title"].split()[0]
            sure = 0.95 if word in KNOWN else 0.65
            said.append(Prediction(item.key, KNOWN.get(word, "red"), sure, version, "fake"))
        return said


class House:
    """An agent with a licence at a step, people who know the truth, and an engine."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self.db, self.rng, self.clock = db, np.random.default_rng(6), Clock()
        self.work = make.work(db, items=2)
        self.people = [make.contributor(db), make.contributor(db)]
        db.execute("update batch_step set error_max = 0.05, stream_share = 0.1, min_answers = 1")
        self.agent = agent_of(db, hired(db, self.work))
        self.hands, self.bench, self.steps = Knows(), Bench(), Steps()
        self.feed([("brick", "red")] * 2)
        db.execute(
            """update licence set state = 'in_force', granted_ms = 1, threshold = 0.6, rungs = %s,
            finding = '{"coverage": 1.0}', stream_ppm = 100000 where ended_ms is null""",
            [Jsonb(RUNGS)],
        )

    def feed(self, items: Sequence[tuple[str, str]]) -> None:
        """These items (word, truth) come in; everybody works until all is decided."""
        batch, step = self.work.batch_id, self.work.batch_steps[0]
        words, truths = zip(*items, strict=True)
        self.db.execute(
            """with made as (
                insert into item (batch_id, key, payload)
                select %s, %s || '-' || n, jsonb_build_object('title', word || ' ' || n,
                    'truth', truth)
                from unnest(%s::text[], %s::text[]) with ordinality as u (word, truth, n)
                returning id)
            insert into task (batch_step_id, item_id, wanted, slots)
            select %s, id, 1, 1 from made order by id""",
            [batch, self.clock(), list(words), list(truths), step],
        )
        self.db.execute("update batch_step set open = true, n_tasks = n_tasks + %s", [len(items)])
        # rows of tests that rolled back are dead but there: the planner would take all for empty
        self.db.execute("analyze item, task, assignment, answer, agent_prediction")
        for _ in range(8):
            answer_once(self.db, self.hands, self.bench, self.clock, ahead=10**6)
            self.decide()
            if not self.ask_people():
                break
            self.decide()
        review_due(self.db, new_seed, self.clock())

    def decide(self) -> None:
        while one_pass(self.db, self.steps, self.clock()).answers:
            pass

    def ask_people(self) -> int:
        """Both answer whatever is open, rightly; how many answers."""
        given = 0
        for person in self.people:
            rows = self.db.execute(
                """select t.id, i.payload ->> 'truth' from task t join item i on i.id = t.item_id
                where t.open and not exists (select from assignment a
                    where a.task_id = t.id and a.contributor_id = %s) order by t.id""",
                [person],
            ).fetchall()
            if not rows:
                continue
            tasks, now = [row[0] for row in rows], self.clock()
            self.db.execute(
                """insert into assignment (task_id, contributor_id, batch_step_id, state,
                claimed_ms, deadline_ms) select unnest(%s::bigint[]), %s, %s, 'claimed', %s, %s""",
                [tasks, person, self.work.batch_steps[0], now, now + 10**6],
            )
            self.db.execute(
                """update task set slots = slots - 1, open = slots > 1 where id = any (%s)""",
                [tasks],
            )
            values = [f'"{truth or "red"}"' for _, truth in rows]
            self.db.execute(
                "select submit_answers(%s, %s, %s, %s::jsonb[], %s)",
                [person, tasks, [self.work.batch_steps[0]] * len(tasks), values, now],
            )
            given += len(rows)
        return given

    def watch(self) -> list[str]:
        """What the next look of any engine does."""
        step = self.bench.step(self.db, self.work.batch_steps[0])
        return [moved.after for moved in watch_due(self.db, lambda _: step, self.clock)]

    def drawn(self, n: int, shares: dict[str, float], truth: dict[str, str]) -> None:
        """n items with words in these shares, in pieces as they would come."""
        words = self.rng.choice(list(shares), n, p=list(shares.values())).tolist()
        for place in range(0, n, 500):
            self.feed([(word, truth[word]) for word in words[place : place + 500]])

    def licence(self) -> Licence:
        found = store_duels.open_licence(self.db, self.agent)
        assert found
        return found

    def events(self) -> list[dict[str, Any]]:
        told = store.events(self.db, self.agent.id)
        return [event.detail for event in told[::-1] if event.kind == "drift"]


USUAL = {"brick": 0.3, "rose": 0.2, "leaf": 0.3, "corona": 0.2}


@pytest.fixture
def house(db: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> House:
    """After 1,500 usual items, in which nothing was noticed. Who is drawn for the blind stream
    hangs on a seed and on the task's number: both are the same in every run."""
    chance = random.Random(8)
    monkeypatch.setattr("secrets.token_hex", lambda size: chance.randbytes(size).hex())
    db.execute("alter table task alter column id restart")
    made = House(db)
    made.drawn(1500, USUAL, KNOWN)
    assert made.watch() == []
    return made


def test_a_new_class_makes_the_engine_careful_then_calm(house: House) -> None:
    """Its words are unknown and the agent is less sure: the threshold rises to a rung above these
    answers, and people get them; where it goes on, people see more. Calm takes all of it back, but
    for the threshold, which evidence lowers."""
    new = USUAL | {"corona": 0.0, "loom": 0.2}
    house.drawn(1000, new, KNOWN | {"loom": "blue"})
    assert house.watch() == ["threshold"]
    licence = house.licence()
    # errors that people found may have raised it before the watch did
    assert licence.state == "in_force"
    assert licence.threshold in (0.9, 0.97)
    told = house.events()[-1]
    assert {"input", "confidence"} <= {alarm["signal"] for alarm in told["alarms"]}
    assert told["threshold"] < told["threshold_now"] == licence.threshold
    house.drawn(1000, {"brick": 0.2, "leaf": 0.2, "loom": 0.6}, KNOWN | {"loom": "blue"})
    assert house.watch() == ["people"]
    assert house.licence().stream_ppm >= CAREFUL_PPM
    row = store_watch.of_agent(house.db, house.agent.id)
    assert row
    assert row.step == "people"
    house.db.execute("update agent_watch set since = %s", [CALM])
    house.drawn(100, {"brick": 0.2, "leaf": 0.2, "loom": 0.6}, KNOWN | {"loom": "blue"})
    assert house.watch() == ["threshold"]
    assert house.licence().stream_floor_ppm == 0
    assert [told["after"] for told in house.events()] == ["threshold", "people", "threshold"]


@pytest.mark.slow
def test_a_word_that_changes_its_meaning_overnight_costs_the_licence(house: House) -> None:
    """Same words, same confidence: nothing in the stream tells. People's blind answers do; the
    steps follow in order, and the licence ends by its evidence, not by the alarm."""
    overnight = KNOWN | {"corona": "blue"}
    steps: list[str] = []
    for _ in range(8):
        house.drawn(500, {"brick": 0.3, "leaf": 0.3, "corona": 0.4}, overnight)
        steps += house.watch()
    assert steps[:1] == ["threshold"]
    places = [STEPS.index(step) for step in steps]  # type: ignore[arg-type]
    assert all(later - before <= 1 for before, later in itertools.pairwise(places))
    assert house.licence().state == "earning"
    reasons = house.db.execute("select reason from licence where ended_ms is not null").fetchall()
    assert ("revoked",) in reasons
    audits = [alarm for told in house.events() for alarm in told["alarms"]]
    assert any(alarm["signal"] == "audit" for alarm in audits)


@pytest.mark.slow
def test_shares_that_move_do_not_cost_the_licence(house: House) -> None:
    """Another season: far more of one class, rightly answered. A while of care, and no more."""
    house.drawn(2500, {"brick": 0.5, "rose": 0.4, "leaf": 0.06, "corona": 0.04}, KNOWN)
    steps = house.watch()
    assert steps[:1] == ["threshold"]
    house.drawn(1500, {"brick": 0.5, "rose": 0.4, "leaf": 0.06, "corona": 0.04}, KNOWN)
    steps += house.watch()
    assert not {"challenge", "revoke"} & set(steps)
    assert house.licence().state == "in_force"
    assert {alarm["signal"] for alarm in house.events()[0]["alarms"]} == {"class"}


def test_another_version_is_watched_from_nothing(house: House) -> None:
    """What was noted was about the one before; what waited to be looked at is let go."""
    house.db.execute("update agent_watch set step = 'people', lesson = 'retrain'")
    house.feed([("brick", "red")] * 10)
    row = house.db.execute("select version from agent_version").fetchone()
    assert row
    house.db.execute(
        "update agent_version set role = 'replaced', ended_ms = 1 where agent_id = %s",
        [house.agent.id],
    )
    house.db.execute(
        """insert into agent_version (agent_id, hash, version, role, fixed_ms)
        values (%s, 'other', %s, 'champion', 2)""",
        [house.agent.id, Jsonb(row[0])],
    )
    assert house.watch() == ["steady"]
    assert house.watch() == []
    row_now = store_watch.of_agent(house.db, house.agent.id)
    assert row_now
    assert (row_now.step, row_now.seen, row_now.lesson) == ("steady", 0, None)
    assert house.db.execute("select count(*) from agent_glimpse").fetchone() == (0,)
