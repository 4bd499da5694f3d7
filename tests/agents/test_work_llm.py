"""Language models at work: a real engine's runner, real books, a server that misbehaves."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.llm import store as store_llm
from canut.agents.llm.budget import Prices, Spent
from canut.agents.llm.client import Limits
from canut.agents.llm.models import Budgets, Model
from canut.agents.llm.store import StoredBooks
from canut.agents.llm.wire import Endpoint, Secret, Usage
from canut.agents.model import items_of
from canut.agents.running.hands import OwnHands
from canut.agents.running.model import AgentAtWork
from canut.agents.running.runner import Bench, answer_once
from canut.agents.running.verbs import NewAgent, put_to_work
from canut.agents.standing import standing
from canut.agents.teaching.teaching import TRIED_MAX, teach
from canut.db.check import RULES
from canut.db.pool import connect
from canut.insight.explain_words import held_back_told
from canut.insight.story import read_story
from canut.people.store import COMMAND_LINE
from canut.processes.model import ItemField, ItemShape, ProcessDefinition
from canut.quality.licences import store_blind
from canut.quality.licences.streams import settle_blind
from canut.questions.registry import load_question
from tests import factories as make
from tests.agents.fake_llm import FakeServer, Play, Request, failure, fake_server
from tests.agents.fake_llm import openai as reply
from tests.agents.test_llm import CHECKS, INVOICE, RIGHT, TEXT
from tests.agents.test_work_duels import decided
from tests.agents.test_work_runner import Clock, states

Db = psycopg.Connection[Any]
#: what a reply of 100 and 10 tokens costs
COST = 140
COPIED = "FR67000000471"


class Desk:
    """A batch of invoices, an agent with a language model, and the server it asks."""

    def __init__(self, db: Db, server: FakeServer, items: int, **given: Any):
        self.db, self.clock = db, Clock()
        step = make.step("fields", question=INVOICE, checks=CHECKS, **given.pop("step", {}))
        self.work = make.work(db, step, items=items)
        fields = (
            ItemField("title", "Invoice", required=True),
            ItemField("email", "E-mail", personal=True),
        )
        shape = ItemShape(fields)
        definition = ProcessDefinition("test/invoices", "Invoices", "", shape, (step,))
        db.execute(
            """update process_version set definition =
            jsonb_set(definition, '{item,fields,1}', '{"name": "email", "title": "E-mail",
            "personal": true}')"""
        )
        for number, item in enumerate(self.work.items):
            payload = {"title": f"{TEXT} No {number}.", "email": "ana@buyer.test", "own": "aside"}
            db.execute("update item set payload = %s where id = %s", [Jsonb(payload), item])
        limits = Limits(tries=2, backoff_s=0.001, timeout_s=10)
        self.model = Model(
            "weaver",
            Endpoint(given.pop("url", server.url), "weaver-1", Secret("sk-secret")),
            prices=Prices(1_000_000, 4_000_000),
            limits=given.pop("limits", limits),
            **given,
        )
        new = NewAgent("llm", self.work.process_id, "fields", model="weaver")
        self.who = put_to_work(db, COMMAND_LINE, new, definition, make.NOW)

    def run(self, bench: Bench | None = None, model: Model | None = None) -> Any:
        """One pass of an engine that was just started."""
        hands = OwnHands({"weaver": model or self.model}, lambda: nullcontext(self.db))
        return answer_once(self.db, hands, bench or Bench(), self.clock)

    @property
    def agent(self) -> AgentAtWork:
        found = store.agent(self.db, self.who)
        assert found
        return found

    def evidence(self) -> list[tuple[Any, ...]]:
        return self.db.execute(
            "select value, confidence, evidence from agent_prediction order by task_id"
        ).fetchall()

    def spent(self, kind: str = "ever") -> int:
        rows = store_llm.spent(self.db, self.who, int(time.time() * 1000))
        return sum(row.cost_micro for row in rows if row.kind == kind)


def number(request: Request) -> int:
    return int(request.item["title"].rstrip(".").split()[-1])


def replies(*plays: Play) -> Callable[[Request], Play]:
    """For each invoice, by its number, its reply."""
    return lambda request: plays[number(request) % len(plays)]


def answer(**changed: Any) -> Play:
    return reply(RIGHT | {"note": None} | changed)


