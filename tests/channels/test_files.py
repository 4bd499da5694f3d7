"""Reading: whatever people send is read, or told row by row, and never a traceback."""

import csv
import gzip
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.channels import delimited, text
from canut.channels.columns import Columns, parse_map
from canut.channels.files import open_items, read_stream
from canut.errors import Invalid, Problem
from tests.work.made import shape

SHAPE = shape()


def read(data: bytes, name: str = "shop.csv", columns: Columns | None = None, **given: Any) -> Any:
    """(row, record) of every row, and the problems."""
    rows: list[tuple[int, dict[str, Any]]] = []
    problems: list[Problem] = []
    for block in read_stream(io.BytesIO(data), name, SHAPE, columns or Columns(), **given):
        rows += zip(block.rows, block.records, strict=True)
        problems += block.problems
    return rows, problems


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_tables_as_programs_write_them(delimiter: str, encoding: str, end: str) -> None:
    """Every usual separator, encoding and line end gives the same rows, quoted values whole."""
    lines = ["sku;title;price", 'a1;"Lampe, dorée; grande";3', "a2;Vase|bleu;4,5"]
    table = csv.writer(out := io.StringIO(), delimiter=delimiter, lineterminator=end)
    for line in csv.reader(lines, delimiter=";"):
        table.writerow(line)
    rows, problems = read(out.getvalue().encode(encoding))
    assert problems == []
    assert rows == [
        (1, {"sku": "a1", "title": "Lampe, dorée; grande", "price": "3"}),
        (2, {"sku": "a2", "title": "Vase|bleu", "price": "4,5"}),
    ]


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)] * 3),
        max_size=30,
    ),
    st.integers(1, 40),
)
def test_what_the_csv_module_writes_is_read_back(table: Any, chunk: int) -> None:
    """Any text survives, wherever the file is cut into chunks and blocks."""
    out = io.StringIO()
    csv.writer(out).writerows([("title", "price", "note"), *table])
    chunk_max, rows_max = text.CHUNK_BYTES, delimited.BLOCK_ROWS
    text.CHUNK_BYTES, delimited.BLOCK_ROWS = chunk, 7
    try:
        rows, problems = read(out.getvalue().encode())
    finally:
        text.CHUNK_BYTES, delimited.BLOCK_ROWS = chunk_max, rows_max
    assert problems == []
    assert [tuple(record.values()) for _, record in rows] == list(table)


@given(
    st.text(st.sampled_from('aé",,""\n\n\r'), max_size=60).map("title,b\n".__add__),
    st.integers(1, 30),
)
def test_any_text_is_read_as_the_csv_module_reads_it(data: str, chunk: int) -> None:
    """By columns or row by row, quotation marks in odd places and line ends of any kind, and
    wherever a piece ends: the same rows under the same numbers, and the same ragged ones."""
    chunk_max, text.CHUNK_BYTES = text.CHUNK_BYTES, chunk
    try:
        rows, problems = read(data.encode())
    finally:
        text.CHUNK_BYTES = chunk_max
    wanted = [row for row in csv.reader(io.StringIO(data, "")) if any(row)][1:]
    good = {number: row for number, row in enumerate(wanted, 1) if len(row) == 2}
    assert {number: list(record.values()) for number, record in rows} == good
    assert [problem.row for problem in problems] == [
        number for number in range(1, len(wanted) + 1) if number not in good
    ]


def test_ragged_rows_are_told_and_the_others_read() -> None:
    """A row with too many or too few values is a problem with its number and the mend; blank
    lines and lines of separators only are no rows."""
    data = b"title,price\nLamp,3\nVase,4,5\n\n,\nBowl\nCup,6\n"
    rows, problems = read(data)
    assert [(row, record["title"]) for row, record in rows] == [(1, "Lamp"), (4, "Cup")]
    assert [problem.row for problem in problems] == [2, 3]
    assert "in the row: 3, in the header: 2" in problems[0].message
    assert "quotation marks" in problems[0].mend
    assert "a comma" in problems[0].mend


