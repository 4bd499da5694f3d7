"""What aggregation costs: microseconds per answer, for each question type.

    python -m bench.aggregate

100,000 answers, 5 per task, by 2,000 contributors who are right 80% of the time; the best of
three runs. The last line is one JSON object.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from canut.questions.base import Answers, Question, Track
from canut.questions.registry import load_question

N_TASKS = 20_000
PER_TASK = 5
N_CONTRIBUTORS = 2_000
SKILL = 0.8
RUNS = 3

Value = Callable[[int], Any]


def choice(n_classes: int) -> Question:
    """A flat choice between `n_classes` options."""
    options = [{"value": f"class-{i}"} for i in range(n_classes)]
    return load_question({"type": "choice", "title": "Which?", "options": options})


def cases() -> dict[str, tuple[Question, int, Value]]:
    """Each case: a question, its number of different answers, and what the i-th of them is."""
    tags = [{"value": f"tag-{i}"} for i in range(32)]
    choices = load_question({"type": "choices", "title": "Which?", "options": tags})
    fields = [
        {"name": "kind", "type": "choice", "title": "Kind", "options": tags},
        {"name": "weight", "type": "number", "title": "Weight", "required": False},
    ]
    return {
        "choice_10": (choice(10), 10, lambda i: f"class-{i}"),
        "choice_10000": (choice(10_000), 10_000, lambda i: f"class-{i}"),
        "choices_32": (choices, 31, lambda i: [f"tag-{i}", f"tag-{i + 1}"]),
        "scale_5": (load_question({"type": "scale", "title": "How much?"}), 5, lambda i: i + 1),
        "number": (load_question({"type": "number", "title": "How many?"}), 1000, float),
        "text": (
            load_question({"type": "text", "title": "Which?"}),
            1000,
            lambda i: f"Brand name number {i * 7919 % 1000}",
        ),
        "record": (
            load_question({"type": "record", "title": "What?", "fields": fields}),
            32,
            lambda i: {"kind": f"tag-{i}", "weight": float(i)},
        ),
    }


def measure(question: Question, n_values: int, value: Value) -> dict[str, float]:
    """Cost per answer and accuracy of one case."""
    random = np.random.default_rng(1)
    n = N_TASKS * PER_TASK
    truth = random.integers(0, n_values, N_TASKS)
    task = np.repeat(np.arange(N_TASKS, dtype=np.int32), PER_TASK)
    given = np.where(random.random(n) < SKILL, truth[task], random.integers(0, n_values, n))
    order = random.permutation(n)
    answers = Answers(
        task[order],
        random.integers(0, N_CONTRIBUTORS, n).astype(np.int32)[order],
        [value(int(i)) for i in given[order]],
        N_TASKS,
    )
    track = Track(np.full(N_CONTRIBUTORS, 8.0), np.full(N_CONTRIBUTORS, 10.0))
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        beliefs = question.aggregate(answers, track)
        seconds.append(time.perf_counter() - start)
    right = sum(b == value(int(i)) for b, i in zip(beliefs.value, truth, strict=True))
    return {"us_per_answer": round(min(seconds) / n * 1e6, 3), "accuracy": right / N_TASKS}


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    """Measure every case and print."""
    figures = {}
    for name, (question, n_values, value) in cases().items():
        figures[name] = measure(question, n_values, value)
        print(f"{name:14s} {figures[name]['us_per_answer']:8.3f} us an answer")
    print(json.dumps({"n_answers": N_TASKS * PER_TASK, **figures}))


if __name__ == "__main__":
    main()
