"""Checking by columns says what checking row by row says, or leaves it to it."""

import json
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Problem
from canut.processes.bulk import write_column
from canut.processes.model import ItemField, ItemShape
from canut.processes.shape import compile_shape

FIELDS: list[ItemField | None] = [
    None,
    ItemField("f", "F"),
    ItemField("f", "F", length_max=3),
    ItemField("f", "F", "number"),
    ItemField("f", "F", "boolean"),
    ItemField("f", "F", "url"),
    ItemField("f", "F", "image"),
]

numbers = st.from_regex(r"\A[+-]?[0-9]{0,5}([.,][0-9]{0,7})?(e[0-9])?\Z")
addresses = st.from_regex(r"\A(https?|asset|HTTP):(//)?[!-~é ]{0,8}\Z")
words = st.sampled_from(["yes", "No", "VRAI", "x", "0", "1", "oui", "null", "nan", "NaN", "-0"])
spaces = st.sampled_from(["", " ", "\n", "\t", "\x1c", "\x85", "\u00a0", "\u2028", "\u200b", "\0"])
plain = st.text(st.characters(codec="utf-8"), max_size=6) | st.text('"\\/\n\r\tb\x1f é', max_size=6)
texts = st.tuples(spaces, numbers | addresses | words | plain, spaces).map("".join)
whole = st.integers(-(2**63), 2**63 - 1)


def columns() -> Any:
    """Arrow columns of the types that readers give, with gaps."""

    def of(kind: Any, values: Any) -> Any:
        return st.lists(st.none() | values, min_size=1, max_size=8).map(
            lambda held: pa.array(held, kind)
        )

    return st.one_of(
        of(pa.string(), texts),
        of(pa.int64(), whole | st.integers(-20, 20)),
        of(pa.float64(), st.floats()),
        of(pa.bool_(), st.booleans()),
        of(pa.null(), st.none()),
        of(pa.list_(pa.string()), st.lists(plain, max_size=2)),
    )


@given(columns(), st.sampled_from(FIELDS), st.booleans())
def test_what_columns_are_sure_of_is_what_rows_say(
    values: Any, field: ItemField | None, sliced: bool
) -> None:
    """Same value, left out or kept, and never sure of a value that has a problem; also for a
    column that is a part of a longer one, as readers hand them over."""
    if sliced:
        values = pa.concat_arrays([values, values, values])[len(values) : 2 * len(values)]
    written = write_column(values, field)
    if written is None:
        return
    check = compile_shape(ItemShape((field,) if field else ()))
    sure = [True] * len(values) if written.sure is None else written.sure.to_pylist()
    for value, text, is_sure in zip(
        values.to_pylist(), written.json.to_pylist(), sure, strict=True
    ):
        if is_sure is False:
            continue
        problems: list[Problem] = []
        clean = check({"f": value}, 1, problems)
        assert problems == []
        if text is None:
            assert clean == {}
        else:
            assert clean == {"f": json.loads(f'"{text}"' if written.quoted else text)}
            assert "\\u0000" not in text


def test_plain_values_need_no_second_look() -> None:
    """What most files hold is done by columns: else the speed would be gone without a sound."""
    usual = {
        None: ["a", '19" \\ wide', "two\nlines", None, ""],
        "text": ["a", ' 19" \\ wide ', "two\nlines", None, ""],
        "number": ["12", "12.50", "4,5", "-3", " 7 ", "", None],
        "boolean": ["yes", "Non", "1", "", None],
        "url": ["https://shop.example/a?b=c#d", "", None],
        "image": ["asset:lamp.jpg", "https://shop.example/p.jpg"],
    }
    for kind, values in usual.items():
        written = write_column(pa.array(values), ItemField("f", "F", kind) if kind else None)  # type: ignore[arg-type]
        assert written is not None
        assert written.sure is None or False not in written.sure.to_pylist()
