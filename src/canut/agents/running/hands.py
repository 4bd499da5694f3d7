"""Who computes for agents at work: this process, or processes of their own (`workers`).

Language models are asked from this process in either case: they wait, they do not compute.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from canut.agents.artefact import name_of
from canut.agents.llm.agent import NAME as LLM
from canut.agents.llm.agent import LanguageModelType
from canut.agents.llm.cache import MemoryCache
from canut.agents.llm.models import Model
from canut.agents.model import Example, Item, Prediction, Step, Version
from canut.agents.protocol import Agent, AgentType
from canut.agents.registry import agent_type
from canut.agents.running.model import AgentAtWork
from canut.agents.running.workers import Workers
from canut.errors import NotFound

#: agents kept loaded
LOADED_MAX = 8


class OwnHands:
    """Computes in this process: tests, measurements, and what only waits."""

    def __init__(self, models: Mapping[str, Model] | None = None) -> None:
        """`models`: language models by the name that agents have them under."""
        self._models = models or {}
        self._types: dict[int, AgentType] = {}
        self._loaded: OrderedDict[tuple[int, str, str], Agent] = OrderedDict()
        self._lock = threading.Lock()

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        """The version that an agent with this state is."""
        return self._agent(agent, step, state).version

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        """What it answers, in the order of the items."""
        return self._agent(agent, step, state).answer(items)

    def learn(
        self, agent: AgentAtWork, step: Step, state: bytes | None, examples: Sequence[Example]
    ) -> bytes:
        """The state after these examples."""
        return self._agent(agent, step, state).learn(examples)

    def _agent(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Agent:
        key = (agent.id, step.schema_hash(), name_of(state) if state else "")
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = self._type(agent).load(step, state)
                while len(self._loaded) > LOADED_MAX:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(key)
            return self._loaded[key]

    def _type(self, agent: AgentAtWork) -> AgentType:
        if agent.type != LLM:
            return agent_type(agent.type)
        # one of an agent, so that its budget is one
        if agent.id not in self._types:
            name = str(agent.settings.get("model", ""))
            model = self._models.get(name)
            if model is None:
                raise NotFound(
                    f"There is no language model {name!r}.", mend="name it in the file of models"
                )
            self._types[agent.id] = LanguageModelType(model, MemoryCache())
        return self._types[agent.id]


class PooledHands:
    """Computes in processes of their own; loads an agent here only to learn its version."""

    def __init__(self, workers: Workers, models: Mapping[str, Model] | None = None) -> None:
        self._workers, self._own = workers, OwnHands(models)

    def version(self, agent: AgentAtWork, step: Step, state: bytes | None) -> Version:
        """The version that an agent with this state is."""
        return self._own.version(agent, step, state)

    def answer(
        self, agent: AgentAtWork, step: Step, state: bytes | None, items: Sequence[Item]
    ) -> list[Prediction]:
        """What it answers, in the order of the items."""
        if agent.type == LLM:
            return self._own.answer(agent, step, state, items)
        return self._workers.score_all(agent.type, step, state, items)

    def learn(
        self, agent: AgentAtWork, step: Step, state: bytes | None, examples: Sequence[Example]
    ) -> bytes:
        """The state after these examples."""
        if agent.type == LLM:
            return self._own.learn(agent, step, state, examples)
        return self._workers.learn(agent.type, step, state, examples)
