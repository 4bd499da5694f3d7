"""`learner`: learns from decided items, in seconds, without a network or a graphics card.

Text and mixed records, for questions of every type whose answers repeat (`heads`).
A row of hashed n-grams (`features`), one linear model per head (`linear`), what was learned from
as hashed rows within bounds (`replay`). Learning more means: remember it, and fit again from all
that is remembered; so the order of lessons does not matter while everything fits.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from canut.agents.artefact import name_of
from canut.agents.learning import features
from canut.agents.learning.features import BLOCK, Rows
from canut.agents.learning.heads import Head, heads_of, written
from canut.agents.learning.learned import Learned, fit_part, told
from canut.agents.learning.learned_state import freeze, thaw
from canut.agents.learning.linear import Columns, Float64, columns_of
from canut.agents.learning.replay import Replay, together
from canut.agents.model import Example, Item, Prediction, Step, Version, passed
from canut.errors import Invalid
from canut.processes.model import ItemShape

NAME = "learner"
#: raised whenever the same examples may give other answers
CODE = f"2.{features.VERSION}"
SEED = 0
#: probabilities computed at once: bounds memory where answers are many
CHANCES_MAX = 4_000_000


class Reader:
    """How items become rows of numbers: by their n-grams."""

    name = NAME
    code = CODE

    def rows(self, shape: ItemShape, payloads: Sequence[Mapping[str, Any]]) -> Rows:
        """What is counted in each item, float32 csr (n, WIDTH), whole numbers from 1 to 255."""
        return features.rows(shape, payloads)

    def plain(self, texts: Sequence[str]) -> Rows:
        """What is counted in texts that belong to no field."""
        return features.plain(texts)

    def columns(self, counts: Rows, answers: int) -> Columns:
        """What is read of such counts, for so many answers in all."""
        return columns_of(counts, answers)

    def read(self, columns: Columns, counts: Rows) -> Rows:
        """What a linear model is given, float32 csr (n, F)."""
        return columns.read(counts)


class Learner:
    """The learner, loaded for a step."""

    def __init__(self, step: Step, state: bytes | None, reader: Reader | None = None):
        self.step = step
        self._reader = reader or Reader()
        self._heads = heads_of(step.question)
        self._learned = thaw(state, step, self._heads, self._reader.code) if state else Learned()
        self._state = state or b""
        model = name_of(state) if state else ""
        self.version = Version(
            self._reader.name, self._reader.code, step.schema_hash(), model=model
        )
        self._hash = self.version.hash()

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in their order."""
        if self._learned.columns is None:
            return [
                passed(item, self._hash, self._reader.name, "nothing learned yet") for item in items
            ]
        answers: list[Prediction] = []
        widest = max(len(part.answers) for part in self._learned.parts)
        size = min(BLOCK, max(1, CHANCES_MAX // max(widest, 1)))
        for start in range(0, len(items), size):
            answers += self._block(items[start : start + size], self._learned.columns)
        return answers

    def learn(self, examples: Sequence[Example]) -> bytes:
        """The state after these examples."""
        if not examples:
            return self._state
        replay = together(
            self._learned.replay,
            self._reader.rows(self.step.shape, [example.item.payload for example in examples]),
            [written(example.value) for example in examples],
            np.array([example.weight for example in examples], np.float64),
            np.array([example.group for example in examples], np.int64),
        )
        return freeze(_fit(self._reader, self._heads, replay), self.step, self._reader.code)

    def unfamiliar(self, items: Sequence[Item]) -> Float64:
        """Share of the n-grams of each item that were never met while learning, float64 (n,): what
        `canut.agents.arena.drift` watches. 1 where nothing was learned."""
        counts = self._reader.rows(self.step.shape, [item.payload for item in items])
        if self._learned.columns is None:
            return np.ones(len(items))
        met = np.isin(counts.indices, self._learned.columns.kept, kind="table")
        sums = np.concatenate([[0], np.cumsum(met)])[counts.indptr]
        told: Float64 = 1 - np.diff(sums) / np.maximum(np.diff(counts.indptr), 1)
        return told

    def _block(self, items: Sequence[Item], columns: Columns) -> list[Prediction]:
        begun = time.perf_counter()
        counts = self._reader.rows(self.step.shape, [item.payload for item in items])
        x = self._reader.read(columns, counts)
        # an item of which no n-gram is known would get the most frequent answer
        known = np.diff(x.indptr) > 0
        parts = [
            told(head, part, x) for head, part in zip(self._heads, self._learned.parts, strict=True)
        ]
        rows = [self._joined([part[i] for part in parts]) for i in range(len(items))]
        # an item waits for its whole block
        waited = int((time.perf_counter() - begun) * 1000)
        name = self._reader.name
        return [
            Prediction(
                item.key,
                value,
                confidence,
                self._hash,
                self._reader.name,
                evidence,
                latency_ms=waited,
            )
            if known[i] and value is not None
            else passed(item, self._hash, name, "like nothing it has learned")
            for i, (item, (value, confidence, evidence)) in enumerate(zip(items, rows, strict=True))
        ]

    def _joined(
        self, parts: list[tuple[Any, float, dict[str, Any]]]
    ) -> tuple[Any, float, dict[str, Any]]:
        """One answer from what each head tells of an item."""
        if not self._heads[0].field:
            return parts[0]
        value: dict[str, Any] = {}
        sure, evidence = 1.0, {}
        for head, (part, confidence, why) in zip(self._heads, parts, strict=True):
            if head.when and not head.when.holds(value):
                continue
            if part is not None:
                value[head.field] = part
            # the least, as `Record.aggregate`: fields of an item share its difficulty
            sure = min(sure, confidence)
            evidence[head.field] = {"confidence": round(confidence, 4), **why}
        try:
            return self.step.question.normalise(value), sure, evidence
        except Invalid:
            return None, 0.0, {}


def _fit(reader: Reader, heads: Sequence[Head], replay: Replay) -> Learned:
    answers = [head.answers(replay.values) for head in heads]
    columns = reader.columns(replay.counts, sum(map(len, answers)))
    x = reader.read(columns, replay.counts)

    def named(texts: Sequence[str]) -> Rows:
        return reader.read(columns, reader.plain(texts))

    parts = [
        fit_part(head, x, replay, listed, named, SEED)
        for head, listed in zip(heads, answers, strict=True)
    ]
    return Learned(columns, tuple(parts), replay)


class LearnerType:
    """The agent type `learner`."""

    name = NAME
    code = CODE
    repeatable = True

    def load(self, step: Step, state: bytes | None) -> Learner:
        """The learner for this step; raises `Invalid`."""
        return Learner(step, state)


LEARNER = LearnerType()
