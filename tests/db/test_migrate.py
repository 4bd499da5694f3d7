"""Migrations: each once, in order, under a lock; functions whenever their text changed."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from canut.db.migrate import Script, migrate, scripts, status
from canut.engine.schema import job_scripts
from canut.errors import Conflict
from tests.factories import one


def test_nothing_waits_after_migrating(db: psycopg.Connection) -> None:
    """The template is migrated: a second run does nothing."""
    assert status(db, job_scripts()).waiting == []
    assert migrate(db, job_scripts()) == []


def test_an_edited_migration_is_refused(db: psycopg.Connection) -> None:
    """What was applied somewhere must never change its meaning."""
    extra = [*job_scripts(), Script("x", "create table x ()", repeatable=False)]
    assert migrate(db, extra) == ["x"]
    edited = [*job_scripts(), Script("x", "create table x (y int)", repeatable=False)]
    with pytest.raises(Conflict, match="was edited"):
        migrate(db, edited)


def test_a_function_is_applied_again_when_it_changed(db: psycopg.Connection) -> None:
    """SQL functions are code: the newest text counts."""
    for number in (1, 2):
        sql = f"create or replace function f() returns int language sql as 'select {number}'"
        extra = [*job_scripts(), Script("f", sql, repeatable=True)]
        assert migrate(db, extra) == ["f"]
        assert one(db, "select f()") == number


def test_half_a_migration_is_none(db: psycopg.Connection) -> None:
    """An error in the second script undoes the first."""
    good = Script("good", "create table good ()", repeatable=False)
    bad = Script("bad", "create table bad (", repeatable=False)
    with pytest.raises(psycopg.errors.SyntaxError):
        migrate(db, [*job_scripts(), good, bad])
    assert one(db, "select to_regclass('good') is null")


def test_many_processes_may_migrate_at_once(server_url: str) -> None:
    """Several servers start on an empty database: each script is applied exactly once."""
    name = "canut_migrate_race"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f"drop database if exists {name} with (force)")
        admin.execute(f"create database {name}")
        url = psycopg.conninfo.make_conninfo(server_url, dbname=name)

        def start(_: int) -> list[str]:
            with psycopg.connect(url) as conn:
                return migrate(conn, job_scripts())

        with ThreadPoolExecutor(4) as pool:
            applied = [name for names in pool.map(start, range(4)) for name in names]
        admin.execute(f"drop database {name} with (force)")
    assert sorted(applied) == sorted(script.name for script in scripts(job_scripts()))
