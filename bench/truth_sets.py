"""Crowds for `bench.truth` and `bench.stopping`: read from files, or simulated."""

import csv
from pathlib import Path

import numpy as np
from msgspec import Struct

from canut.truth.votes import Int32, Votes


class CrowdSet(Struct, frozen=True):
    """Answers and gold of one set."""

    name: str
    votes: Votes
    gold_task: Int32
    gold_label: Int32


def read(folder: Path) -> CrowdSet:
    """One set; gold of items that nobody answered is left out."""
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        answers = [(row["worker"], row["item"], row["label"]) for row in csv.DictReader(file)]
    with (folder / "gold.csv").open(encoding="utf-8", newline="") as file:
        gold = [(row["item"], row["label"]) for row in csv.DictReader(file)]
    workers = {w: i for i, w in enumerate(sorted({row[0] for row in answers}))}
    items = {t: i for i, t in enumerate(sorted({row[1] for row in answers}))}
    names = {row[2] for row in answers} | {row[1] for row in gold}
    labels = {name: i for i, name in enumerate(sorted(names))}
    kept = [(items[item], labels[label]) for item, label in gold if item in items]
    votes = Votes(
        task=np.array([items[row[1]] for row in answers], np.int32),
        contributor=np.array([workers[row[0]] for row in answers], np.int32),
        label=np.array([labels[row[2]] for row in answers], np.int32),
        n_tasks=len(items),
        n_contributors=len(workers),
        n_classes=len(labels),
    )
    task, label = np.array(kept, np.int32).reshape(-1, 2).T
    return CrowdSet(folder.name, votes, task, label)


def synthetic(text: str, n_classes: int = 10, n_contributors: int = 2000) -> CrowdSet:
    """`1000000x5`: so many tasks with so many answers, contributors 40% to 95% right."""
    n_tasks, redundancy = (int(part) for part in text.split("x"))
    chance = np.random.default_rng(0)
    truth = chance.integers(n_classes, size=n_tasks).astype(np.int32)
    task = np.repeat(np.arange(n_tasks, dtype=np.int32), redundancy)
    contributor = chance.integers(n_contributors, size=len(task)).astype(np.int32)
    skill = chance.uniform(0.4, 0.95, n_contributors)
    wrong = (truth[task] + chance.integers(1, n_classes, len(task))) % n_classes
    label = np.where(chance.random(len(task)) < skill[contributor], truth[task], wrong)
    votes = Votes(task, contributor, label.astype(np.int32), n_tasks, n_contributors, n_classes)
    return CrowdSet(text, votes, np.arange(n_tasks, dtype=np.int32), truth)
