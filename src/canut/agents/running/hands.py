"""Who computes for agents at work: this process, or processes of their own (`workers`).

Language models are asked from this process in either case: they wait, they do not compute.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from canut.agents.artefact import name_of
from canut.agents.llm.agent import LanguageModel
from canut.agents.llm.kind import LLM, LanguageModelType
from canut.agents.llm.models import Model
from canut.agents.llm.store import Connect, StoredBooks
from canut.agents.model import Example, Item, Prediction, Step, Version
from canut.agents.protocol import Agent, AgentType
from canut.agents.registry import agent_type
from canut.agents.running.model import AgentAtWork
from canut.agents.running.workers import Workers
from canut.errors import NotFound

#: agents kept loaded
LOADED_MAX = 8


class Models(Protocol):
    """Language models by name: a dictionary, or a file that is read again when it was changed."""

    def get(self, name: str, /) -> Model | None:
        """The model of this name; None, or an error that says why, where there is none."""


class OwnHands:
    """Computes in this process: tests, measurements, and what only waits."""

    def __init__(self, models: Models | None = None, connect: Connect | None = None) -> None:
        """`models`: language models by the name that agents have them under. `connect` opens a
        connection that commits by itself, for their books; without, these last as long as this."""
        self._models, self._connect = models, connect
        self._loaded: OrderedDict[tuple[int, Model | None, str, str], Agent] = OrderedDict()
        self._lock = threading.Lock()

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        """The version that an agent with this state is."""
        return self._agent(agent, step, state).version

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        """What it answers, in the order of the items."""
        loaded = self._agent(agent, step, state)
        if not isinstance(loaded, LanguageModel):
            return loaded.answer(items)
        try:
            return loaded.answer(items)
        finally:
            # they are in the books
            loaded.take_charges()

    def learn(
        self, agent: AgentAtWork, step: Step, state: bytes | None, examples: Sequence[Example]
    ) -> bytes:
        """The state after these examples."""
        return self._agent(agent, step, state).learn(examples)

    def calibrate(
        self,
        agent: AgentAtWork,
        step: Step,
        state: bytes | None,
        evidence: Sequence[tuple[float, bool]],
    ) -> bytes:
        """The state that knows what scores are worth by this evidence; of others than language
        models, the same state."""
        loaded = self._agent(agent, step, state)
        return loaded.calibrated(evidence) if isinstance(loaded, LanguageModel) else state or b""

    def _agent(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Agent:
        model = self._model(agent) if agent.type == LLM.name else None
        key = (agent.id, model, step.text_hash(), name_of(state) if state else "")
        with self._lock:
            if key not in self._loaded:
                kind = self._bound(agent, model) if model else agent_type(agent.type)
                self._loaded[key] = kind.load(step, state)
                while len(self._loaded) > LOADED_MAX:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def _model(self, agent: AgentAtWork) -> Model:
        name = str(agent.settings.get("model", ""))
        found = self._models.get(name) if self._models else None
        if found is None:
            raise NotFound(
                f"There is no language model {name!r}.", mend="name it in the file of models"
            )
        return found

    def _bound(self, agent: AgentAtWork, model: Model) -> AgentType:
        if self._connect is None:
            return LanguageModelType(model)
        connect = self._connect
        return LLM.of(model, lambda version: StoredBooks(connect, agent.id, version, model))


class PooledHands:
    """Computes in processes of their own; loads an agent here only to learn its version."""

    def __init__(
        self, workers: Workers, models: Models | None = None, connect: Connect | None = None
    ) -> None:
        self._workers, self._own = workers, OwnHands(models, connect)

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        """The version that an agent with this state is."""
        return self._own.version(agent, step, state)

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        """What it answers, in the order of the items."""
        if agent.type == LLM.name:
            return self._own.answer(agent, step, state, items)
        return self._workers.score_all(agent.type, step, state, items)

    def learn(
        self, agent: AgentAtWork, step: Step, state: bytes | None, examples: Sequence[Example]
    ) -> bytes:
        """The state after these examples."""
        if agent.type == LLM.name:
            return self._own.learn(agent, step, state, examples)
        return self._workers.learn(agent.type, step, state, examples)

    def calibrate(
        self,
        agent: AgentAtWork,
        step: Step,
        state: bytes | None,
        evidence: Sequence[tuple[float, bool]],
    ) -> bytes:
        """The state that knows what scores are worth by this evidence."""
        return self._own.calibrate(agent, step, state, evidence)
