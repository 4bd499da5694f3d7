"""What is in a zip file that somebody sent. Nothing is believed that it says about itself: its list
of contents is counted before it is read, no two files in it may be the same bytes, what is unpacked
is bounded, and names are never used as paths."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from msgspec import Struct

from canut.errors import Invalid

MAGIC = b"PK\x03\x04"
#: files in one zip
FILES_MAX = 20_000
#: bytes of names and notes in its list of contents, for each of them
LISTED_BYTES = 400
#: what tells the kind of a file
HEAD_BYTES = 64
#: what systems put beside the files of a folder
CLUTTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")
#: what only a spreadsheet or a text document has
OFFICE = ("[Content_Types].xml", "mimetype")

# the other ways to pack have no bound on what a few bytes become
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_MAX = 65_535
_LARGE = b"PK\x06\x07"
_LARGE_BYTES = 20
_LISTED_MIN = 46
_HEADER_MIN = 30


class Entry(Struct, frozen=True):
    """A file in a zip."""

    #: its folders and its name, with "/"
    path: str
    #: None: it is locked with a password, or packed in a way that is not read
    info: zipfile.ZipInfo | None


class Zipped:
    """A zip file, open. Raises `Invalid` for what is none, or holds too much."""

    def __init__(self, stream: IO[bytes], name: str):
        listed_at, size = _check_list(stream, name)
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise Invalid(f"{name} cannot be unpacked: {error}.", mend="make it again") from error
        #: its own size
        self.bytes = size
        #: files and folders in it
        self.n = len(self._zip.infolist())
        _check_apart(self._zip.infolist(), listed_at, name)

    @property
    def is_document(self) -> bool:
        """Whether it is a spreadsheet or a text, which are zip files too."""
        return any(name in self._zip.NameToInfo for name in OFFICE)

    def entries(self) -> Iterator[Entry]:
        """Its files, without what systems put beside them."""
        for info in self._zip.infolist():
            path = info.filename
            if info.is_dir() or is_clutter(path):
                continue
            known = not info.flag_bits & 1 and info.compress_type in _PACKED
            yield Entry(path, info if known else None)

    def begin(self, entry: Entry) -> bytes | None:
        """Its first bytes, which tell what it is; None where they cannot be unpacked."""
        return self._read(entry, HEAD_BYTES)

    def size(self, entry: Entry, bytes_max: int) -> int:
        """What `read` unpacks of it, at most: never more than the zip says."""
        return min(entry.info.file_size, bytes_max + 1) if entry.info else 0

    def read(self, entry: Entry, bytes_max: int) -> bytes | None:
        """Its bytes, one more than `bytes_max` at most; None where they cannot be unpacked."""
        return self._read(entry, bytes_max + 1)

    def _read(self, entry: Entry, size: int) -> bytes | None:
        if entry.info is None:
            return None
        try:
            with self._zip.open(entry.info) as file:
                return file.read(size)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
            return None
        except zlib.error:
            return None


def is_clutter(path: str) -> bool:
    """Whether a system wrote this file, and nobody meant to send it."""
    folded = path.casefold()
    name = folded.rpartition("/")[2]
    return folded.startswith(CLUTTER[0]) or name in CLUTTER or name.startswith("._")


def too_many(name: str) -> Invalid:
    """What was handed in is refused because of how many files are packed in it."""
    return Invalid(
        f"{name} holds too many files.", mend=f"make several of {FILES_MAX:,} files at most"
    )


def _check_list(stream: IO[bytes], name: str) -> tuple[int, int]:
    """Refuse a list of contents that would fill the memory. Where the list begins, and the size of
    the zip."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(max(0, size - _END_BYTES - _COMMENT_MAX - _LARGE_BYTES))
    tail = stream.read()
    at = _end_at(tail)
    if at is None:
        raise _not_whole(name)
    end = tail[at : at + _END_BYTES]
    count, listed, listed_at = _number(end, 10, 2), _number(end, 12, 4), _number(end, 16, 4)
    large = tail[max(0, at - _LARGE_BYTES) : at].startswith(_LARGE)
    if large or count > FILES_MAX or listed > FILES_MAX * LISTED_BYTES:
        raise too_many(name)
    if listed_at + listed != size - len(tail) + at:
        raise _not_whole(name)
    stream.seek(listed_at)
    held = _count(stream.read(listed))
    stream.seek(0)
    if held > FILES_MAX:
        raise too_many(name)
    if held != count:
        raise _not_whole(name)
    return listed_at, size


def _end_at(tail: bytes) -> int | None:
    """Where the record that ends a zip begins: it, and a note behind it, reach to the last byte.
    It is looked for as `zipfile` does, so that both mean the same."""
    at = len(tail) - _END_BYTES
    if at < 0 or not tail.startswith(_END, at) or _number(tail, at + 20, 2):
        at = tail.rfind(_END)
    whole = at >= 0 and at + _END_BYTES + _number(tail, at + 20, 2) == len(tail)
    return at if whole else None


def _count(listing: bytes) -> int:
    """Files in a list of contents, counted no further than one too many."""
    n = at = 0
    while at < len(listing) and n <= FILES_MAX:
        at += _LISTED_MIN + sum(_number(listing, at + place, 2) for place in (28, 30, 32))
        n += 1
    return n


def _check_apart(infos: list[zipfile.ZipInfo], listed_at: int, name: str) -> None:
    """Refuse a list that gives the same bytes as many files."""
    infos = sorted(infos, key=lambda info: info.header_offset)
    ends = [info.header_offset + _HEADER_MIN + info.compress_size for info in infos]
    begins = [info.header_offset for info in infos[1:]]
    if any(end > begin for end, begin in zip(ends, [*begins, listed_at], strict=True)):
        raise _not_whole(name)


def _number(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _not_whole(name: str) -> Invalid:
    return Invalid(f"{name} is not a whole zip file.", mend="make it again")
