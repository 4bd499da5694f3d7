"""The evidence of a certificate, and every way in which it can contradict itself."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from canut.errors import Problem
from canut.truth.designs import PPM, Design, draw

Outcome = Literal["right", "wrong", "open"]


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """What was certified, in the words of whoever handed it over."""

    client: str
    process: str
    step: str
    batch: str
    #: when, in milliseconds UTC
    issued_ms: int


class Panel(Struct, frozen=True, forbid_unknown_fields=True):
    """Who audited: qualified people, and how they did on gold of the same step."""

    people: int
    gold: int
    gold_wrong: int
    #: answers are the same that agree so far at least, 0 to 1; of a record, its least strict field
    agree_min: float = 1.0
    #: a record is wrong where one of its fields is
    by_field: bool = False


class Audit(Struct, frozen=True, forbid_unknown_fields=True):
    """One draw, and whether the panel's blind answer agrees with what was delivered; `open` while
    there is none."""

    decision: str
    outcome: Outcome


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a statement is computed from."""

    about: About
    #: the promise: the share of wrong decisions is at most this, inside (0, 1)
    error_max: float
    #: the chance that the statement is false is at most this, inside (0, 1)
    delta: float
    design: Design
    #: the public ids of all the decisions, in the order in which positions are counted
    decisions: tuple[str, ...]
    #: in the order of the draw
    audits: tuple[Audit, ...]
    panel: Panel
    #: only for the design `risk`: of each decision, in millionths, fixed before the draw
    risk_ppm: tuple[int, ...] = ()
    #: decisions that the client disputes and that nobody has settled
    contested: tuple[str, ...] = ()
    #: decisions found wrong after the client disputed them
    overturned: tuple[str, ...] = ()


def problems_of(evidence: Evidence) -> Iterator[Problem]:
    """Every contradiction in the evidence."""
    broken = [*_limits(evidence)]
    yield from broken
    if broken:
        return
    places = draw(evidence.design, len(evidence.decisions), len(evidence.audits), evidence.risk_ppm)
    for row, (place, audit) in enumerate(zip(places, evidence.audits, strict=True), 1):
        due = evidence.decisions[place]
        if audit.decision != due:
            message = f"the design draws decision {due}, not {audit.decision}"
            yield Problem(message, row=row, field="audits")
    found: dict[str, str] = {}
    for row, audit in enumerate(evidence.audits, 1):
        if found.setdefault(audit.decision, audit.outcome) != audit.outcome:
            message = f"decision {audit.decision} was drawn twice, with different outcomes"
            yield Problem(message, row=row, field="audits")


def _limits(evidence: Evidence) -> Iterator[Problem]:
    for field in ("error_max", "delta"):
        if not 0 < getattr(evidence, field) < 1:
            yield Problem("must be between 0 and 1, both left out", field=field)
    if not 0 <= evidence.panel.gold_wrong <= evidence.panel.gold:
        yield Problem("there cannot be more errors than gold", field="panel.gold_wrong")
    if not 0 <= evidence.panel.agree_min <= 1:
        yield Problem("must be from 0 to 1", field="panel.agree_min")
    yield from _design_limits(evidence)
    yield from _lists(evidence)


def _design_limits(evidence: Evidence) -> Iterator[Problem]:
    size, design = len(evidence.decisions), evidence.design
    if design.kind == "uniform":
        if evidence.risk_ppm:
            yield Problem("the uniform design has no risks", field="risk_ppm")
        if len(evidence.audits) > size:
            yield Problem("there are more audits than decisions", field="audits")
        return
    if len(evidence.risk_ppm) != size:
        yield Problem("there must be one risk for each decision", field="risk_ppm")
    if not all(0 <= risk <= PPM for risk in evidence.risk_ppm):
        yield Problem("a risk is from 0 to a million millionths", field="risk_ppm")
    if not 0 < design.uniform_ppm <= PPM:
        yield Problem("must be above 0, at most a million", field="design.uniform_ppm")


def _lists(evidence: Evidence) -> Iterator[Problem]:
    if not evidence.decisions:
        yield Problem("there must be a decision to certify", field="decisions")
    if any("\n" in decision or "\t" in decision for decision in evidence.decisions):
        yield Problem("an id holds a tab or a line break", field="decisions")
    yield from _repeated(evidence.decisions, "decisions")
    known = set(evidence.decisions)
    for field in ("contested", "overturned"):
        listed = getattr(evidence, field)
        yield from _repeated(listed, field)
        for decision in listed:
            if decision not in known:
                yield Problem(f"{decision} is not among the decisions", field=field)


def _repeated(ids: Iterable[str], field: str) -> Iterator[Problem]:
    for decision, count in Counter(ids).items():
        if count > 1:
            yield Problem(f"{decision} is there {count} times", field=field)