def test_a_value_without_end_is_told() -> None:
    """A quotation mark left open swallows what follows; the row is named, and reading goes on."""
    long = "x" * (csv.field_size_limit() + 1)
    data = f'title,price\nLamp,3\n"Vase {long},4\nBowl,5\nCup,6\n'.encode()
    rows, problems = read(data)
    assert rows[0] == (1, {"title": "Lamp", "price": "3"})
    assert problems[0].row == 2
    assert "quotation mark" in problems[0].mend
    assert [record["title"] for _, record in rows[1:]] == ["Bowl", "Cup"]
    assert [row for row, _ in rows[1:]] == [3, 4]


def test_bytes_of_another_encoding_reach_the_check_of_the_field(db: Any) -> None:
    """Latin-1 is told by row and field, with the mend; the rows beside it are fine."""
    from canut.work.intake import add_items
    from tests.work import made

    data = "title,price\nLamp,3\nVase bleuté,4\nCup\0,5\n".encode("latin-1")
    blocks = read_stream(io.BytesIO(data), "shop.csv", SHAPE)
    report = add_items(db, made.batch(db), blocks, on_error="skip")
    assert report.added == 1
    places = [(problem.file, problem.row, problem.field) for problem in report.problems]
    assert places == [("shop.csv", 2, "title"), ("shop.csv", 3, "title")]
    assert report.problems[0].mend == "save the file as UTF-8"
    assert "NUL" in report.problems[1].message


def test_columns_are_mapped_and_the_key_is_taken() -> None:
    """`--map` and `--key` rename columns; a column whose name is taken steps aside."""
    columns = Columns(parse_map(["title=Product name"]), key="sku")
    rows, _ = read(b"sku,Product name,title,colour\na1,Lamp,old,red\n", columns=columns)
    assert rows == [
        (1, {"reference": "a1", "title": "Lamp", "title (file)": "old", "colour": "red"})
    ]
    rows, _ = read(b'{"sku": "a", "Product name": "x"}\n{"title": "y"}', "f.jsonl", columns)
    assert rows == [(1, {"reference": "a", "title": "x"}), (2, {"title": "y", "reference": None})]


def test_columns_that_do_not_fit_are_told_once() -> None:
    """Missing, mapped and not there, named twice: all in one error, with what the file has."""
    with pytest.raises(Invalid) as caught:
        read(b"Titel,price,price\nx,1,2\n", columns=Columns({"price": "prcie"}, key="sku"))
    told = {(problem.field, problem.message): problem for problem in caught.value.problems}
    assert len(told) == 4
    assert "did you mean 'Titel'" in told["title", "the process requires this column"].mend
    assert any("did you mean 'price'" in problem.mend for problem in told.values())
    for wrong in ("title", "=x", "title="):
        with pytest.raises(Invalid):
            parse_map([wrong])


def test_json_lines() -> None:
    """Objects a line; a line that is none is told, with what is wrong with it."""
    lines = [
        b'\xef\xbb\xbf{"title": "Lamp", "price": 3}',
        b"",
        b"[1, 2]",
        b'{"title": ',
        b'{"title": "Vase", "tags": ["a"]}',
        b'{"title": "\xe9"}',
        b'{"a": ' * 5000,
        b'{"title": "Cup"}',
    ]
    rows, problems = read(b"\r\n".join(lines), "shop.jsonl")
    assert [(row, record["title"]) for row, record in rows] == [
        (1, "Lamp"),
        (4, "Vase"),
        (7, "Cup"),
    ]
    assert [problem.row for problem in problems] == [2, 3, 5, 6]
    assert [word for word in ("object", "JSON", "UTF-8") if word in str(problems)] == [
        "object",
        "JSON",
        "UTF-8",
    ]


def parquet(**columns: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, row_group_size=2)
    return out.getvalue()


