"""Backup and restore with PostgreSQL's own tools, in its custom format."""

import subprocess
from pathlib import Path

import psycopg

from canut.db import binaries
from canut.errors import Conflict, Invalid, Unavailable


def backup(url: str, file: Path) -> int:
    """Write a consistent copy of the database; returns its size in bytes. Work may go on.

    The file appears under its name only when it is whole. Raises `Unavailable` with the tool's
    words.
    """
    draft = file.with_name(f"{file.name}.part")
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={draft}", f"--dbname={url}")
    draft.rename(file)
    return file.stat().st_size


def restore(url: str, file: Path) -> None:
    """Fill an empty database from a backup, all or nothing.

    Raises `Conflict` if the database has tables: restoring never overwrites.
    """
    if not file.exists():
        raise Invalid(f"There is no file {file}.")
    with psycopg.connect(url) as conn:
        row = conn.execute(
            "select count(*) from pg_class where relnamespace = 'public'::regnamespace"
        )
        if (row.fetchone() or [0])[0]:
            raise Conflict(
                "The database is not empty.", mend="restore into a new data folder or database"
            )
    _run(
        "pg_restore",
        "--exit-on-error",
        "--single-transaction",
        "--no-owner",
        f"--dbname={url}",
        str(file),
    )


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(binaries.find() / program), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Unavailable(f"{program} failed: {done.stderr.strip()[-2000:]}")
