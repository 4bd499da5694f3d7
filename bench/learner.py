"""The learner on real data, and how fast it is.

    python -m bench.learner --data DIR      # banking77 and pricerunner, from 5 labels a class on
    python -m bench.learner --rows 1000000  # titles scored by one process

`--data` names the folder that holds `support/banking77` and `catalogue/pricerunner.csv`; sets that
are not there are left out. banking77 keeps its own test set; of pricerunner, products (not offers)
are split in ten, and one part is held out. Few labels: a mean of `--draws` draws. With `--rows`
alone, titles are made up: words of invented syllables, drawn by Zipf's law, in ten categories; with
both, those of pricerunner are taken over and over. `--agent english` asks the agent that needs
the extra `english`; `--test N` asks about N rows only, drawn at random;
`--few` leaves out the run on all labels. CPU seconds count from payloads to predictions,
of the whole process. The last line is one JSON object.
"""

import argparse
import csv
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# CPU seconds of spinning helper threads would be counted
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from msgspec import Struct

from canut.agents.model import Example, Item, Step, items_of, step_of
from canut.agents.protocol import Agent, AgentType
from canut.agents.registry import agent_type
from canut.processes.model import ItemField, ItemShape, StepDefinition

FEW = (5, 20)
#: items handed to the agent at once
BATCH = 50_000
SYLLABLES = ("ka", "lo", "mi", "ren", "tas", "vu", "zel", "por", "din", "qua", "sho", "bex")


class Rows(Struct, frozen=True):
    """Texts with their classes, in two parts."""

    name: str
    train: list[tuple[str, str]]
    test: list[tuple[str, str]]


def banking77(folder: Path) -> Rows:
    """Customer messages and their intents."""
    parts = [
        [(row["text"], row["category"]) for row in read(folder / f"{part}.csv")]
        for part in ("train", "test")
    ]
    return Rows("banking77", parts[0], parts[1])


def pricerunner(file: Path) -> Rows:
    """Titles of offers and their categories; products whose number ends in 0 are held out."""
    rows = read(file)
    parts = [
        [(r["title"], r["category"]) for r in rows if (int(r["product_id"]) % 10 == 0) is held]
        for held in (False, True)
    ]
    return Rows("pricerunner", parts[0], parts[1])


def read(file: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def sampled(rows: Rows, count: int) -> Rows:
    """With so many rows of the held-out part; 0 for all."""
    if not count:
        return rows
    place = np.random.default_rng(1).permutation(len(rows.test))[:count].tolist()
    return Rows(rows.name, rows.train, [rows.test[i] for i in place])


def made_up(count: int) -> list[tuple[str, str]]:
    """Titles of seven words or so, in ten categories; no two runs differ."""
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(SYLLABLES, rng.integers(1, 5))) for _ in range(20_000)]
    drawn = np.minimum(rng.zipf(1.3, (count, 8)), len(words)) - 1
    category = rng.integers(0, 10, count)
    # three words of ten in a title are of its category's own
    own = (drawn * 10 + category[:, None]) % len(words)
    drawn = np.where(rng.random((count, 8)) < 0.3, own, drawn)
    return [
        (" ".join(words[w] for w in row), f"category {c}")
        for row, c in zip(drawn.tolist(), category.tolist(), strict=True)
    ]


def step_for(rows: Sequence[tuple[str, str]]) -> Step:
    """The step that asks for the class of a text."""
    options = [{"value": name} for name in sorted({name for _, name in rows})]
    question = {"type": "choice", "title": "Which class?", "options": options}
    shape = ItemShape(fields=(ItemField("text", "Text"),))
    return step_of(StepDefinition("class", "Class", question, {}), shape)


def items(step: Step, texts: Sequence[str]) -> list[Item]:
    """As an agent sees them."""
    return items_of(step, ((i, str(i), {"text": text}) for i, text in enumerate(texts)))


def taught(
    kind: AgentType, step: Step, rows: Sequence[tuple[str, str]]
) -> tuple[Agent, float, int]:
    """An agent that knows these rows, CPU seconds it took, bytes of its state."""
    begun = time.process_time()
    shown = items(step, [text for text, _ in rows])
    examples = [Example(item, name) for item, (_, name) in zip(shown, rows, strict=True)]
    state = kind.load(step, None).learn(examples)
    return kind.load(step, state), time.process_time() - begun, len(state)


