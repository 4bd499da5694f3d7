"""Intake: all or nothing, nothing twice, every bad row told."""

import threading
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.processes.model import StepDefinition
from canut.work.encoding import COLUMNS_MAX, ITEM_BYTES_MAX
from canut.work.intake import Block, Progress, Refused, add_items, one_block, open_batch
from tests.work import made


def rows(db: Any, batch: Any) -> list[tuple[str, Any]]:
    sql = "select key, payload from item where batch_id = %s order by id"
    return list(db.execute(sql, [batch.id]).fetchall())


def counts(db: Any, batch: Any) -> tuple[int, int, int, int]:
    sql = """
    select b.n_items, s.n_tasks,
        (select count(*) from item where batch_id = b.id),
        (select count(*) from task where batch_step_id = s.id and open and slots = s.min_answers)
    from batch b join batch_step s on s.batch_id = b.id and s.position = 1 where b.id = %s"""
    found: tuple[int, int, int, int] = db.execute(sql, [batch.id]).fetchone()
    return found


def test_items_get_a_claimable_task_at_the_first_step_only(db: Any) -> None:
    """Rows become items in the order of the file, each with one task for as many answers as the
    step wants, and the counts the engine reads are right."""
    batch = made.batch(db, made.CHOICE, made.CHOICE)
    report = add_items(db, batch, one_block([{"title": "Oak lamp"}, {"title": "Vase", "size": 3}]))
    assert (report.added, report.known, report.rejected) == (2, 0, 0)
    assert rows(db, batch) == [("1", {"title": "Oak lamp"}), ("2", {"title": "Vase", "size": 3})]
    assert counts(db, batch) == (2, 2, 2, 2)
    columns = db.execute("select columns from batch where id = %s", [batch.id]).fetchone()[0]
    assert columns == ["title", "size"]


def test_a_batch_copies_what_claims_need_from_its_steps(db: Any) -> None:
    """A step of a batch carries the version's numbers, and no expert skill means null: nothing
    is escalated."""
    client = made.client(db)
    found = made.version(db, client)
    batch = open_batch(db, client, "k", found.id, made.NOW, priority=2, deadline_ms=5)
    sql = """select position, slug, weight, skills, expert_skill, licence, lease_ms, min_answers,
             max_answers, target, process_id from batch_step where batch_id = %s"""
    step = StepDefinition("category", "", {}, {})
    (row,) = db.execute(sql, [batch.id]).fetchall()
    assert row[:9] == (1, "category", 4.0, [], None, False, step.lease_s * 1000, 2, 5)
    assert row[9] == pytest.approx(step.target_confidence)
    assert row[10] == found.process_id
    assert (batch.process_slug, batch.version, batch.deadline_ms) == ("shop/sort", 1, 5)


def test_opening_twice_is_the_same_batch(db: Any) -> None:
    """The key is the client's: a repeat finds the batch, makes no second set of steps, and takes no
    number that the next batch would miss."""
    client = made.client(db)
    found = made.version(db, client)
    first = open_batch(db, client, "k", found.id, made.NOW)
    assert open_batch(db, client, "k", found.id, made.NOW + 1) == first
    assert open_batch(db, client, "next", found.id, made.NOW).id == first.id + 1
    sql = "select count(*) from batch_step where batch_id = %s"
    assert db.execute(sql, [first.id]).fetchone()[0] == 1


def test_a_batch_keeps_its_version_and_its_client(db: Any) -> None:
    """The key with another version is a conflict; another client's process is not there."""
    client = made.client(db)
    first = made.version(db, client)
    second = made.version(db, client, made.CHOICE, made.CHOICE)
    open_batch(db, client, "k", first.id, made.NOW)
    with pytest.raises(Conflict, match="version 1 of shop/sort"):
        open_batch(db, client, "k", second.id, made.NOW)
    with pytest.raises(NotFound):
        open_batch(db, made.client(db), "k", first.id, made.NOW)
    for key, priority in (("", 0), ("a\nb", 0), (" k", 0), ("k" * 201, 0), ("ok", 6)):
        with pytest.raises(Invalid):
            open_batch(db, client, key, first.id, made.NOW, priority=priority)


def test_the_same_file_twice_adds_nothing(db: Any) -> None:
    """A second import of the same rows, in any order of fields, knows them all."""
    batch = made.batch(db)
    records = [{"reference": f"a{n}", "title": f"Lamp {n}", "price": n} for n in range(50)]
    add_items(db, batch, one_block(records))
    turned = [dict(reversed(record.items())) for record in records]
    report = add_items(db, batch, one_block(turned))
    assert (report.added, report.known, report.rejected) == (0, 50, 0)
    assert counts(db, batch) == (50, 50, 50, 50)