def test_inventions_are_caught_on_the_way_through_the_engine(db: Db) -> None:
    """Good answers go in; a total that is a line (only the sum knows), a number copied from an
    example (only the source knows), a refusal and a reply that is none go to people, with the
    reason kept; what is personal, or nobody declared, was never sent."""
    script = replies(
        answer(),
        answer(total=300.0),
        answer(vat_number=COPIED),
        reply(refusal="I would rather not."),
        reply(text='{"answer": {"total"'),
    )
    with fake_server(script) as server:
        desk = Desk(db, server, 5)
        done = desk.run()
        sent = b"".join(str(one.body).encode() for one in server.requests)
    assert (done.claimed, done.answers, done.trouble) == (5, 1, {})
    assert states(db, desk.who) == {"submitted": 1, "returned": 4}
    told = [row[2] for row in desk.evidence()]
    assert [one.get("passed") for one in told] == [
        None,
        "checks",
        "checks",
        "refused",
        "unreadable",
    ]
    assert [one["findings"][0]["check"] for one in told[1:3]] == ["sum", "source"]
    assert told[1]["proposed"]["total"] == 300.0
    assert set(told[2]["findings"][0]["text"]) == {"en", "fr"}
    assert b"buyer.test" not in sent
    assert b"aside" not in sent
    story = read_story(db, COMMAND_LINE, desk.work.batch_id, "2")
    [chapter] = story.chapters
    for locale, words in (("en", "makes 384.00"), ("fr", "donne 384.00")):
        [sentence] = held_back_told(chapter.facts, chapter.question, locale)
        assert words in sentence
        assert "weaver" in sentence
    found = standing(db, desk.agent)
    assert [(one.currency, one.predictions, one.cost_micro) for one in found.costs] == [
        ("EUR", 5, 5 * COST)
    ]
    assert {one.kind: (one.calls, one.cost_micro) for one in found.spent} == dict.fromkeys(
        ("ever", "month", "day"), (5, 5 * COST)
    )
    assert db.execute("select sum(cost_micro) from agent_prediction").fetchone() == (5 * COST,)


def test_a_server_that_is_down_stops_nobody_else(db: Db) -> None:
    """The agent waits and says why; its tasks are there for people at once; when the server is
    back it takes up what is left."""
    with fake_server(lambda request: failure(503, "down")) as server:
        desk = Desk(db, server, 3)
        assert desk.run().answers == 0
        assert states(db, desk.who) == {"expired": 3}
        assert db.execute("select distinct slots, open from task").fetchall() == [(2, True)]
        assert "busy" in desk.agent.trouble
        assert [event.kind for event in store.events(db, desk.who)] == ["waits"]
        assert set(store.events(db, desk.who)[0].detail["text"]) == {"en", "fr"}
        assert desk.evidence() == []
        assert desk.run().claimed == 0
        server.script = lambda request: answer()
        desk.clock.now += 130_000
        assert desk.run().answers == 3
    assert desk.agent.trouble == ""


def test_one_late_reply_is_passed_on(db: Db) -> None:
    """Where others come, the item may be why: it goes to people, and the agent goes on."""
    late = Play(answer().body, late_s=0.8)
    with fake_server(replies(answer(), late)) as server:
        desk = Desk(db, server, 2, limits=Limits(tries=2, backoff_s=0.001, timeout_s=0.4))
        done = desk.run()
    assert (done.answers, states(db, desk.who)) == (1, {"submitted": 1, "returned": 1})
    assert desk.evidence()[1][2]["passed"] == "late"
    # what the server may have done is paid for at its most
    bases = [call.basis for call in store_llm.calls(db, desk.who)]
    assert sorted(bases) == ["assumed", "assumed", "counted"]


