"""Agents at work: claims in bulk, predictions kept, answers handed in once."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from msgspec import structs

from canut.agents import store
from canut.agents.model import Example, Item, Prediction, Step, Version, passed
from canut.agents.running import store as store_runner
from canut.agents.running.model import AgentAtWork, Worth
from canut.agents.running.runner import Bench, answer_once
from canut.agents.running.verbs import NewAgent, pause, put_to_work
from canut.agents.versions import begin_challenger, replace_champion
from canut.errors import Unavailable
from canut.people.store import COMMAND_LINE
from canut.processes.model import ItemField, ItemShape, ProcessDefinition
from tests import factories as make


class Clock:
    def __init__(self) -> None:
        self.now = make.NOW

    def __call__(self) -> int:
        self.now += 1
        return self.now


class Fake:
    """Hands whose agent says "red" of items whose title ends in an even digit."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.payloads: list[dict[str, Any]] = []
        self.fail: Exception | None = None
        #: what is wrong with its predictions
        self.change: dict[str, Any] = {}

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        return Version("fake", "1", step.schema_hash(), model=(state or b"").decode())

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        if self.fail:
            raise self.fail
        self.asked.append([item.key for item in items])
        self.payloads += [item.payload for item in items]
        version = self.version(agent, step, state).hash()
        said = [
            Prediction(item.key, "red", 0.9, version, "fake", cost_micro=7, latency_ms=2)
            if int(item.payload["title"][-1]) % 2 == 0
            else passed(item, version, "fake", "odd")
            for item in items
        ]
        return [structs.replace(one, **self.change) for one in said]

    def learn(
        self, agent: AgentAtWork, step: Step, state: bytes | None, examples: Sequence[Example]
    ) -> bytes:
        return f"{len(examples)} examples".encode()


def hired(
    db: psycopg.Connection[Any], work: make.Work, place: int = 10, kind: str = "rules"
) -> int:
    shape = ItemShape((ItemField("title", "Title", required=True),))
    definition = ProcessDefinition("test/colours", "Colours", "", shape, (make.step(),))
    new = NewAgent(kind, work.process_id, "colour", f"{kind} {place}", kind, place=place)
    return put_to_work(db, COMMAND_LINE, new, definition, make.NOW)


def states(db: psycopg.Connection[Any], who: int) -> dict[str, int]:
    sql = "select state, count(*) from assignment where contributor_id = %s group by state"
    return dict(db.execute(sql, [who]).fetchall())


def test_what_it_can_answer_is_handed_in_and_the_rest_goes_back(
    db: psycopg.Connection[Any],
) -> None:
    """With predictions and their cost kept, nothing asked twice, and nobody claimed for nothing."""
    work = make.work(db, items=10)
    who, hands, bench, clock = hired(db, work), Fake(), Bench(), Clock()
    done = answer_once(db, hands, bench, clock)
    assert (done.claimed, done.answers, done.trouble) == (10, 5, {})
    assert states(db, who) == {"submitted": 5, "returned": 5}
    costs = db.execute(
        "select predictions, answered, cost_micro, latency_ms from agent_cost"
    ).fetchall()
    assert costs == [(10, 5, 35, 10)]
    slots = db.execute("select slots from task order by id").fetchall()
    assert sorted(slots) == [(1,)] * 5 + [(2,)] * 5
    assert answer_once(db, hands, bench, clock).claimed == 0


def test_an_agent_that_breaks_the_rules_hands_nothing_in(db: psycopg.Connection[Any]) -> None:
    """What is no probability, no answer, or about other items, is not kept: the agent says what is
    wrong, and its tasks are there for others."""
    work = make.work(db, items=2)
    who, clock = hired(db, work), Clock()
    for wrong, told in (
        ({"confidence": float("nan")}, "no probability"),
        ({"confidence": 1.6}, "no probability"),
        ({"value": "purple"}, "'purple' does not answer the question"),
        ({"key": 0}, "another order"),
    ):
        hands = Fake()
        hands.change = wrong
        db.execute("update agent set next_ms = 0")
        said = answer_once(db, hands, Bench(), clock).trouble[who]
        assert told in said
        assert "check_agent_type" in said
    kept = "select (select count(*) from answer), (select count(*) from agent_prediction)"
    assert db.execute(kept).fetchone() == (0, 0)
    assert "submitted" not in states(db, who)