def test_parquet() -> None:
    """Row groups are streamed; types that JSON lacks come as text, bytes that are text too."""
    data = parquet(
        title=pa.array(["Lamp", "Vase", None]).dictionary_encode(),
        price=[Decimal("1.50"), Decimal("2.00"), None],
        since=[date(2026, 1, 2)] * 3,
        code=[b"a", b"b", b"c"],
        ok=[True, False, None],
        tags=[["a"], [], None],
    )
    rows, problems = read(data, "shop.parquet")
    assert problems == []
    assert rows[0] == (
        1,
        {
            "title": "Lamp",
            "price": "1.50",
            "since": "2026-01-02",
            "code": "a",
            "ok": True,
            "tags": ["a"],
        },
    )
    assert [row for row, _ in rows] == [1, 2, 3]
    with pytest.raises(Invalid, match="holds bytes"):
        read(parquet(title=[b"\xff"]), "shop.parquet")
    for broken in (data[:-20], data[:4] + b"x" * 50):
        with pytest.raises(Invalid, match="Parquet"):
            read(broken, "shop.parquet")


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.compress(data, codec="zstd", asbytes=True)
    return packed


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_packed_files(pack: Any) -> None:
    """gzip and Zstandard are taken off, also in several parts; a broken archive is told."""
    data = pack(b"title,price\nLamp,3\n") + pack(b"Vase,4\n")
    rows, _ = read(data, "shop.csv.gz")
    assert [record["title"] for _, record in rows] == ["Lamp", "Vase"]
    long = pack(b"title,price\n" + b"Lamp %d,3\n" * 50_000)
    with pytest.raises(Invalid, match="cannot be unpacked"):
        read(long[: len(long) // 2])
    with pytest.raises(Invalid, match="larger than"):
        read(pack(b"title\n" + b"x\n" * 500_000), bytes_max=100_000)
    rows, _ = read(pack(parquet(title=["Lamp"])), "x")
    assert rows == [(1, {"title": "Lamp"})]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"PK\x03\x04....", "spreadsheet"),
        (b"%PDF-1.7", "PDF"),
        (b'[{"title": "x"}]', "one JSON list"),
        (b"<html>", "HTML"),
        (b"BZh9", "bzip2"),
        (b"\xff\xfet\x00i\x00\x00\xd8t\x00l\x00e\x00\n\x00", "UTF-16"),
    ],
)
def test_files_that_are_none(data: bytes, said: str) -> None:
    """What people send by mistake is named, with what to do."""
    with pytest.raises(Invalid, match=said):
        read(data)


def test_a_file_without_lines_is_refused_before_it_fills_the_memory() -> None:
    """A gigabyte of zeros is no table."""

    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.given += size
            assert self.given < 10 * text.ROW_BYTES_MAX
            return b"x" * size

    for name in ("x.csv", "x.jsonl"):
        with pytest.raises(Invalid, match="more than"):
            list(read_stream(cast(IO[bytes], Endless()), name, SHAPE))


@given(st.binary(max_size=400), st.sampled_from(["x.csv", "x.jsonl", "x.parquet"]))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    """Nothing a file can hold raises anything but `Invalid`."""
    try:
        rows, _ = read(data, name)
    except Invalid as error:
        assert error.message  # noqa: PT017  either way is right
    else:
        assert all(isinstance(record, dict) for _, record in rows)


def test_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path and standard input; what is not there or not known is told."""
    path = tmp_path / "shop.csv"
    path.write_bytes(b"title\nLamp\n")
    with open_items(str(path), SHAPE) as blocks:
        assert [block.records for block in blocks] == [[{"title": "Lamp"}]]

    class Input:
        buffer = io.BytesIO(json.dumps({"title": "Vase"}).encode())

    monkeypatch.setattr("sys.stdin", Input)
    with open_items("-", SHAPE) as blocks:
        (block,) = blocks
        assert (block.file, block.records) == ("stdin", [{"title": "Vase"}])
    for place in (str(tmp_path / "none.csv"), str(tmp_path), "gopher://x/y"):
        with pytest.raises(Invalid), open_items(place, SHAPE) as blocks:
            list(blocks)
