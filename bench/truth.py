"""Estimators on real answers, beside crowd-kit's in the same run.

    python -m bench.truth --data DIR [--sets a,b] [--methods ds,wawa] [--keep FILE]
    python -m bench.truth --synthetic 1000000x5 [--methods ds]

Every folder of DIR with `answers.csv` (worker,item,label) and `gold.csv` (item,label) is a set;
those with gold of 100 or more enter the means. The reference is not among Canut's requirements;
in an environment of its own:

    python3.11 -m venv .venv-bench
    .venv-bench/bin/pip install --require-hashes -r requirements/bench.txt
    PYTHONPATH=src .venv-bench/bin/python -m bench.truth --data DIR

(Without it, ours run alone.) `canut_gold30` is fitted on 30 gold items drawn uniformly; they are
taken out of EVERY method's score in the column "30 out", a mean of `--draws` draws. CPU seconds
are of one thread, from columns of integers to a posterior, for both. crowd-kit's GLAD and MACE
take minutes on large sets: `--keep FILE` adds each finished set to FILE and reads it instead of
running it again; `--methods` says which references to run. The last line is one JSON object.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# CPU seconds of spinning helper threads would be counted against both
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import msgspec
import numpy as np

from bench.truth_sets import CrowdSet, read, synthetic
from canut.truth import pool
from canut.truth.calibration import log_loss, reliability
from canut.truth.grid import grid
from canut.truth.methods import METHODS
from canut.truth.online import Online
from canut.truth.votes import Float64, Votes

#: sets with less gold are told but do not enter the means
GOLD_MIN = 100
REFERENCES = {
    "majority": "MajorityVote",
    "wawa": "Wawa",
    "ds": "DawidSkene",
    "mace": "MACE",
    "glad": "GLAD",
}
#: runs of which the fastest counts, for both sides, unless they take longer than this together
REPEATS = 5
REPEAT_S_MAX = 1.0
#: answers in a batch, for the online state
BATCH = 5000


class Row(msgspec.Struct):
    """What one method did on one set."""

    set: str
    method: str
    n_answers: int
    n_gold: int
    accuracy: float
    #: the same without the gold that `canut_gold30` is fitted on
    accuracy_30out: float | None
    nll: float
    nll_30out: float | None
    cpu_s: float
    #: expected calibration error of its confidences
    calibration_error: float


def reference(name: str, votes: Votes) -> Callable[[], Float64]:
    """A run of crowd-kit that gives a posterior (n_tasks, n_classes)."""
    pandas = import_module("pandas")
    method = getattr(import_module("crowdkit.aggregation"), REFERENCES[name])
    frame = pandas.DataFrame(
        {"task": votes.task, "worker": votes.contributor, "label": votes.label}
    )

    def run() -> Float64:
        fitted = method()
        posterior = np.zeros((votes.n_tasks, votes.n_classes))
        if name in ("majority", "wawa"):
            share = fitted.fit_predict_proba(frame)
        else:
            fitted.fit(frame)
            share = fitted.probas_
        posterior[np.ix_(share.index.to_numpy(), share.columns.to_numpy())] = share.to_numpy()
        return np.nan_to_num(posterior)

    return run


def measure(crowd: CrowdSet, references: list[str], ours: list[str], draws: int) -> list[Row]:
    """All methods on one set."""
    runs = {name: _ours(name, crowd.votes) for name in ours}
    runs |= {f"crowdkit_{name}": reference(name, crowd.votes) for name in references}
    posteriors: dict[str, Float64] = {}
    cpu: dict[str, float] = {}
    for name, run in runs.items():
        posteriors[name], cpu[name] = timed(run)
    rows = {name: _row(crowd, name, p, cpu[name]) for name, p in posteriors.items()}
    if len(crowd.gold_task) >= GOLD_MIN and draws:
        _without_30(crowd, posteriors, rows, draws)
    return list(rows.values())


def _ours(name: str, votes: Votes) -> Callable[[], Float64]:
    return lambda: METHODS[name](grid(votes)).posterior


def timed(run: Callable[[], Float64]) -> tuple[Float64, float]:
    """The result, and the least CPU seconds of up to `REPEATS`, or of one where that is long:
    on a machine that others use, the least says most about the program."""
    least, spent = float("inf"), 0.0
    for _ in range(REPEATS):
        began = time.process_time()
        posterior = run()
        took = time.process_time() - began
        least, spent = min(least, took), spent + took
        if spent > REPEAT_S_MAX:
            break
    return posterior, least


def _row(crowd: CrowdSet, name: str, posterior: Float64, cpu_s: float) -> Row:
    task, label = crowd.gold_task, crowd.gold_label
    right = posterior[task].argmax(1) == label
    return Row(
        set=crowd.name,
        method=name,
        n_answers=len(crowd.votes.task),
        n_gold=len(task),
        accuracy=100 * float(right.mean()),
        accuracy_30out=None,
        nll=log_loss(posterior, task, label),
        nll_30out=None,
        cpu_s=cpu_s,
        calibration_error=reliability(
            np.minimum(posterior[task].max(1), 1.0), right
        ).expected_error,
    )


def _without_30(
    crowd: CrowdSet, posteriors: dict[str, Float64], rows: dict[str, Row], draws: int
) -> None:
    """Fit the stack on 30 gold items, score everybody on the others; means over draws."""
    began = time.process_time()
    opinions = pool.members(grid(crowd.votes))
    members_s = time.process_time() - began
    names = [*posteriors, "canut_gold30"]
    accuracy = {name: np.zeros(draws) for name in names}
    nll, error = {name: np.zeros(draws) for name in names}, np.zeros(draws)
    task, label = crowd.gold_task, crowd.gold_label
    fit_s = 0.0
    for draw in range(draws):
        mixed = np.random.default_rng(draw).permutation(len(task))
        gold, rest = mixed[: pool.GOLD_MIN], mixed[pool.GOLD_MIN :]
        began = time.process_time()
        stack = pool.fit(opinions, task[gold], label[gold])
        fit_s += time.process_time() - began
        stacked = pool.apply(stack, opinions[:, :, task[rest]])
        for name in names:
            of_rest = stacked if name == "canut_gold30" else posteriors[name][task[rest]]
            right = of_rest.argmax(1) == label[rest]
            accuracy[name][draw] = 100 * right.mean()
            position = np.arange(len(rest), dtype=np.int32)
            nll[name][draw] = log_loss(of_rest, position, label[rest])
            if name == "canut_gold30":
                error[draw] = reliability(of_rest.max(1), right).expected_error
    template = next(iter(rows.values()))
    rows["canut_gold30"] = msgspec.structs.replace(
        template,
        method="canut_gold30",
        accuracy=float(accuracy["canut_gold30"].mean()),
        nll=float(nll["canut_gold30"].mean()),
        cpu_s=members_s + fit_s / draws,
        calibration_error=float(error.mean()),
    )
    for name in names:
        rows[name].accuracy_30out = float(accuracy[name].mean())
        rows[name].nll_30out = float(nll[name].mean())


def online(crowd: CrowdSet) -> float:
    """Microseconds of CPU an answer, fed in batches."""
    votes = crowd.votes
    order = np.random.default_rng(0).permutation(len(votes.task))
    columns = [c[order] for c in (votes.task, votes.contributor, votes.label)]
    state = Online(votes.n_classes)
    began = time.process_time()
    for begin in range(0, len(order), BATCH):
        state.add(*(column[begin : begin + BATCH] for column in columns))
    return 1e6 * (time.process_time() - began) / len(order)


def summary(rows: list[Row]) -> dict[str, Any]:
    """Means over sets with gold enough, of the methods that ran on all of them."""
    scored = [row for row in rows if row.n_gold >= GOLD_MIN]
    sets = {row.set for row in scored}
    by_method: dict[str, list[Row]] = {}
    for row in scored:
        by_method.setdefault(row.method, []).append(row)
    whole = {name: of for name, of in by_method.items() if {row.set for row in of} == sets}

    def means(field: str) -> dict[str, float]:
        found = {name: [getattr(row, field) for row in of] for name, of in whole.items()}
        return {n: round(float(np.mean(v)), 3) for n, v in found.items() if None not in v}

    ours = {row.set: row.cpu_s for row in rows if row.method == "canut"}
    theirs = {row.set: row.cpu_s for row in rows if row.method == "crowdkit_ds"}
    ratio = [theirs[name] / ours[name] for name in theirs if name in ours]
    return {
        "sets": sorted(sets),
        "mean_accuracy": means("accuracy"),
        "mean_accuracy_30out": means("accuracy_30out"),
        "mean_nll": means("nll"),
        "mean_nll_30out": means("nll_30out"),
        "mean_calibration_error": means("calibration_error"),
        "cpu_ratio_geomean": round(float(np.exp(np.mean(np.log(ratio)))), 1) if ratio else None,
        "cpu_s": {name: round(sum(row.cpu_s for row in of), 3) for name, of in whole.items()},
    }


def tell(rows: list[Row]) -> None:
    """A table for a person."""
    for row in rows:
        out = "" if row.accuracy_30out is None else f"  30 out {row.accuracy_30out:6.2f}%"
        nll = f"  nll {row.nll:.3f}"
        print(
            f"{row.set:14} {row.method:18} {row.accuracy:6.2f}%{out}{nll}  {row.cpu_s:8.4f} s",
            flush=True,
        )


def kept(file: Path | None) -> list[Row]:
    """Rows of an earlier run."""
    if file is None or not file.exists():
        return []
    return [msgspec.json.decode(line, type=Row) for line in file.read_bytes().splitlines()]


def run_set(crowd: CrowdSet, options: argparse.Namespace, before: list[Row]) -> list[Row]:
    """The rows of one set: those not kept are measured, all of the set together."""
    ours = ["canut"] if options.synthetic else list(METHODS)
    known = {row.method for row in before if row.set == crowd.name}
    references = [name for name in options.references if f"crowdkit_{name}" not in known]
    if known and not references:
        rows = [row for row in before if row.set == crowd.name]
        tell(rows)
        return rows
    rows = measure(crowd, options.references, ours, options.draws)
    tell(rows)
    print(f"{crowd.name:14} online: {online(crowd):.2f} us an answer", flush=True)
    if options.keep:
        with options.keep.open("ab") as file:
            file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", help="names of folders, with commas; all by default")
    parser.add_argument("--methods", default=",".join(REFERENCES), help="references to run")
    parser.add_argument("--synthetic", help="tasks x answers, such as 1000000x5")
    parser.add_argument("--keep", type=Path, help="file that finished sets are added to")
    parser.add_argument("--draws", type=int, default=20, help="draws of 30 gold items")
    options = parser.parse_args()
    options.references = [name for name in options.methods.split(",") if name]
    if not find_spec("crowdkit"):
        print("crowd-kit is not installed: ours run alone (see the docstring)")
        options.references = []
    METHODS["canut"](grid(synthetic("100x3").votes))  # imports and first calls are nobody's cost
    before, rows = kept(options.keep), []
    if options.synthetic:
        options.draws = 0
        rows += run_set(synthetic(options.synthetic), options, before)
    elif options.data:
        names = options.sets.split(",") if options.sets else None
        for folder in sorted(options.data.iterdir()):
            if (folder / "answers.csv").exists() and (names is None or folder.name in names):
                rows += run_set(read(folder), options, before)
    else:
        parser.error("give --data or --synthetic")
    print(json.dumps(summary(rows)))


if __name__ == "__main__":
    main()