@pytest.mark.parametrize("kind", ["ever", "day", "month", "batch"])
def test_a_budget_that_is_spent(db: Db, kind: str) -> None:
    """Nothing is overspent, on any engine. Of a day, a month or for ever: the agent waits, says so,
    and goes on when there is money. Of a batch: the rest of it goes to people for good."""
    with fake_server(lambda request: answer()) as server:
        desk = Desk(db, server, 30, budgets=Budgets(**{kind: 8_000}))
        first = desk.run()
        assert 0 < first.answers < 30
        paid = desk.spent()
        assert paid == first.answers * COST <= 8_000
        held = states(db, desk.who)
        if kind == "batch":
            assert held == {"submitted": first.answers, "returned": 30 - first.answers}
            assert desk.agent.trouble == ""
            assert "lot" in desk.evidence()[-1][2]["why"]["fr"]
            return
        assert held == {"submitted": first.answers, "expired": 30 - first.answers}
        assert "does not cover another call" in desk.agent.trouble
        desk.clock.now += 700_000
        assert desk.run().answers == 0
        assert desk.spent() == paid
        desk.clock.now += 700_000
        assert desk.run(model=type(desk.model)(**_with(desk.model, budgets=Budgets()))).answers > 0
    assert states(db, desk.who) == {"submitted": 30}
    assert desk.spent() == 30 * COST


def _with(model: Model, **changed: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in model.__struct_fields__} | changed


def test_an_engine_that_was_killed_pays_nothing_twice(db: Db) -> None:
    """Replies are kept as they come: what was paid before the end comes from the books, and the
    ledger says so; what was on its way counts at its most."""
    with fake_server(lambda request: answer()) as server:
        desk = Desk(db, server, 4, limits=Limits(concurrency=1))
        clock = iter([1, 2])

        class Killed(BaseException):
            pass

        real = StoredBooks.settle

        def dies(books: StoredBooks, call: int, charge: Any) -> None:
            if next(clock, None) is None:
                raise Killed
            real(books, call, charge)

        StoredBooks.settle = dies  # type: ignore[method-assign]
        try:
            with pytest.raises(Killed):
                desk.run()
        finally:
            StoredBooks.settle = real  # type: ignore[method-assign]
        asked = len(server.requests)
        assert {call.basis for call in store_llm.calls(db, desk.who)} == {"counted", "assumed"}
        desk.clock.now += 700_000
        db.execute("select expire_assignments(%s, 100)", [desk.clock()])
        assert desk.run().answers == 4
        assert len(server.requests) == 4
        assert asked == 3
    calls = store_llm.calls(db, desk.who)
    assert sum(call.basis == "cache" for call in calls) == asked
    ever = next(one for one in store_llm.spent(db, desk.who, make.NOW) if one.kind == "ever")
    assert ever.cost_micro == sum(call.cost_micro for call in calls)
    assert (ever.calls, ever.cached) == (len(calls) - asked, asked)
    costs = RULES["what language models cost is the sum of their calls"]
    assert db.execute(costs.encode()).fetchall() == []


def test_other_settings_are_another_version(db: Db) -> None:
    """Whoever changes the model, its settings or the instructions has another agent, which earns
    anew; change them back, and it is the one before."""
    with fake_server(lambda request: answer()) as server:
        desk = Desk(db, server, 2)
        desk.run()
        before = store.open_versions(db, desk.who)["champion"]
        other = Model(**_with(desk.model, temperature=0.3))
        desk.run(model=other)
        after = store.open_versions(db, desk.who)["champion"]
        assert after.hash != before.hash
        assert store.version(db, before.id).role == "replaced"
        desk.run()
    assert store.open_versions(db, desk.who)["champion"].id == before.id


def test_scores_are_fitted_to_blind_evidence_that_proves_nothing_more(db: Db) -> None:
    """What people say blind of one version tells the next what its scores are worth; that next one
    begins without evidence, so that what was fitted certifies nothing."""
    with fake_server(lambda request: answer()) as server:
        desk = Desk(db, server, 60)
        desk.run()
        licence = store_duels.open_licence(db, desk.agent)
        assert licence
        for place, task in enumerate(desk.work.tasks[:40]):
            store_blind.record(db, [(licence.id, task, RIGHT, 0.5)])
            said = RIGHT if place % 10 else RIGHT | {"total": 1.0}
            settle_blind(db, load_question(INVOICE), {task: said}, make.NOW)
        decided(db, desk.work)
        db.execute("update decision set value = %s", [Jsonb(RIGHT)])
        hands = OwnHands({"weaver": desk.model}, lambda: nullcontext(db))
        asked = len(server.requests)
        assert teach(db, hands, Bench(), desk.agent, desk.clock, anyway=True)
        assert len(server.requests) - asked <= TRIED_MAX
        versions = store.open_versions(db, desk.who)
        new = versions.get("challenger") or versions["champion"]
        assert new.state
        step = Bench().step(db, desk.work.batch_steps[0])
        agent, state = desk.agent, store.state(db, new.state)
        (found,) = hands.answer(agent, step, state, items_of(step, [(0, "", {"title": TEXT})]))
    assert found.evidence["blind"] == 40
    assert 0.8 < found.confidence < 0.9
    held = (
        "select count(*) from blind_answer b join licence l on l.id = b.licence_id where basis = %s"
    )
    assert db.execute(held, [new.hash]).fetchone() == (0,)


