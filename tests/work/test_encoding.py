"""Lines for COPY: by columns and row by row are the same."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Problem
from canut.processes.model import REFERENCE, ItemField, ItemShape
from canut.processes.shape import compile_shape
from canut.work.encoding import Encoder
from canut.work.intake import Block
from canut.work.table import Table

FIELDS = (
    ItemField("title", "Title", required=True, length_max=12),
    ItemField("price", "Price", "number"),
    ItemField("new", "New", "boolean"),
)
OPTIONAL = tuple(ItemField(field.name, field.title, field.type) for field in FIELDS)

texts = st.text(st.characters(codec="utf-8"), max_size=14) | st.text('"\\\n\0\t é', max_size=5)
values = texts | st.none() | st.integers() | st.floats(width=32) | st.booleans()
records = st.fixed_dictionaries(
    {"title": st.sampled_from(["Lamp", "Vase"]) | values},
    optional={
        REFERENCE: st.text("ab1é\\ ", max_size=4) | st.integers(0, 9) | st.none(),
        "price": st.sampled_from(["1.5", "2,5", "3", "x", 4, 5.5]) | values,
        "new": st.sampled_from(["yes", "no", True]) | values,
        'no"te\\': values | st.lists(texts, max_size=2) | st.just({"a": "\0"}),
    },
)


class RowByRow(Encoder):
    """The careful way only."""

    def _by_columns(self, block: Any, problems: Any) -> None:
        return None


def outcome(
    encoder: Encoder, blocks: Sequence[Sequence[dict[str, Any]]]
) -> tuple[list[Any], list[Problem], int, list[str]]:
    lines: list[Any] = []
    problems: list[Problem] = []
    rejected = row = 0
    for block in blocks:
        rows = range(row + 1, row + 1 + len(block))
        row += len(block)
        found = encoder.encode(Block(rows, block))
        text = found.lines.decode()
        assert text.count("\n") == len(found.rows)
        for place, line in zip(found.rows, text.split("\n")[:-1], strict=True):
            batch, key, payload = (part.replace("\\\\", "\\") for part in line.split("\t"))
            lines.append((place, batch, key, json.loads(payload)))
        problems += found.problems
        rejected += found.rejected
    return lines, problems, rejected, encoder.columns


@given(
    st.lists(st.lists(records, min_size=1, max_size=6), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([FIELDS, OPTIONAL]),
)
def test_by_columns_and_row_by_row_are_the_same(
    blocks: Any, extra: bool, fields: tuple[ItemField, ...]
) -> None:
    """Whatever records hold, in whatever order: the same items, the same problems in the same
    order, the same counts and the same columns."""
    shape = ItemShape(fields, extra)
    one = outcome(RowByRow(compile_shape, shape, 7, []), _copied(blocks))
    two = outcome(Encoder(compile_shape, shape, 7, []), _copied(blocks))
    assert two == one


def _copied(blocks: Any) -> Any:
    return [[dict(record) for record in block] for block in blocks]


def test_a_table_is_written_by_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first block only the rows that are out of the ordinary are looked at one by one,
    and their neighbours stay in their places."""
    encoder = Encoder(compile_shape, ItemShape(FIELDS), 7, [])
    first = {"title": "Lamp", "price": "1", "colour": "red"}
    encoder.encode(Block([1], [dict(first)]))
    looked: list[int] = []
    plain = encoder._looked_at

    def spy(rows: Any, held: Any, problems: Any) -> Any:
        looked.extend(rows)
        return plain(rows, held, problems)

    monkeypatch.setattr(encoder, "_looked_at", spy)
    table = Table(
        {
            "title": pa.array(["Lamp", "V" * 20, "Vase", "Bowl", None]),
            "price": pa.array(["1", "2", "", "1e2", "5"]),
            "colour": pa.array(["red", "blue", None, "", "green"]),
        },
        5,
    )
    found = encoder.encode(Block(range(2, 7), table))
    assert looked == [3, 5, 6]
    assert list(found.rows) == [2, 4, 5]
    assert [problem.row for problem in found.problems] == [3, 6]
    items = [json.loads(line.split("\t")[2]) for line in found.lines.decode().splitlines()]
    assert items == [
        {"title": "Lamp", "price": 1, "colour": "red"},
        {"title": "Vase"},
        {"title": "Bowl", "price": 100, "colour": ""},
    ]
