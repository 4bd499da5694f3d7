"""The bulk lane on its engines, as somebody types it; where Daft (and Ray) are installed."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from canut.db.pool import connect_async
from canut.people.store import COMMAND_LINE, create_client
from tests.channels import bulk_house as house

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("daft") is None, reason="the extra 'bulk' is not installed"
    ),
]
ROWS = 4_000


@pytest.fixture
def catalogue(fresh_url: str, tmp_path: Path) -> Path:
    """A catalogue for the client `shop`, with the state of a learner."""

    async def client() -> int:
        async with connect_async(fresh_url) as conn:
            return await create_client(conn, COMMAND_LINE, "shop", "Shop")

    client_id = asyncio.run(client())
    with psycopg.connect(fresh_url) as conn:
        house.published(conn, client_id)
    (tmp_path / "in").mkdir()
    house.csv_file(tmp_path / "in" / "a.csv", range(1, 101))
    with (tmp_path / "in" / "a.csv").open("a") as out:
        out.write(",no key,1,Buyer\n")
    house.parquet_file(tmp_path / "in" / "b.parquet", range(101, ROWS + 1), group=100)
    (tmp_path / "learner.state").write_bytes(house.state())
    return tmp_path


def command(url: str, folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "canut", "bulk", *words, "--database-url", url]


def run_words(folder: Path, engine: str) -> list[str]:
    return [
        *("run", str(folder / "in"), "--process", "shop/sort", "--client", "shop"),
        *("--key", "spring", "--agent", str(folder / "learner.state"), "--threshold", "0.6"),
        *("--out", str(folder / "out"), "--map", "title=Name", "--reference", "sku"),
        *("--audit-share", "0.2", "--seed", house.SEED, "--part-rows", "100"),
        *("--engine", engine, "--workers", "2"),
    ]


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_run_that_is_killed_goes_on(fresh_url: str, catalogue: Path, engine: str) -> None:
    """After kill -9 the second run keeps what was done and does the rest; a row that cannot be used
    keeps all from the database until it may be left out; every row comes out once, in order; the
    same on either engine."""
    if engine == "ray" and importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    words = command(fresh_url, catalogue, *run_words(catalogue, engine))
    done = catalogue / "out" / "done"
    first = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 120
        while not (done.is_dir() and any(done.glob("*.json"))):
            assert first.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    kept = {file: file.stat().st_mtime_ns for file in done.glob("*.json")}
    assert 0 < len(kept) < ROWS // 100
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "a.csv, row 101, reference" in ran.stderr
    assert "1 row has something wrong; nothing was handed over" in ran.stderr
    assert "a.csv,101,reference" in (catalogue / "out" / "problems.csv").read_text()
    ran = subprocess.run(
        [*words, "--on-error", "skip"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "NOTHING IS PROVED" in ran.stdout
    assert f"{ROWS + 1:,} rows" in ran.stdout
    # workers of the killed run may have ended the parts they had begun
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    result = catalogue / "result.parquet"
    merge = ("merge", str(catalogue / "out"), "-o", str(result), "--unfinished")
    merged = subprocess.run(
        command(fresh_url, catalogue, *merge), capture_output=True, text=True, check=True
    )
    rows = pq.read_table(result).to_pylist()
    assert rows.pop(100)["source"] == "rejected"
    assert [row["key"] for row in rows] == [f"s{n}" for n in range(1, ROWS + 1)]
    by_agent = [row for row in rows if row["source"] == "agent"]
    assert all(row["category"] == house.right(int(row["key"][1:])) for row in by_agent)
    assert f"{len(by_agent):,} by agents" in merged.stdout
    with psycopg.connect(fresh_url) as conn:
        [(items,)] = conn.execute("select count(*) from item").fetchall()
    assert items == ROWS - len(by_agent)
