"""Real PostgreSQL for every test: one server and one migrated template database per session.

`db` rolls back what a test did (0.2 ms); `fresh_url` is a database of its own for tests that
commit (concurrency, HTTP, jobs).
"""

import fcntl
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from canut.db.migrate import migrate
from canut.db.pool import PREPARE_AFTER
from canut.db.server import EmbeddedServer
from canut.engine.jobs import job_scripts

SHARED = Path(__file__).parent.parent.parent / "shared"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """URL of the maintenance database of a running server with the template made."""
    given = os.environ.get("CANUT_TEST_DATABASE_URL")
    server = None
    if given is None:
        # one server per run of the suite, shared by its workers; the last one stops it
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        server = EmbeddedServer(Path(tempfile.gettempdir()) / f"canut-tests-{run[:12]}")
        given = server.start()
    with _OneAtATime():
        _make_template(given)
    yield given
    if server is not None:
        server.stop()


@pytest.fixture(scope="session")
def worker_url(server_url: str) -> Iterator[str]:
    """A migrated database for this worker, whose tests roll back."""
    yield from _clone(server_url)


@pytest.fixture
def fresh_url(server_url: str) -> Iterator[str]:
    """A migrated, empty database for one test."""
    yield from _clone(server_url)


@pytest.fixture
def db(worker_url: str) -> Iterator[psycopg.Connection]:
    """A connection inside a transaction that is rolled back after the test."""
    with psycopg.connect(worker_url, prepare_threshold=PREPARE_AFTER) as conn:
        # with a transaction open already, `conn.transaction()` in the code under test is a
        # savepoint; else it would commit
        conn.execute("select")
        yield conn
        conn.rollback()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder, not made yet, that the account an embedded server runs as can reach."""
    for parent in [tmp_path, *tmp_path.parents][:4]:
        if parent.stat().st_uid == os.getuid():
            parent.chmod(0o711)
    return tmp_path / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The developers' data sets; tests that need them skip elsewhere."""
    if not (SHARED / "data").exists():
        pytest.skip("needs the developers' data sets (../shared/data)")
    return SHARED / "data"


def _at(url: str, database: str) -> str:
    return psycopg.conninfo.make_conninfo(url, dbname=database)


def _make_template(url: str) -> None:
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as conn:
        there = conn.execute("select from pg_database where datname = 'canut_template'")
        if there.fetchone() is None:
            conn.execute("create database canut_template")
    with psycopg.connect(_at(url, "canut_template")) as conn:
        migrate(conn, job_scripts())


def _clone(url: str) -> Iterator[str]:
    name = f"canut_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template canut_template strategy file_copy")
        yield _at(url, name)
        conn.execute(f"drop database {name} with (force)")


class _OneAtATime:
    """A lock between the workers of a run."""

    def __enter__(self) -> None:
        path = Path(tempfile.gettempdir()) / "canut-tests.lock"
        self.lock = path.open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.lock.close()
