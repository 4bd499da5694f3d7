"""What the task screen hands in: how a contributor ended a task, and when they worked on it."""

from typing import Any, Literal

from msgspec import Struct

from canut.work.model import TaskRef

Act = Literal["answer", "skip", "remark"]

#: intervals of one task that are kept; a device that sends more is taken at its first ones
SPANS_MAX = 200
#: work is handed in after at most so long
LATE_MS = 14 * 86_400_000
#: how far a device's clock may be ahead of ours
AHEAD_MS = 300_000
#: the longest time on one task that is kept
ACTIVE_MS_MAX = 12 * 3_600_000


class Span(Struct, frozen=True):
    """A time at work: from `from_ms` to just before `to_ms`, UTC."""

    from_ms: int
    to_ms: int


class Finished(Struct, frozen=True):
    """A task ended on the task screen."""

    ref: TaskRef
    act: Act
    #: the answer, checked and in canonical form
    value: Any = None
    #: of a remark: unsure or fault, a reason of its list, and words
    kind: str | None = None
    reason: str | None = None
    note: str = ""
    #: when it was worked on
    spans: tuple[Span, ...] = ()
    #: when it was ended, by the contributor's clock; None without a script
    acted_ms: int | None = None


def read_spans(text: str, now_ms: int) -> tuple[Span, ...]:
    """Times at work as a script writes them: "from-to,from-to", milliseconds UTC.

    What cannot be is left out, silently: an answer is never refused for its clock.
    """
    spans: list[Span] = []
    active_ms = 0
    for part in text.split(",")[:SPANS_MAX]:
        first, _, last = part.partition("-")
        if not (_number(first) and _number(last)):
            continue
        span = Span(int(first), int(last))
        length = span.to_ms - span.from_ms
        inside = now_ms - LATE_MS <= span.from_ms < span.to_ms <= now_ms + AHEAD_MS
        if inside and active_ms + length <= ACTIVE_MS_MAX:
            spans.append(span)
            active_ms += length
    return tuple(spans)


def read_moment(text: str, now_ms: int) -> int | None:
    """A moment of a device's clock, or None for one that cannot be."""
    if not _number(text):
        return None
    return int(text) if now_ms - LATE_MS <= int(text) <= now_ms + AHEAD_MS else None


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15
