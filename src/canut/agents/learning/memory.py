"""`rules`: what was decided before is answered the same again, at no cost.

Knows items by their content (the fields agents see, compared without case or spacing) and by the
client's reference. Only hashes are kept. How far a memory is to be trusted is measured while it
learns: every lesson about something known is first an exam.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from canut.agents.artefact import Array, name_of, pack, refuse, unpack
from canut.agents.learning.features import folded
from canut.agents.learning.heads import written
from canut.agents.model import Example, Item, Prediction, Step, Version, passed
from canut.errors import Invalid

NAME = "rules"
CODE = "2"
FORM = "rules/2"
#: things remembered at most; the oldest are forgotten first
ENTRIES_MAX = 500_000
KEY_BYTES = 16
#: content first: the same content is better known than the same name
KINDS = ("content", "reference")


class Entry(Struct):
    """What was decided about one content or reference."""

    #: the newest decision
    value: str
    #: decisions like it since the last that was not, and decisions in all
    alike: int
    total: int


class Exam(Struct):
    """How often memory was right about what came again, in weights of examples."""

    tried: float = 0.0
    right: float = 0.0

    def rate(self) -> float:
        """Share that was right; a half while nothing came again."""
        return (self.right + 1) / (self.tried + 2)


class Memory:
    """The memory of a step."""

    def __init__(self, step: Step, state: bytes | None):
        self.step = step
        self._state = state or b""
        self._entries: dict[bytes, Entry] = {}
        self._exams = {kind: Exam() for kind in KINDS}
        if state:
            self._thaw(state)
        self.version = Version(
            NAME, CODE, step.schema_hash(), model=name_of(state) if state else ""
        )
        self._hash = self.version.hash()

    def answer(self, items: Sequence[Item]) -> list[Prediction]:
        """One prediction per item, in their order."""
        return [self._one(item) for item in items]

    def learn(self, examples: Sequence[Example]) -> bytes:
        """The state after these examples, in their order."""
        if not examples:
            return self._state
        taught = Memory(self.step, self._state)
        for example in examples:
            taught._remember(example)
        return taught._freeze()

    def _one(self, item: Item) -> Prediction:
        for kind in KINDS:
            entry = self._entries.get(_key(kind, item))
            if entry:
                steady = (entry.alike + 1) / (entry.total + 1)
                sure = self._exams[kind].rate() * steady
                evidence = {"same": kind, "decisions": entry.total}
                value = msgspec.json.decode(entry.value)
                return Prediction(item.key, value, sure, self._hash, NAME, evidence)
        return passed(item, self._hash, NAME, "not decided before")

    def _remember(self, example: Example) -> None:
        told = written(example.value)
        for kind in KINDS:
            key = _key(kind, example.item)
            # taken out and put in again: the order of the entries is their age
            entry = self._entries.pop(key, None)
            if entry is None:
                self._entries[key] = Entry(told, 1, 1)
                continue
            exam = self._exams[kind]
            exam.tried += example.weight
            exam.right += example.weight * (entry.value == told)
            entry.alike = entry.alike + 1 if entry.value == told else 1
            entry.value, entry.total = told, entry.total + 1
            self._entries[key] = entry

    def _freeze(self) -> bytes:
        entries = dict(list(self._entries.items())[-ENTRIES_MAX:])
        values = sorted({entry.value for entry in entries.values()})
        place = {value: i for i, value in enumerate(values)}
        keys = np.frombuffer(b"".join(entries), np.uint8).reshape(-1, KEY_BYTES)
        arrays: dict[str, Array] = {
            "keys": keys,
            "value": np.array([place[e.value] for e in entries.values()], np.int32),
            "alike": np.array([e.alike for e in entries.values()], np.int32),
            "total": np.array([e.total for e in entries.values()], np.int32),
        }
        exams = {kind: [exam.tried, exam.right] for kind, exam in self._exams.items()}
        meta = {"schema": self.step.schema_hash(), "values": values, "exams": exams}
        return pack(FORM, meta, arrays)

    def _thaw(self, state: bytes) -> None:
        meta, arrays = unpack(FORM, state)
        if meta.get("schema") != self.step.schema_hash():
            refuse("it was learned for another question or other fields")
        values = self._values(meta.get("values"))
        keys, columns = _columns(arrays, len(values))
        for kind in KINDS:
            self._exams[kind] = _exam(meta.get("exams"), kind)
        self._entries = {
            keys[i * KEY_BYTES : (i + 1) * KEY_BYTES]: Entry(values[value], alike, total)
            for i, (value, alike, total) in enumerate(zip(*columns, strict=True))
        }

    def _values(self, raw: Any) -> list[str]:
        try:
            values = msgspec.convert(raw, list[str])
            for value in values:
                self.step.question.normalise(msgspec.json.decode(value))
        except (Invalid, msgspec.DecodeError):
            refuse("it remembers an answer that the question does not take")
        return values


def _columns(arrays: dict[str, Array], values: int) -> tuple[bytes, list[list[int]]]:
    keys = arrays.get("keys")
    if keys is None or keys.dtype != np.uint8 or keys.ndim != 2 or keys.shape[1] != KEY_BYTES:
        refuse("it has no keys")
    columns = []
    for name, low, high in (("value", 0, values), ("alike", 1, 1 << 31), ("total", 1, 1 << 31)):
        column = arrays.get(name)
        if column is None or column.dtype != np.int32 or column.shape != (len(keys),):
            refuse(f"it has no {name!r}")
        if ((column < low) | (column >= high)).any():
            refuse(f"its {name!r} is out of bounds")
        columns.append(column.tolist())
    return keys.tobytes(), columns


def _exam(raw: Any, kind: str) -> Exam:
    try:
        tried, right = msgspec.convert(raw, dict[str, tuple[float, float]])[kind]
    except (msgspec.ValidationError, KeyError):
        refuse("its exams cannot be read")
    if not (0 <= right <= tried < float("inf")):
        refuse("its exams cannot be read")
    return Exam(tried, right)


def _key(kind: str, item: Item) -> bytes:
    if kind == "reference":
        # two clients may call different things by one name
        told = f"{item.client}\0{item.reference}"
    else:
        told = written(
            {
                name: folded(value) if isinstance(value, str) else value
                for name, value in item.payload.items()
            }
        )
    return hashlib.blake2b(f"{kind}\0{told}".encode(), digest_size=KEY_BYTES).digest()


class MemoryType:
    """The agent type `rules`."""

    name = NAME
    code = CODE
    repeatable = True

    def load(self, step: Step, state: bytes | None) -> Memory:
        """The memory for this step; raises `Invalid`."""
        return Memory(step, state or None)


MEMORY = MemoryType()
