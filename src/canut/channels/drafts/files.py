"""The files of drafts, on this machine's disk."""

import io
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from canut.channels.delimited import sniff_delimiter
from canut.channels.pictures import Pictures
from canut.errors import NotFound, Problem

#: random bytes of a file's name
TOKEN_BYTES = 24
#: the list of what pictures were called
NAMES = "names.json"
#: what a table that was pasted is called
PASTED = "pasted.csv"


class Uploads:
    """The folder of uploads: a file, and beside it the list of its rows that are wrong, and the
    pictures that came with it."""

    def __init__(self, folder: Path, bytes_max: int, kept: Pictures):
        self.folder = folder
        #: where pictures go once their batch is launched
        self.kept = kept
        #: bytes read of a file, unpacked
        self.bytes_max = bytes_max

    def new(self) -> str:
        """A name for a file here."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return secrets.token_urlsafe(TOKEN_BYTES)

    def keep(self, token: str, stream: IO[bytes]) -> int:
        """Keep a file; its size in bytes."""
        with self._data(token).open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
            return out.tell()

    @contextmanager
    def open(self, token: str) -> Iterator[IO[bytes]]:
        """Its bytes. Raises `NotFound`."""
        try:
            stream = self._data(token).open("rb")
        except FileNotFoundError:
            raise NotFound(
                "The file of this draft is not there any more.", mend="hand the file in again"
            ) from None
        with stream:
            yield stream

    def forget(self, token: str) -> None:
        """Delete a file, its list, and its pictures."""
        self._data(token).unlink(missing_ok=True)
        self._wrong(token).unlink(missing_ok=True)
        shutil.rmtree(self._beside(token), ignore_errors=True)

    @contextmanager
    def kept_if_used(self, token: str) -> Iterator[None]:
        """Delete a file where what was to use it fails."""
        try:
            yield
        except BaseException:
            self.forget(token)
            raise

    def pictures(self, token: str) -> Pictures:
        """The pictures that came with a file."""
        return Pictures(self._beside(token))

    def keep_pictures(self, token: str, client_id: int) -> None:
        """Keep the pictures that came with a file for good."""
        self.kept.take_over(self.pictures(token), client_id)

    def name_pictures(self, token: str, names: Mapping[str, str]) -> None:
        """Note what the pictures of a file were called: path -> what an item's field holds."""
        (self._beside(token) / NAMES).write_bytes(msgspec.json.encode(names))

    def names(self, token: str) -> dict[str, str]:
        """What the pictures of a file were called."""
        try:
            noted = (self._beside(token) / NAMES).read_bytes()
        except FileNotFoundError:
            return {}
        return msgspec.json.decode(noted, type=dict[str, str])

    def tokens(self, before_ms: int) -> list[str]:
        """Of what was written here before this time, and not since."""
        if not self.folder.is_dir():
            return []
        written = []
        for path in self.folder.iterdir():
            # whoever else sweeps may be faster
            with suppress(FileNotFoundError):
                written.append((path.name.partition(".")[0], path.stat().st_mtime))
        since = {token for token, at_s in written if at_s * 1000 >= before_ms}
        return sorted({token for token, _ in written} - since)

    @contextmanager
    def listing(self, token: str) -> Iterator[Any]:
        """Write the list of what is wrong: a call a problem, with the value that is."""
        draft = self._wrong(token).with_suffix(".part")
        with draft.open("wb") as out:

            def note(problem: Problem, value: str) -> None:
                out.write(msgspec.json.encode((problem, value)) + b"\n")

            yield note
        draft.replace(self._wrong(token))

    def wrong(self, token: str) -> Iterator[tuple[Problem, str]]:
        """What is in the list."""
        if self._wrong(token).is_file():
            with self._wrong(token).open("rb") as lines:
                for line in lines:
                    yield msgspec.json.decode(line, type=tuple[Problem, str])

    def _data(self, token: str) -> Path:
        return self.folder / f"{token}.data"

    def _beside(self, token: str) -> Path:
        return self.folder / f"{token}.pictures"

    def _wrong(self, token: str) -> Path:
        return self.folder / f"{token}.wrong"


def pasted(text: str, *, headed: bool) -> io.BytesIO:
    """A table that was pasted, as a file. Where its first line does not name the columns they are
    called `text`, or `column 1` and so on."""
    lines = text.strip("\r\n")
    if headed or lines.lstrip().startswith("{"):
        return io.BytesIO(lines.encode())
    delimiter = sniff_delimiter(lines[:65_536])
    width = lines.partition("\n")[0].count(delimiter) + 1
    names = ["text"] if width == 1 else [f"column {place}" for place in range(1, width + 1)]
    return io.BytesIO(f"{delimiter.join(names)}\n{lines}".encode())