def test_an_agent_does_not_run_ahead_of_people(db: psycopg.Connection[Any]) -> None:
    """So many open tasks behind it, and it waits; decided ones make room."""
    work = make.work(db, items=10)
    hired(db, work)
    hands, bench, clock = Fake(), Bench(), Clock()
    assert answer_once(db, hands, bench, clock, ahead=4).claimed == 4
    assert answer_once(db, hands, bench, clock, ahead=4).claimed == 0
    db.execute("update task set open = false, decided = true where id = %s", [work.tasks[0]])
    assert answer_once(db, hands, bench, clock, ahead=4).claimed == 1


def test_a_beginner_with_nothing_to_say_claims_nothing(db: psycopg.Connection[Any]) -> None:
    """Else it would never get these tasks again when it has learned."""
    work = make.work(db, items=3)
    db.execute('update item set payload = \'{"title": "item 1"}\'')
    who = hired(db, work)
    assert answer_once(db, Fake(), Bench(), Clock()).claimed == 0
    assert states(db, who) == {}
    assert store.open_versions(db, who)["champion"].state is None


def test_the_next_agent_is_asked_what_the_first_has_seen(db: psycopg.Connection[Any]) -> None:
    """Cheapest first: what is decided in between never reaches the next."""
    work = make.work(db, items=4)
    second, first = hired(db, work, 20, "learner"), hired(db, work, 10)
    hands, clock = Fake(), Clock()
    clock.now += 1
    store_runner.claim(
        db, first, work.batch_steps[0], 2, ahead=9, after=None, again_ms=9, now_ms=clock()
    )
    step = work.batch_steps[0]
    claim: Callable[[], list[Any]] = lambda: store_runner.claim(  # noqa: E731
        db, second, step, 9, ahead=9, after=first, again_ms=10**9, now_ms=clock()
    )
    assert claim() == []
    store_runner.give_back(db, first, step, work.tasks[:2], clock())
    assert [task.task_id for task in claim()] == work.tasks[:2]
    assert hands.asked == []


def test_claims_of_a_killed_engine_are_taken_up_with_what_was_predicted(
    db: psycopg.Connection[Any],
) -> None:
    """The lease ends, another engine claims the same for the same agent, asks nobody again and
    hands in once."""
    work = make.work(db, items=4)
    who, hands, bench, clock = hired(db, work), Fake(), Bench(), Clock()
    step = work.batch_steps[0]
    answer_once(db, hands, bench, clock, ahead=0)
    champion = store.open_versions(db, who)["champion"]
    held = store_runner.claim(db, who, step, 4, ahead=9, after=None, again_ms=0, now_ms=clock())
    said = [
        Prediction(one.task_id, "blue", 0.8, champion.hash, "fake", cost_micro=5) for one in held
    ]
    store_runner.keep(db, champion.id, step, said, clock())
    clock.now += 700_000
    db.execute("select expire_assignments(%s, 100)", [clock()])
    hands.asked.clear()
    done = answer_once(db, hands, bench, clock)
    assert (done.claimed, done.answers, hands.asked) == (4, 4, [])
    values = db.execute("select distinct value #>> '{}' from answer").fetchall()
    assert values == [("blue",)]
    assert db.execute("select cost_micro from agent_cost").fetchall() == [(20,)]


def test_a_version_that_was_replaced_hands_nothing_in(db: psycopg.Connection[Any]) -> None:
    """Its answers would count under the licence of the next."""
    work = make.work(db, items=2)
    who, bench, clock = hired(db, work), Bench(), Clock()

    class Replaced(Fake):
        def answer(self, *given: Any) -> list[Prediction]:
            said = super().answer(*given)
            champion = store.open_versions(db, who)["champion"]
            if len(self.asked) > 1 and champion.state is None:
                agent = store.agent(db, who)
                assert agent
                version = self.version(agent, given[1], b"new")
                name = store.keep_state(db, b"new", 0, 1, None)
                replace_champion(db, agent, version, name, "better", clock, Worth(1))
            return said

    assert answer_once(db, Replaced(), bench, clock).answers == 0
    assert states(db, who) == {"returned": 2}


