"""Results and their files: every item once, with what was decided and on what grounds."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from canut.channels.export import FORMATS, export
from canut.errors import NotFound
from canut.work import results
from canut.work.intake import add_items, one_block
from canut.work.results import read_results, read_sheet
from tests.work import made

RECORD = {
    "type": "record",
    "title": "Describe it",
    "fields": [
        {"name": "colour", "type": "text", "title": "Colour"},
        {"name": "confidence", "type": "number", "title": "How sure the label is"},
    ],
}
SEVERAL = {
    "type": "choices",
    "title": "Which materials?",
    "options": [{"value": "wood", "label": "Wood"}, {"value": "glass", "label": "Glass"}],
}


def decide(
    db: Any, batch: Any, key: str, position: int, value: Any, method: str = "answers"
) -> None:
    """A decision as the engine writes it."""
    db.execute(
        """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
            n_answers, evidence, decided_ms)
        select coalesce((select max(task_id) from decision), 0) + 1, s.id, i.id, %s, 0.97, %s, 3,
            '[]', %s
        from batch_step s, item i
        where s.batch_id = %s and s.position = %s and i.batch_id = s.batch_id and i.key = %s""",
        [json.dumps(value), method, made.NOW, batch.id, position, key],
    )


@pytest.fixture
def batch(db: Any) -> Any:
    """Three items through a choice, a record and several choices: one done, one half, one open."""
    batch = made.batch(db, made.CHOICE, RECORD, SEVERAL)
    items = [
        {"reference": "a", "title": "=SUM(A1)", "price": "3.5", "note": "-12,5"},
        {"reference": "+b", "title": "Vase, grand", "category": "old"},
        {"reference": "c", "title": "Cup"},
    ]
    add_items(db, batch, one_block(items))
    decide(db, batch, "a", 1, "lamp")
    decide(db, batch, "a", 2, {"colour": "@red", "confidence": 0.5}, "expert")
    decide(db, batch, "a", 3, ["wood", "glass"])
    decide(db, batch, "+b", 1, "vase", "exhausted")
    return batch


def exported(db: Any, batch: Any, format: Any, **given: Any) -> bytes:
    return b"".join(export(db, batch.id, format, **given))


def table(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_csv_is_flat_and_safe_to_open(db: Any, batch: Any) -> None:
    """A row an item in the order of intake; records become columns, a field named like what is
    told of a decision does not hide it, and what a spreadsheet would run is made harmless."""
    rows = table(exported(db, batch, "csv"))
    assert [row["key"] for row in rows] == ["a", "'+b", "c"]
    first = rows[0]
    assert first["item.title"] == "'=SUM(A1)"
    assert first["item.note"] == "-12,5"
    assert (first["category"], first["category.confidence"]) == ("lamp", "0.97")
    assert (first["step1.colour"], first["step1.value.confidence"]) == ("'@red", "0.5")
    assert (first["step1.confidence"], first["step1.method"]) == ("0.97", "expert")
    assert json.loads(first["step2"]) == ["wood", "glass"]
    assert first["category.decided_at"] == "2027-01-15T08:00:00.000+00:00"
    assert (first["process"], first["version"], first["done"]) == ("shop/sort", "1", "true")
    assert (rows[1]["item.category"], rows[1]["category"], rows[1]["done"]) == (
        "old",
        "vase",
        "false",
    )
    assert (rows[2]["category"], rows[2]["category.n_answers"]) == ("", "")
    raw = table(exported(db, batch, "csv", raw=True))
    assert (raw[0]["item.title"], raw[1]["key"]) == ("=SUM(A1)", "+b")


def test_options_leave_out_items_and_columns(db: Any, batch: Any) -> None:
    """Only what is done, and only what was decided, in every format."""
    rows = table(exported(db, batch, "csv", undecided=False, items=False))
    assert [row["key"] for row in rows] == ["a"]
    assert not [name for name in rows[0] if name.startswith("item.")]
    (line,) = exported(db, batch, "jsonl", undecided=False, items=False).splitlines()
    assert "item" not in json.loads(line)
    data = exported(db, batch, "parquet", undecided=False, items=False)
    assert pq.read_table(io.BytesIO(data)).num_rows == 1


def test_json_lines_keep_the_structure(db: Any, batch: Any) -> None:
    """A line an item, values as they were decided; a step without a decision is not there."""
    lines = [json.loads(line) for line in exported(db, batch, "jsonl").splitlines()]
    assert [(line["key"], line["done"]) for line in lines] == [
        ("a", True),
        ("+b", False),
        ("c", False),
    ]
    assert lines[0]["item"] == {"title": "=SUM(A1)", "price": 3.5, "note": "-12,5"}
    assert lines[0]["decisions"]["step1"]["value"] == {"colour": "@red", "confidence": 0.5}
    assert lines[1]["decisions"]["category"]["method"] == "exhausted"
    assert lines[2]["decisions"] == {}


def test_parquet_has_types(db: Any, batch: Any) -> None:
    """Numbers, lists and moments keep their types."""
    rows = pq.read_table(io.BytesIO(exported(db, batch, "parquet"))).to_pylist()
    assert rows[0]["item.price"] == 3.5
    assert rows[0]["step2"] == ["wood", "glass"]
    assert rows[0]["step1.value.confidence"] == 0.5
    assert rows[0]["category.decided_at"].timestamp() * 1000 == made.NOW
    assert rows[2]["category"] is None


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_batch_gives_an_empty_file(db: Any, format: Any) -> None:
    """A batch without items has a header and no rows."""
    data = exported(db, made.batch(db), format)
    if format == "csv":
        assert table(data) == []
        assert data.startswith(b"key,done,category")
    elif format == "parquet":
        assert pq.read_table(io.BytesIO(data)).num_rows == 0
    else:
        assert data == b""


def test_pages_join_without_a_seam(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the pages, each item comes once, in order, with its own decisions."""
    batch = made.batch(db)
    add_items(db, batch, one_block([{"title": f"t{n}"} for n in range(1, 24)]))
    for n in range(1, 24, 2):
        decide(db, batch, str(n), 1, "lamp" if n % 3 else "vase")
    monkeypatch.setattr(results.read_page, "__defaults__", (0, 5))
    pages = list(read_results(db, read_sheet(db, batch.id)))
    assert [len(page) for page in pages] == [5, 5, 5, 5, 3]
    found = [(result.key, result.done) for page in pages for result in page]
    assert found == [(str(n), n % 2 == 1) for n in range(1, 24)]


def test_no_batch(db: Any) -> None:
    """The error comes before the first byte."""
    with pytest.raises(NotFound):
        export(db, 10**9)
