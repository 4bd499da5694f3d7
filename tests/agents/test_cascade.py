"""Cascades: each stage passes on what it may not decide; the order is measured, not configured."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canut.agents.arena.cascade import Cascade, Measured, Stage, arrange
from canut.agents.learning.learner import LEARNER
from canut.agents.learning.memory import MEMORY
from canut.agents.model import Item, Prediction, Version, items_of
from tests.agents.test_learner import TOPICS, choice_of, coloured, examples_of

STEP = choice_of(*TOPICS)


class Dear:
    """An agent that costs money and is always rather sure; remembers what it was asked."""

    def __init__(self) -> None:
        self.version = Version("dear", "1", STEP.schema_hash())
        self.asked: list[int] = []

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        self.asked += [item.key for item in items]
        return [
            Prediction(i.key, "red", 0.8, self.version.hash(), "dear", {}, 2_500, "EUR", 30)
            for i in items
        ]

    def learn(self, examples: object) -> bytes:
        return b""


def test_each_stage_passes_on_what_it_may_not_decide() -> None:
    """What was decided before is answered by memory, what is clear by the learner, the rest by the
    dear one, or by people if it may not; costs follow the item."""
    rows = coloured(15)
    examples = examples_of(STEP, rows)
    memory = MEMORY.load(STEP, MEMORY.load(STEP, None).learn(examples * 3))
    learner = LEARNER.load(STEP, LEARNER.load(STEP, None).learn(examples))
    asked = items_of(
        STEP,
        [(1, "new", {"title": rows[0][0]["title"].upper()}), (2, "", {"title": "navy sky sofa"}),
         (3, "", {"title": "Ω"})],
    )  # fmt: skip
    dear = Dear()
    stages = [Stage("rules", memory, 0.9), Stage("learner", learner, 0.5)]
    told = Cascade(STEP, [*stages, Stage("dear", dear, 0.7)]).answer(asked)
    assert [(p.stage, p.value) for p in told] == [
        ("rules", rows[0][1]), ("learner", "blue"), ("dear", "red"),
    ]  # fmt: skip
    assert dear.asked == [3]
    assert [p.cost_micro for p in told] == [0, 0, 2_500]
    assert told[2].evidence["passed_by"] == {"rules": 0.0, "learner": 0.0}
    strict = Cascade(STEP, [*stages, Stage("dear", Dear(), 0.95)])
    left = strict.answer(asked)[2]
    assert (left.stage, left.value, left.confidence, left.cost_micro) == ("person", None, 0, 2_500)
    silent = Cascade(STEP, [*stages, Stage("dear", dear, None)])
    assert silent.answer(asked)[2].cost_micro == 0
    versions = {c.version.hash() for c in (strict, silent, Cascade(STEP, stages))}
    assert len(versions) == 3, "a threshold makes another version"
    assert {p.version for p in told} != versions


def test_memory_knows_how_far_to_trust_itself() -> None:
    """Decisions that came again the same are trusted more than one seen once; a reference whose
    decisions changed is trusted less."""
    rows = [({"title": f"title {i}"}, "blue") for i in range(20)]
    examples = examples_of(STEP, rows)
    once = MEMORY.load(STEP, MEMORY.load(STEP, None).learn(examples))
    thrice = MEMORY.load(STEP, MEMORY.load(STEP, None).learn(examples * 3))
    again = items_of(STEP, [(1, "", {"title": "TITLE  3"}), (2, "r3", {"title": "changed"})])
    assert [p.evidence["same"] for p in thrice.answer(again)] == ["content", "reference"]
    assert once.answer(again)[0].confidence < thrice.answer(again)[0].confidence
    stranger = items_of(STEP, [(2, "r3", {"title": "changed"})], [7])
    assert thrice.answer(stranger)[0].value is None, "another client's r3 is another thing"
    other = [type(e)(e.item, "red") for e in examples]
    torn = MEMORY.load(STEP, MEMORY.load(STEP, None).learn(examples + other + examples))
    assert torn.answer(again)[0].confidence < 0.2


def measured(
    name: str, accuracy: float, cost: float, rng: np.random.Generator, n: int = 2000
) -> Measured:
    """A stage whose confidence is honest: right with the probability it tells."""
    sure = np.clip(rng.beta(8 * accuracy, 8 * (1 - accuracy), n), 0.01, 0.999)
    return Measured(name, sure, rng.random(n) < sure, cost)


def test_the_cheapest_good_order_is_found() -> None:
    """Cheap before dear; what does not pay is left out; with no good stage people do it all."""
    rng = np.random.default_rng(0)
    rules = measured("rules", 0.6, 0, rng)
    learner = measured("learner", 0.9, 10, rng)
    model = measured("model", 0.97, 4_000, rng)
    useless = measured("useless", 0.5, 90_000, rng)
    found = arrange([model, useless, learner, rules], 0.05, 100_000)
    names = [name for name, _ in found.stages]
    assert names[-1] == "model"
    assert "learner" in names
    assert "useless" not in names
    assert found.error <= 0.05
    assert found.decided > 0.5
    assert arrange([measured("coin", 0.5, 1, rng)], 0.001, 100_000).stages == ()
    assert arrange([model], 0.05, 1_000).stages == (), "people are cheaper than this model"
    assert arrange([], 0.05, 1_000).cost_micro == 1_000
    with pytest.raises(ValueError, match="same items"):
        arrange([rules, measured("short", 0.9, 0, rng, 10)], 0.05, 1)


@given(st.integers(0, 10_000), st.floats(0.01, 0.3), st.integers(0, 200_000))
@settings(max_examples=25, deadline=None)
def test_no_stage_errs_more_than_allowed(seed: int, error_max: float, person: int) -> None:
    """Whatever was measured: within the error allowed, never dearer than people alone, never below
    a licence's threshold, and the same for any order of the stages."""
    rng = np.random.default_rng(seed)
    stages = [
        measured(f"s{i}", rng.uniform(0.5, 0.98), float(rng.integers(0, 50_000)), rng, 300)
        for i in range(3)
    ]
    stages[0] = Measured(
        "s0", stages[0].confidence, stages[0].right, stages[0].cost_micro, licensed=0.9
    )
    found = arrange(stages, error_max, person)
    assert found.error <= error_max
    assert found.cost_micro <= person
    assert dict(found.stages).get("s0", 1.0) >= 0.9
    assert arrange(stages[::-1], error_max, person).cost_micro == pytest.approx(found.cost_micro)