def test_a_challenger_answers_in_the_shadow(db: psycopg.Connection[Any]) -> None:
    """Its predictions of the same tasks are kept before people see them, and not handed in."""
    work = make.work(db, items=4)
    who, hands, bench, clock = hired(db, work), Fake(), Bench(), Clock()
    answer_once(db, hands, bench, clock, ahead=0)
    agent = store.agent(db, who)
    assert agent
    version = hands.version(agent, bench.step(db, work.batch_steps[0]), b"new")
    name = store.keep_state(db, b"new", 0, 1, None)
    number = begin_challenger(db, agent, version, name, clock, Worth(1))
    assert answer_once(db, hands, bench, clock).answers == 2
    kept = db.execute("select version_id, count(*) from agent_prediction group by 1").fetchall()
    assert dict(kept)[number] == 4
    assert db.execute("select count(*) from answer").fetchone() == (2,)


def test_an_agent_in_trouble_stops_itself_only(db: psycopg.Connection[Any]) -> None:
    """Its claims go back at once, it says why, waits, and goes on."""
    work = make.work(db, items=2)
    who, hands, bench, clock = hired(db, work), Fake(), Bench(), Clock()
    answer_once(db, hands, bench, clock, ahead=0)
    hands.fail = Unavailable("no answer")
    done = answer_once(db, hands, bench, clock)
    assert (list(done.trouble), states(db, who)) == ([who], {"expired": 2})
    assert [event.kind for event in store.events(db, who)] == ["trouble"]
    assert answer_once(db, hands, bench, clock).trouble == {}
    clock.now += 61_000
    hands.fail = None
    assert answer_once(db, hands, bench, clock).trouble == {}
    found = store.agent(db, who)
    assert found
    assert found.trouble == ""


def test_personal_fields_and_paused_agents(db: psycopg.Connection[Any]) -> None:
    """What is personal never reaches an agent; a paused one gets nothing at all."""
    work = make.work(db, items=2)
    db.execute(
        """update process_version set definition = jsonb_set(definition, '{item,fields}',
        definition #> '{item,fields}' || '[{"name": "mail", "title": "M", "personal": true}]')"""
    )
    db.execute("""update item set payload = payload || '{"mail": "x@y.example", "other": 1}'""")
    who, hands, clock = hired(db, work), Fake(), Clock()
    answer_once(db, hands, Bench(), clock)
    assert hands.payloads
    assert {key for payload in hands.payloads for key in payload} == {"title"}
    pause(db, COMMAND_LINE, who)
    more = make.work(db, items=2)
    db.execute(
        "update batch_step set process_id = %s where id = %s",
        [work.process_id, more.batch_steps[0]],
    )
    assert answer_once(db, hands, Bench(), clock).claimed == 0


def test_what_waits_is_weighed_again_when_an_agent_may_decide_more(
    db: psycopg.Connection[Any],
) -> None:
    """It has answered these tasks already: nobody is asked about them first. Once for each licence
    and each share of a canary."""
    work = make.work(db, items=6)
    who, hands, bench, clock = hired(db, work), Fake(), Bench(), Clock()
    assert answer_once(db, hands, bench, clock).answers == 3

    def fresh() -> list[int]:
        sql = "delete from inbox where contributor_id = -1 returning task_id"
        return sorted(row[0] for row in db.execute(sql))

    answer_once(db, hands, bench, clock)
    assert fresh() == []
    db.execute(
        """update licence set state = 'in_force', granted_ms = 1, threshold = 0.5,
        canary_ppm = 500000 where contributor_id = %s""",
        [who],
    )
    for expected in (3, 0):
        answer_once(db, hands, bench, clock)
        assert len(fresh()) == expected
    db.execute("update licence set canary_ppm = 1000000 where contributor_id = %s", [who])
    answer_once(db, hands, bench, clock)
    assert len(fresh()) == 3
