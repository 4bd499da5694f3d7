"""The task loop under load: what one claim + submit costs, over HTTP, on a real server.

    python -m bench.loop --tasks 100000 --clients 8 --seconds 20 [--packet 10] [--workers 1]

Starts `canut serve` with an embedded PostgreSQL in a temporary folder, fills a batch, lets
simulated contributors claim and answer, and compares every acknowledged answer with the database.
CPU is that of the server (web, engine) and PostgreSQL, as the kernel counts it; the clients' is
apart. The last line is one JSON object.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import aiohttp
import numpy as np
import psycopg

from bench import house, work

#: seconds between looks whether the engine has weighed everything
SETTLE_S_MAX = 60


async def load(
    server: house.House, keys: list[str], seconds: float, packet: int, journal: work.Journal
) -> tuple[float, dict[str, float]]:
    """Run the contributors; (wall seconds, CPU seconds of the server's parts)."""
    answers = work.categories()
    people = [work.Contributor(n, key, journal, answers, packet) for n, key in enumerate(keys)]
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
    async with aiohttp.ClientSession(server.url, connector=connector) as http:
        # connections, prepared statements and the step are made once, not per cycle
        rounds = iter(range(3 * len(people)))
        await asyncio.gather(
            *(p.work(http, lambda: next(rounds, None) is not None) for p in people)
        )
        journal.cycle_ms.clear()
        cpu, began = server.cpu_s(), time.perf_counter()
        end = began + seconds
        await asyncio.gather(*(p.work(http, lambda: time.perf_counter() < end) for p in people))
        wall = time.perf_counter() - began
    settle(server)
    return wall, {part: used - cpu[part] for part, used in server.cpu_s().items()}


def settle(server: house.House) -> None:
    """Wait until the engine has weighed all answers: its CPU is part of the cost."""
    deadline = time.monotonic() + SETTLE_S_MAX
    with psycopg.connect(server.database(), autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = conn.execute("select count(*) from inbox").fetchone()
            if row == (0,):
                return
            time.sleep(0.1)
    raise SystemExit("the engine did not keep up")


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """One run on a fresh server."""
    journal = work.Journal()
    with tempfile.TemporaryDirectory(prefix="canut-bench-") as folder:
        Path(folder).chmod(0o711)
        with house.running(Path(folder) / "data", workers=arguments.workers) as server:
            url = server.database()
            asyncio.run(work.make_batch(url, arguments.tasks))
            with psycopg.connect(url, autocommit=True) as conn:
                # what the import left to write is not the loop's cost
                conn.execute("vacuum analyze")
                conn.execute("checkpoint")
            keys = asyncio.run(work.make_contributors(url, arguments.clients))
            run = load(server, keys, arguments.seconds, arguments.packet, journal)
            wall, cpu = asyncio.run(run)
            lost, doubled, wrong = work.compare(url, keys, journal)
    cycles = len(journal.cycle_ms)
    answers = cycles * arguments.packet
    print(f"outcomes {dict(journal.outcomes)}, errors {dict(journal.errors)}")
    return {
        "tasks": arguments.tasks,
        "clients": arguments.clients,
        "packet": arguments.packet,
        "seconds": round(wall, 2),
        "cycles": cycles,
        "cycles_per_s": round(cycles / wall, 1),
        "answers_per_s": round(answers / wall, 1),
        "cpu_ms_per_cycle": round(1000 * sum(cpu.values()) / max(cycles, 1), 3),
        "cpu_ms_per_answer": round(1000 * sum(cpu.values()) / max(answers, 1), 3),
        "cpu_ms_of": {part: round(1000 * used / max(cycles, 1), 3) for part, used in cpu.items()},
        "p50_ms": round(float(np.percentile(journal.cycle_ms, 50)), 2),
        "p99_ms": round(float(np.percentile(journal.cycle_ms, 99)), 2),
        "duplicates": doubled + journal.claimed_again,
        "lost": lost + wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--packet", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="web processes")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
