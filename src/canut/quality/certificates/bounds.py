"""Statements about delivered decisions, and the evidence from which anybody can repeat them.

A certificate is about a closed list of decisions, as they were delivered. It holds the whole list,
the design of the draw and what the panel found, so that `verify` needs the file and nothing else.
"""

import gzip
import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct, structs

from canut.errors import Invalid, Problem
from canut.quality.certificates.evidence import About, Audit, Evidence, Outcome, Panel, problems_of
from canut.truth.bounds import errors_allowed, upper_batch, upper_rate, upper_weighted
from canut.truth.designs import draw, weights
from canut.truth.votes import Float64

__all__ = [
    "About",
    "Audit",
    "Certificate",
    "Evidence",
    "Outcome",
    "Panel",
    "Statement",
    "Tally",
    "certify",
    "conclude",
    "digest_of",
    "export",
    "least_more",
    "losses",
    "verify",
]


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


class Tally(Struct, frozen=True):
    """What a statement takes of its evidence: counts, and what was lost; no list."""

    decisions: int
    digest: str
    kind: Literal["uniform", "risk"]
    #: of each draw that counts, its weight if it is wrong, else 0; float64 (audits,)
    loss: Float64
    #: the largest weight of any decision
    weight_max: float
    #: decisions found wrong after the client disputed them
    overturned: int
    error_max: float
    delta: float
    panel: Panel


class Certificate(Struct, frozen=True, forbid_unknown_fields=True):
    """A statement with its evidence: this, as JSON, is the file."""

    statement: Statement
    evidence: Evidence
    format: Literal["canut-certificate/1"] = "canut-certificate/1"


def certify(evidence: Evidence) -> Certificate:
    """The certificate that this evidence supports, proved or not.

    Raises Invalid with every place where the evidence contradicts itself or its own design.
    """
    problems = list(problems_of(evidence))
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
    problems = list(problems_of(found.evidence)) or list(
        _differences(found.statement, _state(found.evidence))
    )
    if problems:
        raise Invalid(f"{file} does not hold", problems=problems)
    return found


def _state(evidence: Evidence) -> Statement:
    loss, weight_max = losses(evidence)
    return conclude(
        Tally(
            decisions=len(evidence.decisions),
            digest=digest_of(evidence.decisions, evidence.risk_ppm),
            kind=evidence.design.kind,
            loss=loss,
            weight_max=weight_max,
            overturned=len(evidence.overturned),
            error_max=evidence.error_max,
            delta=evidence.delta,
            panel=evidence.panel,
        )
    )


def conclude(tally: Tally) -> Statement:
    """What these figures prove; the same as `certify` of the evidence they were taken from."""
    size, loss, panel = tally.decisions, tally.loss, tally.panel
    audits, wrong = len(loss), int(np.count_nonzero(loss))
    if tally.kind == "uniform":
        most = upper_batch(audits, wrong, size, tally.delta)
    else:
        upper = upper_weighted(audits, loss[loss > 0], tally.weight_max, tally.delta)
        most = math.floor(size * upper)
    most = max(most, tally.overturned)
    return Statement(
        decisions=size,
        digest=tally.digest,
        audits=audits,
        wrong=wrong,
        rate=min(1.0, float(loss.mean())) if audits else 0.0,
        errors_at_most=most,
        bound=most / size,
        proved=most <= errors_allowed(tally.error_max, size),
        panel_bound=upper_rate(panel.gold, panel.gold_wrong, tally.delta),
    )


def least_more(tally: Tally, most: int) -> int | None:
    """The fewest more draws, 1 to `most`, that prove the promise if none of them is wrong; None
    where that many do not."""
    most = min(most, tally.decisions - len(tally.loss)) if tally.kind == "uniform" else most

    def enough(more: int) -> bool:
        loss = np.append(tally.loss, np.zeros(more))
        return conclude(structs.replace(tally, loss=loss)).proved

    if most < 1 or not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


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


def _differences(said: Statement, due: Statement) -> Iterator[Problem]:
    for field in Statement.__struct_fields__:
        stated, computed = getattr(said, field), getattr(due, field)
        same = stated == computed
        if isinstance(computed, float):
            same = math.isclose(stated, computed, rel_tol=1e-9, abs_tol=1e-12)
        if not same:
            message = f"the file says {stated}, the evidence gives {computed}"
            yield Problem(message, field=f"statement.{field}")


def digest_of(decisions: Sequence[str], risk_ppm: Sequence[int] = ()) -> str:
    """SHA-256, in hexadecimal, of a list of decisions and their risks (none: 0 each)."""
    digest = hashlib.sha256()
    for start in range(0, len(decisions), 10_000):
        ids = decisions[start : start + 10_000]
        risks = risk_ppm[start : start + 10_000] or (0,) * len(ids)
        lines = (f"{id_}\t{risk}\n" for id_, risk in zip(ids, risks, strict=True))
        digest.update("".join(lines).encode())
    return digest.hexdigest()
