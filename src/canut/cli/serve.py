"""`canut serve`: database, web, API and engine in one command, or in parts over machines."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from granian.server import MPServer

from canut.cli.common import database, setting_options
from canut.config import Settings, hand_down
from canut.db.pool import connect_async
from canut.errors import Conflict
from canut.people.store import create_first_run_token

#: seconds an engine gets to finish its pass
STOP_S_MAX = 20
#: seconds before an engine that died is started again
RESTART_S = 1.0


@click.command()
@click.option("--role", type=click.Choice(["all", "web", "engine"]), default="all")
@setting_options("host", "port", "public_url", "web_workers", "engine_workers")
def serve(settings: Settings, role: str) -> None:
    """Run the platform. Ctrl-C stops it cleanly; whatever was acknowledged is stored."""
    with running(settings, role) as (url, server):
        if role == "engine":
            click.echo("deciding")
            _sleep_until_stopped()
            return
        click.echo(f"Canut is at {settings.url}")
        link = first_run_link(settings, url)
        if link:
            click.echo(f"Create the operator's account: {link}")
        server.serve()


@contextmanager
def running(settings: Settings, role: str = "all") -> Iterator[tuple[str, MPServer]]:
    """Database and engines up, and a web server ready to `serve` (which blocks until a signal).
    Yields the database's URL and the server."""
    if role in ("all", "web"):
        check_free(settings)
    with database(settings, watch=True) as url:
        settings = msgspec.structs.replace(settings, database_url=url)
        os.environ.update(hand_down(settings))
        engines = Engines(settings.engine_workers if role in ("all", "engine") else 0)
        engines.start()
        try:
            yield url, web_server(settings)
        finally:
            engines.stop()


def check_free(settings: Settings) -> None:
    """Raises `Conflict` when somebody listens there: two servers would share the port unnoticed,
    each on its own database."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        # a port whose last connections are still closing is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise Conflict(
                f"Cannot listen on {settings.host}, port {settings.port}: {error.strerror}.",
                mend="stop what listens there, or choose another with --port",
            ) from error


def first_run_link(settings: Settings, url: str) -> str | None:
    """The link that creates the first operator's account; None once there is one."""

    async def make() -> str | None:
        async with connect_async(url) as conn:
            return await create_first_run_token(conn)

    token = asyncio.run(make())
    return f"{settings.url}/setup/{token}" if token else None


def web_server(settings: Settings) -> MPServer:
    """The HTTP server; its workers read the settings handed down by this process."""
    return MPServer(
        "canut.web.app:app_factory",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.web_workers,
        loop=Loops.uvloop,
        backpressure=512,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
    )


class Engines:
    """Engine processes, started again when they die, stopped when we stop."""

    def __init__(self, count: int):
        self._wanted = count
        self._running: list[subprocess.Popen[bytes]] = []
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, daemon=True)

    def start(self) -> None:
        self._running = [self._launch() for _ in range(self._wanted)]
        if self._wanted:
            self._watch.start()

    def stop(self) -> None:
        """Let each finish its pass; kill one that does not."""
        self._stopping.set()
        if self._watch.is_alive():
            self._watch.join()
        for engine in self._running:
            engine.terminate()
        for engine in self._running:
            try:
                engine.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                engine.kill()
                engine.wait()

    def _launch(self) -> subprocess.Popen[bytes]:
        # a session of its own: Ctrl-C in our terminal reaches us, and we stop it in order
        command = [sys.executable, "-m", "canut.engine"]
        return subprocess.Popen(command, start_new_session=True)

    def _watch_over(self) -> None:
        while not self._stopping.wait(RESTART_S):
            for i, engine in enumerate(self._running):
                if engine.poll() is not None:
                    click.echo(f"an engine ended with {engine.returncode}; starting another")
                    self._running[i] = self._launch()


def _sleep_until_stopped() -> None:
    stop = threading.Event()

    def end(*_: Any) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    stop.wait()