def test_a_key_with_other_values_is_a_problem_of_its_row(db: Any) -> None:
    """In the batch or earlier in the file, a key stands for one set of values."""
    batch = made.batch(db)
    add_items(db, batch, one_block([{"reference": "a", "title": "Lamp"}]))
    again = [
        {"reference": "b", "title": "Vase"},
        {"reference": "a", "title": "Rug"},
        {"reference": "b", "title": "Vase"},
        {"reference": "b", "title": "Bowl"},
        {"reference": "c", "title": "Cup"},
    ]
    told: list[Problem] = []
    report = add_items(db, batch, one_block(again), on_error="skip", on_problem=told.append)
    assert (report.added, report.known, report.rejected) == (2, 1, 2)
    assert [(problem.row, problem.field) for problem in told] == [
        (2, "reference"),
        (4, "reference"),
    ]
    assert "the batch has" in told[0].message
    assert "a row before it has" in told[1].message
    assert [key for key, _ in rows(db, batch)] == ["a", "b", "c"]
    assert counts(db, batch) == (3, 3, 3, 3)


def test_stop_leaves_nothing_behind(db: Any) -> None:
    """One bad row among thousands, in a later block: no item, task or count is left, and every
    problem is told, also those after the first."""
    batch = made.batch(db)
    good = [{"title": f"Lamp {n}"} for n in range(1000)]
    blocks = [
        Block(range(1, 1001), good, file="shop.csv"),
        Block(
            [1001, 1002, 1003], [{"title": ""}, {"price": "x"}, {"title": "ok"}], file="shop.csv"
        ),
        Block([1005], [{"title": "ok"}], [Problem("ragged", "", "shop.csv", 1004)], "shop.csv"),
    ]
    with pytest.raises(Refused) as refused:
        add_items(db, batch, blocks)
    places = [(problem.file, problem.row, problem.field) for problem in refused.value.problems]
    assert ("shop.csv", 1001, "title") in places
    assert ("shop.csv", 1002, "price") in places
    assert ("shop.csv", 1002, "title") in places
    assert ("shop.csv", 1004, "") in places
    assert refused.value.report.rejected == 3
    assert counts(db, batch) == (0, 0, 0, 0)


def test_skip_keeps_the_good_rows(db: Any) -> None:
    """Bad rows are told and left out."""
    batch = made.batch(db)
    records = [{"title": "a"}, {"title": "b" * 201}, {"title": "c"}]
    report = add_items(db, batch, one_block(records), on_error="skip")
    assert (report.added, report.rejected, report.n_problems) == (2, 1, 1)
    assert [key for key, _ in rows(db, batch)] == ["1", "3"]


NASTY: list[tuple[Any, str]] = [
    ("nul \0 here", "NUL"),
    ("half \ud800 pair", "Unicode"),
    ({"deep": ["nul \0"]}, "NUL"),
    ({"deep": "\udfff"}, "Unicode"),
    ("x" * (ITEM_BYTES_MAX + 1), "larger"),
    (object(), "JSON"),
]


@pytest.mark.parametrize(("value", "said"), NASTY, ids=[said for _, said in NASTY])
def test_what_the_database_cannot_store_is_told_by_row(db: Any, value: Any, said: str) -> None:
    """Neither a NUL, half a character nor a huge row becomes a traceback or spoils its
    neighbours."""
    batch = made.batch(db)
    records = [{"title": "one"}, {"title": "two", "note": value}, {"title": "three"}]
    report = add_items(db, batch, one_block(records), on_error="skip")
    assert [problem.row for problem in report.problems] == [2]
    assert said in report.problems[0].message
    assert [key for key, _ in rows(db, batch)] == ["1", "3"]


def test_text_that_only_looks_like_nul_is_kept(db: Any) -> None:
    r"""A backslash and "u0000" are six characters like others."""
    batch = made.batch(db)
    add_items(db, batch, one_block([{"title": "C:\\u0000 \\N \t tab\nline"}]))
    assert rows(db, batch)[0][1] == {"title": "C:\\u0000 \\N \t tab\nline"}


@pytest.mark.parametrize("key", ["", "  ", "a\tb", "a\nb", "k" * 201, 1.5, True, None, ["a"]])
def test_a_key_is_one_line_of_text(db: Any, key: Any) -> None:
    """A file with keys needs a usable one on each row."""
    batch = made.batch(db)
    records = [{"reference": 7, "title": "a"}, {"reference": key, "title": "b"}]
    report = add_items(db, batch, one_block(records), on_error="skip")
    assert [(problem.row, problem.field) for problem in report.problems] == [(2, "reference")]
    assert [found for found, _ in rows(db, batch)] == ["7"]


def test_a_file_has_keys_or_row_numbers_not_both(db: Any) -> None:
    """A key that turns up late would mix with row numbers."""
    batch = made.batch(db)
    records = [{"title": "a"}, {"reference": "k", "title": "b"}]
    report = add_items(db, batch, one_block(records), on_error="skip")
    assert "the first row has none" in report.problems[0].message


