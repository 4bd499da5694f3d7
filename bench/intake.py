"""Intake from a file on disk to tasks that may be claimed, durable: rows a second.

    python -m bench.intake --rows 300000 [--format csv|jsonl|parquet]

The floor is a bare COPY of the same bytes (batch, key and payload, as the import sends them) into
one table without an index. Both run on a PostgreSQL of their own, and both wait for the disk. The
last line is one JSON object; CPU times of the program and of its PostgreSQL backend, in
microseconds a row, say what a machine that is busy with other things hides: they run side by side.
"""

import argparse
import csv
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.channels.columns import Columns
from canut.channels.files import open_items
from canut.db.migrate import migrate
from canut.db.server import EmbeddedServer
from canut.processes.model import ItemField, ItemShape, ProcessDefinition, StepDefinition
from canut.processes.shape import compile_shape
from canut.processes.store import publish
from canut.work.encoding import Encoder
from canut.work.intake import add_items, open_batch

FIELDS = ("sku", "title", "description", "brand", "price")
SHAPE = ItemShape(
    (
        ItemField("title", "Title", required=True),
        ItemField("description", "Description"),
        ItemField("price", "Price", "number"),
    )
)
QUESTION = {
    "type": "choice",
    "title": "What is it?",
    "options": [{"value": "lamp", "label": "Lamp"}, {"value": "vase", "label": "Vase"}],
}


def made_rows(count: int, row_bytes: int) -> Iterator[tuple[str, ...]]:
    """Rows of about `row_bytes` bytes as CSV, the same at each run."""
    chance = random.Random(7)
    words = [
        "".join(chance.choices("abcdefghilmnoprstuvé", k=chance.randint(3, 9))) for _ in range(3000)
    ]
    brands = ["Ondine", "Belvoie", "Carmine & fils", "Tarn"]
    for number in range(count):
        title = " ".join(chance.choices(words, k=7))
        text = " ".join(chance.choices(words, k=row_bytes // 5))
        text = text[: max(10, row_bytes - len(title) - 45)]
        price = f"{chance.randint(100, 99999) / 100:.2f}"
        yield f"sku-{number:09d}", title, text, chance.choice(brands), price


def write(path: Path, rows: int, row_bytes: int) -> None:
    """The rows as a file, in the format of its extension."""
    made = made_rows(rows, row_bytes)
    if path.suffix == ".csv":
        with path.open("w", newline="") as out:
            csv.writer(out).writerows([FIELDS, *made])
    elif path.suffix == ".jsonl":
        with path.open("wb") as lines:
            for row in made:
                lines.write(msgspec.json.encode(dict(zip(FIELDS, row, strict=True))) + b"\n")
    else:
        columns = list(zip(*made, strict=True))
        pq.write_table(pa.table(dict(zip(FIELDS, columns, strict=True))), path)


class Run(Struct, frozen=True):
    """What one import took, in seconds."""

    wall: float
    #: processor time of this program
    program: float
    #: processor time of its PostgreSQL backend
    backend: float
    added: int


def backend_s(conn: psycopg.Connection[Any]) -> float:
    """Processor time of the backend so far, to a hundredth of a second (proc(5), stat)."""
    stat = Path(f"/proc/{conn.info.backend_pid}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def run(conn: psycopg.Connection[Any], path: Path, key: str) -> Run:
    """From the file to a durable commit."""
    step = StepDefinition("category", "Category", QUESTION, {"en": "Pick."})
    definition = ProcessDefinition("bench/sort", "Sort", "Sort", SHAPE, (step,))
    sql = """insert into client (slug, name, created_ms) values ('bench', 'Bench', 0)
             on conflict (slug) do update set name = excluded.name returning id"""
    found = conn.execute(sql).fetchone()
    assert found is not None
    version = publish(conn, found[0], definition, 0)
    conn.commit()
    began, program, backend = time.perf_counter(), time.process_time(), backend_s(conn)
    with conn.transaction():
        batch = open_batch(conn, found[0], key, version.id, 0)
        with open_items(str(path), SHAPE, Columns(key="sku")) as blocks:
            report = add_items(conn, batch, blocks)
    wall = time.perf_counter() - began
    program = time.process_time() - program
    return Run(wall, program, backend_s(conn) - backend, report.added)


def floor(conn: psycopg.Connection[Any], path: Path) -> float:
    """Seconds of a bare COPY of the same bytes; they are made before the clock starts."""
    encoder = Encoder(compile_shape, SHAPE, 1, [])
    with open_items(str(path), SHAPE, Columns(key="sku")) as blocks:
        pieces = [encoder.encode(block).lines for block in blocks]
    conn.execute("drop table if exists bare")
    conn.execute("create table bare (batch_id bigint, key text, payload jsonb)")
    conn.commit()
    began = time.perf_counter()
    with conn.transaction(), conn.cursor() as cursor, cursor.copy("copy bare from stdin") as copy:
        for piece in pieces:
            copy.write(piece)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--row-bytes", type=int, default=300)
    parser.add_argument("--format", choices=["csv", "jsonl", "parquet"], default="csv")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canut-bench-") as folder:
        path = Path(folder) / f"rows.{given.format}"
        write(path, given.rows, given.row_bytes)
        server = EmbeddedServer(Path(folder) / "db")
        try:
            with psycopg.connect(server.start(), autocommit=True) as conn:
                migrate(conn)
                runs, floors = [], []
                for number in range(given.runs):
                    runs.append(run(conn, path, f"run {number}"))
                    assert runs[-1].added == given.rows
                    floors.append(floor(conn, path))
                    print(f"import {runs[-1].wall:.2f} s, bare COPY {floors[-1]:.2f} s", flush=True)
        finally:
            server.stop()
        size = path.stat().st_size
    # the best run says what the program costs; the spread says how noisy the machine is
    best, bare = min(took.wall for took in runs), min(floors)
    result = {
        "format": given.format,
        "rows": given.rows,
        "bytes_per_row": round(size / given.rows),
        "rows_per_s": round(given.rows / best),
        "floor_rows_per_s": round(given.rows / bare),
        "ratio": round(bare / best, 3),
        "rows_per_s_each": [round(given.rows / took.wall) for took in runs],
        "program_us_per_row": [round(took.program / given.rows * 1e6, 1) for took in runs],
        "backend_us_per_row": [round(took.backend / given.rows * 1e6, 1) for took in runs],
        "load_1m": round(os.getloadavg()[0], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
