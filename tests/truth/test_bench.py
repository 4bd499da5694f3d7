"""The bench of estimators runs on any folder of the described form, with or without crowd-kit."""

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.truth import limit
from bench.truth_rows import Row, Score, keep, kept, summary
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
    command = [sys.executable, "-m", "bench.truth", "--data", str(tmp_path), "--methods", ""]
    command += ["--draws", "2"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    summary = json.loads(told.splitlines()[-1])
    assert summary["sets"] == ["big"]
    assert summary["mean_accuracy"]["canut"] > 70
    assert set(summary["mean_accuracy_30out"]) >= {"canut", "canut_gold30", "majority"}
    assert "small" in told


def _row(name: str, method: str, accuracy: float) -> Row:
    return Row(name, method, 10, 200, 0.5, Score(accuracy, 0.5, [(4.0, 3.0, 2.0)]), None, 2)


def test_a_reference_that_gave_up_has_no_mean(tmp_path: Path):
    """Protects the comparison: means are of methods that ran on all sets, others are named; what
    is kept is read again, for the same draws only."""
    rows = [_row("a", "canut", 80), _row("b", "canut", 90), _row("a", "crowdkit_glad", 99)]
    for row in rows:
        keep(tmp_path / "kept", row)
    assert kept(tmp_path / "kept", 2) == rows
    assert kept(tmp_path / "kept", 3) == []
    assert kept(tmp_path / "none", 2) == []
    found = summary(rows)
    assert found["mean_accuracy"] == {"canut": 85.0}
    assert found["did_not_run_on"] == {"crowdkit_glad": ["b"]}
    assert found["mean_calibration_error"] == {"canut": 0.25}


def test_a_slow_reference_is_stopped():
    """What takes more processor time than its limit is given up, and nothing is left ticking."""

    def endless() -> None:
        with limit(0.05):
            while True:
                sum(range(1000))

    with pytest.raises(TimeoutError):
        endless()
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