def test_columns_are_limited(db: Any) -> None:
    """A file whose rows each bring new fields cannot make a table of endless width."""
    batch = made.batch(db)
    records = [{"title": "a", f"field {n}": "x"} for n in range(COLUMNS_MAX + 1)]
    report = add_items(db, batch, one_block(records), on_error="skip")
    assert report.added == COLUMNS_MAX - 1
    assert "500 different fields" in report.problems[0].message


def test_a_closed_shape_refuses_other_columns_and_takes_the_key(db: Any) -> None:
    """The key is no field of the payload, so a shape without extras takes it."""
    batch = made.batch(db, extra=False)
    records = [{"reference": "a", "title": "a"}, {"reference": "b", "title": "b", "other": "x"}]
    report = add_items(db, batch, one_block(records), on_error="skip")
    assert (report.added, report.rejected) == (1, 1)


def test_new_items_reopen_a_delivered_batch_and_not_a_paused_one(db: Any) -> None:
    """More work means not delivered any more; a pause stays until somebody ends it; what was
    cancelled takes nothing."""
    batch = made.batch(db)
    sql = "update batch set state = %s, delivered_ms = 5 where id = %s"
    for state, after in (("delivered", "running"), ("paused", "paused")):
        db.execute(sql, [state, batch.id])
        db.execute("update batch_step set open = false where batch_id = %s", [batch.id])
        add_items(db, batch, one_block([{"reference": state, "title": "x"}]))
        sql_state = """select b.state, b.delivered_ms, s.open from batch b
                       join batch_step s on s.batch_id = b.id where b.id = %s"""
        found = db.execute(sql_state, [batch.id]).fetchone()
        assert found == (after, None, after == "running")
    db.execute(sql, ["delivered", batch.id])
    add_items(db, batch, one_block([{"reference": "paused", "title": "x"}]))
    state = db.execute("select state, delivered_ms from batch where id = %s", [batch.id])
    assert state.fetchone() == ("delivered", 5)
    db.execute(sql, ["cancelled", batch.id])
    with pytest.raises(Conflict, match="cancelled"):
        add_items(db, batch, one_block([{"title": "x"}]))


def test_progress_counts_rows_and_bytes(db: Any) -> None:
    """The bar moves with the file and ends at the number of rows."""
    batch = made.batch(db)
    seen: list[Progress] = []
    blocks = [Block([n], [{"title": f"t{n}"}], file="f", bytes_read=n * 10) for n in range(1, 4)]
    add_items(db, batch, blocks, progress=seen.append)
    assert [point.bytes_read for point in seen[:3]] == [10, 20, 30]
    assert seen[-1].rows == 3


def test_an_error_of_the_reader_undoes_the_import(db: Any) -> None:
    """A file that breaks in the middle leaves nothing, and the connection is usable."""
    batch = made.batch(db)

    def broken() -> Any:
        yield Block([1], [{"title": "a"}])
        raise Invalid("the file ends in the middle")

    with pytest.raises(Invalid, match="middle"):
        add_items(db, batch, broken())
    assert counts(db, batch) == (0, 0, 0, 0)


def test_two_imports_into_one_batch_do_not_run_at_once(fresh_url: str) -> None:
    """The second is refused while the first runs, and then knows its rows."""
    with psycopg.connect(fresh_url) as one, psycopg.connect(fresh_url) as two:
        batch = made.batch(one)
        one.commit()
        reading, go_on = threading.Event(), threading.Event()

        def slow() -> Any:
            yield Block([1], [{"title": "a"}])
            reading.set()
            go_on.wait(10)

        first = threading.Thread(target=lambda: (add_items(one, batch, slow()), one.commit()))
        first.start()
        assert reading.wait(10)
        with pytest.raises(Conflict, match="Another import"):
            add_items(two, batch, one_block([{"title": "a"}]))
        two.rollback()
        go_on.set()
        first.join()
        assert add_items(two, batch, one_block([{"title": "a"}])).known == 1


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef\\"), st.sampled_from(["x", "y"]), texts),
        max_size=25,
    ),
    st.integers(1, 7),
)
def test_every_row_is_added_known_or_told(db: Any, given_rows: Any, size: int) -> None:
    """Whatever keys repeat, in whatever blocks: each key once with its first values, counts that
    sum to the rows, and texts that come back as they were."""
    db.rollback()
    batch = made.batch(db)
    records = [{"reference": k, "title": t, "note": note or "-"} for k, t, note in given_rows]
    blocks = [
        Block(range(at + 1, at + 1 + len(part)), [dict(record) for record in part])
        for at in range(0, len(records), size)
        for part in [records[at : at + size]]
    ]
    report = add_items(db, batch, blocks, on_error="skip")
    first: dict[str, Any] = {}
    for record in records:
        first.setdefault(record["reference"], record)
    assert report.added + report.known + report.rejected == len(records)
    assert report.known == sum(r == first[r["reference"]] for r in records) - len(first)
    stored = dict(rows(db, batch))
    assert stored == {key: {"title": r["title"], "note": r["note"]} for key, r in first.items()}
    assert counts(db, batch) == (len(first),) * 4
