"""Who is asked when at a step: measured, applied by the engine, and told with the reason."""

from typing import Any

import msgspec
import psycopg
from msgspec.structs import replace

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import store_order
from canut.agents.arena.order import LEAST_COMMON, PERSON_MICRO, order_due
from canut.agents.arena.store_order import TurnRow
from canut.agents.running.model import AgentAtWork, Worth
from canut.agents.running.runner import Bench
from canut.agents.versions import begin_challenger, replace_champion
from canut.insight.agents import Shared
from canut.pay.tariffs.per_answer import AnswerCost, answer_cost
from canut.quality.licences import store_blind
from canut.quality.licences.streams import settle_blind
from tests import factories as make
from tests.agents.test_work_duels import QUESTION, agent_of
from tests.agents.test_work_runner import Clock, Fake, hired
from tests.pay.paid import NOW, paid

N = LEAST_COMMON + 60


class Place:
    """A step with agents, and tasks that people decided blind: all of them are red."""

    def __init__(self, db: psycopg.Connection[Any], *costs: int) -> None:
        self.db, self.clock = db, Clock()
        self.work = make.work(db, items=2)
        self.step = Bench().step(db, self.work.batch_steps[0])
        db.execute("update batch_step set error_max = 0.05")
        self.agents = [self.hire(10 * place, cost) for place, cost in enumerate(costs, 1)]
        self.costs = costs

    def hire(self, place: int, cost: int) -> AgentAtWork:
        agent = agent_of(self.db, hired(self.db, self.work, place))
        version = Fake().version(agent, self.step, str(place).encode())
        replace_champion(self.db, agent, version, None, "first", self.clock, Worth())
        champion = store.open_versions(self.db, agent.id)["champion"]
        self.db.execute(
            "insert into agent_cost values (%s, 0, 'EUR', 1, 1, %s, 0)", [champion.id, cost]
        )
        return agent

    def said(self, *right: range, n: int = N, at: int = 10**6) -> None:
        """Each agent is sure of what it is right about, and wrong and unsure of the rest."""
        tasks = range(at, at + n)
        for agent, sure in zip(self.agents, right, strict=True):
            champion = store.open_versions(self.db, agent.id)["champion"]
            licence = store_duels.open_licence(self.db, agent)
            assert licence
            told = [("red", 0.9) if i in sure else ("blue", 0.3) for i in range(n)]
            store_blind.record(
                self.db,
                [(licence.id, task, *one) for task, one in zip(tasks, told, strict=True)],
            )
            for task, (value, confidence) in zip(tasks, told, strict=True):
                self.db.execute(
                    """insert into agent_prediction
                    values (%s, %s, %s, %s, '{}', 0, 'EUR', 0, 'x', 0)""",
                    [champion.id, task, msgspec.json.encode(value).decode(), confidence],
                )
        for task in tasks:
            self.db.execute(
                """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
                n_answers, evidence, decided_ms)
                values (%s, 0, 0, '"red"', 1, 'answers', 2, '{}', 0)""",
                [task],
            )
        settle_blind(self.db, QUESTION, dict.fromkeys(tasks, "red"), 1)

    def look(self, person_micro: int | None = None) -> dict[int, str]:
        return {**order_due(self.db, lambda _: self.step, self.clock, lambda *_: person_micro)}

    def turns(self) -> dict[int, TurnRow]:
        rows = store_order.turns(self.db, self.work.process_id, "colour")
        return {row.agent_id: row for row in rows}

    def asked(self) -> list[int]:
        return [agent.id for agent in store.ready(self.db, self.clock())]


