"""What blind evidence says about a person's licence in force: pure rules.

Evidence is what they did since the licence was granted: hidden gold, and audits of tasks that they
had answered, drawn uniformly. It is judged against the level that their exam proved, by the bets of
`watch`. Nothing here ends a licence: proof puts up a flag, and a person looks.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from canut.quality.licences import watch as drift
from canut.quality.licences.thresholds import delta_share


class Audited(Struct, frozen=True):
    """An audit of a task that the person had answered."""

    #: the list it was drawn from, and its place in the draw
    frame_id: int
    draw: int
    task_id: int
    #: None while the panel has not answered
    judged_ms: int | None
    #: None where the panel is of no one mind
    wrong: bool | None


class Seen(Struct, frozen=True):
    """A piece of evidence."""

    #: when it was known
    at_ms: int
    wrong: bool
    #: gold or audit
    source: str


class Evidence(Struct, frozen=True):
    """What the evidence says about a person's licence, as `licence.standing` keeps it."""

    answers: int
    wrong: int
    #: against "at least `level` are right"; 1 at the beginning
    capital: float
    #: a person must look when capital reaches this
    bar: float
    #: after how many answers the bar was reached; None: it was not
    flagged_after: int | None
    #: the share of right answers that the exam proved
    level: float
    #: how many of `answers` are hidden gold; the others are audits
    gold: int


def in_order(gold: Iterable[Seen], audited: Sequence[Audited]) -> list[Seen]:
    """The evidence in the order in which it became known; what comes later never changes what was
    there. Audits of a list count in the order of the draw, up to the first that is open: to leave
    out what takes long would leave out what is hard. A task counts once."""
    found, tasks = list(gold), set[int]()
    for _, drawn in groupby(audited, key=lambda one: one.frame_id):
        known = 0
        for one in sorted(drawn, key=lambda one: one.draw):
            if one.judged_ms is None:
                break
            known = max(known, one.judged_ms)
            if one.wrong is not None and one.task_id not in tasks:
                tasks.add(one.task_id)
                found.append(Seen(known, one.wrong, "audit"))
    return sorted(found, key=lambda one: one.at_ms)


def judge(seen: Sequence[Seen], level: float, delta: float, version: int) -> Evidence:
    """What the evidence says of "at least `level` are right"; `delta` is the chance, over all
    versions of the licence there will ever be, that somebody who keeps to it is flagged."""
    share = delta_share(delta, version)
    said = drift.judge([one.wrong for one in seen], 1 - level, share)
    return Evidence(
        answers=said.answers,
        wrong=said.wrong,
        capital=said.capital,
        bar=1 / share,
        flagged_after=said.revoked_after,
        level=level,
        gold=sum(one.source == "gold" for one in seen),
    )
