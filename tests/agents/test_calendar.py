"""Models that end: who follows is tried in time, and nobody waits for one that is gone."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import store_calendar
from canut.agents.arena.calendar import look
from canut.agents.arena.store_calendar import Ending
from canut.agents.llm.models import read_models
from canut.agents.model import Item, Prediction, Step, Version
from canut.agents.running.model import AgentAtWork
from canut.agents.running.runner import Bench, answer_once
from canut.agents.running.verbs import NewAgent, put_to_work, resume
from canut.errors import Invalid, NotFound
from canut.people.store import COMMAND_LINE
from canut.processes.model import ItemField, ItemShape, ProcessDefinition
from tests import factories as make
from tests.agents.test_work_duels import agent_of
from tests.agents.test_work_runner import Clock, Fake

END = date(2027, 3, 31)


class Hosted(Fake):
    """Hands whose version is the model that the settings name; `egret` may not load."""

    broken = False

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        model = str(agent.settings["model"])
        if model == "egret" and self.broken:
            raise NotFound("no such model")
        return Version("llm", "1", step.schema_hash(), model=model)

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        version = self.version(agent, step, state).hash()
        return [Prediction(item.key, "red", 0.9, version, "llm") for item in items]


class Calendar:
    """An agent on `heron`, which ends; the file names what follows."""

    def __init__(self, db: psycopg.Connection[Any], successor: str = "egret") -> None:
        self.db, self.clock, self.hands = db, Clock(), Hosted()
        self.work = make.work(db, items=4)
        shape = ItemShape((ItemField("title", "Title", required=True),))
        definition = ProcessDefinition("test/colours", "Colours", "", shape, (make.step(),))
        new = NewAgent("llm", self.work.process_id, "colour", model="heron")
        self.agent = agent_of(db, put_to_work(db, COMMAND_LINE, new, definition, make.NOW))
        rows: list[dict[str, Any]] = [
            {"name": "heron", "url": "http://a", "model": "h", "shutdown": END},
            {"name": "egret", "url": "http://a", "model": "e"},
        ]
        if successor:
            rows[0]["successor"] = successor
        self.models = read_models({"model": rows}, {})
        answer_once(db, self.hands, Bench(), self.clock, ahead=2)

    def on(self, days: int) -> list[tuple[str, str]]:
        """What a look so many days before the end finds new: state and what was done."""
        found = look(
            self.db,
            self.models,
            self.hands,
            lambda _: Bench().step(self.db, self.work.batch_steps[0]),
            END - timedelta(days=days),
            self.clock,
        )
        return [(one.state, one.did) for one in found]

    def ending(self) -> Ending:
        return store_calendar.endings(self.db)[0]


def test_a_successor_is_tried_in_time_and_follows(db: psycopg.Connection[Any]) -> None:
    """It answers in the shadow with its own model, once however often one looks; on the day it
    takes over, and decides what its evidence proves: nothing yet."""
    house = Calendar(db)
    assert house.on(200) == [("later", "")]
    assert house.on(199) == []
    assert house.on(80) == [("now", "challenger")]
    assert house.on(79) == []
    challenger = store.open_versions(db, house.agent.id)["challenger"]
    assert challenger.settings == {"model": "egret"}
    answer_once(db, house.hands, Bench(), house.clock)
    rows = db.execute("select version_id, count(*) from agent_prediction group by 1").fetchall()
    assert dict(rows)[challenger.id] == 2
    assert (house.ending().successor, house.ending().begin_by) == ("egret", date(2027, 1, 30))
    assert house.on(0) == [("gone", "follows")]
    assert house.on(-1) == []
    assert store_calendar.endings(db) == []
    champion = store.open_versions(db, house.agent.id)["champion"]
    licence = store_duels.open_licence(db, house.agent)
    assert licence
    assert (champion.id, licence.state) == (challenger.id, "earning")
    assert [event.kind for event in store.events(db, house.agent.id)[:2]] == [
        "calendar",
        "promoted",
    ]
    assert agent_of(db, house.agent.id).state == "active"


def test_without_a_successor_the_agent_pauses_on_the_day(db: psycopg.Connection[Any]) -> None:
    """It warns before; then people do its work. Who lets it resume is not contradicted."""
    house = Calendar(db, successor="")
    assert house.on(10) == [("late", "no successor")]
    assert house.on(0) == [("gone", "paused")]
    assert agent_of(db, house.agent.id).state == "paused"
    assert answer_once(db, house.hands, Bench(), house.clock).claimed == 0
    resume(db, COMMAND_LINE, house.agent.id)
    assert house.on(-1) == []
    assert agent_of(db, house.agent.id).state == "active"


def test_a_successor_that_cannot_be_tried_is_told(db: psycopg.Connection[Any]) -> None:
    """And tried again at the next look; one that lost its duel is not."""
    house = Calendar(db)
    house.hands.broken = True
    assert house.on(80) == [("now", "not loaded")]
    house.hands.broken = False
    assert house.on(79) == [("now", "challenger")]
    challenger = store.open_versions(db, house.agent.id)["challenger"]
    store.end(db, challenger.id, "dropped", "worse", house.clock())
    assert house.on(78) == [("now", "dropped")]
    assert "challenger" not in store.open_versions(db, house.agent.id)


def test_a_successor_is_a_model_of_the_file() -> None:
    """A name that is mistyped is found when the file is read, not on the last day."""
    row = {"name": "heron", "url": "http://a", "model": "h", "successor": "egrett"}
    with pytest.raises(Invalid) as told:
        read_models({"model": [row]}, {})
    assert [one.field for one in told.value.problems] == ["model[1].successor"]
