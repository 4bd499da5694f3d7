"""Has the work changed under an agent? Detectors on its stream, and what is done, in order.

Each signal is a number between 0 and 1 per item; ADWIN (Bifet & Gavalda, "Learning from
time-changing data with adaptive windowing", SDM 2007; the implementation is river's) tells when its
mean has changed. An alarm is a reason to look and to be careful. What revokes a licence is evidence
on blind answers (`canut.quality.licences.watch`), never a detector.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct, structs

#: false alarms are shared out over this many signals at most
CLASSES_MAX = 50
#: sensitivity of a detector, shared by all signals of a watch
DELTA = 0.01
#: items after a step was taken before the next: it must have had time to help
SETTLE = 500
#: items without an alarm after which the watch relaxes by one step
CALM = 5000

Signal = Literal["input", "confidence", "none", "class", "audit"]
Step = Literal["steady", "threshold", "people", "retrain", "challenge", "revoke"]

#: what is done, in order: raise the threshold, send more to people, retrain, open a duel, propose
#: to revoke the licence
STEPS: tuple[Step, ...] = ("steady", "threshold", "people", "retrain", "challenge", "revoke")
#: without errors found by people, nobody goes further than this
UNPROVED = STEPS.index("retrain")


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

    #: share of its n-grams that the agent has never met, from 0 to 1
    unfamiliar: float
    confidence: float
    #: the answer, as text; "" where it gave none
    answer: str
    #: whether the answer was "none of these", or none at all
    none: bool


class Watch:
    """Detectors for one agent on one step. To have it again after a crash, tell it the last items
    again, in their order: it knows nothing else."""

    def __init__(self, classes: Sequence[str], delta: float = DELTA):
        """`classes`: answers whose shares are watched, the most frequent first."""
        watched = tuple(classes)[:CLASSES_MAX]
        each = delta / (4 + len(watched))
        self._input, self._sure = _Detector(each), _Detector(each)
        self._none, self._audit = _Detector(each), _Detector(each)
        self._classes = {name: _Detector(each) for name in watched}

    def see(self, seen: Seen) -> list[Alarm]:
        """Alarms raised by this item. Confidence that rises is none, nor are fewer odd items."""
        alarms = [
            self._input.told("input", "", seen.unfamiliar, only=1),
            self._sure.told("confidence", "", seen.confidence, only=-1),
            self._none.told("none", "", float(seen.none), only=1),
        ]
        for name, detector in self._classes.items():
            alarms.append(detector.told("class", name, float(seen.answer == name), only=0))
        return [alarm for alarm in alarms if alarm]

    def audited(self, wrong: bool) -> list[Alarm]:
        """Alarms raised by a blind answer to what the agent decided. Fewer errors are none."""
        alarm = self._audit.told("audit", "", float(wrong), only=1)
        return [alarm] if alarm else []


class Watchfulness(Struct, frozen=True):
    """How careful we are with an agent just now."""

    step: Step = "steady"
    #: items since that step was taken, or since the last alarm
    since: int = 0


def react(state: Watchfulness, alarms: Sequence[Alarm], items: int) -> Watchfulness:
    """How careful to be after `items` more items with these alarms. One step at a time; `step` of
    the result differs from before where something is to be done.

    Errors found by people press on at once; other signals wait until the last step had time to
    help (`SETTLE`), and lead no further than to retraining. Calm relaxes step by step; what was
    proposed for revocation waits for people and does not relax.
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
    if since >= CALM and 0 < place < len(STEPS) - 1:
        return Watchfulness(STEPS[place - 1], 0)
    return structs.replace(state, since=since)


def distance(before: Sequence[int], after: Sequence[int]) -> float:
    """How far the shares of classes have moved, from 0 to 1: half the sum of the differences (total
    variation). Counts of the same classes in the same order."""
    one, two = np.asarray(before, np.float64), np.asarray(after, np.float64)
    if not (one.sum() and two.sum()):
        return 0.0
    return float(np.abs(one / one.sum() - two / two.sum()).sum() / 2)


class _Detector:
    """ADWIN that knows which way the mean went."""

    def __init__(self, delta: float):
        # a second to import, and only the engine watches
        from river.drift import ADWIN

        made: Any = ADWIN
        self._adwin = made(delta=delta)

    def told(self, signal: Signal, name: str, value: float, *, only: int) -> Alarm | None:
        before = float(self._adwin.estimation)
        self._adwin.update(value)
        if not self._adwin.drift_detected:
            return None
        after = float(self._adwin.estimation)
        if only and (after - before) * only <= 0:
            return None
        return Alarm(signal, name, before, after)
