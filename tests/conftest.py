"""Real PostgreSQL for every test: one server and one migrated template database per session.

`db` rolls back what a test did (0.2 ms); `fresh_url` is a database of its own for tests that
commit (concurrency, HTTP, jobs): made once for each worker, and emptied (20 ms) instead of made
anew (a second). `api` is a server that the tests of several files share.
"""

import fcntl
import functools
import itertools
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import settings
from hypothesis.internal.conjecture import providers
from psycopg import sql
from threadpoolctl import threadpool_limits
from xdist.scheduler import LoadFileScheduling

from canut.db.migrate import migrate
from canut.db.pool import PREPARE_AFTER
from canut.db.server import EmbeddedServer
from canut.engine.schema import job_scripts
from canut.people import credentials
from canut.quality.gold import pool as gold_pool
from tests.api import Api, emptied, serving

TEMPLATE = "canut_template"
SHARED = Path(__file__).parent.parent.parent / "shared"
_numbers = itertools.count()

#: files that share what is slow to start (a browser, a server) go to one worker, these first
TOGETHER = {
    "tests/browser/": "browser",
    "tests/cli/test_simulate.py": "api",
    "tests/sdk/": "api",
    "tests/web/test_api": "api",
    "tests/docs/": "docs",
    "tests/cli/test_serve.py": "serve",
}

# whatever the machine prefers: each server that a test starts would compile the house anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# a worker a core: threads of linear algebra would wait for each other, at twice the time
threadpool_limits(1)

# the same Argon2id with 1 MiB: the real 64 MiB would be most of the time of many tests
credentials._HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)

# what a client of a server without TLS never looks at: 40 ms for each of hundreds
ssl.create_default_context = functools.cache(ssl.create_default_context)

# every database is given the processes that come with Canut, whose files stay what they are
gold_pool.load_shipped = functools.cache(gold_pool.load_shipped)

# examples of a property: some in every run, more in `make test-slow`; a busy machine is no failure
settings.register_profile("suite", max_examples=20, deadline=None)
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """What a seed draws is the same whichever modules a worker has loaded by then: they are read
    for constants, a second's work in each worker, in the thorough run alone."""
    if not config.getoption("hypothesis_profile", None):
        providers._get_local_constants = lambda: providers._local_constants


class _Together(LoadFileScheduling):
    """A file, or a group of files, for each worker at a time."""

    def _split_scope(self, nodeid: str) -> str:
        groups = (group for start, group in TOGETHER.items() if nodeid.startswith(start))
        return next(groups, super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Who runs what."""
    return _Together(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest groups first, so that no worker ends alone with one of them."""
    starts = list(TOGETHER)

    def turn(item: pytest.Item) -> int:
        found = (n for n, start in enumerate(starts) if item.nodeid.startswith(start))
        return next(found, len(starts))

    items.sort(key=turn)


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
        _hasten(given)
    with _OneAtATime():
        _make_template(given)
    yield given
    if server is not None:
        server.stop()


@pytest.fixture(scope="session")
def worker_url(server_url: str) -> Iterator[str]:
    """A migrated database for this worker, whose tests roll back."""
    yield from _clone(server_url)


@pytest.fixture(scope="session")
def spare(server_url: str) -> Iterator["Spare"]:
    """Databases of this worker that a test may fill."""
    kept = Spare(server_url)
    yield kept
    kept.drop()


@pytest.fixture
def fresh_url(spare: "Spare") -> Iterator[str]:
    """A migrated, empty database for one test."""
    url = spare.take()
    yield url
    spare.give_back(url)


@pytest.fixture(scope="session")
def api_server(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API over a real server, on a database of its own."""
    for database in _clone(server_url):
        with serving(database, tmp_path_factory.mktemp("api")) as running:
            yield running


@pytest.fixture
def api(api_server: Api) -> Iterator[Api]:
    """The API's server, emptied after the test."""
    yield api_server
    emptied(api_server)


@pytest.fixture(scope="session")
def kept(worker_url: str) -> Iterator["Kept"]:
    """The connection of this worker that `db` lends."""
    one = Kept(worker_url)
    yield one
    one.close()


@pytest.fixture
def db(kept: "Kept") -> Iterator[psycopg.Connection]:
    """A connection inside a transaction that is rolled back after the test."""
    conn = kept.take()
    # with a transaction open already, `conn.transaction()` in the code under test is a
    # savepoint; else it would commit
    conn.execute("select")
    yield conn
    kept.give_back(conn)


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


#: what a test wrote need not outlive the machine
HASTE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum_naptime": "1min",
}


def _hasten(url: str) -> None:
    """Promises of a server that no test here asks for, and a password that is checked at once: the
    4096 turns that make guessing dear are most of the time of a connection."""
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as conn:
        for name, value in HASTE.items():
            conn.execute(f"alter system set {name} = {value!r}")
        conn.execute("select pg_reload_conf()")
        conn.execute("set scram_iterations = 1")
        alter = sql.SQL("alter role {} password {}")
        conn.execute(alter.format(sql.Identifier(conn.info.user), conn.info.password))


def _make_template(url: str) -> None:
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as conn:
        there = conn.execute("select from pg_database where datname = %s", [TEMPLATE])
        if there.fetchone() is None:
            conn.execute(f"create database {TEMPLATE}")
    with psycopg.connect(_at(url, TEMPLATE)) as conn:
        migrate(conn, job_scripts())


def _clone(url: str, template: str = TEMPLATE) -> Iterator[str]:
    made = _create(url, template)
    yield made
    _drop(url, made)


def _create(url: str, template: str = TEMPLATE) -> str:
    name = f"canut_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template} strategy wal_log")
    return _at(url, name)


