"""The values of agents at work: who stands at which step, in which version, and who computes."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct, structs

from canut.agents.model import Example, Item, Prediction, Step, Version
from canut.quality.model import LicencePlace

Role = Literal["champion", "challenger", "replaced", "dropped"]


class AgentAtWork(Struct, frozen=True):
    """A contributor of kind agent at a step; see migration 0010."""

    #: that of the contributor
    id: int
    name: str
    family: str | None
    process_id: int
    step_slug: str
    type: str
    settings: dict[str, Any]
    #: agents of a step are asked in rising order
    place: int
    state: Literal["active", "paused"]
    #: why it does nothing just now; empty where it works
    trouble: str
    next_ms: int

    @property
    def licence_place(self) -> LicencePlace:
        """Where its licence holds."""
        return LicencePlace(self.id, self.process_id, self.step_slug)


class Worth(Struct, frozen=True):
    """What a version was taught, and what that was worth on examples that were held back."""

    examples: int = 0
    #: share of these that a version taught by the others gets right
    right: float = 0.0
    #: about what share of the work it could decide within the error allowed: an estimate, which
    #: chooses how much evidence is gathered, and proves nothing
    coverage: float = 0.0
    #: why decided items were not learned from, with how many
    left_out: dict[str, int] = {}


class VersionAtWork(Struct, frozen=True):
    """A version of an agent."""

    id: int
    agent_id: int
    hash: str
    version: dict[str, Any]
    #: SHA-256 of what it has learned; None: nothing
    state: str | None
    role: Role
    fixed_ms: int
    lesson: Worth
    ended_ms: int | None
    why: str
    #: the champion that a challenger was held against
    against: int | None
    #: examples that its state was learned from
    n_examples: int
    #: settings of the agent in which it differs
    settings: dict[str, Any] = {}

    @property
    def schema(self) -> str:
        """`Step.schema_hash` of the steps that it can answer."""
        return str(self.version.get("schema", ""))


def as_version(agent: AgentAtWork, version: VersionAtWork | None) -> AgentAtWork:
    """The agent with the settings of one of its versions."""
    if version is None or not version.settings:
        return agent
    return structs.replace(agent, settings={**agent.settings, **version.settings})


class Claimed(Struct, frozen=True):
    """A task in an agent's hands."""

    task_id: int
    #: the client's own key of the item
    key: str
    payload: dict[str, Any]
    client_id: int


class AgentEvent(Struct, frozen=True):
    """What happened to an agent, with the figures that were the reason."""

    id: int
    agent_id: int
    version_id: int | None
    kind: str
    detail: dict[str, Any]
    at_ms: int


class Hands(Protocol):
    """Who computes: processes of their own in the engine, this one in tests and measurements."""

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        """The version that an agent with this state is."""

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        """What it answers, in the order of the items."""

    def learn(
        self, agent: AgentAtWork, step: Step, state: bytes | None, examples: Sequence[Example]
    ) -> bytes:
        """The state after these examples."""

    def calibrate(
        self,
        agent: AgentAtWork,
        step: Step,
        state: bytes | None,
        evidence: Sequence[tuple[float, bool]],
    ) -> bytes:
        """The state that knows what a language model's scores are worth, by (score, right)."""
