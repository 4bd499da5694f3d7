"""Recorded answers asked for again, one at a time: how many does it take?

    python -m bench.stopping --data DIR [--sets a,b] [--plot docs/figures]

Every folder of DIR with `answers.csv` (worker,item,label) and `gold.csv` (item,label) of 100 or
more is a set. Its answers are hidden, and uncovered as a rule asks for them:

- `canut`: each item is asked about until its calibrated belief reaches the target. Items come in
  ten blocks, drawn at random, as a step lives on from one batch to the next. In rounds, as the
  engine works: every open item of a block gets its next answer, then all beliefs and
  contributors' records are refitted (`canut.truth.pool`, without gold) on what is uncovered. What
  is decided stays decided. The target is swept.
- `canut_routed`: the same, but each item asks, among those who did answer it, the contributor
  from whom most information is expected (`canut.truth.routing`), all costs being equal. It
  knows no more of them than what is uncovered.
- `majority`, `dawid_skene`: the same number of answers for every item, drawn at random; the
  number is swept. Equals of a majority fall at random.

The files say nothing of when an answer came (some are sorted by contributor), so answers to an
item come in an order drawn at random. Of sets with more items than ITEMS_MAX, so many are
replayed: those with gold first, then others, at random; baselines see the same ones.

Accuracy is over the gold items, answers per item over all. The last line is one JSON object:
for each set and as a geometric mean, how many answers per item each needs to reach, and keep, the
accuracy that majority has with all answers (straight lines between the points of a sweep). It
takes three minutes of processor time.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# helper threads would spin on cores that others use
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from msgspec import structs

from bench.truth_sets import CrowdSet, read
from canut.truth.confusion import backed_off_confusion, dawid_skene
from canut.truth.grid import Belief, expected, grid
from canut.truth.pool import pooled
from canut.truth.routing import coin, information
from canut.truth.votes import Float64, Int32, Int64, Votes, starts
from canut.truth.voting import shares

GOLD_MIN = 100
ITEMS_MAX = 4000
BLOCKS = 10
TARGETS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.985, 0.99)
#: answers per item that fixed redundancy is tried with, as far as a set has them
REDUNDANCY = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40)
#: draws of the order in which answers come, whose mean is taken; one of sets over SMALL answers
DRAWS = 4
SMALL = 5_000

#: answers per item, share of the gold that is right
Point = tuple[float, float]


def subset(votes: Votes, chosen: Int64) -> Votes:
    """Only these answers."""
    return Votes(
        votes.task[chosen],
        votes.contributor[chosen],
        votes.label[chosen],
        votes.n_tasks,
        votes.n_contributors,
        votes.n_classes,
    )


def sample(crowd: CrowdSet) -> CrowdSet:
    """The set, or `ITEMS_MAX` of its items."""
    votes = crowd.votes
    if votes.n_tasks <= ITEMS_MAX:
        return crowd
    lot = np.random.default_rng(0).random(votes.n_tasks)
    lot[crowd.gold_task] -= 1
    kept = np.argsort(lot)[:ITEMS_MAX]
    place = np.full(votes.n_tasks, -1, np.int32)
    place[kept] = np.arange(ITEMS_MAX)
    chosen = subset(votes, np.flatnonzero(place[votes.task] >= 0))
    gold = place[crowd.gold_task] >= 0
    return CrowdSet(
        name=crowd.name,
        votes=structs.replace(chosen, task=place[chosen.task], n_tasks=ITEMS_MAX),
        gold_task=place[crowd.gold_task[gold]],
        gold_label=crowd.gold_label[gold],
    )


def right(crowd: CrowdSet, label: Int64) -> float:
    """Share of the gold that these labels (n_tasks,) get right."""
    return float((label[crowd.gold_task] == crowd.gold_label).mean())


def adaptive(crowd: CrowdSet, target: float, draw: int, *, routed: bool) -> Point:
    """Ask until the belief reaches the target, or the recorded answers are used up."""
    votes = crowd.votes
    chance = np.random.default_rng(draw)
    arrival = chance.random(len(votes.task))
    block = chance.permutation(votes.n_tasks) % BLOCKS
    hidden = np.ones(len(votes.task), bool)
    label = np.zeros(votes.n_tasks, np.int64)
    belief, confusion = _ignorance(votes)
    for now in range(BLOCKS):
        open_ = block == now
        while True:
            candidates = np.flatnonzero(hidden & open_[votes.task])
            if not len(candidates):
                break
            task, who = votes.task[candidates], votes.contributor[candidates]
            worth = np.zeros(len(candidates))
            if routed:
                worth = _worth(belief.posterior[task], confusion, who)
            order = np.lexsort((arrival[candidates], -worth, task))
            hidden[candidates[order[starts(task[order])]]] = False
            seen = grid(subset(votes, np.flatnonzero(~hidden)))
            belief = pooled(seen)
            if routed:
                counts = expected(seen, belief.posterior)
                confusion = backed_off_confusion(counts.transpose(1, 2, 0)).transpose(2, 1, 0)
            label[open_] = belief.posterior[open_].argmax(1)
            open_ &= belief.posterior.max(1) < target
    return float((~hidden).sum() / votes.n_tasks), right(crowd, label)


def _ignorance(votes: Votes) -> tuple[Belief, Float64]:
    """Before anything is asked: no belief, and strangers."""
    shape = (votes.n_tasks, votes.n_classes)
    belief = Belief(np.full(shape, 1 / votes.n_classes), np.full(votes.n_contributors, 0.7))
    return belief, coin(belief.skill, votes.n_classes)


def _worth(posterior: Float64, confusion: Float64, who: Int32) -> Float64:
    """Information expected of each candidate; rounded, so that strangers are equals."""
    block = max(4_000_000 // posterior.shape[1] ** 2, 1)
    parts = [
        information(posterior[i : i + block], confusion[who[i : i + block]])
        for i in range(0, len(who), block)
    ]
    return np.asarray(np.round(np.concatenate(parts), 6), np.float64)


def fixed(crowd: CrowdSet, decide: Callable[[Votes, Any], Int64], n: int, draws: int) -> Point:
    """Up to n answers of every item, drawn at random; mean over draws."""
    votes, share, used = crowd.votes, 0.0, 0
    for draw in range(draws):
        chance = np.random.default_rng(draw)
        order = np.lexsort((chance.random(len(votes.task)), votes.task))
        begin = starts(votes.task[order])
        size = np.diff(np.append(begin, len(order)))
        rank = np.arange(len(order)) - np.repeat(begin, size)
        chosen = np.sort(order[rank < n])
        used = len(chosen)
        share += right(crowd, decide(subset(votes, chosen), chance)) / draws
    return used / votes.n_tasks, share


def _mean(points: list[Point]) -> Point:
    n, share = np.mean(points, axis=0).tolist()
    return n, share


def by_majority(votes: Votes, chance: np.random.Generator) -> Int64:
    """The label most often given, one of the equals at random."""
    count = grid(votes).count
    share = shares(count) + 1e-9 * chance.random(count.shape)
    return np.asarray(share.argmax(1), np.int64)


def by_dawid_skene(votes: Votes, _: np.random.Generator) -> Int64:
    """What Dawid-Skene believes."""
    return np.asarray(dawid_skene(grid(votes)).posterior.argmax(1), np.int64)


def measure(crowd: CrowdSet) -> dict[str, list[Point]]:
    """The curve of each rule on one set."""
    most = int(np.bincount(crowd.votes.task).max())

    def swept(routed: bool) -> list[Point]:
        return [
            _mean([adaptive(crowd, target, draw, routed=routed) for draw in range(draws)])
            for target in TARGETS
        ]

    draws = DRAWS if len(crowd.votes.task) <= SMALL else 1
    sizes = [n for n in REDUNDANCY if n < most] + [most]
    return {
        "canut": swept(False),
        "canut_routed": swept(True),
        "majority": [fixed(crowd, by_majority, n, draws) for n in sizes],
        "dawid_skene": [fixed(crowd, by_dawid_skene, n, draws) for n in sizes],
    }


def needed(curve: list[Point], accuracy: float) -> float | None:
    """Answers per item from which on a curve keeps to an accuracy; None where it never does."""
    points = sorted(curve)
    # the least of what follows: a lucky point before a fall does not count
    kept = np.minimum.accumulate([share for _, share in points][::-1])[::-1]
    n = [n for n, _ in points]
    if kept[-1] < accuracy:
        return None
    first = int(np.argmax(kept >= accuracy))
    if not first:
        return n[0]
    part = (accuracy - kept[first - 1]) / (kept[first] - kept[first - 1])
    return float(n[first - 1] + (n[first] - n[first - 1]) * part)


def summary(curves: dict[str, dict[str, list[Point]]]) -> dict[str, Any]:
    """What each rule needs for the accuracy of majority with all answers."""
    sets: dict[str, Any] = {}
    for name, curve in curves.items():
        all_answers, accuracy = curve["majority"][-1]
        need = {rule: needed(points, accuracy) for rule, points in curve.items()}
        sets[name] = {
            "all_answers": round(all_answers, 2),
            "majority_accuracy": round(100 * accuracy, 2),
            "answers_needed": {r: None if n is None else round(n, 2) for r, n in need.items()},
            "at_95": {
                rule: [round(points[TARGETS.index(0.95)][0], 2),
                       round(100 * points[TARGETS.index(0.95)][1], 2)]
                for rule, points in curve.items()
                if rule.startswith("canut")
            },
        }  # fmt: skip
    rules = ("canut", "canut_routed", "majority", "dawid_skene")
    return {
        "times_fewer_geomean": {rule: _fewer(sets, rule) for rule in rules},
        "sets_reached": {
            rule: sum(s["answers_needed"][rule] is not None for s in sets.values())
            for rule in rules
        },
        "n_sets": len(sets),
        "sets": sets,
    }


def _fewer(sets: dict[str, Any], rule: str) -> float | None:
    """All answers over answers needed, geometric mean; a set that is not reached counts 1."""
    ratio = [
        s["all_answers"] / (s["answers_needed"][rule] or s["all_answers"]) for s in sets.values()
    ]
    return round(float(np.exp(np.mean(np.log(ratio)))), 2) if ratio else None


def tell(name: str, curves: dict[str, list[Point]]) -> None:
    """The curves of one set, for a person."""
    for rule, points in curves.items():
        shown = "  ".join(f"{n:.2f}:{100 * share:.1f}" for n, share in points)
        print(f"{name:12} {rule:13} {shown}", flush=True)


def main() -> None:
    """Replay what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", help="names of folders, with commas; all by default")
    parser.add_argument("--plot", type=Path, help="folder for stopping.svg")
    options = parser.parse_args()
    names = options.sets.split(",") if options.sets else None
    curves: dict[str, dict[str, list[Point]]] = {}
    for folder in sorted(options.data.iterdir()):
        if not (folder / "answers.csv").exists() or (names and folder.name not in names):
            continue
        crowd = sample(read(folder))
        if len(crowd.gold_task) >= GOLD_MIN:
            began = time.process_time()
            curves[crowd.name] = measure(crowd)
            tell(crowd.name, curves[crowd.name])
            print(f"{crowd.name:12} {time.process_time() - began:.1f} CPU s", flush=True)
    if options.plot:
        from bench.stopping_plot import draw

        draw(curves, options.plot / "stopping.svg")
    print(json.dumps(summary(curves)))


if __name__ == "__main__":
    main()
