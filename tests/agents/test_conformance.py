"""Our own agent types keep the rules of plug-ins, and the kit finds those that do not."""

import pytest
from msgspec import structs

from canut.agents.conformance import RULES, ConformanceError, Work, check_agent_type, made_up
from canut.agents.learning.learner import LEARNER
from canut.agents.learning.memory import MEMORY, Memory
from canut.agents.model import Example
from canut.agents.protocol import AgentType
from canut.agents.registry import agent_type, agent_types
from canut.errors import NotFound


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("kind", [MEMORY, LEARNER], ids=lambda kind: kind.name)
def test_our_agents_keep_the_rules(kind: AgentType, rule) -> None:
    """Each rule, for each of our own types that needs no network."""
    rule(kind, made_up())


class Careless(Memory):
    """Forgets the version, and is sure of everything."""

    def answer(self, items):
        return [structs.replace(p, version="1", confidence=1.0) for p in super().answer(items)]


class CarelessType:
    name, code, repeatable = "rules", "1", True

    def load(self, step, state):
        return Careless(step, state)


def test_the_kit_finds_what_is_broken() -> None:
    """A type that breaks rules is told which."""
    with pytest.raises(ConformanceError) as caught:
        check_agent_type(CarelessType())
    assert "versions_are_written" in str(caught.value)
    assert "confident of nothing" in str(caught.value)
    assert "damaged_states_are_refused" not in str(caught.value)


class Clever(Memory):
    """Keeps the rules but for what it says of cups."""

    def answer(self, items):
        return [
            structs.replace(p, confidence=2.0) if "cup" in str(item.payload) else p
            for item, p in zip(items, super().answer(items), strict=True)
        ]


class CleverType:
    name, code, repeatable = MEMORY.name, MEMORY.code, True

    def load(self, step, state):
        return Clever(step, state)


def test_the_kit_says_how_much_it_has_seen_and_takes_more() -> None:
    """How many items were answered of each kind of work, for one that answers none keeps the rules;
    and what only shows on work of the author's own is found there."""
    assert check_agent_type(CleverType())["choice"] >= 40
    tickets = made_up()[0]
    payload = {"message": "a cup"}
    cups = tuple(structs.replace(item, payload=payload) for item in tickets.items[:2])
    taught = tuple(Example(item, "other") for item in cups)
    with pytest.raises(ConformanceError, match=r"predictions_are_answers.*confidence 2\.0"):
        check_agent_type(CleverType(), [Work("cups", tickets.step, cups, taught)])


def test_types_are_found_by_name() -> None:
    """Installed types are found; an unknown one is told with those there are."""
    assert {"rules", "learner"} <= set(agent_types())
    assert agent_type("learner") is LEARNER
    with pytest.raises(NotFound, match="learner"):
        agent_type("oracle")
