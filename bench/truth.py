"""Estimators on real answers, beside crowd-kit's in the same run.

    python -m bench.truth --data DIR [--sets a,b] [--methods ds,wawa]
        [--keep FILE] [--limit S] [--plot DIR]
    python -m bench.truth --synthetic 1000000x5 [--methods ds]
    python -m bench.truth --online 10000000

Every folder of DIR with `answers.csv` (worker,item,label) and `gold.csv` (item,label) is a set;
those with gold of 100 or more enter the means. The reference is not among Canut's requirements;
in an environment of its own:

    python3.11 -m venv .venv-bench
    .venv-bench/bin/pip install --require-hashes -r requirements/bench.txt
    PYTHONPATH=src .venv-bench/bin/python -m bench.truth --data DIR

(Without it, ours run alone.) `canut_gold30` is fitted on 30 gold items drawn uniformly; they are
taken out of EVERY method's score in the column "30 out", a mean of `--draws` draws. CPU seconds
are of one thread, from columns of integers to a posterior, for both. crowd-kit's GLAD and MACE
take minutes on large sets: `--keep FILE` adds each finished reference to FILE and reads it
instead of running it again (ours always run), `--limit S` gives one up on a set after S CPU
seconds, `--methods` says which to run. The last line is one JSON object; its means are of the
methods that ran on all sets, and `did_not_run_on` names the others.
"""

import argparse
import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

# CPU seconds of spinning helper threads would be counted against both
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from bench.figures import truth as figures
from bench.truth_rows import GOLD_MIN, Row, keep, kept, mean, score, summary, tell
from bench.truth_sets import CrowdSet, read, synthetic
from canut.truth import pool
from canut.truth.grid import grid
from canut.truth.methods import METHODS
from canut.truth.online import Online
from canut.truth.votes import Float64, Int64, Votes

REFERENCES = {
    "majority": "MajorityVote",
    "wawa": "Wawa",
    "ds": "DawidSkene",
    "mace": "MACE",
    "glad": "GLAD",
}
#: positions of gold to fit on, and of the rest
Draw = tuple[Int64, Int64]
#: runs of which the fastest counts, for both sides, unless they take longer than this together
REPEATS = 5
REPEAT_S_MAX = 1.0
#: answers in a batch, for the online state
BATCH = 5000


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


def measure(crowd: CrowdSet, options: argparse.Namespace, before: list[Row]) -> list[Row]:
    """All methods on one set; the references that are kept are not run again."""
    names = list(METHODS) if options.data else ["canut"]
    drawn = [] if len(crowd.gold_task) < GOLD_MIN else draws(crowd, options.draws)
    rows = []
    for name in names:
        rows.append(_row(crowd, name, *timed(_ours(name, crowd.votes)), drawn))
        tell(rows[-1])
    if drawn:
        rows.append(_with_30(crowd, drawn))
        tell(rows[-1])
    known = {row.method: row for row in before if row.set == crowd.name}
    for name in options.references:
        row = known.get(f"crowdkit_{name}") or _reference(crowd, name, drawn, options)
        if row:
            rows.append(row)
            tell(row)
    return rows


def _reference(
    crowd: CrowdSet, name: str, drawn: list[Draw], options: argparse.Namespace
) -> Row | None:
    """What crowd-kit does, unless it takes longer than the limit."""
    method = f"crowdkit_{name}"
    try:
        with limit(options.limit):
            posterior, cpu_s = timed(reference(name, crowd.votes))
    except TimeoutError:
        print(f"{crowd.name:14} {method:18} gave up after {options.limit} CPU s", flush=True)
        return None
    row = _row(crowd, method, posterior, cpu_s, drawn)
    keep(options.keep, row)
    return row


