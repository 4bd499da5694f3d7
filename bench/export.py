"""Export of a batch with its decisions: rows a second, beside a bare COPY of the same rows.

    python -m bench.export --rows 200000

Everything runs on a PostgreSQL of its own. The last line is one JSON object; CPU times are
microseconds a row of this program and of its PostgreSQL backend.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from bench.intake import backend_s, run, write
from canut.channels.export import FORMATS, export
from canut.db.migrate import migrate
from canut.db.server import EmbeddedServer

# every item decided, as the engine would leave it
DECIDE = """
insert into decision (task_id, batch_step_id, item_id, value, confidence, method, n_answers,
    evidence, decided_ms)
select id, batch_step_id, item_id, case when id % 3 = 0 then '"lamp"' else '"vase"' end::jsonb,
    0.9, 'answers', 3, '[]', 1700000000000 + id
from task"""
BARE = """
copy (select i.key, i.payload, d.value, d.confidence, d.method, d.n_answers, d.decided_ms
      from item i join decision d on d.item_id = i.id order by i.id) to stdout"""


def timed(conn: psycopg.Connection[Any], rows: int, work: Callable[[], int]) -> dict[str, float]:
    """Figures of one run of `work`, which tells how many bytes it made."""
    began, program, backend = time.perf_counter(), time.process_time(), backend_s(conn)
    size = work()
    wall = time.perf_counter() - began
    return {
        "rows_per_s": round(rows / wall),
        "program_us_per_row": round((time.process_time() - program) / rows * 1e6, 1),
        "backend_us_per_row": round((backend_s(conn) - backend) / rows * 1e6, 1),
        "bytes_per_row": round(size / rows),
    }


def bare(conn: psycopg.Connection[Any]) -> int:
    """Bytes of a COPY that makes nothing of what it reads."""
    with conn.cursor() as cursor, cursor.copy(BARE) as copy:
        return sum(len(piece) for piece in copy)


def measure(conn: psycopg.Connection[Any], rows: int) -> dict[str, dict[str, float]]:
    """Every format and the floor."""
    found = conn.execute("select id from batch").fetchone()
    assert found is not None
    batch = int(found[0])

    def exported(format: Any) -> int:
        return sum(len(piece) for piece in export(conn, batch, format))

    figures = {"copy": timed(conn, rows, lambda: bare(conn))}
    for format in FORMATS:
        figures[format] = timed(conn, rows, lambda format=format: exported(format))  # type: ignore[misc]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canut-bench-") as folder:
        path = Path(folder) / "rows.csv"
        write(path, given.rows, 300)
        server = EmbeddedServer(Path(folder) / "db")
        try:
            with psycopg.connect(server.start(), autocommit=True) as conn:
                migrate(conn)
                run(conn, path, "bench")
                conn.execute(DECIDE)
                conn.execute("vacuum analyze item, decision")
                figures: dict[str, Any] = {**measure(conn, given.rows)}
        finally:
            server.stop()
    figures["rows"] = given.rows
    figures["load_1m"] = round(os.getloadavg()[0], 2)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
