"""The pure rules of the books: splitting, the table of flows, currencies."""

import psycopg
import pytest
from babel import numbers
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Invalid
from canut.pay.ledger import FLOWS, split
from canut.pay.ledger.currency import DIGITS, written
from canut.pay.ledger.flows import INDIVISIBLE, MAY_OWE
from canut.pay.ledger.model import OWNERS


@given(
    st.integers(0, 10**13),
    st.lists(st.integers(0, 10**9), min_size=1, max_size=50).filter(any),
)
def test_a_split_loses_nothing(amount: int, weights: list[int]) -> None:
    """The parts sum to the amount; each is within a cent of its exact share; who weighs nothing
    gets nothing, and who weighs as much as another gets as much, but for a cent."""
    parts = split(amount, weights)
    total = sum(weights)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * total - amount * weight) < total
        assert weight or not part
    for part, weight in zip(parts, weights, strict=True):
        alike = [p for p, w in zip(parts, weights, strict=True) if w == weight]
        assert max(alike) - part <= 1


def test_the_largest_remainder_gets_the_cent() -> None:
    """Three votes of Hamilton's, by hand; of equal ones the first."""
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(10, [33, 33, 34]) == [3, 3, 4]
    assert split(7, [5, 3, 1]) == [4, 2, 1]
    for amount, weights in [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])]:
        with pytest.raises(Invalid):
            split(amount, weights)


def test_the_reserve_never_reaches_members() -> None:
    """By no way through other accounts of ours: nothing leaves it at all."""
    ways = [way for pairs in FLOWS.values() for way in pairs]
    assert all(debit != INDIVISIBLE for debit, _ in ways)
    assert any(credit == INDIVISIBLE for _, credit in ways)
    assert {kind for way in ways for kind in way} == set(OWNERS)


def test_program_and_database_permit_the_same(db: psycopg.Connection) -> None:
    """The table of flows, and which accounts may owe."""
    there = set(db.execute("select kind, debit_kind, credit_kind from ledger_flow").fetchall())
    assert there == {(kind, *way) for kind, ways in FLOWS.items() for way in ways}
    sql = "select pg_get_constraintdef(oid) from pg_constraint where conname = %s"
    [text] = db.execute(sql, ["ledger_account_covered"]).fetchone() or [""]
    assert {kind for kind in OWNERS if f"'{kind}'" in text} == MAY_OWE


def test_currencies_are_those_of_the_standard() -> None:
    """Codes are those that Unicode knows; amounts are written with the digits of each."""
    known = numbers.list_currencies()
    for code, digits in DIGITS.items():
        assert code in known or code == "XCG"
        assert len(code) == 3
        assert digits in {0, 2, 3}
    assert (DIGITS["EUR"], DIGITS["JPY"], DIGITS["TND"]) == (2, 0, 3)
    assert written(-123456, "EUR") == "-1,234.56 EUR"
    assert written(5, "JPY") == "5 JPY"
    assert written(5, "TND") == "0.005 TND"