@contextmanager
def limit(cpu_s: float) -> Iterator[None]:
    """Raise TimeoutError after so many CPU seconds; 0: never."""

    def late(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def draws(crowd: CrowdSet, n: int) -> list[Draw]:
    """Gold to fit on and the other gold, as positions in the set's gold; n times."""
    mixed = (np.random.default_rng(draw).permutation(len(crowd.gold_task)) for draw in range(n))
    return [(order[: pool.GOLD_MIN], order[pool.GOLD_MIN :]) for order in mixed]


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


def _row(crowd: CrowdSet, name: str, posterior: Float64, cpu_s: float, drawn: list[Draw]) -> Row:
    task, label = crowd.gold_task, crowd.gold_label
    out = [score(posterior[task[rest]], label[rest]) for _, rest in drawn]
    return Row(
        set=crowd.name,
        method=name,
        n_answers=len(crowd.votes.task),
        n_gold=len(task),
        cpu_s=cpu_s,
        whole=score(posterior[task], label),
        out30=mean(out) if out else None,
        draws=len(drawn),
    )


def _with_30(crowd: CrowdSet, drawn: list[Draw]) -> Row:
    """Fit the stack on 30 gold items, score it on the others; means over draws."""
    task, label = crowd.gold_task, crowd.gold_label
    scores, cpu_s = [], 0.0
    for gold, rest in drawn:
        began = time.process_time()
        posterior = pool.pooled(grid(crowd.votes), task[gold], label[gold]).posterior
        cpu_s += time.process_time() - began
        scores.append(score(posterior[task[rest]], label[rest]))
    return Row(
        set=crowd.name,
        method="canut_gold30",
        n_answers=len(crowd.votes.task),
        n_gold=len(task),
        cpu_s=cpu_s / len(drawn),
        whole=mean(scores),
        out30=mean(scores),
        draws=len(drawn),
    )


def online(votes: Votes) -> float:
    """Microseconds of CPU an answer, fed in batches, in any order."""
    order = np.random.default_rng(0).permutation(len(votes.task))
    columns = [c[order] for c in (votes.task, votes.contributor, votes.label)]
    state = Online(votes.n_classes)
    began = time.process_time()
    for begin in range(0, len(order), BATCH):
        state.add(*(column[begin : begin + BATCH] for column in columns))
    return 1e6 * (time.process_time() - began) / len(order)


def online_only(n_answers: int) -> None:
    """The online state of a step with so many answers, five a task."""
    crowd = synthetic(f"{n_answers // 5}x5")
    before = _peak_mb()
    microseconds = online(crowd.votes)
    found = {"online_us_an_answer": round(microseconds, 3), "peak_mb": _peak_mb()}
    print(json.dumps(found | {"of_that_before_mb": before, "answers": n_answers}))


def _peak_mb() -> float:
    """The most memory this process ever held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def run_set(crowd: CrowdSet, options: argparse.Namespace, before: list[Row]) -> list[Row]:
    """The rows of one set, told as they come."""
    rows = measure(crowd, options, before)
    print(f"{crowd.name:14} online: {online(crowd.votes):.2f} us an answer", flush=True)
    return rows


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", help="names of folders, with commas; all by default")
    parser.add_argument("--methods", default=",".join(REFERENCES), help="references to run")
    parser.add_argument("--synthetic", help="tasks x answers, such as 1000000x5")
    parser.add_argument("--online", type=int, help="answers that come in batches")
    parser.add_argument("--keep", type=Path, help="file that finished references go to")
    parser.add_argument("--limit", type=int, default=0, help="CPU seconds of a reference on a set")
    parser.add_argument("--draws", type=int, default=20, help="draws of 30 gold items")
    parser.add_argument("--plot", type=Path, help="folder to draw figures into")
    options = parser.parse_args()
    options.references = [name for name in options.methods.split(",") if name]
    if not find_spec("crowdkit"):
        print("crowd-kit is not installed: ours run alone (see the docstring)")
        options.references = []
    METHODS["canut"](grid(synthetic("100x3").votes))  # imports and first calls are nobody's cost
    if options.online:
        online_only(options.online)
        return
    before, rows = kept(options.keep, options.draws), []
    if options.synthetic:
        options.draws = 0
        rows += run_set(synthetic(options.synthetic), options, before)
    elif options.data:
        names = options.sets.split(",") if options.sets else None
        for folder in sorted(options.data.iterdir()):
            if (folder / "answers.csv").exists() and (names is None or folder.name in names):
                rows += run_set(read(folder), options, before)
    else:
        parser.error("give --data, --synthetic or --online")
    if options.plot:
        figures.draw(rows, options.plot)
    print(json.dumps(summary(rows)))


if __name__ == "__main__":
    main()
