"""A catalogue, an agent that knows some of it, and a process for both."""

import csv
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from canut.agents.learning.learner import LEARNER
from canut.agents.model import Example, items_of, step_of
from canut.channels.bulk.folder import Folder
from canut.channels.bulk.model import Plan, Run
from canut.channels.bulk.run import Asked, plan, prepare
from canut.channels.bulk.score import Scorer
from canut.channels.columns import Columns
from canut.processes.model import ItemField, ItemShape
from canut.processes.store import ProcessVersion, publish
from tests.work import made

SEED = "5e" * 32
SHAPE = ItemShape(
    (
        ItemField("title", "Title", required=True),
        ItemField("price", "Price", "number"),
        ItemField("buyer", "Buyer", personal=True),
    )
)
#: words of each class; a title of other words is like nothing the agent has learned
WORDS = {"lamp": "bulb socket shade dimmer", "vase": "glass blown flowers rim"}


def title(number: int) -> str:
    """Every fifth row is unknown; the others take turns."""
    if number % 5 == 0:
        return f"qqq{number:05}zz"
    words = WORDS[("lamp", "vase")[number % 2]].split()
    return f"{words[number % 4]} {words[(number + 1) % 4]} {words[number % 3]}"


def right(number: int) -> str | None:
    """What the agent knows of a row, None where it knows nothing."""
    return None if number % 5 == 0 else ("lamp", "vase")[number % 2]


def csv_file(file: Path, numbers: range) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(["sku", "Name", "price", "buyer"])
        table.writerows([f"s{n}", title(n), n, f"Buyer {n}"] for n in numbers)


def parquet_file(file: Path, numbers: range, group: int) -> None:
    columns: dict[str, list[Any]] = {
        "sku": [f"s{n}" for n in numbers],
        "Name": [title(n) for n in numbers],
        "price": [float(n) for n in numbers],
        "buyer": [f"Buyer {n}" for n in numbers],
    }
    pq.write_table(pa.table(columns), file, row_group_size=group)


def state() -> bytes:
    """What a learner knows after twenty rows of each class."""
    definition = made.definition()
    step = step_of(definition.steps[0], SHAPE)
    numbers = [n for n in range(50) if right(n)]
    items = items_of(step, ((n, f"s{n}", {"title": title(n)}) for n in numbers))
    examples = [Example(item, right(n)) for item, n in zip(items, numbers, strict=True)]
    return LEARNER.load(step, None).learn(examples)


def published(db: Any, client_id: int) -> ProcessVersion:
    """The process of the catalogue, for this client."""
    definition = msgspec.structs.replace(made.definition(), item=SHAPE)
    return publish(db, client_id, definition, made.NOW)


def asked(client_id: int, folder: Path, **given: Any) -> Asked:
    """A run over the files of `folder`, by the learner there."""
    values: dict[str, Any] = {
        "input": str(folder / "in"),
        "client_id": client_id,
        "process": "shop/sort",
        "key": "spring",
        "agents": [str(folder / "learner.state")],
        "columns": Columns({"title": "Name"}, "sku"),
        "threshold": 0.6,
        "audit_share": 0.2,
        "seed": SEED,
        "part_rows": 40,
    }
    return Asked(**(values | given))


def scored(db: Any, wanted: Asked, out: Path | str) -> tuple[Folder, Run, Plan]:
    """A run, every part scored in this process."""
    folder = Folder(str(out))
    with folder.held():
        run = prepare(db, folder, wanted, made.NOW)
        found = plan(db, folder, run, lambda rows: None)
        scorer = Scorer(folder)
        for part in found.parts:
            scorer.score(part.number)
    return folder, run, found