def _drop(url: str, made: str) -> None:
    with psycopg.connect(_at(url, "postgres"), autocommit=True) as conn:
        conn.execute(f"drop database {psycopg.conninfo.conninfo_to_dict(made)['dbname']} (force)")


class Kept:
    """A connection that many tests use, one after the other: another for each costs more than most
    of them do."""

    def __init__(self, url: str):
        self._url = url
        self._conn: psycopg.Connection[Any] | None = None

    def take(self) -> psycopg.Connection[Any]:
        """It, as new."""
        if self._conn is None:
            self._conn = psycopg.connect(self._url, prepare_threshold=PREPARE_AFTER)
        return self._conn

    def give_back(self, conn: psycopg.Connection[Any]) -> None:
        """Roll back, and forget all that outlives a transaction: settings, prepared statements,
        plans, locks."""
        if conn.closed:
            self._conn = None
            return
        conn.rollback()
        conn.autocommit = True
        conn.execute("discard all")
        conn.autocommit = False

    def close(self) -> None:
        """No test will ask for it."""
        if self._conn is not None:
            self._conn.close()


#: larger than a new one by this much, and a database is not worth emptying
BYTES_MAX = 50_000_000

#: what a test could change besides rows, by the versions of the rows that describe it; the same
#: before and after, or the database is dropped
SHAPE = """
select (select (count(*), sum(xmin::text::bigint))::text from pg_constraint),
       (select (count(*), sum(xmin::text::bigint))::text from pg_proc where oid > 16383),
       (select (count(*), sum(xmin::text::bigint))::text
        from pg_attribute where attrelid > 16383),
       (select count(*) from pg_trigger), (select count(*) from pg_index)"""

TABLES = """
select oid::regclass::text, pg_relation_size(oid) from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"""

RESTART = """
select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
from pg_sequences where schemaname = 'public' and last_value is not null"""

#: where the numbers of rows that migrations leave have come to
NUMBERS = """
select format('%I.%I', schemaname, sequencename), last_value
from pg_sequences where schemaname = 'public' and last_value is not null"""

OTHERS = """
select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()"""


class Spare:
    """Databases as the template is; one that a test gave back is emptied, not made anew."""

    def __init__(self, server_url: str):
        self._server_url = server_url
        self._free: list[str] = []
        self._taken: list[str] = []
        #: the rows that migrations leave, by table; all else is empty
        self._rows: dict[str, list[Any]] = {}
        self._numbers: dict[str, int] = {}
        self._shape: Any = None
        self._bytes = 0

    def take(self) -> str:
        """The URL of one."""
        url = self._free.pop() if self._free else _create(self._server_url)
        self._taken.append(url)
        if self._shape is None:
            with psycopg.connect(url) as conn:
                self._learn(conn)
        return url

    def give_back(self, url: str) -> None:
        """Empty it; drop it when a test has changed more than rows."""
        self._taken.remove(url)
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(OTHERS)
            size = conn.execute("select pg_database_size(current_database())").fetchone()
            same = conn.execute(SHAPE).fetchone() == self._shape
            if same and size is not None and size[0] < self._bytes + BYTES_MAX:
                self._empty(conn)
                self._free.append(url)
                return
        _drop(self._server_url, url)

    def drop(self) -> None:
        """All of them."""
        for url in [*self._free, *self._taken]:
            _drop(self._server_url, url)

    def _learn(self, conn: psycopg.Connection[Any]) -> None:
        self._shape = conn.execute(SHAPE).fetchone()
        size = conn.execute("select pg_database_size(current_database())").fetchone()
        self._bytes = size[0] if size else 0
        self._numbers = dict(conn.execute(NUMBERS).fetchall())
        for table, _ in conn.execute(TABLES).fetchall():
            rows = conn.execute(f"select t::text from {table} t").fetchall()
            if rows:
                self._rows[table] = sorted(rows)

    def _empty(self, conn: psycopg.Connection[Any]) -> None:
        with conn.transaction():
            # without triggers: in any order, and past those that forbid it
            conn.execute("set local session_replication_role = replica")
            for table, size in conn.execute(TABLES).fetchall():
                if size and self._changed(conn, table):
                    conn.execute(f"delete from {table}")
                    for [row] in self._rows.get(table, []):
                        conn.execute(
                            f"insert into {table} overriding system value select (%s::{table}).*",
                            [row],
                        )
            conn.execute(RESTART)
            for name, last in self._numbers.items():
                conn.execute("select setval(%s::regclass, %s)", [name, last])

    def _changed(self, conn: psycopg.Connection[Any], table: str) -> bool:
        if table not in self._rows:
            return True
        return sorted(conn.execute(f"select t::text from {table} t")) != self._rows[table]


class _OneAtATime:
    """A lock between the workers of a run."""

    def __enter__(self) -> None:
        path = Path(tempfile.gettempdir()) / "canut-tests.lock"
        self.lock = path.open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.lock.close()
