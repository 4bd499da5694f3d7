"""Pictures that clients keep with us, for items that show them. What a file is, its bytes say: a
name or a header from outside says nothing, and what could hold a script (SVG, HTML) is no picture.

They lie in one folder for each client, under names made from their bytes: sending one again keeps
it once, and a name that another client came by finds nothing.
"""

import hashlib
import re
import secrets
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from canut.errors import Invalid, NotFound, Problem

#: what the value of an item's field begins with
PREFIX = "picture:"
#: largest picture, in bytes
BYTES_MAX = 20_000_000
#: ending of the name -> media type
KINDS = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
}
_NAME = re.compile(r"[0-9a-f]{64}\.(?:jpg|png|gif|webp|avif)")


class Picture(Struct, frozen=True):
    """A picture that is kept."""

    #: name in the folder of its client
    name: str
    media_type: str
    bytes: int
    #: it was not there before
    new: bool = False


class Pictures:
    """The folder of pictures."""

    def __init__(self, folder: Path):
        self._folder = folder

    def keep(self, client_id: int, data: bytes) -> Picture:
        """Keep a picture of a client. Raises `Invalid` for what is none, or too large."""
        kind = kind_of(data)
        if kind is None or len(data) > BYTES_MAX:
            raise Invalid("This cannot be kept as a picture.", problems=[_fault(kind)])
        name = f"{hashlib.sha256(data).hexdigest()}.{kind}"
        path = self._path(client_id, name)
        new = not path.is_file()
        if new:
            self._place(path, lambda to: to.write_bytes(data))
        return Picture(name, KINDS[kind], len(data), new)

    def read(self, client_id: int, name: str) -> tuple[bytes, str]:
        """The picture and its media type. Raises `NotFound`."""
        if _NAME.fullmatch(name):
            try:
                return self._path(client_id, name).read_bytes(), KINDS[name.rpartition(".")[2]]
            except FileNotFoundError:
                pass
        raise NotFound("There is no such picture, or it is not yours to see.")

    def has(self, client_id: int, name: str) -> bool:
        """Whether there is such a picture."""
        return bool(_NAME.fullmatch(name)) and self._path(client_id, name).is_file()

    def take_over(self, other: "Pictures", client_id: int) -> None:
        """Keep every picture of this client that lies in another folder, which may then go."""
        for path in (other._folder / str(client_id)).glob("[0-9a-f]*"):
            if not self.has(client_id, path.name):
                self._place(self._path(client_id, path.name), partial(shutil.copyfile, path))

    def _place(self, path: Path, write: Callable[[Path], Any]) -> None:
        """Whole or not at all, whoever else sends the same at this moment."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_name(f".{secrets.token_hex(8)}")
        write(unfinished)
        unfinished.replace(path)

    def _path(self, client_id: int, name: str) -> Path:
        return self._folder / str(client_id) / name


def kind_of(data: bytes) -> str | None:
    """Which of `KINDS` these bytes begin as; None for anything else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "avif"
    return None


def _fault(kind: str | None) -> Problem:
    if kind is None:
        return Problem("this is not a picture", mend="send JPEG, PNG, GIF, WebP or AVIF")
    return Problem("the picture is too large", mend=f"send {BYTES_MAX:,} bytes at most")
