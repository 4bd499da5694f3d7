"""How long somebody worked on a task, from what happened on its screen. Pure.

Work is where something happens: input, media that plays, reading that was declared. What lies
between two of these counts too while the gap is within the step's idle limit. Whatever several
tabs, devices or offline packets report, a millisecond of a contributor counts once, for one task,
and never outside the time for which the task was theirs.

Intervals are half open, [start, end), in milliseconds UTC.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from canut.errors import Problem

#: gap that still counts as work, unless the step says otherwise
IDLE_MS = 30_000

Interval = tuple[int, int]


class Lease(Struct, frozen=True):
    """The time for which a task was somebody's."""

    claimed_ms: int
    #: when it was handed in, given back or expired
    ended_ms: int


def active(seen: Iterable[Interval], idle_ms: int, lease: Lease) -> list[Interval]:
    """What counts of the intervals that a screen reports (an instant has equal ends): cut to the
    lease, then gaps of up to `idle_ms` closed."""
    cut = ((max(a, lease.claimed_ms), min(b, lease.ended_ms)) for a, b in seen)
    return [one for one in _closed(((a, b) for a, b in cut if a <= b), idle_ms) if one[0] < one[1]]


def without(intervals: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """What is left of `intervals` where `taken` was counted already; both in order, not
    overlapping, as `active` and `union` give them."""
    left: list[Interval] = []
    place = 0
    for begin, end in intervals:
        start = begin
        while place < len(taken) and taken[place][1] <= start:
            place += 1
        at = place
        while at < len(taken) and taken[at][0] < end:
            if start < taken[at][0]:
                left.append((start, taken[at][0]))
            start = max(start, taken[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """In order, overlaps and touching ends joined, empty ones left out."""
    return _closed((one for one in intervals if one[0] < one[1]), 0)


def total_ms(intervals: Iterable[Interval]) -> int:
    """Milliseconds in intervals that do not overlap."""
    return sum(end - start for start, end in intervals)


def claim_problems(claimed_ms: int, lease: Lease) -> list[Problem]:
    """What is wrong with a contributor's own statement of how long a task took."""
    if claimed_ms < 0:
        return [
            Problem(
                f"{claimed_ms} ms is no time.",
                "give the time that you worked",
                field="time",
            )
        ]
    held_ms = lease.ended_ms - lease.claimed_ms
    if claimed_ms > held_ms:
        return [
            Problem(
                f"{claimed_ms} ms is longer than the {held_ms} ms for which the task was yours.",
                f"give at most {held_ms} ms, or the time you spent on other tasks with these",
                field="time",
            )
        ]
    return []


def _closed(intervals: Iterable[Interval], gap_ms: int) -> list[Interval]:
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if joined and start - joined[-1][1] <= gap_ms:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined
