"""Kill -9 under load: is an acknowledged answer ever lost or doubled?

    python -m bench.crash [--seconds 60] [--clients 16] [--every 4] [--seed 1]

Contributors claim and answer over HTTP and keep a journal of what was acknowledged, outside of
everything that is killed. Every few seconds one of these dies by SIGKILL: the web process, the
engine, the whole server, or PostgreSQL; what does not come back by itself is started again. At the
end every journal entry is looked up, and every rule of `canut db check` is proved. The last line
is one JSON object.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import psycopg

from bench import house, work
from bench.loop import settle
from canut.db.check import check
from canut.db.pool import connect

#: seconds a request may take before the client tries again
TIMEOUT_S = 10


class Killer:
    """Knows what can be killed, and how each comes back."""

    def __init__(self, server: house.House, seed: int):
        self.server = server
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()
        self.victims: dict[str, Callable[[], None]] = {
            "web": self._web,
            "engine": self._engine,
            "server": self._server,
            "postgres": self._postgres,
            "backend": self._backend,
        }

    def kill(self) -> None:
        """One of them, drawn at random."""
        name = self.random.choice(list(self.victims))
        self.victims[name]()
        self.kills[name] += 1

    def _web(self) -> None:
        """A worker; the server starts another."""
        for pid in self._children(engine=False):
            _kill(pid)

    def _engine(self) -> None:
        """The engine; the server starts another."""
        for pid in self._children(engine=True):
            _kill(pid)

    def _server(self) -> None:
        """The server with its workers; the engine ends by itself; we start all again."""
        assert self.server.process is not None
        os.killpg(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()
        self.server.start()

    def _postgres(self) -> None:
        """The database server, all at once; `canut serve` starts it again."""
        _kill(self._postmaster())

    def _backend(self) -> None:
        """One process of the database: it drops every connection and recovers."""
        backends = list(house.tree(self._postmaster()))[1:]
        if backends:
            _kill(self.random.choice(backends))

    def _postmaster(self) -> int:
        while True:
            try:
                return self.server.postmaster()
            except psycopg.OperationalError:
                time.sleep(0.2)

    def _children(self, *, engine: bool) -> list[int]:
        assert self.server.process is not None
        below = set(house.tree(self.server.process.pid)) - {self.server.process.pid}
        return [pid for pid in below if ("canut.engine" in house.command(pid)) == engine]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


async def _load(
    server: house.House, keys: list[str], arguments: argparse.Namespace, journal: work.Journal
) -> Counter[str]:
    """Contributors at work while the killer goes round."""
    answers = work.categories()
    end = time.monotonic() + arguments.seconds
    killer = Killer(server, arguments.seed)
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(server.url, timeout=timeout) as http:
        people = [
            work.Contributor(n, key, journal, answers, arguments.packet)
            for n, key in enumerate(keys)
        ]
        load = asyncio.gather(
            *(p.work(http, lambda: time.monotonic() < end, patient=True) for p in people)
        )
        while time.monotonic() < end - arguments.every:
            await asyncio.sleep(killer.random.uniform(0.5, 1.5) * arguments.every)
            await asyncio.to_thread(killer.kill)
            print(f"killed {dict(killer.kills)}; acknowledged {len(journal.acknowledged)}")
        await load
    return killer.kills


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--packet", type=int, default=2)
    parser.add_argument("--every", type=float, default=4, help="seconds between kills")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    journal = work.Journal()
    with tempfile.TemporaryDirectory(prefix="canut-bench-") as folder:
        Path(folder).chmod(0o711)
        with house.running(Path(folder) / "data") as server:
            asyncio.run(work.make_batch(server.database(), 200_000))
            keys = asyncio.run(work.make_contributors(server.database(), arguments.clients))
            kills = asyncio.run(_load(server, keys, arguments, journal))
            settle(server)
            lost, doubled, wrong = work.compare(server.database(), keys, journal)
            with connect(server.database()) as conn:
                faults = check(conn)
    print(f"errors the contributors saw: {dict(journal.errors)}")
    for fault in faults:
        print(f"broken: {fault}")
    print(
        json.dumps(
            {
                "kills": sum(kills.values()),
                "of": dict(kills),
                "acknowledged": len(journal.acknowledged),
                "lost": lost,
                "doubled": doubled,
                "changed": wrong,
                "claimed_again": journal.claimed_again,
                "faults": len(faults),
            }
        )
    )


if __name__ == "__main__":
    main()
