"""Where a value stands in an item: other writings are found, made up values are not."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from babel.dates import format_date
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.grounding.spans import ground, ground_answer

INVOICE = (
    "Invoice 2025-0042 of 31.12.2025. Société Générâle des Métiers. Due on 3 mars 2026. "
    "Net 1 028,80 VAT 205,76 Total: 1 234,56 EUR. VAT no. FR 96 000 000 125. 12 boxes of 10 g."
)


@pytest.mark.parametrize(
    ("value", "words", "how"),
    [
        ("2025-0042", "2025-0042", "exact"),
        ("SOCIETE   GENERALE", "Société Générâle", "normalised"),
        ("FR96000000125", "FR 96 000 000 125", "normalised"),
        (1234.56, "1 234,56", "normalised"),
        ("1234.56", "1 234,56", "normalised"),
        (205.76, "205,76", "normalised"),
        ("2025-12-31", "31.12.2025", "normalised"),
        ("2026-03-03", "3 mars 2026", "normalised"),
        ("Societe Generalle des Metiers", "Société Générâle des Métiers", "fuzzy"),
    ],
)
def test_other_writings_of_a_value_are_found(value: Any, words: str, how: str) -> None:
    """Case, accents, spaces, formats of numbers and dates, a slip of the pen: the span is the very
    words of the source."""
    span = ground(value, {"note": "nothing", "text": INVOICE})
    assert span is not None
    assert (span.field, INVOICE[span.start : span.end], span.how) == ("text", words, how)


@pytest.mark.parametrize(
    "value",
    [
        "FR96000000126",  # one digit off: near is not enough where digits are
        1234.57,
        345.6,  # a piece of a longer number
        "2025-12-30",
        "2025-31-12",
        "ox",  # a piece of a word
        "Atelier Kelmoor",
        True,
        "",
        None,
        "   ",
    ],
)
def test_what_was_made_up_is_not_found(value: Any) -> None:
    """Near misses of digits, pieces of words and numbers, and inventions have no span."""
    assert ground(value, {"text": INVOICE}) is None


def test_a_reading_that_is_not_sure_scores_less() -> None:
    """A thousand or one and a bit, March or April, one number or two: found, less surely."""
    text = {"t": "1,234 pieces on 03/04/2025 at 7 250.00"}
    for value in (1234, 1.234, 250, "2025-04-03", "2025-03-04"):
        span = ground(value, text)
        assert span is not None
        assert span.score == 0.9


def test_every_part_of_a_record_has_its_span() -> None:
    """Fields and lines are named by their paths; a part that stands nowhere says so."""
    value = {"total": 1234.56, "lines": [{"qty": 12}, {"qty": 7}], "ok": "yes"}
    spans = ground_answer(value, {"text": INVOICE})
    assert [path for path, span in spans.items() if span] == ["total", "lines[1].qty"]
    assert list(spans) == ["total", "lines[1].qty", "lines[2].qty", "ok"]


@given(
    st.integers(-(10**9), 10**9),
    st.integers(0, 99),
    st.sampled_from(["en", "fr", "de", "de_CH", "en_IN", "es"]),
)
def test_a_number_is_found_however_a_language_writes_it(
    whole: int, cents: int, locale: str
) -> None:
    """Every amount, as babel writes it in six ways, is read back as itself."""
    amount = whole + cents / 100 if whole >= 0 else whole - cents / 100
    written = format_decimal(amount, format=None, locale=locale)
    span = ground(amount, {"t": f"Total : {written} EUR"})
    assert span is not None, written


@given(
    st.dates(date(1950, 1, 1), date(2049, 12, 31)),
    st.sampled_from(["en", "fr", "de", "es", "it", "nl", "pt", "en_US", "en_GB"]),
    st.sampled_from(["medium", "long"]),
)
def test_a_date_is_found_however_a_language_writes_it(day: date, locale: str, width: Any) -> None:
    """Every day, as babel writes it in nine ways, is read back as itself."""
    written = format_date(day, width, locale=locale)
    assert ground(day.isoformat(), {"t": f"le {written}, x"}) is not None, written


@given(st.text(max_size=200), st.text(max_size=30) | st.floats() | st.integers())
def test_a_span_lies_in_its_source(text: str, value: Any) -> None:
    """Whatever the texts hold, a span is not empty and lies within; nothing breaks."""
    span = ground(value, {"t": text})
    if span is not None:
        assert 0 <= span.start < span.end <= len(text)
        assert 0.85 <= span.score <= 1


@pytest.mark.shared
def test_attributes_of_real_offers_stand_in_their_titles(shared: Path) -> None:
    """Of the attribute values people found in real titles nearly all are found; of those of
    other titles, nearly none."""
    lines = (shared / "attributes" / "oa-mine" / "test.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    values = [
        [value for found in row["target_scores"].values() for value in found if value != "n/a"]
        for row in rows
    ]

    def share(shift: int) -> float:
        pairs = zip(rows, values[shift:] + values[:shift], strict=True)
        spans = [ground(value, {"t": row["input"]}) for row, here in pairs for value in here]
        return sum(span is not None for span in spans) / len(spans)

    assert share(0) >= 0.995
    # Offers of one kind share words ("Men's", "Black"); kinds lie far apart in the file.
    assert share(len(rows) // 2) <= 0.08
