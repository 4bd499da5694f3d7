"""Migrations: numbered SQL files, applied once, in order, under a lock; then the functions.

`migrations/NNNN_name.sql` are applied once and never edited after a release. The SQL functions in
`functions/*.sql` (`create or replace`) are applied again whenever their text changed: they are
code, kept beside the tables they work on, and reviewed as code. The job library's own tables come
from the library, in the version that is installed. Last come the keys that are missing.
"""

import hashlib
import importlib.resources
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from canut.db.secret import make_secrets
from canut.errors import Conflict

#: key of the advisory lock ("canut" in ASCII); one migration at a time, on any machine
LOCK = 0x63616E7574
#: a running statement may hold what a migration needs; waiting for ever would stop every request
LOCK_TIMEOUT = "30s"

HISTORY = """
create table if not exists migration (
    name text primary key,
    content_hash text not null,
    applied_ms bigint not null
)"""


class Script(Struct, frozen=True):
    """One SQL file of ours (or of a library), with the hash of its text."""

    name: str
    sql: str
    #: applied again whenever the text changed
    repeatable: bool

    @property
    def content_hash(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class Status(Struct, frozen=True):
    """What has been applied, and what is waiting, in order."""

    applied: list[str]
    waiting: list[str]


def scripts(extra: list[Script] | None = None) -> list[Script]:
    """Every script in the order of application; `extra` ones come between tables and functions."""
    home = importlib.resources.files("canut.db")
    once = _read(home / "migrations", repeatable=False)
    return [*once, *(extra or []), *_read(home / "functions", repeatable=True)]


def status(conn: Connection[Any], extra: list[Script] | None = None) -> Status:
    """Compare the database with the scripts. Raises `Conflict` if an applied one was edited."""
    known = _known(conn)
    waiting = [script.name for script in scripts(extra) if _due(script, known)]
    return Status(applied=sorted(known), waiting=waiting)


def migrate(
    conn: Connection[Any],
    extra: list[Script] | None = None,
    report: Callable[[str], None] = lambda name: None,
) -> list[str]:
    """Apply what is waiting; returns the names. All or nothing, one process at a time.

    Raises `Conflict` if an applied migration was edited, or a lock cannot be had in time.
    """
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        conn.execute(HISTORY)
        known = _known(conn)
        due = [script for script in scripts(extra) if _due(script, known)]
        conn.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
        for script in due:
            report(script.name)
            _apply(conn, script)
        make_secrets(conn)
    return [script.name for script in due]


def _apply(conn: Connection[Any], script: Script) -> None:
    try:
        conn.execute(script.sql.encode(), prepare=False)
    except LockNotAvailable as error:
        raise Conflict(
            f"Migration {script.name} waited {LOCK_TIMEOUT} for a table in use.",
            mend="try again when less is going on; nothing was changed",
        ) from error
    conn.execute(
        """insert into migration
        values (%s, %s, (extract(epoch from clock_timestamp()) * 1000)::bigint)
        on conflict (name) do update
        set content_hash = excluded.content_hash, applied_ms = excluded.applied_ms""",
        [script.name, script.content_hash],
    )


def _known(conn: Connection[Any]) -> dict[str, str]:
    there = conn.execute("select to_regclass('migration') is not null").fetchone()
    if there is None or not there[0]:
        return {}
    return dict(conn.execute("select name, content_hash from migration").fetchall())


def _due(script: Script, known: dict[str, str]) -> bool:
    if script.name not in known:
        return True
    changed = known[script.name] != script.content_hash
    if changed and not script.repeatable:
        raise Conflict(
            f"Migration {script.name} was edited after it was applied.",
            mend="undo the edit and write a new migration",
        )
    return changed


def _read(folder: Any, *, repeatable: bool) -> list[Script]:
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Script(f.name.removesuffix(".sql"), f.read_text("utf-8"), repeatable) for f in files]
