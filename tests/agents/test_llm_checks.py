"""Checks that a step declares: what they catch, what they say, and how a wrong one is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.grounding.checks_run import Finding, run
from canut.errors import Invalid
from canut.processes.checks import read_checks

INVOICE = {
    "text": "Atelier Kelmoor, TVA FR96000000125, IBAN FR14 2004 1010 0505 0001 3M02 606. "
    "Invoice 42 of 31/12/2025. Cloth 3 m at 100,00: 300,00. Thread: 20,00. Net 320,00, VAT 64,00, "
    "total 384,00 EUR",
    "paid": 384.0,
}
GOOD = {
    "number": "42",
    "date": "2025-12-31",
    "vat_number": "FR96000000125",
    "iban": "FR1420041010050500013M02606",
    "net": 320.0,
    "vat": 64.0,
    "total": 384.0,
    "lines": [{"amount": 300.0, "quantity": "3 m"}, {"amount": 20.0}],
}
TABLES: list[dict[str, Any]] = [
    {"check": "source", "fields": ["number", "vat_number", "total", "date"], "in": ["text"]},
    {
        "check": "sum",
        "total": "total",
        "parts": ["net", "vat", "-discount"],
        "optional": ["discount"],
    },
    {"check": "sum", "total": "net", "parts": ["lines.amount"], "tolerance": 1},
    {"check": "sum", "total": "item.paid", "parts": ["total"]},
    {"check": "format", "field": "date", "date": "%Y-%m-%d"},
    {"check": "format", "field": "number", "pattern": "[0-9]+"},
    {"check": "digits", "field": "vat_number", "scheme": "vat"},
    {"check": "digits", "field": "iban", "scheme": "iban"},
    {"check": "unit", "field": "lines.quantity", "units": ["m", "kg"]},
]
FIELDS = [*GOOD, "discount"]


def findings(**changed: Any) -> list[tuple[str, str]]:
    value = {key: part for key, part in (GOOD | changed).items() if part is not None}
    found = run(read_checks(TABLES, FIELDS, list(INVOICE)), INVOICE, value)
    return [(finding.check, finding.field) for finding in found]


def test_a_right_answer_passes_every_check() -> None:
    """Nothing is found where all holds, nor of fields that are not there."""
    assert findings() == []
    assert findings(number=None, date=None, iban=None) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        # schema-valid, in the source, and wrong: the total is a line amount; only the sum sees it
        ({"total": 300.0}, [("sum", "total"), ("sum", "item.paid")]),
        # well formed, with the right check digits, and from elsewhere: only the source sees it
        ({"vat_number": "FR67000000471"}, [("source", "vat_number")]),
        ({"total": 384.01, "vat": 64.01}, [("source", "total"), ("sum", "item.paid")]),
        ({"vat_number": "FR96000000126"}, [("source", "vat_number"), ("digits", "vat_number")]),
        ({"iban": "FR1420041010050500013M02607"}, [("digits", "iban")]),
        ({"date": "31/12/2025"}, [("format", "date")]),
        ({"number": "Invoice 42"}, [("format", "number")]),
        ({"vat": None}, [("sum", "total")]),
        (
            {"lines": [{"amount": 300.0, "quantity": "3 yd"}]},
            [("sum", "net"), ("unit", "lines[1].quantity")],
        ),
        ({"lines": [{"amount": "many"}]}, [("sum", "net")]),
        ({"lines": [{"amount": 319.99}]}, []),
        ({"discount": 1.0}, [("sum", "total")]),
    ],
)
def test_each_wrong_answer_is_caught_by_its_check(changed: Any, found: Any) -> None:
    """The hallucinations we know, each by the check that can see it, and no other."""
    assert findings(**changed) == found


def test_findings_say_what_is_wrong_in_both_languages() -> None:
    """Words for people, with the figures."""
    checks = read_checks(TABLES)
    (first, *_) = run(checks, INVOICE, GOOD | {"total": 300.0})
    assert first == Finding(
        "sum",
        "total",
        {
            "en": "total is 300.00, but net + vat - discount makes 384.00",
            "fr": "total vaut 300.00, mais net + vat - discount donne 384.00",
        },
    )
    for changed in ({"total": 1.0}, {"vat": None}, {"date": "x", "iban": "x", "vat_number": "x"}):
        for finding in run(checks, INVOICE, {k: v for k, v in (GOOD | changed).items() if v}):
            assert finding.text["en"] != finding.text["fr"]
            assert all(finding.text.values())


def test_an_answer_of_one_value_can_be_checked() -> None:
    """The whole answer is called "answer"."""
    checks = read_checks([{"check": "unit", "field": "answer", "units": ["g"]}])
    assert run(checks, {}, "1 250 g") == ()
    assert [one.field for one in run(checks, {}, "1.25 kg")] == ["answer"]


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (r"([0-9]{2} ){4}[0-9]{2}", "01 02 03 04 05"),
        (r"(FR|BE)?[0-9]+", "BE12"),
        (r"[(+*]+\)+", "(+*))"),
        (r"(\+[0-9])+", "+1+2"),
    ],
)
def test_patterns_people_need_are_taken(pattern: str, fits: str) -> None:
    """Groups repeated so many times, optional alternatives, signs that mean themselves."""
    checks = read_checks([{"check": "format", "field": "answer", "pattern": pattern}])
    assert run(checks, {}, fits) == ()
    assert run(checks, {}, fits + "!")


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), st.integers(0, 3))
def test_sums_are_exact_to_the_minor_unit(cents: list[int], off: int) -> None:
    """Floats of amounts add up as the accounts they come from; one unit off is off."""
    value = {"total": (sum(cents) + off) / 100, "lines": [{"amount": one / 100} for one in cents]}
    table = {"check": "sum", "total": "total", "parts": ["lines.amount"], "tolerance": 1}
    assert bool(run(read_checks([table]), {}, value)) == (off > 1)


@pytest.mark.parametrize(
    ("table", "fields"),
    [
        ({"check": "sums"}, ["check"]),
        ({}, ["check"]),
        ({"check": "sum"}, ["total", "parts"]),
        ({"check": "sum", "total": "totl", "parts": ["net"]}, ["total"]),
        (
            {"check": "sum", "total": "net", "parts": ["item.pad"], "decimals": 9},
            ["parts", "decimals"],
        ),
        ({"check": "sum", "total": "net", "parts": ["vat"], "optional": ["tax"]}, ["optional"]),
        ({"check": "source", "field": "net", "fields": ["vat"]}, ["field"]),
        ({"check": "source", "field": "net", "in": ["body"], "score_min": 2}, ["in", "score_min"]),
        ({"check": "source", "field": "Net Amount"}, ["field"]),
        ({"check": "format", "field": "net"}, ["pattern"]),
        ({"check": "format", "field": "net", "pattern": "["}, ["pattern"]),
        ({"check": "format", "field": "net", "pattern": "(a+)+b"}, ["pattern"]),
        ({"check": "format", "field": "net", "pattern": "((a+)b?){2,}"}, ["pattern"]),
        ({"check": "format", "field": "net", "pattern": "(a|aa)*c"}, ["pattern"]),
        ({"check": "format", "field": "net", "date": "day"}, ["date"]),
        ({"check": "digits", "field": "net", "scheme": "ibn"}, ["scheme"]),
        ({"check": "unit", "field": "net", "units": []}, ["units"]),
        ({"check": "unit", "field": "net", "units": ["g"], "unit": "g"}, ["unit"]),
    ],
)
def test_a_check_that_cannot_be_used_names_its_fields(table: Any, fields: list[str]) -> None:
    """Every wrong field at once, counted from 1; the good check before it stays out of it."""
    with pytest.raises(Invalid) as raised:
        read_checks([TABLES[0], table], FIELDS, list(INVOICE))
    found = [problem.field for problem in raised.value.problems]
    assert found == [f"checks[2].{field}" for field in fields]


@pytest.mark.shared
def test_totals_of_real_invoices_are_checked(shared: Path) -> None:
    """The sums that real invoices state hold; with a line for a total, they do not."""
    table = {"check": "sum", "total": "amount", "parts": ["amount_untaxed", "amount_tax"]}
    checks = read_checks([table])
    tried = 0
    for path in sorted((shared / "invoices" / "pdf").glob("*.json")):
        (expected,) = json.loads(path.read_text("utf-8"))
        if "amount_tax" not in expected:
            continue
        assert run(checks, {}, expected) == ()
        prices = {line["price_subtotal"] for line in expected["lines"] if "price_subtotal" in line}
        for price in prices - {expected["amount"]}:
            assert run(checks, {}, expected | {"amount": price})
            tried += 1
    assert tried
