"""Several agents, cheapest first: each answers what it may decide, and passes on the rest.

What nobody may decide is left to people. Which stages, in which order and from which confidence on,
is not configured but measured: `arrange`.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from canut.agents.model import Item, Prediction, Step, Version, digest
from canut.agents.protocol import Agent

NAME = "cascade"
CODE = "1"
#: fewer items than this say too little for a threshold
LEAST = 30


class Stage(Struct, frozen=True):
    """One agent of a cascade."""

    name: str
    agent: Agent
    #: decides at or above this confidence; None: passes everything on
    threshold: float | None


class Cascade:
    """Stages in the order in which they are asked; an `Agent` but for `learn`: each stage learns
    by itself."""

    def __init__(self, step: Step, stages: Sequence[Stage]):
        self.stages = tuple(stages)
        self.version = Version(
            NAME,
            CODE,
            step.schema_hash(),
            model=digest([stage.agent.version.hash() for stage in stages]),
            thresholds={stage.name: stage.threshold for stage in stages},
        )
        self._hash = self.version.hash()

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in their order. `stage` is who decided; value None where nobody
        may. Costs and waiting add up over all who were asked."""
        done: list[Prediction | None] = [None] * len(items)
        spent, waited = [0] * len(items), [0] * len(items)
        tried: list[dict[str, float]] = [{} for _ in items]
        left = list(range(len(items)))
        currency = "EUR"
        for stage in self.stages:
            if not left or stage.threshold is None:
                continue
            answers = stage.agent.answer([items[i] for i in left])
            still = []
            for i, prediction in zip(left, answers, strict=True):
                spent[i] += prediction.cost_micro
                waited[i] += prediction.latency_ms
                currency = prediction.currency if prediction.cost_micro else currency
                if prediction.value is None or prediction.confidence < stage.threshold:
                    tried[i][stage.name] = round(prediction.confidence, 6)
                    still.append(i)
                else:
                    done[i] = prediction
            left = still
        nobody = Prediction(0, None, 0.0, self._hash, "person")
        return [
            structs.replace(
                prediction or nobody,
                key=items[i].key,
                version=self._hash,
                evidence={**(prediction.evidence if prediction else {}), "passed_by": tried[i]},
                cost_micro=spent[i],
                currency=currency,
                latency_ms=waited[i],
            )
            for i, prediction in enumerate(done)
        ]


class Measured(Struct, frozen=True):
    """How a stage did in a duel: the same items for every stage, answered blind by people."""

    name: str
    #: confidence of each answer, float64 (n,); 0 where it gave none
    confidence: NDArray[np.float64]
    #: whether each answer was right, bool (n,)
    right: NDArray[np.bool_]
    #: mean cost of asking it about one item, in micro-units
    cost_micro: float
    #: may not decide below this confidence, whatever the figures say (its licence)
    licensed: float = 0.0


class Arrangement(Struct, frozen=True):
    """A cascade, and what it is expected to do."""

    #: stage and threshold, in the order in which they are asked
    stages: tuple[tuple[str, float], ...]
    #: expected cost of one item, people's included, in micro-units
    cost_micro: float
    #: expected share of items decided without people
    decided: float
    #: share of these that was wrong
    error: float


def arrange(
    measured: Sequence[Measured], error_max: float, person_micro: float, *, least: int = LEAST
) -> Arrangement:
    """The cheapest cascade in which no stage errs more often than `error_max` in what it decides.

    Every subset in every order is tried (five stages: 326). A stage is asked only about what those
    before it passed on; its threshold is the lowest from which (errors + 1) / (answers + 2) of
    these keeps within `error_max`, for `least` answers at least. A stage that does not pay is left
    out; with none, people do it all. These figures choose; a licence proves, on evidence of its
    own.
    """
    sizes = {len(one.confidence) for one in measured} | {len(one.right) for one in measured}
    if len(sizes) > 1:
        raise ValueError("stages are compared on the same items")
    if not 0 < error_max < 1:
        raise ValueError("the error rate allowed is inside (0, 1)")
    n = sizes.pop() if sizes else 0
    best = Arrangement((), float(person_micro), 0.0, 0.0)
    for count in range(1, len(measured) + 1) if n else ():
        for order in itertools.permutations(measured, count):
            found = _tried(order, n, error_max, person_micro, least)
            # fewer stages come first, and stay unless more of them are cheaper
            if found and found.cost_micro < best.cost_micro - 1e-9:
                best = found
    return best


def expected(
    order: Sequence[Measured], error_max: float, person_micro: float, *, least: int = LEAST
) -> Arrangement:
    """What a cascade in this order is expected to do; stages that could decide nothing are left
    out."""
    if not order:
        return Arrangement((), float(person_micro), 0.0, 0.0)
    n = len(order[0].right)
    able: list[Measured] = []
    for one in order:
        if _tried([*able, one], n, error_max, person_micro, least):
            able.append(one)
    found = _tried(able, n, error_max, person_micro, least) if able else None
    return found or Arrangement((), float(person_micro), 0.0, 0.0)


def _tried(
    order: Sequence[Measured], n: int, error_max: float, person_micro: float, least: int
) -> Arrangement | None:
    left = np.ones(n, bool)
    cost, wrong = 0.0, 0
    stages = []
    for one in order:
        threshold = _threshold(one, left, error_max, least)
        if threshold is None:
            return None
        cost += one.cost_micro * left.sum() / n
        takes = left & (one.confidence >= threshold)
        wrong += int((takes & ~one.right).sum())
        left &= ~takes
        stages.append((one.name, threshold))
    decided = n - int(left.sum())
    cost += person_micro * left.sum() / n
    return Arrangement(tuple(stages), float(cost), decided / n, wrong / decided)


def _threshold(
    one: Measured, left: NDArray[np.bool_], error_max: float, least: int
) -> float | None:
    able = left & (one.confidence > 0) & (one.confidence >= one.licensed)
    rows = np.flatnonzero(able)
    rows = rows[np.argsort(-one.confidence[rows], kind="stable")]
    sure = one.confidence[rows]
    wrong = np.cumsum(~one.right[rows])
    answers = np.arange(1, len(rows) + 1)
    # equal confidences are taken together or not at all
    last = np.append(sure[1:] < sure[:-1], True) if len(rows) else np.zeros(0, bool)
    good = last & (answers >= least) & ((wrong + 1) / (answers + 2) <= error_max)
    return float(sure[np.flatnonzero(good)[-1]]) if good.any() else None
