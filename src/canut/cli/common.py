"""What commands share: settings from flags, a database that is up and migrated."""

import asyncio
import math
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from canut.config import Settings, load
from canut.db.migrate import migrate
from canut.db.pool import Conn, SyncConn, connect, connect_async
from canut.db.server import EmbeddedServer
from canut.engine.schema import job_scripts
from canut.errors import Unavailable
from canut.processes.shipped import unpublished

T = TypeVar("T")


def setting_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options for these settings (always --data, --database-url and --config); the command gets
    one `settings` argument instead."""
    wanted = ("data", "database_url", *names)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(**given: Any) -> Any:
            flags = {name: given.pop(name) for name in wanted}
            config = given.pop("config")
            settings = load(flags, toml=Path(config) if config else None)
            return command(settings=settings, **given)

        for name in reversed(wanted):
            run = _OPTIONS[name](run)
        return click.option("--config", metavar="FILE", help="canut.toml to read")(run)

    return decorate


#: seconds between looks whether the embedded server still answers
WATCH_EVERY_S = 1.0


@contextmanager
def database(settings: Settings, *, migrated: bool = True, watch: bool = False) -> Iterator[str]:
    """The URL of a database that answers: yours (CANUT_DATABASE_URL), else the embedded one,
    started if it is not running. Unless `migrated` is False, migrations are applied and the
    library of processes published first. With `watch`, an embedded server that dies is started
    again (PostgreSQL recovers by itself)."""
    server = None if settings.database_url else EmbeddedServer(Path(settings.data))
    url = settings.database_url if server is None else server.start()
    try:
        if migrated:
            with connect(url) as conn:
                migrate(conn, job_scripts())
                _publish_library(conn)
        with _watching(server if watch else None):
            yield url
    finally:
        if server is not None:
            server.stop()


def _publish_library(conn: SyncConn) -> None:
    if unpublished(conn):
        # what reads a process is slow to import, and most commands need not wait for it
        from canut.quality.gold.pool import publish_shipped

        publish_shipped(conn, time.time_ns() // 1_000_000)


def run_verb(settings: Settings, verb: Callable[[Conn], Awaitable[T]]) -> T:
    """Run an asynchronous verb over one connection."""

    async def over(url: str) -> T:
        async with connect_async(url) as conn:
            return await verb(conn)

    with database(settings) as url:
        return asyncio.run(over(url))


@contextmanager
def _watching(server: EmbeddedServer | None) -> Iterator[None]:
    if server is None:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(WATCH_EVERY_S):
            try:
                if server.revive():
                    click.echo("the database had died; it is back", err=True)
            except Unavailable as error:
                click.echo(f"the database has died: {error}", err=True)

    thread = threading.Thread(target=watch, name="database", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "data": click.option("--data", metavar="DIR", help="folder of the embedded database"),
    "database_url": click.option(
        "--database-url", metavar="URL", help="a PostgreSQL 15 or newer to use instead"
    ),
    "coop": click.option("--coop", metavar="FILE", help="says who the co-op is"),
    "bank_key": click.option(
        "--bank-key", metavar="FILE", help="the keys that bank data is encrypted with"
    ),
    "host": click.option("--host", help="address to listen on"),
    "port": click.option("--port", type=int, help="port to listen on"),
    "public_url": click.option("--public-url", metavar="URL", help="address for links"),
    "web_workers": click.option("--web-workers", type=int, help="processes that serve HTTP"),
    "engine_workers": click.option("--engine-workers", type=int, help="processes that decide"),
}


def one_line(text: str) -> str:
    """What somebody wrote, as one line that does nothing to a terminal: no escapes, and nothing
    that looks like another row."""
    line = " ".join(text.split())
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def finite(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """The callback of an option that is a length of time, which "nan" and "inf" are not."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no length of time", param=option)
    return value


def many(count: int, noun: str) -> str:
    """A count of a noun whose plural ends in s."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def day(ms: int) -> str:
    """The day of a moment, UTC."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"