def gold(desk: Desk, count: int) -> None:
    for i in range(count):
        payload = {"title": f"{TEXT} No {1000 + i}.", "email": "gold@buyer.test"}
        desk.db.execute(
            """insert into gold (process_id, step_slug, payload, value, digest, origin, created_ms)
            values (%s, 'fields', %s, %s, %s, 'operator', 0)""",
            [desk.work.process_id, Jsonb(payload), Jsonb(RIGHT), f"f{i:063d}"],
        )


def test_an_agent_sits_the_exam_of_its_step(db: Db) -> None:
    """No work before it is passed; what it does not answer counts as wrong; passing gives work and
    no licence, for that it earns by evidence."""
    licensed = {"step": {"licence": True, "exam": 0.7}}
    with fake_server(lambda request: reply(None)) as server:
        desk = Desk(db, server, 2, **licensed)
        assert desk.run().claimed == 0
        assert "too few" in desk.agent.trouble
        gold(desk, 40)
        desk.clock.now += 700_000
        assert desk.run().claimed == 0
        assert "not passed" in desk.agent.trouble
        server.script = lambda request: answer()
        desk.clock.now += 700_000
        assert desk.run().claimed == 0
        desk.clock.now += 86_400_000
        assert desk.run().answers == 2
        sent = "".join(str(one.body) for one in server.requests)
    exams = db.execute("select state from exam order by id").fetchall()
    assert exams == [("failed",), ("passed",)]
    assert db.execute("select distinct state from licence").fetchall() == [("earning",)]
    assert "buyer.test" not in sent
    told = [event.detail for event in store.events(db, desk.who) if event.kind == "exam"]
    assert [one["state"] for one in told] == ["passed", "failed"]


def test_engines_share_a_budget_and_a_pace(fresh_url: str) -> None:
    """Two engines at once take no more than there is, and no minute holds more requests than
    allowed."""
    with connect(fresh_url, autocommit=True) as db:
        who = make.contributor(db)
        work = make.work(db)
        db.execute(
            """insert into agent (id, process_id, step_slug, type, place, created_ms)
            values (%s, %s, 'colour', 'llm', 1, 0)""",
            [who, work.process_id],
        )
    model = Model(
        "m",
        Endpoint("http://127.0.0.1:9/v1", "m"),
        limits=Limits(requests_per_minute=10),
        budgets=Budgets(day=1000),
    )
    afforded: list[int] = []
    kinds: list[str] = []
    now = [1000.0]

    def engine() -> None:
        books = StoredBooks(
            lambda: connect(fresh_url, autocommit=True), who, "v", model, wall=lambda: now[0]
        )

        async def work() -> None:
            with books.opened():
                for _ in range(20):
                    try:
                        call = await books.afford(0, Usage(1, 0, 1), 90)
                    except Spent as spent:
                        kinds.append(spent.kind)
                        return
                    afforded.append(call)
                    books._open.clear()

        asyncio.run(work())

    threads = [threading.Thread(target=engine) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(afforded), kinds) == (11, ["day"] * 4)
    with connect(fresh_url, autocommit=True) as db:
        turns = [
            db.execute(store_llm.TURN, ["m", 10, None, 5, 1000 + i]).fetchone()[0]
            for i in range(12)
        ]
        assert turns == [0] * 10 + [59_990, 59_989]
        db.execute(store_llm.HOLD, ["other", 5000])
        assert db.execute(store_llm.TURN, ["other", None, None, 5, 4000]).fetchone() == (1000,)
        assert db.execute(store_llm.TURN, ["other", None, None, 5, 5000]).fetchone() == (0,)
