"""Backup, restore, and the proof that the rows fit together."""

from pathlib import Path

import psycopg
import pytest

from canut.db import binaries
from canut.db.backup import backup, restore
from canut.db.check import RULES, check
from canut.errors import Conflict, Invalid
from tests import factories as make


def test_a_backup_restores_to_the_same_rows(fresh_url: str, tmp_path: Path) -> None:
    """Into an empty database, whole; never over one that has tables."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=5)
        conn.commit()
        file = tmp_path / "canut.backup"
        assert backup(fresh_url, file) == file.stat().st_size
        with pytest.raises(Conflict, match="not empty"):
            restore(fresh_url, file)
    empty = psycopg.conninfo.make_conninfo(fresh_url, dbname="canut_restored")
    with psycopg.connect(fresh_url, autocommit=True) as admin:
        admin.execute("drop database if exists canut_restored with (force)")
        admin.execute("create database canut_restored")
        try:
            restore(empty, file)
            with psycopg.connect(empty) as conn:
                assert check(conn) == []
                found = conn.execute("select id from task order by id").fetchall()
                assert [row[0] for row in found] == work.tasks
        finally:
            admin.execute("drop database canut_restored with (force)")


def test_no_password_stands_in_the_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of a machine can read the arguments of a program; its environment they cannot."""
    tool = tmp_path / "pg_dump"
    tool.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/told\necho "$PGPASSWORD" > {tmp_path}/secret\n'
        f"touch {tmp_path}/copy.part\n"
    )
    tool.chmod(0o755)
    monkeypatch.setattr(binaries, "find", lambda: tmp_path)
    backup("postgresql://ada:s3cr%2Ft@db.example:5433/canut?sslmode=require", tmp_path / "copy")
    told = (tmp_path / "told").read_text()
    assert "s3cr" not in told
    assert all(part in told for part in ("ada", "db.example", "5433", "sslmode=require"))
    assert (tmp_path / "secret").read_text() == "s3cr/t\n"


def test_a_backup_that_is_not_there(fresh_url: str, tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(Invalid, match="none"):
        restore(fresh_url, tmp_path / "none")


#: what breaks each rule, on a batch with one task claimed, answered and decided
BREAK = {
    "every task belongs to an item of its batch": "delete from item",
    "every gold task is of a gold": (
        "insert into task (batch_step_id, item_id, wanted, slots, open, kind)"
        " select batch_step_id, -1, 0, 0, false, 'gold' from task limit 1"
    ),
    "every audit is of a task of the same item and step": (
        "insert into task (batch_step_id, item_id, wanted, slots, kind, of_task)"
        " select batch_step_id, item_id, 1, 1, 'audit', 0 from task limit 1"
    ),
    "every answered gold has its answer": (
        "insert into gold (process_id, step_slug, payload, value, origin, digest, created_ms)"
        " select process_id, slug, '{}', '1', 'operator', '', 0 from batch_step limit 1;"
        " insert into gold_answer (contributor_id, gold_id, task_id, shown_ms, answered_ms)"
        " select c.id, g.id, 0, 0, 0 from gold g, contributor c limit 1"
    ),
    "every assignment is of a task and a contributor": (
        "update assignment set contributor_id = 0; update answer set contributor_id = 0"
    ),
    "every answer has its submitted assignment": "update assignment set state = 'expired'",
    "every submitted assignment has its answer": "delete from answer",
    "a task is decided exactly when it has a decision": "delete from decision",
    "answers wanted are free slots plus claims and answers": (
        "update task set slots = slots + 1 where not decided"
    ),
    "the counts of a step are those of its rows": "update batch_step set n_decided = 7",
    "the items of a batch are as many as it says": "update batch set n_items = 7",
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_its_breach(fresh_url: str, rule: str) -> None:
    """`canut db check` is quiet on sound rows, and names a rule that was broken on purpose."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        work = make.work(conn, make.step(min_answers=1), items=2)
        who = make.contributor(conn)
        [task] = make.claim(conn, who)
        make.submit(conn, who, work.batch_steps[0], {task: "red"})
        conn.execute(
            """insert into decision values (%s, %s, %s, '"red"', 1, 'answers', 1, '[]', 0)""",
            [task, work.batch_steps[0], work.items[0]],
        )
        conn.execute("update task set decided = true, open = false where id = %s", [task])
        conn.execute("update batch_step set n_decided = 1")
        assert check(conn) == []
        conn.execute(BREAK[rule])
        assert rule in [fault.rule for fault in check(conn)]
