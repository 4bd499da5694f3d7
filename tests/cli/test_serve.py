"""The commands that run the house, as a user runs them: in processes of their own."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from canut.cli.main import cli
from canut.db.server import EmbeddedServer
from canut.errors import CanutError

CANUT = [sys.executable, "-m", "canut"]


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _canut(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [*CANUT, *arguments], capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def _db(*arguments: str) -> str:
    """`canut db ...` in this process: most of the time of a process goes by before it works."""
    return CliRunner().invoke(cli, ["db", *arguments], catch_exceptions=False).output


def test_serve_starts_and_stops_cleanly(data: Path) -> None:
    """One command: database, web, API and engine; the link of the first run works; SIGTERM ends
    every process and the database."""
    port = _port()
    server = subprocess.Popen(
        [*CANUT, "serve", "--data", str(data), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    try:
        assert server.stdout.readline().strip() == f"Canut is at http://127.0.0.1:{port}"
        link = re.search(r"http://\S+/setup/\S+", server.stdout.readline())
        assert link is not None
        _wait_for(port)
        assert httpx.get(link.group()).status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/api/v1/me").status_code == 401
        assert "0 waiting" in _db("status", "--data", str(data))
    finally:
        server.send_signal(signal.SIGTERM)
        rest, _ = server.communicate(timeout=60)
    assert server.returncode == 0, rest
    assert not list((data / "socket").glob(".s.PGSQL.5432"))
    left = subprocess.run(["pgrep", "-f", str(data)], capture_output=True, check=False)
    assert left.stdout == b""


@pytest.mark.slow
def test_roles_split_over_processes(data: Path) -> None:
    """A web process and an engine process of their own share one database."""
    port = _port()
    web, engine = (
        subprocess.Popen(
            [*CANUT, "serve", "--role", role, "--data", str(data), "--port", str(port)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for role in ("web", "engine")
    )
    try:
        _wait_for(port)
        assert engine.stdout is not None
        assert engine.stdout.readline() == "deciding\n"
        web.send_signal(signal.SIGTERM)
        web.communicate(timeout=60)
        # the engine still holds the database
        assert "embedded" in _canut("db", "status", "--data", str(data))
        assert engine.poll() is None
    finally:
        for process in (web, engine):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=60)
    assert (web.returncode, engine.returncode) == (0, 0)


@pytest.mark.slow
def test_demo_once_delivers_the_sample(tmp_path: Path) -> None:
    """The whole path without a browser: what is proved, a table, then the figures as JSON."""
    out = _canut("demo", "--once")
    assert "draws were answered again, blind" in out
    assert "The first decisions" in out
    figures = json.loads(out.split("\n{")[1].join(["{", ""]).splitlines()[0])
    assert figures["state"] == "delivered"
    assert figures["items"] == figures["decided"] >= 300
    assert figures["accuracy"] > 0.95
    assert 2 <= figures["answers_per_item"] < 5


def test_the_database_commands(data: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """status, migrate, check, backup and restore, on a fresh folder."""
    folder = ["--data", str(data)]
    # held up meanwhile, so that each command need not start and stop it
    server = EmbeddedServer(data)
    server.start()
    request.addfinalizer(server.stop)
    assert "0 migrations applied" in _db("status", *folder)
    assert re.search(r"\d+ applied", _db("migrate", *folder))
    assert "all rules hold" in _db("check", *folder)
    copy = str(tmp_path / "copy")
    assert "bytes" in _db("backup", copy, *folder)
    with pytest.raises(CanutError, match="not empty"):
        _db("restore", copy, *folder)
    other = ["--data", str(data.with_name("other"))]
    assert "restored" in _db("restore", copy, *other)


def test_a_port_in_use_is_told(data: Path) -> None:
    """Before anything starts: two servers must not share a port, each on its own database."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        out = _canut("serve", "--data", str(data), "--port", str(port), code=1)
    assert f"port {port}: Address already in use" in out
    assert not data.exists()


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    """An unknown key stops the command before anything starts."""
    file = tmp_path / "canut.toml"
    file.write_text("prot = 8000\n")
    with pytest.raises(CanutError) as refused:
        _db("status", "--config", str(file))
    assert "prot: unknown key (did you mean port?)" in str(refused.value)


def test_help_names_every_noun() -> None:
    """`canut --help` lists what there is."""
    out = _canut("--help")
    for noun in ("serve", "demo", "process", "batch", "people", "db", "simulate"):
        assert f"  {noun} " in out


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/alive", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")