def test_the_cheaper_is_asked_first_and_who_adds_nothing_is_not(
    db: psycopg.Connection[Any],
) -> None:
    """By what they decided of the same tasks, whatever their places; each with its reason, on
    record."""
    place = Place(db, 5000, 1, 4)
    dear, cheap, poor = (agent.id for agent in place.agents)
    assert place.asked() == [dear, cheap, poor]
    place.said(range(N), range(N // 2), range(0))
    assert place.look() == {dear: "decides", cheap: "decides", poor: "errs"}
    assert place.asked() == [cheap, dear]
    turns = place.turns()
    assert 0.45 < turns[cheap].figures["decides"] < 0.55
    assert 0.45 < turns[dear].figures["decides"] < 0.55
    assert store.events(db, poor)[0].kind == "order"
    assert store.events(db, poor)[0].detail["reason"] == "errs"
    assert place.look() == {}


def test_what_costs_more_than_it_saves_or_repeats_others_is_left_out(
    db: psycopg.Connection[Any],
) -> None:
    """An answer of a person is cheaper than the one; another decides all that the second could."""
    place = Place(db, 1, 90_000, 2)
    good, dear, same = (agent.id for agent in place.agents)
    place.said(range(N // 2), range(N // 2, N // 2 + 40), range(N // 2))
    assert place.look() == {good: "decides", dear: "costs", same: "repeats"}
    assert place.asked() == [good]
    figures = place.turns()[dear].figures
    assert figures["item_micro_with"] > figures["item_micro"]


def test_what_people_cost_says_whether_an_agent_is_worth_asking(
    db: psycopg.Connection[Any],
) -> None:
    """One that costs more than it saves while nobody knows what people are paid, saves where they
    are paid more: it is measured anew when that is known, and the figure is kept."""
    place = Place(db, 1, 90_000)
    good, dear = (agent.id for agent in place.agents)
    place.said(range(N // 2), range(N // 2, N // 2 + 40))
    assert place.look()[dear] == "costs"
    assert place.look(50_000_000) == {dear: "decides"}
    assert place.turns()[good].figures["person_micro"] == 50_000_000
    assert place.look(50_000_000) == {}


def test_what_an_answer_costs_is_read_from_the_tariff(db: psycopg.Connection[Any]) -> None:
    """Half a minute at the floor is 11 cents, and the fee on it two more; where nothing is paid
    nobody knows, nor before its tariff began. What people cost beside agents is told by it, and
    where nobody knows by what is assumed."""
    one = paid(db, assumed_ms=30_000)
    cost = [answer_cost(db, one.work.process_id, "colour", at) for at in (NOW, NOW - 2)]
    assert cost == [AnswerCost(130_000, "EUR"), None]
    assert answer_cost(db, make.work(db).process_id, "colour", NOW) is None
    shared = Shared(10, 0.5, instead=2.0, beside=0.1, each=1.05, right=0.8, priced=cost[0])
    assert (shared.person, shared.right_micro) == (cost[0], 325_000)
    shared = replace(shared, priced=None)
    assert (shared.person, shared.right_micro) == (AnswerCost(PERSON_MICRO, "EUR"), 250_000)


def test_another_version_is_asked_again(db: psycopg.Connection[Any]) -> None:
    """It was left out for what the one before could not do; one with a challenger is asked, or the
    challenger could never be judged."""
    place = Place(db, 1, 2)
    good, poor = place.agents
    place.said(range(N), range(0))
    assert place.look() == {good.id: "decides", poor.id: "errs"}
    assert place.asked() == [good.id]
    version = Fake().version(poor, place.step, b"better")
    begin_challenger(db, poor, version, None, place.clock, Worth())
    assert place.look() == {poor.id: "duel"}
    assert place.asked() == [good.id, poor.id]
    replace_champion(
        db, poor, Fake().version(poor, place.step, b"best"), None, "x", place.clock, Worth()
    )
    assert place.look() == {poor.id: "measuring"}
    assert place.asked() == [good.id, poor.id]


def test_nothing_follows_from_little(db: psycopg.Connection[Any]) -> None:
    """Places stand until enough was measured, and where nobody could decide anything."""
    place = Place(db, 3, 1)
    place.said(range(0), range(0), n=40)
    first, second = (agent.id for agent in place.agents)
    assert place.look() == {first: "measuring", second: "measuring"}
    assert place.asked() == [first, second]
    place.said(range(0), range(0), at=2 * 10**6)
    assert place.look() == {first: "nobody", second: "nobody"}
    assert place.asked() == [first, second]
