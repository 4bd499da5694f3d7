"""`canut db`: the database."""

import sys
from pathlib import Path

import click

from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db import backup as copies
from canut.db.check import check as find_faults
from canut.db.migrate import migrate as apply
from canut.db.migrate import status as compare
from canut.db.pool import connect
from canut.engine.schema import job_scripts
from canut.people.store import COMMAND_LINE
from canut.people.store.log import audit_sync


@click.group()
def db() -> None:
    """The database: status, migrate, check, backup, restore."""


@db.command()
@setting_options()
def status(settings: Settings) -> None:
    """Say where the database is, its version and size, and which migrations wait."""
    with database(settings, migrated=False) as url, connect(url) as conn:
        found = conn.execute(
            """select current_setting('server_version'),
                      pg_size_pretty(pg_database_size(current_database()))"""
        ).fetchone()
        version, size = found or ("?", "?")
        where = "CANUT_DATABASE_URL" if settings.database_url else f"embedded in {settings.data}"
        click.echo(f"PostgreSQL {version}, {where}, {size}")
        state = compare(conn, job_scripts())
        click.echo(f"{len(state.applied)} migrations applied, {len(state.waiting)} waiting")
        for name in state.waiting:
            click.echo(f"  {name}")


@db.command()
@setting_options()
def migrate(settings: Settings) -> None:
    """Apply the migrations that wait (canut serve does it too)."""
    with database(settings, migrated=False) as url, connect(url) as conn:
        names = apply(conn, job_scripts(), report=lambda name: click.echo(f"  {name}"))
        click.echo(f"{len(names)} applied")


@db.command()
@setting_options()
def check(settings: Settings) -> None:
    """Prove that the rows fit together; exit code 1 names what does not."""
    with database(settings) as url, connect(url) as conn:
        faults = find_faults(conn)
    for fault in faults:
        click.echo(f"broken: {fault.rule}: {fault.count} rows, for example {fault.example}")
    click.echo("all rules hold" if not faults else f"{len(faults)} rules broken")
    sys.exit(1 if faults else 0)


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@setting_options()
def backup(settings: Settings, file: Path) -> None:
    """Write a consistent copy to FILE; work may go on meanwhile."""
    with database(settings) as url:
        size = copies.backup(url, file)
        # told on the operators' overview
        with connect(url) as conn:
            audit_sync(conn, COMMAND_LINE, "backup.database", "database", "", {"bytes": size})
    click.echo(f"{file}: {size:,} bytes")


@db.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@setting_options()
def restore(settings: Settings, file: Path) -> None:
    """Fill an empty database from FILE; never overwrites."""
    with database(settings, migrated=False) as url:
        copies.restore(url, file)
        with connect(url) as conn:
            apply(conn, job_scripts())
    click.echo(f"restored from {file}")
