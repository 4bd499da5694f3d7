"""Items against the shape of a process."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Invalid, Problem
from canut.processes.model import ItemField, ItemShape
from canut.processes.shape import check_item, compile_shape

SHAPE = ItemShape(
    (
        ItemField("title", "Title", required=True, length_max=20),
        ItemField("price", "Price", type="number"),
        ItemField("verified", "Verified", type="boolean"),
        ItemField("page", "Page", type="url"),
        ItemField("photo", "Photo", type="image"),
    )
)


def faults(payload: dict[str, Any], shape: ItemShape = SHAPE) -> list[Problem]:
    problems: list[Problem] = []
    assert compile_shape(shape, "items.csv")(payload, 7, problems) is None
    return problems


@pytest.mark.parametrize(
    ("field", "raw", "clean"),
    [
        ("title", "  Poêle 28 cm ", "Poêle 28 cm"),
        ("title", 4006381, "4006381"),
        ("price", "12.50", 12.5),
        ("price", "12,50", 12.5),
        ("price", " 12 ", 12),
        ("price", "-3", -3),
        ("price", "1e3", 1000.0),
        ("price", "0,125", 0.125),
        ("price", 3.25, 3.25),
        ("verified", "Oui", True),
        ("verified", "0", False),
        ("verified", 1, True),
        ("verified", False, False),
        ("page", " https://shop.example/a b", None),
        ("page", "HTTPS://shop.example/a?b=1#c", "HTTPS://shop.example/a?b=1#c"),
        ("photo", "asset:mug-plain.svg", "asset:mug-plain.svg"),
        ("photo", "https://shop.example/é.jpg", "https://shop.example/é.jpg"),
    ],
)
def test_values_come_out_typed_whatever_the_file_made_of_them(
    field: str, raw: Any, clean: Any
) -> None:
    """CSV knows only text, and clients write numbers and booleans in the ways of two languages."""
    payload = {"title": "Pan"} | {field: raw}
    if clean is None:
        assert [problem.field for problem in faults(payload)] == [field]
    else:
        found = check_item(SHAPE, payload)[field]
        assert found == clean
        assert type(found) is type(clean)


@pytest.mark.parametrize("empty", ["", "   ", None, math.nan])
def test_an_empty_value_is_no_value(empty: Any) -> None:
    """An empty cell is left out of the item where it may be, and reported where it may not."""
    payload = dict.fromkeys(("price", "verified", "page", "photo"), empty)
    assert check_item(SHAPE, {"title": "Pan"} | payload) == {"title": "Pan"}
    (problem,) = faults(payload | {"title": empty})
    assert (problem.field, problem.row, problem.file) == ("title", 7, "items.csv")
    assert problem.message == "the value is empty"


def test_every_wrong_field_of_a_row_is_reported() -> None:
    """A client mends a file once, not once per error."""
    problems = faults(
        {
            "title": "A title that is much too long",
            "price": "1,234",
            "verified": "perhaps",
            "page": "shop.example",
            "photo": "asset:../secret",
        }
    )
    assert [problem.field for problem in problems] == [
        "title",
        "price",
        "verified",
        "page",
        "photo",
    ]
    assert problems[1].mend == "write 1234 or 1.234"
    assert all(problem.mend for problem in problems)


def test_a_misspelt_column_is_recognised() -> None:
    """The mend for a missing field names the column that was meant."""
    (problem,) = faults({"tilte": "Pan"})
    assert problem.message == "the field is missing"
    assert problem.mend == "did you mean 'tilte'?"


def test_other_columns_are_kept_unless_refused() -> None:
    """Clients get their own columns back with the results, untouched; a strict shape says no."""
    payload = {"title": "Pan", "shelf": " B7 ", "tags": ["x", {"y": 1}]}
    assert check_item(SHAPE, payload) == payload
    strict = msgspec.structs.replace(SHAPE, extra=False)
    assert [problem.field for problem in faults(payload, strict)] == ["shelf", "tags"]
    (problem,) = faults({"title": "Pan", "prise": "3"}, strict)
    assert problem.mend == "did you mean 'price'?"


@pytest.mark.parametrize("field", ["title", "page", "photo", "shelf"])
@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b"])
def test_what_postgresql_cannot_store_is_refused(field: str, bad: str) -> None:
    """One NUL or half a surrogate pair in a million rows must not fail a whole COPY."""
    value = f"https://shop.example/{bad}" if field in ("page", "photo") else bad
    (problem,) = faults({"title": "Pan"} | {field: value})
    assert problem.field == field


@pytest.mark.parametrize("number", ["1_000", "nan", "inf", "1e999", "12a", "९", True, [], 2**70])
def test_numbers_that_are_none_are_refused(number: Any) -> None:
    """What Python would take for a number is not what a client meant, or JSON can carry."""
    assert [problem.field for problem in faults({"title": "Pan", "price": number})] == ["price"]


def test_one_item_alone_raises_with_its_problems() -> None:
    """The API checks single items with the same rules."""
    with pytest.raises(Invalid) as caught:
        check_item(SHAPE, {"price": "x"})
    assert [problem.field for problem in caught.value.problems] == ["price", "title"]


_values = st.one_of(
    st.text(max_size=30),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
)
_names = st.sampled_from([*(field.name for field in SHAPE.fields), "other"])


@given(st.dictionaries(_names, _values, max_size=6))
def test_a_row_is_either_clean_or_reported(payload: dict[str, Any]) -> None:
    """Whatever comes, it is stored as JSON or there is a problem; clean rows stay as they are
    when checked again."""
    problems: list[Problem] = []
    check = compile_shape(SHAPE)
    clean = check(payload, 1, problems)
    assert (clean is None) == bool(problems)
    if clean is not None:
        msgspec.json.encode(clean)
        assert check(clean, 1, []) == clean
