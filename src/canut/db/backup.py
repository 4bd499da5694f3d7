"""Backup and restore with PostgreSQL's own tools, in its custom format."""

import os
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from canut.db import binaries
from canut.errors import Conflict, Invalid, Unavailable


def backup(url: str, file: Path) -> int:
    """Write a consistent copy of the database; returns its size in bytes. Work may go on.

    The file appears under its name only when it is whole. Raises `Unavailable` with the tool's
    words.
    """
    draft = file.with_name(f"{file.name}.part")
    _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={draft}")
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
    options = ("--exit-on-error", "--single-transaction", "--no-owner")
    _run(url, "pg_restore", *options, str(file))


def _run(url: str, program: str, *arguments: str) -> None:
    # the password goes by the environment: every user of a machine can read arguments
    place = conninfo_to_dict(url)
    password = place.pop("password", None)
    command = [str(binaries.find() / program), f"--dbname={make_conninfo('', **place)}"]
    done = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **({"PGPASSWORD": str(password)} if password else {})},
    )
    if done.returncode:
        raise Unavailable(f"{program} failed: {done.stderr.strip()[-2000:]}")
