"""Pictures that come with a table, or in the place of one: as files, or in a zip. A table names
them in its rows; without one, each is an item. What is no picture is left out, and told by name."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import IO, Any

from msgspec import Struct, structs

from canut.channels.columns import Columns
from canut.channels.drafts.files import Uploads
from canut.channels.drafts.model import Handed
from canut.channels.pictures import BYTES_MAX, PREFIX, Pictures, kind_of
from canut.channels.zipped import FILES_MAX as PACKED_MAX
from canut.channels.zipped import MAGIC, Entry, Zipped, is_clutter, too_many
from canut.errors import Invalid, Problem
from canut.work.intake import Block

TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet")
#: files that are sent one by one, at once; more come in a zip
FILES_MAX = 500
#: largest table in a zip, in bytes
TABLE_BYTES_MAX = 200_000_000
#: zips may unpack to so many bytes, or to so many times their own
UNPACKED_BYTES = 100_000_000
UNPACKED_TIMES = 50
#: what is left out is told of so many by name
TOLD_MAX = 100


class Sent(Struct, frozen=True):
    """A file as it was sent."""

    name: str
    stream: IO[bytes]


class Called(Struct, frozen=True):
    """What pictures without a table are called: the draft, and the columns of the table that is
    made of them."""

    draft: str = "Pictures"
    file: str = "file"
    picture: str = "picture"


class Gathered(Struct, frozen=True):
    """What was found in the files that were sent."""

    table: Sent
    #: whether it was made of the pictures
    made: bool
    #: path of each picture -> what an item's field holds
    names: dict[str, str]
    #: bytes of the pictures
    bytes: int
    #: by file, what is neither
    left_out: list[Problem]


def gather(
    sent: Sequence[Sent], kept: Pictures, client_id: int, bytes_max: int, called: Called
) -> Gathered:
    """Keep every picture that was sent, and find the table; where there is none, it is made, and
    the draft called as the one file that was sent. Raises `Invalid` where there are more
    files than are taken, or a zip cannot be read."""
    if len(sent) > FILES_MAX:
        mend = "put them into a zip, and hand that in"
        raise Invalid(f"There are more than {FILES_MAX:,} files.", mend=mend)
    found = _Gathering(kept, client_id, bytes_max)
    for one in sent:
        head = one.stream.read(64)
        one.stream.seek(0)
        if not head.startswith(MAGIC):
            found.file(one, head)
            continue
        packed = Zipped(one.stream, one.name)
        found.count(packed, one.name)
        if packed.is_document:
            one.stream.seek(0)
            found.file(one, head)
        else:
            found.unpack(packed)
    if len(sent) == 1:
        called = structs.replace(called, draft=sent[0].name)
    return found.gathered(called)


class _Gathering:
    """What was found so far."""

    def __init__(self, kept: Pictures, client_id: int, bytes_max: int):
        self._kept, self._client_id, self._bytes_max = kept, client_id, bytes_max
        self.table: Sent | None = None
        self.names: dict[str, str] = {}
        self.bytes = 0
        #: of zips: files in them, their own bytes, and bytes unpacked of them
        self._n_packed = self._packed = self._unpacked = 0
        self.left_out: list[Problem] = []

    def gathered(self, called: Called) -> Gathered:
        """All of it, with a table in any case: where none was sent, one of the pictures.
        Raises `Invalid` where there is neither."""
        table = self.table
        if table is not None and self.names and not _called_table(table.name):
            self.left_out.append(_not_a_picture(table.name))
            table = None
        if table is None and not self.names:
            mend = "hand in a table, or pictures"
            raise Invalid("There is nothing to use in this.", problems=self.left_out, mend=mend)
        made = table is None
        table = table or Sent(called.draft, _listed(self.names, called))
        return Gathered(table, made, self.names, self.bytes, self.left_out)

    def file(self, one: Sent, head: bytes) -> None:
        """A file that was sent as it is."""
        if kind_of(head) is not None:
            self._picture(one.name, one.stream.read(BYTES_MAX + 1))
        elif is_clutter(one.name):
            return
        else:
            self._table(one)

    def count(self, packed: Zipped, name: str) -> None:
        """A zip was opened: how much is in all of them is bounded as for one."""
        self._packed += packed.bytes
        self._n_packed += packed.n
        if self._n_packed > PACKED_MAX:
            raise too_many(name)

    def unpack(self, packed: Zipped) -> None:
        """Everything in a zip that can be used. What else is in it is only begun."""
        for entry in packed.entries():
            # a text beside pictures is a note to somebody
            table = _called_table(entry.path) and not entry.path.lower().endswith(".txt")
            head = packed.begin(entry)
            if head is None:
                self._broken(entry.path)
                continue
            table = table and kind_of(head) is None
            if table and self._has_table:
                self._table(Sent(entry.path, io.BytesIO()))
            elif table or kind_of(head):
                self._whole(packed, entry, table=table)
            else:
                self.left_out.append(_not_a_picture(entry.path))

    def _whole(self, packed: Zipped, entry: Entry, *, table: bool) -> None:
        """A file in a zip that is worth unpacking."""
        most = TABLE_BYTES_MAX if table else BYTES_MAX
        self._unpacked += packed.size(entry, most)
        if self._unpacked > self._bytes_max:
            raise self._too_large()
        if self._unpacked > max(UNPACKED_BYTES, UNPACKED_TIMES * self._packed):
            mend = "hand in what is in it, without a zip"
            raise Invalid("The zip unpacks to far more than it is.", mend=mend)
        data = packed.read(entry, most)
        if data is None:
            self._broken(entry.path)
        elif not table:
            self._picture(entry.path, data)
        elif len(data) > TABLE_BYTES_MAX:
            mend = "hand it in beside the zip"
            self.left_out.append(Problem("the table is too large", mend, entry.path))
        else:
            self._table(Sent(entry.path.rpartition("/")[2], io.BytesIO(data)))

    def _broken(self, path: str) -> None:
        mend = "make the zip again, without a password"
        self.left_out.append(Problem("it cannot be unpacked", mend, path))

    def _too_large(self) -> Invalid:
        mend = f"hand in {self._bytes_max:,} bytes of pictures at most"
        return Invalid("The pictures are too large together.", mend=mend)

    @property
    def _has_table(self) -> bool:
        return self.table is not None and _called_table(self.table.name)

    def _table(self, one: Sent) -> None:
        """The file is the table, if anything is: what is called one comes before what is not."""
        before = self.table
        if before is None:
            self.table = one
        elif not _called_table(one.name):
            self.left_out.append(_not_a_picture(one.name))
        elif not self._has_table:
            self.left_out.append(_not_a_picture(before.name))
            self.table = one
        else:
            mend = "hand in one table at a time"
            self.left_out.append(Problem("there is a table already", mend, one.name))

    def _picture(self, path: str, data: bytes) -> None:
        if self.bytes + len(data) > self._bytes_max:
            raise self._too_large()
        try:
            made = self._kept.keep(self._client_id, data)
        except Invalid as error:
            problem = error.problems[0]
            self.left_out.append(structs.replace(problem, file=path))
            return
        value = PREFIX + made.name
        if self.names.setdefault(path, value) != value:
            mend = "give each a name of its own"
            self.left_out.append(Problem("another picture has this name", mend, path))
            return
        self.bytes += len(data)


def _called_table(name: str) -> bool:
    return name.lower().removesuffix(".gz").removesuffix(".zst").endswith(TABLES)


def _not_a_picture(path: str) -> Problem:
    return Problem("this is not a picture", "send JPEG, PNG, GIF, WebP or AVIF", path)


def _listed(names: Mapping[str, str], called: Called) -> IO[bytes]:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([called.file, called.picture])
    writer.writerows(names.items())
    return io.BytesIO(out.getvalue().encode())


def handed(found: Gathered, rows: Sequence[Mapping[str, Any]]) -> Handed | None:
    """What a draft remembers of pictures, given the first rows of its table. Raises `Invalid` where
    none of them names a picture."""
    if not found.names and not found.left_out:
        return None
    columns: tuple[str, ...] = ()
    if found.names and not found.made:
        of = by_name(found.names)
        named = (name for row in rows for name, value in row.items() if _folded(value) in of)
        columns = tuple(dict.fromkeys(named))
        if not columns:
            mend = "write the file name of its picture into each row, in one column"
            raise Invalid("No row names any of the pictures.", mend=mend)
    told = tuple(found.left_out[:TOLD_MAX])
    return Handed(len(found.names), columns, told, len(found.left_out))


def by_name(names: Mapping[str, str]) -> dict[str, str]:
    """What rows may call each picture: its path, and its name alone where only one is called so."""
    alone: dict[str, set[str]] = {}
    for path, value in names.items():
        alone.setdefault(_folded(PurePosixPath(path).name), set()).add(value)
    one = {name: next(iter(values)) for name, values in alone.items() if len(values) == 1}
    return one | {_folded(path): value for path, value in names.items()}


def with_pictures(
    blocks: Iterable[Block], columns: Iterable[str], names: Mapping[str, str]
) -> Iterator[Block]:
    """The rows, with pictures in the place of their names in these columns."""
    of, looked_at = by_name(names), list(columns)
    for block in blocks:
        records = [dict(record) for record in block.records]
        for record in records:
            for name in looked_at:
                value = of.get(_folded(record.get(name)))
                if value is not None:
                    record[name] = value
        yield structs.replace(block, records=records)


def pictured(
    blocks: Iterator[Block], columns: Columns, told: Handed | None, uploads: Uploads, file: str
) -> Iterator[Block]:
    """The rows of a file that is kept, read with these columns, with the pictures that came."""
    if told is None or not told.columns:
        return blocks
    fields = {column: field for field, column in columns.renamed.items()}
    called = [fields.get(name, name) for name in told.columns if name != columns.key]
    return with_pictures(blocks, called, uploads.names(file))


def _folded(value: Any) -> str:
    """A path as it is compared: systems write accents and slashes in more than one way."""
    if not isinstance(value, str):
        return ""
    return unicodedata.normalize(
        "NFC", value.strip().replace("\\", "/").removeprefix("./")
    ).casefold()
