"""Statements about delivered decisions, and the evidence from which anybody can repeat them.

A certificate is about a closed list of decisions, as they were delivered. It holds the whole list,
the design of the draw and what the panel found, so that `verify` needs the file and nothing else.
"""

import gzip
import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.truth.bounds import errors_allowed, upper_batch, upper_rate, upper_weighted
from canut.truth.designs import PPM, Design, draw, weights
from canut.truth.votes import Float64

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


class Statement(Struct, frozen=True, forbid_unknown_fields=True):
    """What the evidence proves so far."""

    decisions: int
    #: SHA-256 of the list of decisions and their risks
    digest: str
    #: draws that count: those before the first that is open
    audits: int
    #: of these, wrong, contested or overturned
    wrong: int
    #: estimate of the share of wrong decisions; in the risk design each counts its weight
    rate: float
    #: at most so many decisions are wrong, at confidence 1 - delta
    errors_at_most: int
    #: the same as a share
    bound: float
    #: whether that keeps the promise
    proved: bool
    #: the panel errs at most this often, at confidence 1 - delta; 1 where it saw no gold
    panel_bound: float


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """A statement with its evidence: this, as JSON, is the file."""

    statement: Statement
    evidence: Evidence
    format: Literal["canut-certificate/1"] = "canut-certificate/1"


def certify(evidence: Evidence) -> Certificate:
    """The certificate that this evidence supports, proved or not.

    Raises Invalid with every place where the evidence contradicts itself or its own design.
    """
    problems = list(_problems(evidence))
    if problems:
        raise Invalid("the evidence of the certificate does not hold together", problems=problems)
    return Certificate(_state(evidence), evidence)


def export(certificate: Certificate) -> bytes:
    """The certificate as a JSON file."""
    return msgspec.json.format(msgspec.json.encode(certificate), indent=1) + b"\n"


def verify(file: Path) -> Certificate:
    """The certificate in this JSON file (or .json.gz), every figure computed again.

    Raises Invalid with every figure that the evidence does not give, and everything in the evidence
    that contradicts its design.
    """
    try:
        data = file.read_bytes()
        if file.suffix == ".gz":
            data = gzip.decompress(data)
        found = msgspec.json.decode(data, type=Certificate)
    except (OSError, EOFError, gzip.BadGzipFile, msgspec.MsgspecError) as error:
        raise Invalid(
            f"{file} is not a certificate: {error}", mend="take the JSON file as it was exported"
        ) from None
    problems = list(_problems(found.evidence)) or list(
        _differences(found.statement, _state(found.evidence))
    )
    if problems:
        raise Invalid(f"{file} does not hold", problems=problems)
    return found


def _state(evidence: Evidence) -> Statement:
    size = len(evidence.decisions)
    loss, weight_max = losses(evidence)
    audits, wrong = len(loss), int(np.count_nonzero(loss))
    if evidence.design.kind == "uniform":
        most = upper_batch(audits, wrong, size, evidence.delta)
    else:
        most = math.floor(size * upper_weighted(audits, loss[loss > 0], weight_max, evidence.delta))
    most = max(most, len(evidence.overturned))
    panel = evidence.panel
    return Statement(
        decisions=size,
        digest=_digest(evidence),
        audits=audits,
        wrong=wrong,
        rate=min(1.0, float(loss.mean())) if audits else 0.0,
        errors_at_most=most,
        bound=most / size,
        proved=most <= errors_allowed(evidence.error_max, size),
        panel_bound=upper_rate(panel.gold, panel.gold_wrong, evidence.delta),
    )


def losses(evidence: Evidence) -> tuple[Float64, float]:
    """What each draw that counts weighs if it is wrong, else 0, float64 (audits,); and the largest
    weight of any decision.

    Draws count in their order, up to the first that is open: time-uniform bounds are valid however
    that moment comes about, whereas to leave out what takes long would leave out what is hard.
    """
    settled = [audit.outcome != "open" for audit in evidence.audits]
    counted = evidence.audits[: settled.index(False) if False in settled else None]
    doubtful = {*evidence.contested, *evidence.overturned}
    wrong = [audit.outcome == "wrong" or audit.decision in doubtful for audit in counted]
    weight = weights(evidence.design, len(evidence.decisions), evidence.risk_ppm)
    places = draw(evidence.design, len(evidence.decisions), len(counted), evidence.risk_ppm)
    return np.where(np.array(wrong, bool), weight[places], 0.0), float(weight.max())


def _problems(evidence: Evidence) -> Iterator[Problem]:
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


def _differences(said: Statement, due: Statement) -> Iterator[Problem]:
    for field in Statement.__struct_fields__:
        stated, computed = getattr(said, field), getattr(due, field)
        same = stated == computed
        if isinstance(computed, float):
            same = math.isclose(stated, computed, rel_tol=1e-9, abs_tol=1e-12)
        if not same:
            message = f"the file says {stated}, the evidence gives {computed}"
            yield Problem(message, field=f"statement.{field}")


def _digest(evidence: Evidence) -> str:
    risks = evidence.risk_ppm or (0,) * len(evidence.decisions)
    lines = (f"{id_}\t{risk}\n" for id_, risk in zip(evidence.decisions, risks, strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
