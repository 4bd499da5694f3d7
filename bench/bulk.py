"""The bulk lane: rows a second, against reading and writing the same Parquet.

    python -m bench.bulk --rows 200000                    # Daft alone, then a Ray cluster of two
    python -m bench.bulk --rows 200000 --engine local

A catalogue is made up (titles as in `bench.learner`; each row has a title, a price and a
reference), a learner is taught 5,000 titles, and the lane scores the catalogue in parts: read,
checked, answered, split, written. The floor is Daft reading the same files and writing them as
Parquet, on the same engine. Needs the extra `bulk`, and no database. Each run is a process of its
own; `--part-rows` and `--workers` as in `canut bulk run`. The time of a run is that of all its
parts, once the engine is up (`start_s`); loading workers belongs to it. `rows_per_cpu_s` counts the
processor seconds of scoring alone. The last line is one JSON object: `rows_per_s`,
`floor_rows_per_s` and `ratio` per engine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.learner import made_up
from canut.agents.model import Example, items_of, step_of
from canut.agents.registry import agent_type
from canut.channels.bulk.engines import load_daft, score_parts
from canut.channels.bulk.folder import Folder
from canut.channels.bulk.model import FORM, Engine, Plan, Run, Stage, counted
from canut.channels.bulk.score import PLAN, RUN
from canut.channels.bulk.sources import find_sources, make_plan
from canut.channels.columns import Columns
from canut.processes.model import ItemField, ItemShape, ProcessDefinition, StepDefinition

TAUGHT = 5_000
FILES = 4
THRESHOLD = 0.5
SEED = "00" * 32


def main() -> None:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engine", choices=["local", "ray", "both"], default="both")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--part-rows", type=int, default=20_000)
    parser.add_argument("--one", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(Path(given.one), given.engine, given.workers)))
        return
    engines = ["local", "ray"] if given.engine == "both" else [given.engine]
    told: dict[str, Any] = {"rows": given.rows, "workers": given.workers}
    with tempfile.TemporaryDirectory(prefix="canut-bench-bulk-") as name:
        catalogue(Path(name), given.rows, given.part_rows)
        for engine in engines:
            told[engine] = apart(name, engine, given.workers)
            print(f"{engine:>6}: {told[engine]}", file=sys.stderr, flush=True)
    print(json.dumps(told))


def apart(folder: str, engine: str, workers: int) -> Any:
    """The figures of an engine, from a process of its own."""
    words = ["--one", folder, "--engine", engine, "--workers", str(workers)]
    command = [sys.executable, "-m", "bench.bulk", *words]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def catalogue(folder: Path, rows: int, part_rows: int) -> None:
    """The input, and the run that is to be scored, with what its agent has learned."""
    titles = made_up(rows + TAUGHT)
    options = [{"value": name} for name in sorted({name for _, name in titles})]
    question = {"type": "choice", "title": "Which category?", "options": options}
    shape = ItemShape(
        (ItemField("title", "Title", required=True), ItemField("price", "Price", "number"))
    )
    asked = StepDefinition("category", "Category", question, {})
    definition = ProcessDefinition("bench/bulk", "Bench", "Bench", shape, (asked,))
    step = step_of(asked, shape)
    shown = items_of(
        step, ((n, str(n), {"title": text}) for n, (text, _) in enumerate(titles[:TAUGHT]))
    )
    examples = [Example(item, name) for item, (_, name) in zip(shown, titles, strict=False)]
    kind = agent_type("learner")
    state = kind.load(step, None).learn(examples)
    version = kind.load(step, state).version
    inside = folder / "in"
    inside.mkdir()
    prices = np.random.default_rng(0).integers(100, 99_999, rows) / 100
    for n, places in enumerate(np.array_split(np.arange(rows), FILES)):
        columns = {
            "reference": [f"sku-{place}" for place in places],
            "title": [titles[TAUGHT + place][0] for place in places],
            "price": prices[places],
        }
        pq.write_table(pa.table(columns), inside / f"{n}.parquet", row_group_size=part_rows)
    out = Folder(str(folder / "run"))
    with out.draft(f"agents/{version.model}") as written:
        written.write(state)
    run = Run(
        form=FORM,
        client_id=0,
        key="bench",
        version_id=0,
        version=1,
        definition=definition,
        step="category",
        stages=(Stage("learner", version.model, version.hash(), THRESHOLD),),
        seed=SEED,
        audit_share=None,
        columns=Columns(),
        on_error="stop",
        part_rows=part_rows,
        sources=find_sources(str(inside)),
    )
    out.keep(RUN, run)
    out.keep(PLAN, make_plan(run, out, 0.03, lambda rows: None))


def one(folder: Path, engine: Engine, workers: int) -> dict[str, Any]:
    """Score the catalogue, then read and write it, on one engine."""
    out = Folder(str(folder / "run"))
    plan = out.load(PLAN, Plan)
    for name in out.names("done"):
        out.remove(name)
    begun = time.perf_counter()
    daft = load_daft(engine, workers)
    # what a first query takes belongs to the engine's start
    daft.from_pydict({"n": [1]}).collect()
    started = time.perf_counter()
    done = list(score_parts(out.place, [part.number for part in plan.parts], engine, workers))
    scored_s = time.perf_counter() - started
    counts = counted(done)
    assert counts.rows == plan.rows
    started_s, started = started - begun, time.perf_counter()
    daft.read_parquet(str(folder / "in" / "*.parquet")).write_parquet(
        str(folder / f"floor-{engine}")
    )
    floor_s = time.perf_counter() - started
    rate, floor = plan.rows / scored_s, plan.rows / floor_s
    return {
        "rows_per_s": round(rate),
        "floor_rows_per_s": round(floor),
        "ratio": round(rate / floor, 4),
        "decided": round(counts.decided / counts.rows, 3),
        "rows_per_cpu_s": round(plan.rows / sum(part.cpu_s for part in done)),
        "start_s": round(started_s, 1),
    }


if __name__ == "__main__":
    main()
