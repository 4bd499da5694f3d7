"""Files with items: CSV, JSON lines, Parquet; packed with gzip or Zstandard, or not.

    shape = ...                                        # canut.processes.model.ItemShape
    with open_items("s3://bucket/products.csv.gz", shape, Columns(key="sku")) as blocks:
        report = add_items(conn, batch, blocks)        # canut.work.intake

A server that received the bytes itself calls `read_stream(body, "products.csv", shape)`; `body`
is any object with `read(size) -> bytes`. Reading and importing block, so they run in a thread:
they may share it, and the connection must be a synchronous one that nobody else uses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Literal

from canut.channels import delimited, jsonlines, parquet
from canut.channels.columns import Columns
from canut.channels.places import file_name, open_to_read
from canut.channels.streams import PARQUET, unpacked
from canut.errors import Invalid
from canut.processes.model import ItemShape
from canut.work.intake import Block

Format = Literal["csv", "jsonl", "parquet"]

READERS = {"csv": delimited.read, "jsonl": jsonlines.read, "parquet": parquet.read}

#: what people send by mistake, by its first bytes: what it is, and the mend
FOREIGN = (
    (b"PK\x03\x04", "a spreadsheet or a zip archive", "save it as CSV (UTF-8), or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet", "save it as CSV (UTF-8)"),
    (b"%PDF", "a PDF", "send the table it was made from, as CSV"),
    (b"BZh", "packed with bzip2", "pack it with gzip or Zstandard, or not at all"),
    (b"\xfd7zXZ", "packed with xz", "pack it with gzip or Zstandard, or not at all"),
    (b"7z\xbc\xaf", "packed with 7-Zip", "pack it with gzip or Zstandard, or not at all"),
    (b"\x89PNG", "a picture", "send a table with the addresses of the pictures"),
    (b"\xff\xd8\xff", "a picture", "send a table with the addresses of the pictures"),
    (b"GIF8", "a picture", "send a table with the addresses of the pictures"),
    (b"<", "HTML or XML", "send CSV, JSON lines or Parquet"),
)


def read_stream(
    stream: IO[bytes],
    name: str,
    shape: ItemShape,
    columns: Columns = Columns(),  # noqa: B008  frozen
    *,
    bytes_max: int | None = None,
) -> Iterator[Block]:
    """Rows of a stream of bytes, for `canut.work.intake.add_items`.

    The content tells the format, and the extension of `name` where the content could be either.
    At most `bytes_max` bytes, unpacked, are read. Raises `Invalid` when the whole file cannot be
    used; what is wrong with a row is a problem in its block.
    """
    found = unpacked(stream, bytes_max, name)
    reader = READERS[_format(found.peek(64)[:64], name)]
    yield from reader(found, name, columns, shape)


@contextmanager
def open_items(
    place: str,
    shape: ItemShape,
    columns: Columns = Columns(),  # noqa: B008  frozen
) -> Iterator[Iterator[Block]]:
    """Rows of a place: a path, "-", s3:// or https://. Raises as `read_stream` and
    `canut.channels.places.open_to_read`."""
    with open_to_read(place) as stream:
        yield read_stream(stream, file_name(place), shape, columns)


def _format(start: bytes, name: str) -> Format:
    if not start:
        raise Invalid(f"{name} is empty.", mend="send at least a header and a row")
    if start.startswith(PARQUET):
        return "parquet"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, what, mend in FOREIGN:
        if text.startswith(magic):
            raise Invalid(f"{name} holds no table: it is {what}.", mend=mend)
    if text.startswith(b"["):
        raise Invalid(f"{name} is one JSON list.", mend="write one object a line: jq -c '.[]' FILE")
    if text.startswith(b"{"):
        return "jsonl"
    ending = name.lower().removesuffix(".gz").removesuffix(".zst").rsplit(".", 1)[-1]
    if ending == "parquet":
        raise Invalid(f"{name} is not a Parquet file.", mend="write it again")
    return "jsonl" if ending in ("jsonl", "ndjson", "json") else "csv"
