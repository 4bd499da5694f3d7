"""A real server for measurements: `canut serve` in a folder of its own, on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import psycopg

from canut.db.server import EmbeddedServer

#: clock ticks a second, of /proc/PID/stat
TICKS = os.sysconf("SC_CLK_TCK")
START_S_MAX = 120


class House:
    """`canut serve` and its PostgreSQL, in `folder`."""

    def __init__(self, folder: Path, *, workers: int = 1):
        self.folder = folder
        self.workers = workers
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it serves."""
        environ = os.environ | {
            "CANUT_RATE_PER_S": "0",
            "CANUT_DATA": str(self.folder),
            "CANUT_PORT": str(self.port),
            "CANUT_WEB_WORKERS": str(self.workers),
        }
        log = (self.folder.parent / f"{self.folder.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "canut", "serve"],
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        deadline = time.monotonic() + START_S_MAX
        while not self._serves():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start; see {log.name}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop cleanly."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
            self.process = None

    def database(self) -> str:
        """URL of the running database."""
        return EmbeddedServer(self.folder).url

    def postmaster(self) -> int:
        """Process of the database server."""
        with psycopg.connect(self.database()) as conn:
            row = conn.execute("select current_setting('data_directory')").fetchone()
        assert row is not None
        return int((Path(row[0]) / "postmaster.pid").read_text().split()[0])

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far by the web processes, the engines and PostgreSQL."""
        assert self.process is not None
        engines = [pid for pid in tree(self.process.pid) if "canut.engine" in command(pid)]
        engine = sum(tree_cpu_s(pid) for pid in engines)
        web = tree_cpu_s(self.process.pid) - engine
        return {"web": web, "engine": engine, "postgres": tree_cpu_s(self.postmaster())}

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/alive", timeout=2) as reply:
                return bool(reply.status == 200)
        except (URLError, OSError):
            return False


def tree(root: int) -> dict[int, list[str]]:
    """Processes at or below `root`: number -> fields of /proc/PID/stat after the name."""
    stats: dict[int, list[str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stats[int(entry.name)] = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
    inside = {root} & set(stats)
    while True:
        more = {pid for pid, stat in stats.items() if int(stat[1]) in inside} - inside
        if not more:
            return {pid: stats[pid] for pid in inside}
        inside |= more


def command(pid: int) -> str:
    """The command line of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def tree_cpu_s(root: int) -> float:
    """CPU seconds of a process and all below it, with children that ended."""
    return sum(sum(map(int, stat[11:15])) for stat in tree(root).values()) / TICKS


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, *, workers: int = 1) -> Iterator[House]:
    """A house that is up, and stopped afterwards."""
    house = House(folder, workers=workers)
    house.start()
    try:
        yield house
    finally:
        house.stop()
