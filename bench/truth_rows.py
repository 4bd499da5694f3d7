"""What `bench.truth` measured: rows, kept or fresh, their means, and a table for a person."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from canut.truth.calibration import log_loss, reliability
from canut.truth.votes import Float64, Int32

#: sets with less gold are told but do not enter the means
GOLD_MIN = 100
#: bins of a reliability diagram
BINS = 10


class Score(msgspec.Struct, frozen=True):
    """How right a posterior is; a mean over draws where there are several."""

    #: per cent
    accuracy: float
    #: mean negative log likelihood, nats
    nll: float
    #: reliability diagram: of each bin how many fell in, sum of confidence, how many were right
    bins: list[tuple[float, float, float]]

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1."""
        n, confidence, right = np.array(self.bins).T
        return float(np.abs(confidence - right).sum() / n.sum())


class Row(msgspec.Struct, frozen=True):
    """What one method did on one set."""

    set: str
    method: str
    n_answers: int
    n_gold: int
    cpu_s: float
    #: of all gold; of the others for a method that was fitted on 30
    whole: Score
    #: without the gold that `canut_gold30` is fitted on
    out30: Score | None
    #: draws of that gold
    draws: int


def score(posterior: Float64, label: Int32) -> Score:
    """Of a posterior (n, n_classes) and what is right, (n,)."""
    right = posterior.argmax(1) == label
    diagram = reliability(np.minimum(posterior.max(1), 1.0), right, BINS)
    columns = diagram.n, diagram.n * diagram.confidence, diagram.n * diagram.right
    return Score(
        accuracy=100 * float(right.mean()),
        nll=log_loss(posterior, np.arange(len(label), dtype=np.int32), label),
        bins=[(float(n), float(c), float(r)) for n, c, r in zip(*columns, strict=True)],
    )


def mean(scores: list[Score]) -> Score:
    """Over draws."""
    return Score(
        accuracy=float(np.mean([one.accuracy for one in scores])),
        nll=float(np.mean([one.nll for one in scores])),
        bins=[(n, c, r) for n, c, r in np.mean([one.bins for one in scores], 0).tolist()],
    )


def kept(file: Path | None, draws: int) -> list[Row]:
    """Rows of an earlier run with as many draws."""
    if file is None or not file.exists():
        return []
    rows = [msgspec.json.decode(line, type=Row) for line in file.read_bytes().splitlines()]
    return [row for row in rows if row.draws in (0, draws)]


def keep(file: Path | None, row: Row) -> None:
    """Add a row to those of earlier runs."""
    if file is not None:
        with file.open("ab") as opened:
            opened.write(msgspec.json.encode(row) + b"\n")


def tell(row: Row) -> None:
    """A line for a person."""
    out = f"  30 out {row.out30.accuracy:6.2f}%" if row.out30 else ""
    print(
        f"{row.set:14} {row.method:18} {row.whole.accuracy:6.2f}%{out}"
        f"  nll {row.whole.nll:.3f}  {row.cpu_s:8.4f} s",
        flush=True,
    )


def averaged(rows: list[Row]) -> tuple[dict[str, list[Row]], dict[str, list[str]]]:
    """Rows of each method that ran on all sets with gold enough; of others, where they did not."""
    scored = [row for row in rows if row.n_gold >= GOLD_MIN]
    sets = {row.set for row in scored}
    by_method: dict[str, list[Row]] = {}
    for row in scored:
        by_method.setdefault(row.method, []).append(row)
    absent = {name: sorted(sets - {row.set for row in of}) for name, of in by_method.items()}
    whole = {name: of for name, of in by_method.items() if not absent[name]}
    return whole, {name: where for name, where in absent.items() if where}


def summary(rows: list[Row]) -> dict[str, Any]:
    """Means over sets with gold enough, of the methods that ran on all of them."""
    whole, absent = averaged(rows)

    def means(part: str, field: str) -> dict[str, float]:
        found = {n: [getattr(row, part) for row in of] for n, of in whole.items()}
        return {
            name: round(float(np.mean([getattr(one, field) for one in of])), 3)
            for name, of in found.items()
            if None not in of
        }

    ours = {row.set: row.cpu_s for row in rows if row.method == "canut"}
    theirs = {row.set: row.cpu_s for row in rows if row.method == "crowdkit_ds"}
    ratio = [theirs[name] / ours[name] for name in theirs if name in ours]
    return {
        "sets": sorted({row.set for row in rows if row.n_gold >= GOLD_MIN}),
        "did_not_run_on": absent,
        "mean_accuracy": means("whole", "accuracy"),
        "mean_accuracy_30out": means("out30", "accuracy"),
        "mean_nll": means("whole", "nll"),
        "mean_nll_30out": means("out30", "nll"),
        "mean_calibration_error": means("whole", "calibration_error"),
        "cpu_ratio_geomean": round(float(np.exp(np.mean(np.log(ratio)))), 1) if ratio else None,
        "cpu_s": {name: round(sum(row.cpu_s for row in of), 3) for name, of in whole.items()},
    }
