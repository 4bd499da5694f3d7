"""Has the work changed under an agent? Detectors on its stream, and what is done, in order.

Each signal is a number between 0 and 1 per item, and what is looked for is a change of its mean
(`window`; for blind answers, which are few, ADWIN of river). An alarm is a reason to look and to be
careful. What revokes a licence is evidence on blind answers (`canut.quality.licences.watch`), never
a detector.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct, structs

from canut.agents.arena.window import BLOCK, Window

#: answers whose shares are watched: at most so many, and at least this share of the first items
CLASSES_MAX = 50
CLASS_LEAST = 0.02
#: sensitivity, shared by all signals of a watch
DELTA = 0.05
#: sensitivity to errors found by people
AUDIT_DELTA = 0.02
#: items that say what is usual, before anything is watched
REFERENCE = 500
#: words are remembered by a bit each
BITS = 1 << 17
#: words of an item that are looked at
WORDS_MAX = 200
#: items after a step was taken before the next: it must have had time to help
SETTLE = 500
#: items without an alarm after which the watch relaxes by one step
CALM = 5000

Signal = Literal["input", "confidence", "none", "class", "audit"]
Step = Literal["steady", "threshold", "people", "retrain", "challenge", "revoke"]

#: what is done, in order: raise the threshold, send more to people, retrain, open a duel, ask the
#: evidence whether the licence stands
STEPS: tuple[Step, ...] = ("steady", "threshold", "people", "retrain", "challenge", "revoke")
#: without errors found by people, nobody goes further than this
UNPROVED = STEPS.index("retrain")

_WORD = re.compile(r"[^\W\d_]+")


class Alarm(Struct, frozen=True):
    """A signal has changed."""

    signal: Signal
    #: which class, for `class`
    name: str
    #: mean before and since
    before: float
    after: float


class Seen(Struct, frozen=True):
    """What the watch is told of one item that an agent answered."""

    #: its words, as `words_of` gives them
    words: frozenset[int]
    confidence: float
    #: the answer, as text; "" where it gave none
    answer: str
    #: whether the answer was "none of these", or none at all
    none: bool


class Watch(Struct):
    """What is known of the stream of one version of an agent: all of it can be written down.

    The first `REFERENCE` items say what is usual: which words there are, and which answers. Words
    that come later stay unknown, so that the share of them is level until the work changes.
    """

    #: items so far, up to `REFERENCE`
    begun: int = 0
    #: a bit for each word of the first items
    words: bytes = bytes(BITS // 8)
    counts: dict[str, int] = {}
    #: answers that are watched, once the first items are in
    names: list[str] = []
    #: of input, confidence, none, and each of `names`
    windows: list[Window] = []
    #: values of the block that is not full yet, a list for each window
    pending: list[list[float]] = []

    def see(self, seen: Sequence[Seen]) -> list[Alarm]:
        """Alarms raised by these items, in their order. Confidence that rises is none, nor are
        fewer odd items."""
        first = seen[: max(0, REFERENCE - self.begun)]
        if first:
            self._refer(first)
        rest = seen[len(first) :]
        if not rest:
            return []
        columns = self._signals(rest)
        alarms: list[Alarm] = []
        for place in range(len(rest)):
            for pending, column in zip(self.pending, columns, strict=True):
                pending.append(column[place])
            if len(self.pending[0]) == BLOCK:
                alarms += self._block()
        return alarms

    def _refer(self, seen: Sequence[Seen]) -> None:
        known = bytearray(self.words)
        for one in seen:
            for word in one.words:
                known[word >> 3] |= 1 << (word & 7)
            self.counts[one.answer] = self.counts.get(one.answer, 0) + 1
        self.words, self.begun = bytes(known), self.begun + len(seen)
        if self.begun >= REFERENCE:
            ranked = sorted(self.counts, key=lambda name: (-self.counts[name], name))
            self.names = [
                name
                for name in ranked[:CLASSES_MAX]
                if name and self.counts[name] >= CLASS_LEAST * REFERENCE
            ]
            self.counts = {}
            self.windows = [Window() for _ in range(3 + len(self.names))]
            self.pending = [[] for _ in self.windows]

    def _signals(self, seen: Sequence[Seen]) -> list[list[float]]:
        known = self.words
        odd = [
            sum(not known[word >> 3] >> (word & 7) & 1 for word in one.words)
            / max(1, len(one.words))
            for one in seen
        ]
        sure = [min(max(one.confidence, 0.0), 1.0) for one in seen]
        none = [float(one.none) for one in seen]
        return [odd, sure, none] + [
            [float(one.answer == name) for one in seen] for name in self.names
        ]

    def _block(self) -> list[Alarm]:
        told: list[tuple[Signal, str, int]] = [("input", "", 1), ("confidence", "", -1)]
        told += [("none", "", 1), *(("class", name, 0) for name in self.names)]
        alarms = []
        for (signal, name, way), window, values in zip(
            told, self.windows, self.pending, strict=True
        ):
            window.add(values)
            values.clear()
            found = window.changed(DELTA / len(self.windows))
            if found and (not way or (found[1] - found[0]) * way > 0):
                alarms.append(Alarm(signal, name, round(found[0], 4), round(found[1], 4)))
        return alarms


def words_of(payload: Mapping[str, Any]) -> frozenset[int]:
    """Words of an item, hashed; its numbers are none, for these are always new."""
    texts = [value for value in payload.values() if isinstance(value, str)]
    words = _WORD.findall(" ".join(texts).casefold())[:WORDS_MAX]
    return frozenset(zlib.crc32(word.encode()) % BITS for word in words)


def audit_alarms(wrong: Sequence[bool], read: int) -> list[Alarm]:
    """Alarms raised by blind answers from place `read` on; more errors are one, fewer are none.
    `wrong`: all blind answers about a version, in the order in which people settled them: they are
    few and are kept anyway, so that nothing else has to be remembered."""
    # a second to import, and only the engine watches
    from river.drift import ADWIN

    made: Any = ADWIN
    adwin = made(delta=AUDIT_DELTA, clock=8)
    alarms = []
    for place, bad in enumerate(wrong):
        before = float(adwin.estimation)
        adwin.update(float(bad))
        after = float(adwin.estimation)
        if adwin.drift_detected and after > before and place >= read:
            alarms.append(Alarm("audit", "", round(before, 4), round(after, 4)))
    return alarms


class Watchfulness(Struct, frozen=True):
    """How careful we are with an agent just now."""

    step: Step = "steady"
    #: items since that step was taken, or since the last alarm
    since: int = 0


def react(state: Watchfulness, alarms: Sequence[Alarm], items: int) -> Watchfulness:
    """How careful to be after `items` more items with these alarms. One step at a time; `step` of
    the result differs from before where something is to be done.

    Errors found by people press on at once; other signals wait until the last step had time to
    help (`SETTLE`), and lead no further than to retraining. Calm relaxes step by step.
    """
    place = STEPS.index(state.step)
    since = state.since + items
    proved = any(alarm.signal == "audit" for alarm in alarms)
    if alarms:
        top = len(STEPS) - 1 if proved else UNPROVED
        may = place < top and (proved or place == 0 or since >= SETTLE)
        # an alarm keeps the watch awake even where it moves nothing
        return (
            Watchfulness(STEPS[place + 1], 0)
            if may
            else structs.replace(state, since=min(since, SETTLE))
        )
    if since >= CALM and place > 0:
        return Watchfulness(STEPS[place - 1], 0)
    return structs.replace(state, since=since)


def distance(before: Sequence[int], after: Sequence[int]) -> float:
    """How far the shares of classes have moved, from 0 to 1: half the sum of the differences (total
    variation). Counts of the same classes in the same order."""
    one, two = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if not (one.sum() and two.sum()):
        return 0.0
    return float(np.abs(one / one.sum() - two / two.sum()).sum() / 2)
