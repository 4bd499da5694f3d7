"""What is in a zip file that somebody sent. Nothing is believed that it says about itself: sizes
are counted while it is unpacked, names are never used as paths, and a long list of contents is
refused before it is read."""

import lzma
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
#: what systems put beside the files of a folder
CLUTTER = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini")
#: what only a spreadsheet or a text document has
OFFICE = ("[Content_Types].xml", "mimetype")

_END = b"PK\x05\x06"
_END_BYTES = 22
_COMMENT_MAX = 65_535
_LARGE = b"PK\x06\x07"
_LARGE_BYTES = 20


class Entry(Struct, frozen=True):
    """A file in a zip."""

    #: its folders and its name, with "/"
    path: str
    #: None: it is locked with a password
    info: zipfile.ZipInfo | None


class Zipped:
    """A zip file, open. Raises `Invalid` for what is none, or holds too much."""

    def __init__(self, stream: IO[bytes], name: str):
        _check_list(stream, name)
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise Invalid(f"{name} cannot be unpacked: {error}.", mend="make it again") from error

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
            yield Entry(path, None if info.flag_bits & 1 else info)

    def read(self, entry: Entry, bytes_max: int) -> bytes | None:
        """Its bytes, one more than `bytes_max` at most; None where they cannot be unpacked."""
        if entry.info is None:
            return None
        try:
            with self._zip.open(entry.info) as file:
                return file.read(bytes_max + 1)
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError):
            return None
        except (zlib.error, lzma.LZMAError):
            return None


def is_clutter(path: str) -> bool:
    """Whether a system wrote this file, and nobody meant to send it."""
    folded = path.casefold()
    name = folded.rpartition("/")[2]
    return folded.startswith(CLUTTER[0]) or name in CLUTTER or name.startswith("._")


def _check_list(stream: IO[bytes], name: str) -> None:
    """Refuse a list of contents that would fill the memory."""
    stream.seek(0, 2)
    size = stream.tell()
    stream.seek(max(0, size - _END_BYTES - _COMMENT_MAX - _LARGE_BYTES))
    tail = stream.read()
    stream.seek(0)
    at = tail.rfind(_END)
    if at < 0:
        raise Invalid(f"{name} is not a whole zip file.", mend="make it again")
    end = tail[at : at + _END_BYTES]
    count, listed = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    large = tail[max(0, at - _LARGE_BYTES) : at].startswith(_LARGE)
    if large or count > FILES_MAX or listed > FILES_MAX * LISTED_BYTES:
        raise Invalid(
            f"{name} holds too many files.", mend=f"make several of {FILES_MAX:,} files at most"
        )
