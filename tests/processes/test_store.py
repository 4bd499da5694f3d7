"""Published versions: the same content is the same version, and none ever changes."""

import threading

import msgspec
import psycopg

from canut.db.pool import connect
from canut.processes.library import library_slugs, load_shipped
from canut.processes.model import ProcessDefinition, StepDefinition
from canut.processes.store import (
    find_place,
    find_version,
    find_version_async,
    list_processes,
    list_processes_async,
    publish,
    read_version,
)
from tests.factories import NOW, client


def definition(minimum: int = 2, slug: str = "catalogue/categorise") -> ProcessDefinition:
    shipped = load_shipped("catalogue/categorise").definition
    step = msgspec.structs.replace(shipped.steps[0], min_answers=minimum)
    return msgspec.structs.replace(shipped, slug=slug, steps=(step,))


def count(conn: psycopg.Connection, table: str) -> int:
    return conn.execute(f"select count(*) from {table}").fetchone()[0]


def test_publishing_twice_makes_one_version(db: psycopg.Connection) -> None:
    """`canut demo` and every start publish the library again: that must change nothing."""
    first = publish(db, None, definition(), NOW)
    again = publish(db, None, definition(), NOW + 5)
    assert first == again
    assert (first.number, first.created_ms, first.client_id) == (1, NOW, None)
    assert count(db, "process_version") == 1
    assert count(db, "step") == 1


def test_a_change_is_the_next_version_and_old_ones_stay(db: psycopg.Connection) -> None:
    """A running batch keeps the version it started with, to the letter."""
    first = publish(db, None, definition(2), NOW)
    second = publish(db, None, definition(3), NOW + 1)
    assert (second.number, second.process_id) == (2, first.process_id)
    assert read_version(db, first.id) == first
    assert publish(db, None, definition(2), NOW + 2) == first
    assert find_version(db, None, "catalogue/categorise") == second
    assert find_version(db, None, "catalogue/categorise", 1) == first
    assert find_version(db, None, "catalogue/categorise", 3) is None
    assert read_version(db, second.id + 1000) is None


def test_every_shipped_definition_survives_the_database(db: psycopg.Connection) -> None:
    """What comes back is what was published: same values, same hash, same steps."""
    for slug in library_slugs():
        shipped = load_shipped(slug).definition
        version = publish(db, None, shipped, NOW)
        found = read_version(db, version.id)
        assert found is not None
        assert found.definition == shipped
        assert found.definition.content_hash() == version.content_hash == shipped.content_hash()
        rows = db.execute(
            "select position, slug, definition from step where process_version_id = %s"
            " order by position",
            [version.id],
        ).fetchall()
        assert [row[:2] for row in rows] == [(1, step.slug) for step in shipped.steps]
        assert [msgspec.convert(row[2], StepDefinition) for row in rows] == list(shipped.steps)


def test_steps_keep_their_order(db: psycopg.Connection) -> None:
    """An item walks through the steps as they are written."""
    one = definition()
    slugs = ["zeta", "alpha", "mid"]
    steps = tuple(msgspec.structs.replace(one.steps[0], slug=slug) for slug in slugs)
    version = publish(db, None, msgspec.structs.replace(one, steps=steps), NOW)
    sql = "select slug from step where process_version_id = %s order by position"
    assert [row[0] for row in db.execute(sql, [version.id])] == slugs


def test_a_client_sees_its_own_and_the_shared_only(db: psycopg.Connection) -> None:
    """A client's own process hides the shared one from it, and from nobody else."""
    ours, theirs = client(db, "Ours"), client(db, "Theirs")
    shared = publish(db, None, definition(), NOW)
    own = publish(db, ours, definition(4), NOW)
    private = publish(db, theirs, definition(slug="private/one"), NOW)
    assert own.number == 1
    assert find_version(db, ours, "catalogue/categorise") == own
    assert find_version(db, theirs, "catalogue/categorise") == shared
    assert find_version(db, ours, "private/one") is None
    assert find_version(db, None, "private/one") is None
    assert [(p.slug, p.client_id) for p in list_processes(db, ours)] == [
        ("catalogue/categorise", ours)
    ]
    listed = list_processes(db, theirs)
    assert [(p.slug, p.version_id) for p in listed] == [
        ("catalogue/categorise", shared.id),
        ("private/one", private.id),
    ]
    assert listed[0].title == shared.definition.title
    assert [p.slug for p in list_processes(db, None)] == ["catalogue/categorise"]


def test_publishers_at_the_same_time_number_one_after_the_other(fresh_url: str) -> None:
    """Two servers that start together publish the same library; others publish changes."""
    minimums = [2, 2, 3, 3, 4, 5, 5, 2]
    barrier = threading.Barrier(len(minimums))
    found: list[tuple[int, int]] = []

    def run(minimum: int) -> None:
        with connect(fresh_url) as conn:
            barrier.wait()
            version = publish(conn, None, definition(minimum), NOW)
            found.append((minimum, version.number))

    threads = [threading.Thread(target=run, args=[minimum]) for minimum in minimums]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(minimums)
    assert sorted({number for _, number in found}) == [1, 2, 3, 4]
    assert len(set(found)) == 4


async def test_requests_read_the_same(fresh_url: str) -> None:
    """The versions for requests and for commands are one."""
    with connect(fresh_url) as conn:
        version = publish(conn, None, definition(), NOW)
        listed = list_processes(conn, None)
    async with await psycopg.AsyncConnection.connect(fresh_url) as conn:
        assert await find_version_async(conn, None, "catalogue/categorise") == version
        assert await find_version_async(conn, None, "no/such") is None
        assert await list_processes_async(conn, None) == listed


def test_a_taxonomy_for_one_batch_hides_nothing(db: psycopg.Connection) -> None:
    """A version adapted for one batch is kept and numbered, and is not what the next batch gets;
    published in its own right it is. What is said of a step of this client is said of the process
    that its batches run in."""
    shared = publish(db, None, definition(2), NOW)
    who = client(db)
    assert find_place(db, who, "catalogue/categorise") == shared
    adapted = publish(db, who, definition(3), NOW, adapted=True)
    assert find_place(db, who, "catalogue/categorise") == adapted
    assert find_place(db, None, "catalogue/categorise") == shared
    assert find_place(db, who, "no/such") is None
    assert find_version(db, who, "catalogue/categorise") == shared
    assert [one.version_id for one in list_processes(db, who)] == [shared.id]
    assert publish(db, who, definition(3), NOW).id == adapted.id
    assert find_version(db, who, "catalogue/categorise") == adapted
