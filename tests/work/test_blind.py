"""Agents under a licence: what they decide alone, and what people decide about them."""

from typing import Any

import psycopg
import pytest

from canut.quality.licences import store as store_licences
from canut.quality.model import LicencePlace
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW

ALL, NONE = 1_000_000, 0


class Bench:
    """A batch of one item, an agent with a licence, and people."""

    def __init__(self, db: psycopg.Connection[Any], ppm: int, **licence: Any) -> None:
        self.db, self.steps = db, Steps()
        self.work = make.work(db, make.step(min_answers=2, target_confidence=0.9), items=1)
        self.agent = self._agent()
        place = LicencePlace(self.agent, self.work.process_id, "colour")
        terms = {"error_max": 0.02, "delta": 0.05, "seed": "ab" * 32, "ppm": ppm}
        store_licences.begin(db, place, NOW, {"state": "earning", **terms, **licence})

    def _agent(self) -> int:
        who = make.contributor(self.db)
        self.db.execute("update contributor set kind = 'agent' where id = %s", [who])
        return who

    def answers(self, who: int, value: str, confidence: float | None = None) -> None:
        [task] = make.claim(self.db, who, batch=self.work.batch_id)
        make.submit(self.db, who, self.work.batch_steps[0], {task: value})
        self.db.execute(
            "update answer set confidence = %s where task_id = %s and contributor_id = %s",
            [confidence, task, who],
        )
        decide_fresh(self.db, self.steps, NOW, 100)

    def decision(self) -> tuple[Any, ...] | None:
        return self.db.execute("select value, method, n_answers from decision").fetchone()

    def blind(self) -> list[tuple[Any, ...]]:
        return self.db.execute("select value, confidence, wrong from blind_answer").fetchall()


IN_FORCE = {"state": "in_force", "granted": NOW, "threshold": 0.9}


def test_people_judge_an_agent_that_earns(db: psycopg.Connection[Any]) -> None:
    """In its stream an agent's answer has no voice: people decide as if it were not there, and
    their decision is what it is judged by. Its record does not change by it."""
    bench = Bench(db, ALL)
    bench.answers(bench.agent, "red", 0.97)
    assert bench.blind() == [("red", pytest.approx(0.97), None)]
    for _ in range(3):
        bench.answers(make.contributor(db), "blue")
    assert bench.decision() == ("blue", "answers", 3)
    assert bench.blind() == [("red", pytest.approx(0.97), True)]
    record = db.execute("select judged from track where contributor_id = %s", [bench.agent])
    assert record.fetchall() == []


def test_no_other_agent_speaks_in_a_stream(db: psycopg.Connection[Any]) -> None:
    """An agent that errs like the one being judged would prove it right."""
    bench = Bench(db, ALL)
    bench.answers(bench.agent, "red", 0.97)
    bench.answers(bench._agent(), "red", 0.97)
    for _ in range(3):
        bench.answers(make.contributor(db), "blue")
    assert bench.decision() == ("blue", "answers", 3)


def test_a_licence_in_force_decides_alone(db: psycopg.Connection[Any]) -> None:
    """At or above the threshold one answer is the decision, and says on what ground."""
    bench = Bench(db, NONE, **IN_FORCE)
    bench.answers(bench.agent, "green", 0.9)
    assert bench.decision() == ("green", "licence", 1)
    assert bench.blind() == []


def test_below_the_threshold_it_is_a_voice(db: psycopg.Connection[Any]) -> None:
    """What it is not licensed for goes to people, with its answer as one among theirs."""
    bench = Bench(db, NONE, **IN_FORCE)
    bench.answers(bench.agent, "green", 0.89)
    assert bench.decision() is None
    for _ in range(2):
        bench.answers(make.contributor(db), "green")
    assert bench.decision() == ("green", "answers", 3)


def test_the_stream_goes_on_in_force(db: psycopg.Connection[Any]) -> None:
    """However sure it is, a task of its stream is people's: of one of those that two are asked
    about, one who agrees is not enough."""
    bench = Bench(db, ALL, **IN_FORCE)
    bench.answers(bench.agent, "green", 1.0)
    assert bench.decision() is None
    db.execute("update blind_answer set lone = false")
    for _ in range(3):
        bench.answers(make.contributor(db), "green")
    assert bench.decision() == ("green", "answers", 3)
    assert bench.blind() == [("green", 1.0, False)]


def test_an_ended_licence_decides_nothing(db: psycopg.Connection[Any]) -> None:
    """Revoked, its answers are voices again."""
    bench = Bench(db, NONE, **IN_FORCE)
    place = LicencePlace(bench.agent, bench.work.process_id, "colour")
    store_licences.end(db, place, NOW, "revoked")
    bench.answers(bench.agent, "green", 1.0)
    assert bench.decision() is None


def parted(by: str, **thresholds: float | None) -> dict[str, Any]:
    """A licence in force, in slices of these thresholds; "rest" is everything else."""
    parts = [
        {"name": "" if name == "rest" else name, "share": 0.5, "threshold": threshold,
         "root": 1, "root_version": 1, "since": 1, "since_version": 1}
        for name, threshold in thresholds.items()
    ]  # fmt: skip
    top = max(threshold for threshold in thresholds.values() if threshold is not None)
    return {**IN_FORCE, "threshold": top, "slices": {"by": by, "most": 8, "parts": parts}}


@pytest.mark.parametrize(
    ("language", "alone"), [("fr", True), ("la", False), ("oc", False), (None, False)]
)
def test_a_parted_licence_decides_where_it_is_proved(
    db: psycopg.Connection[Any], language: str | None, alone: bool
) -> None:
    """The item says which slice it is of: the agent decides alone in the slice that holds a
    licence, and is a voice in one that does not, or was never seen."""
    bench = Bench(db, NONE, **parted("language", fr=0.8, la=None))
    db.execute("update item set payload = payload || jsonb_build_object('language', %s::text)",
               [language])  # fmt: skip
    bench.answers(bench.agent, "green", 0.85)
    assert bench.decision() == (("green", "licence", 1) if alone else None)


@pytest.mark.parametrize(("value", "alone"), [("red", True), ("green", False), ("blue", True)])
def test_the_answer_may_say_which_slice_it_is(
    db: psycopg.Connection[Any], value: str, alone: bool
) -> None:
    """An agent may be trusted to say red, and not to say green; what is rare is one slice."""
    bench = Bench(db, NONE, **parted("answer", red=0.8, green=None, rest=0.8))
    bench.answers(bench.agent, value, 0.85)
    assert (bench.decision() is not None) == alone


def test_evidence_says_which_slice_it_is_of(db: psycopg.Connection[Any]) -> None:
    """What falls into the stream is filed by what its item said then."""
    bench = Bench(db, ALL, **parted("language", fr=0.8))
    db.execute("""update item set payload = payload || '{"language": "fr"}'""")
    bench.answers(bench.agent, "green", 0.85)
    assert db.execute("select slice from blind_answer").fetchall() == [("fr",)]