def few(rows: Sequence[tuple[str, str]], each: int, seed: int) -> list[tuple[str, str]]:
    """So many rows of each class, drawn at random."""
    rng = np.random.default_rng(seed)
    names = np.array([name for _, name in rows])
    return [
        rows[i]
        for name in np.unique(names)
        for i in rng.permutation(np.flatnonzero(names == name))[:each].tolist()
    ]


def measure(kind: AgentType, rows: Rows, each: int | None, draws: int) -> dict[str, Any]:
    """Accuracy, calibration, and accuracy of the surer half, on the held-out part."""
    step = step_for(rows.train)
    asked = items(step, [text for text, _ in rows.test])
    told = np.array([name for _, name in rows.test])
    results = []
    for seed in range(draws if each else 1):
        shown = few(rows.train, each, seed) if each else rows.train
        agent, learn_cpu_s, size = taught(kind, step, shown)
        begun = time.process_time()
        answers = agent.answer(asked)
        cpu_s = time.process_time() - begun
        right = np.array([p.value for p in answers]) == told
        sure = np.array([p.confidence for p in answers])
        half = np.argsort(-sure)[: len(sure) // 2]
        results.append(
            [right.mean(), calibration_error(sure, right), right[half].mean(), learn_cpu_s,
             cpu_s / len(asked) * 1e6, size / 1e6]
        )  # fmt: skip
    names = ("accuracy", "ece", "accuracy_surer_half", "learn_cpu_s", "us_per_item", "state_mb")
    mean = np.mean(results, axis=0).round(4).tolist()
    return dict(zip(names, mean, strict=True))


def calibration_error(sure: Any, right: Any) -> float:
    """Expected calibration error, ten bins."""
    bins = np.minimum((sure * 10).astype(int), 9)
    return float(
        sum(abs(right[bins == b].sum() - sure[bins == b].sum()) for b in range(10)) / len(sure)
    )


def speed(kind: AgentType, rows: Sequence[tuple[str, str]], count: int) -> dict[str, Any]:
    """CPU seconds of one process for so many titles."""
    step = step_for(rows)
    agent, learn_cpu_s, _ = taught(kind, step, rows[:20_000])
    agent.answer(items(step, [rows[0][0]]))
    cpu_s = 0.0
    for start in range(0, count, BATCH):
        place = range(start, min(start + BATCH, count))
        asked = items(step, [rows[i % len(rows)][0] for i in place])
        begun = time.process_time()
        answers = agent.answer(asked)
        cpu_s += time.process_time() - begun
        assert len(answers) == len(asked)
    return {
        "rows": count,
        "cpu_s": round(cpu_s, 1),
        "cpu_s_per_million": round(cpu_s / count * 1e6, 1),
        "rows_per_cpu_s": round(count / cpu_s),
        "learn_20000_cpu_s": round(learn_cpu_s, 1),
    }


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--few", action="store_true", help="few labels only")
    parser.add_argument("--agent", default="learner")
    parser.add_argument("--test", type=int, default=0, help="rows of the held-out part; 0 for all")
    options = parser.parse_args()
    if not (options.data or options.rows):
        parser.error("give --data or --rows")
    kind = agent_type(options.agent)
    out: dict[str, Any] = {}
    sets = [
        (options.data / "support" / "banking77", banking77),
        (options.data / "catalogue" / "pricerunner.csv", pricerunner),
    ] if options.data else []  # fmt: skip
    found = [sampled(reader(place), options.test) for place, reader in sets if place.exists()]
    if options.rows:
        offers = next((one.train for one in found if one.name == "pricerunner"), None)
        out["speed"] = speed(kind, offers or made_up(min(options.rows, 100_000)), options.rows)
        print("speed", out["speed"], flush=True)
    else:
        for rows in found:
            out[rows.name] = {}
            for each in (*FEW, *([] if options.few else [None])):
                label = f"{each}_labels" if each else "all_labels"
                out[rows.name][label] = measure(kind, rows, each, options.draws)
                print(rows.name, label, out[rows.name][label], flush=True)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
