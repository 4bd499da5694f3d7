"""Which row goes where: pure rules.

A random sample of all rows goes to people, drawn before anybody is asked how sure they are. Of the
others, what an agent answers at or above its threshold is decided; the rest goes to people.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from canut.agents.arena.cascade import Cascade
from canut.agents.arena.cascade import Stage as CascadeStage
from canut.agents.model import Item, Prediction, Step, Version
from canut.agents.protocol import Agent
from canut.agents.running.checked import checked
from canut.channels.bulk.model import Way
from canut.truth.designs import PPM, in_stream

#: a sample that is enough for a run of any size: where 1% is wrong, so many audits nearly always
#: prove that it is at most 2%
AUDITS_ENOUGH = 2_000


class Told(Struct, frozen=True):
    """What becomes of one row."""

    way: Way
    prediction: Prediction
    #: place of the agent that answered; None: nobody may
    stage: int | None


class Heard(Struct, frozen=True):
    """What an agent said about a row of the sample, however sure it was: blind evidence."""

    #: key of the item
    key: int
    stage: int
    value: Any
    confidence: float


class _Listener:
    """An agent that is held to the checks of the step, as on live tasks, and whose answers about
    the sample are kept, also those below its threshold."""

    def __init__(self, step: Step, agent: Agent, stage: int):
        self._step, self._agent, self._stage = step, agent, stage
        self.version: Version = agent.version
        self.sample: set[int] = set()
        self.heard: list[Heard] = []

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        predictions = checked(self._step, items, self._agent.answer(items))
        self.heard += [
            Heard(prediction.key, self._stage, prediction.value, prediction.confidence)
            for prediction in predictions
            if prediction.key in self.sample and prediction.value is not None
        ]
        return predictions

    def learn(self, examples: Sequence[Any]) -> bytes:
        return self._agent.learn(examples)


class Splitter:
    """The agents of a run, cheapest first."""

    def __init__(self, step: Step, agents: Sequence[Agent], thresholds: Sequence[float]):
        self._listeners = [_Listener(step, agent, place) for place, agent in enumerate(agents)]
        self._cascade = Cascade(
            step,
            [
                CascadeStage(str(place), listener, threshold)
                for place, (listener, threshold) in enumerate(
                    zip(self._listeners, thresholds, strict=True)
                )
            ],
        )

    def split(
        self, items: Sequence[Item], sampled: Sequence[bool]
    ) -> tuple[list[Told], list[Heard]]:
        """What becomes of each item, in their order, and what was said about the sample."""
        sample = {item.key for item, inside in zip(items, sampled, strict=True) if inside}
        for listener in self._listeners:
            listener.sample, listener.heard = sample, []
        answers = self._cascade.answer(items)
        heard = [one for listener in self._listeners for one in listener.heard]
        told = [
            _told(prediction, inside) for prediction, inside in zip(answers, sampled, strict=True)
        ]
        return told, sorted(heard, key=lambda one: (one.key, one.stage))


def _told(prediction: Prediction, sampled: bool) -> Told:
    if prediction.value is None:
        return Told("people", prediction, None)
    # whoever was asked before passed it on
    stage = len(prediction.evidence["passed_by"])
    return Told("audit" if sampled else "decided", prediction, stage)


def sampled(seed: str, keys: Sequence[str], ppm: int) -> list[bool]:
    """Which rows are in the sample: anybody who has the seed finds the same."""
    drawn: list[bool] = in_stream(seed, keys, ppm).tolist()
    return drawn


def planned_share(stream_share: float, rows: int) -> float:
    """The share of rows in the sample where none is asked for: that of the stream, or as much as
    gives AUDITS_ENOUGH."""
    return min(stream_share, AUDITS_ENOUGH / max(rows, 1))


def as_ppm(share: float) -> int:
    """A share in millionths; above nothing stays above nothing."""
    return max(round(share * PPM), int(share > 0))
