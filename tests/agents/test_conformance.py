"""Our own agent types keep the rules of plug-ins, and the kit finds those that do not."""

import pytest
from msgspec import structs

from canut.agents.conformance import RULES, ConformanceError, check_agent_type
from canut.agents.learning.learner import LEARNER
from canut.agents.learning.memory import MEMORY, Memory
from canut.agents.protocol import AgentType
from canut.agents.registry import agent_type, agent_types
from canut.errors import NotFound


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
@pytest.mark.parametrize("kind", [MEMORY, LEARNER], ids=lambda kind: kind.name)
def test_our_agents_keep_the_rules(kind: AgentType, rule) -> None:
    """Each rule, for each of our own types that needs no network."""
    rule(kind)


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


def test_types_are_found_by_name() -> None:
    """Installed types are found; an unknown one is told with those there are."""
    assert {"rules", "learner"} <= set(agent_types())
    assert agent_type("learner") is LEARNER
    with pytest.raises(NotFound, match="learner"):
        agent_type("oracle")
