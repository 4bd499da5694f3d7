"""What comes with Canut is published when it is new to a database, and at no other start."""

import shutil
import threading
from pathlib import Path

import psycopg
import pytest

from canut.db.pool import connect
from canut.processes import shipped
from canut.processes.library import load_shipped
from canut.processes.load import Loaded, load_folder
from canut.processes.shipped import library_root, library_slugs, shipped_digests, unpublished
from canut.processes.store import find_version
from canut.quality.gold import pool
from tests.factories import NOW, client, one

SLUG = "search/relevance"


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library that a later release may change: of one process, so that it is soon read."""
    root = tmp_path / "library"
    shutil.copytree(str(library_root().joinpath(*SLUG.split("/"))), root / SLUG)
    monkeypatch.setattr(shipped, "library_root", lambda: root)

    def load(slug: str) -> Loaded:
        return load_folder(root / slug)

    monkeypatch.setattr(pool, "load_shipped", load)
    return root / SLUG


def number(conn: psycopg.Connection) -> int:
    version = find_version(conn, None, SLUG)
    assert version is not None
    return version.number


def test_the_library_is_published_once(db: psycopg.Connection) -> None:
    """Every process with its gold, for every client; another start finds nothing to do."""
    first = pool.publish_shipped(db, NOW)
    assert [version.slug for version in first] == library_slugs()
    golds = sum(len(item.answers) for slug in library_slugs() for item in load_shipped(slug).gold)
    assert one(db, "select count(*) from gold where state = 'active'") == golds
    assert unpublished(db) == {}
    assert pool.publish_shipped(db, NOW + 1) == []
    assert one(db, "select count(*) from process_version where created_ms <> %s", NOW) == 0


def test_another_release_is_published_and_so_is_the_one_before_put_back(
    db: psycopg.Connection, release: Path
) -> None:
    """Each byte of a folder counts: a new title is the next version, a gold item that is gone is
    retired. An older release put back after it puts its gold back, and makes no third version."""
    pool.publish_shipped(db, NOW)
    active = one(db, "select count(*) from gold where state = 'active'")
    definition, gold = release / "process.toml", next(release.glob("gold.*"))
    before = definition.read_bytes(), gold.read_bytes()
    definition.write_text(before[0].decode().replace('title = { en = "', 'title = { en = "New '))
    gold.write_bytes(before[1].rstrip().rpartition(b"\n")[0] + b"\n")
    assert [version.number for version in pool.publish_shipped(db, NOW + 1)] == [2]
    assert one(db, "select count(*) from gold where state = 'active'") < active
    assert unpublished(db) == {}
    definition.write_bytes(before[0])
    gold.write_bytes(before[1])
    assert [version.number for version in pool.publish_shipped(db, NOW + 2)] == [1]
    assert one(db, "select count(*) from gold where state = 'active'") == active
    assert (number(db), unpublished(db)) == (2, {})


def test_a_reader_that_changed_reads_again(
    db: psycopg.Connection, release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same folder may be something else to another release: its code is in the digest."""
    pool.publish_shipped(db, NOW)
    monkeypatch.setattr(shipped, "READERS", shipped.READERS[:1])
    assert list(unpublished(db)) == [SLUG]
    pool.publish_shipped(db, NOW + 1)
    assert (number(db), unpublished(db)) == (1, {})


def test_a_version_that_is_gone_is_published_again(db: psycopg.Connection, release: Path) -> None:
    """The mark goes with the version, whoever deleted it; a client's own process of the same slug
    is not taken for it."""
    pool.publish_shipped(db, NOW)
    db.execute("delete from gold")
    db.execute("delete from step")
    db.execute("delete from process_version")
    assert list(unpublished(db)) == [SLUG]
    pool.publish_shipped(db, NOW + 1)
    db.execute("update process set client_id = %s", [client(db, "Ours")])
    assert list(unpublished(db)) == [SLUG]


def test_two_commands_at_once_publish_it_once(fresh_url: str, release: Path) -> None:
    """Both find it missing; one waits for the other, and both see one version, marked."""
    ready = threading.Barrier(2)
    failed: list[BaseException] = []

    def start() -> None:
        try:
            with connect(fresh_url) as conn:
                due = shipped_digests()
                assert unpublished(conn) == due
                conn.commit()
                ready.wait(20)
                pool.publish_shipped(conn, NOW)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with connect(fresh_url) as conn:
        assert one(conn, "select count(*) from process_version where shipped is not null") == 1
        assert one(conn, "select count(*) from process_version") == 1
        assert unpublished(conn) == {}
