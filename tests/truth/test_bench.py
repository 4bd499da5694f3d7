"""The bench of estimators runs on any folder of the described form, with or without crowd-kit."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.truth.crowds import coins, simulated


def _write(folder: Path, n_gold: int) -> None:
    v, truth = simulated(0, 200, 4, coins(np.linspace(0.5, 0.9, 8), 3))
    folder.mkdir()
    with (folder / "answers.csv").open("w", newline="") as file:
        rows = zip(v.contributor.tolist(), v.task.tolist(), v.label.tolist(), strict=True)
        csv.writer(file).writerows([("worker", "item", "label"), *rows])
    with (folder / "gold.csv").open("w", newline="") as file:
        gold = [(i, truth[i]) for i in range(n_gold)]
        csv.writer(file).writerows([("item", "label"), *gold, ("nobody answered this", 0)])


def test_the_bench_scores_every_set(tmp_path: Path):
    """The last line is one JSON object; sets with little gold are told but not averaged."""
    _write(tmp_path / "big", 150)
    _write(tmp_path / "small", 20)
    keep = tmp_path / "kept.jsonl"
    command = [sys.executable, "-m", "bench.truth", "--data", str(tmp_path), "--methods", ""]
    command += ["--draws", "2", "--keep", str(keep)]
    first, again = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    summary = json.loads(first.splitlines()[-1])
    assert summary["sets"] == ["big"]
    assert summary["mean_accuracy"]["canut"] > 70
    assert set(summary["mean_accuracy_30out"]) >= {"canut", "canut_gold30", "majority"}
    assert "small" in first
    assert json.loads(again.splitlines()[-1]) == summary
