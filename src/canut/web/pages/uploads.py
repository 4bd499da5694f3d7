"""Files that were uploaded and wait for their columns to be named; on this machine's disk, for a
day at most."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
from msgspec import Struct

from canut.channels.columns import Columns
from canut.channels.files import read_stream
from canut.errors import NotFound
from canut.processes.model import REFERENCE, ItemField, ItemShape
from canut.questions.base import localise
from canut.work.intake import Block, OnError

#: seconds an upload is kept
KEEP_S = 86_400
#: random bytes of a token, and the letters they make
TOKEN_BYTES = 24
TOKEN_LENGTH = 32
#: rows shown before an import
PREVIEW_ROWS = 5
#: columns that often hold a client's own key
KEYS = (REFERENCE, "sku", "id", "key", "ref", "reference_id", "product_id")


class Upload(Struct, frozen=True):
    """A file that waits, and what was said about it."""

    token: str
    account_id: int
    client_id: int
    #: name of the file as the browser gave it
    file: str
    process: str
    key: str
    name: str
    on_error: OnError


class Preview(Struct, frozen=True):
    """What a file begins with."""

    columns: list[str]
    rows: list[list[str]]


class Uploads:
    """The folder of uploads."""

    def __init__(self, folder: Path, bytes_max: int):
        self._folder = folder
        #: bytes read of a file, unpacked
        self._bytes_max = bytes_max

    def keep(self, stream: IO[bytes], said: Upload) -> Upload:
        """Keep a file; forget the old ones."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()
        kept = msgspec.structs.replace(said, token=secrets.token_urlsafe(TOKEN_BYTES))
        with self._data(kept.token).open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)
        self._about(kept.token).write_bytes(msgspec.json.encode(kept))
        return kept

    def find(self, token: str, account_id: int) -> Upload:
        """The upload of this account. Raises `NotFound`."""
        plain = token.replace("-", "").replace("_", "")
        if len(token) == TOKEN_LENGTH and plain.isalnum() and self._about(token).is_file():
            found = msgspec.json.decode(self._about(token).read_bytes(), type=Upload)
            if found.account_id == account_id:
                return found
        raise NotFound("This upload is not there any more.", mend="hand the file in again")

    def preview(self, upload: Upload) -> Preview:
        """The columns and the first rows. Raises `Invalid` for a file that cannot be read."""
        with self._data(upload.token).open("rb") as stream:
            blocks = read_stream(stream, upload.file, ItemShape(()), bytes_max=self._bytes_max)
            first = next(blocks, None)
        records = list(first.records[:100]) if first else []
        columns = list(dict.fromkeys(name for record in records for name in record))
        rows = [
            ["" if record.get(name) is None else str(record[name]) for name in columns]
            for record in records[:PREVIEW_ROWS]
        ]
        return Preview(columns, rows)

    @contextmanager
    def open(self, upload: Upload, shape: ItemShape, columns: Columns) -> Iterator[Iterator[Block]]:
        """Its rows, for `canut.channels.submit`."""
        with self._data(upload.token).open("rb") as stream:
            bytes_max = self._bytes_max
            yield read_stream(stream, upload.file, shape, columns, bytes_max=bytes_max)

    def forget(self, token: str) -> None:
        """Delete an upload."""
        self._data(token).unlink(missing_ok=True)
        self._about(token).unlink(missing_ok=True)

    def _data(self, token: str) -> Path:
        return self._folder / f"{token}.data"

    def _about(self, token: str) -> Path:
        return self._folder / f"{token}.json"

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            if path.stat().st_mtime < time.time() - KEEP_S:
                path.unlink(missing_ok=True)


def guess_columns(fields: tuple[ItemField, ...], columns: list[str]) -> dict[str, str]:
    """Column by field, by name or heading in any language; "" where nothing fits. The key is
    under `reference`."""
    by_name = {_plain(column): column for column in reversed(columns)}
    guessed = {field.name: _first(_names(field), by_name) for field in fields}
    guessed[REFERENCE] = _first(KEYS, by_name)
    return guessed


def _names(field: ItemField) -> list[str]:
    return [field.name, localise(field.title, "en"), localise(field.title, "fr")]


def _first(names: Any, by_name: dict[str, str]) -> str:
    return next((by_name[_plain(name)] for name in names if _plain(name) in by_name), "")


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())
