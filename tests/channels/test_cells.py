"""Cells of CSV."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from canut.channels.cells import csv_lines, quoted


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=8) | st.text('",\r\n')] * 2),
        min_size=1,
    )
)
def test_any_text_comes_back_from_its_cell(rows: list[tuple[str, str]]) -> None:
    """What is written is what the csv module reads: quotation marks, commas, line ends."""
    data = csv_lines([[quoted(cell) for cell in column] for column in zip(*rows, strict=True)])
    assert list(map(tuple, csv.reader(io.StringIO(data.decode(), "")))) == rows
