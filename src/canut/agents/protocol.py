"""What an agent is: the contract every plug-in of `canut.agents` keeps.

An agent type is registered under an entry point of the group `canut.agents`; the object behind it
has a `name`, a `code` and a `load`. It is loaded for a step with what it has learned so far, as
bytes that are kept under their SHA-256. `canut.agents.conformance` holds the tests that every type
must pass. An agent knows no database; it runs in a process of its own, never in a request.
"""

from collections.abc import Sequence
from typing import Protocol

from canut.agents.model import Example, Item, Prediction, Step, Version


class Agent(Protocol):
    """An agent loaded for one step, with one state."""

    @property
    def version(self) -> Version:
        """Everything that can change what it answers."""

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in their order, with `key` of the item and `version.hash()`.

        The value is what `Step.question.normalise` returns, or None with confidence 0. The same
        item gets the same answer, whatever items come with it; an agent that cannot promise that
        (a language model) says so by `AgentType.repeatable`.
        """

    def learn(self, examples: Sequence[Example]) -> bytes:
        """The state after these examples, which come on top of those learned before.

        The agent itself does not change: load the type with the new state. Deterministic where
        `AgentType.repeatable`. Without examples the state means the same as before. An agent that
        does not learn returns the state it was loaded with, b"" where there is none.
        """


class AgentType(Protocol):
    """A kind of agent: what a plug-in registers."""

    @property
    def name(self) -> str:
        """Name of the entry point; the `stage` of its predictions."""

    @property
    def code(self) -> str:
        """Version of the code, raised whenever answers may change."""

    @property
    def repeatable(self) -> bool:
        """Whether the same state and item always give the same answer."""

    def load(self, step: Step, state: bytes | None) -> Agent:
        """The agent for this step; `state` is what `learn` returned, None for a beginner.

        State may come from anywhere: it is checked, and never executed (no pickle). Raises
        `Invalid` where it is damaged, or was learned for another question.
        """
