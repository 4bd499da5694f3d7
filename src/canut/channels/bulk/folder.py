"""The folder of a run, local or s3://: files appear whole or not at all, whoever is killed."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import fsspec
import msgspec

from canut.errors import Conflict, Invalid, Unavailable

T = TypeVar("T")

_DRAFT = ".draft"


class Folder:
    """A place for the files of a run. Names are relative, with slashes."""

    def __init__(self, place: str):
        self.local = "://" not in place
        #: as other processes and machines find it
        self.place = str(Path(place).resolve()) if self.local else place.rstrip("/")
        self._files, self._root = files_at(self.place)

    def exists(self, name: str) -> bool:
        return bool(self._files.exists(self._path(name)))

    def names(self, under: str) -> list[str]:
        """Names of the finished files in a folder of it, sorted."""
        found = self._files.glob(self._path(f"{under}/*"))
        names = [path.rpartition("/")[2] for path in found]
        return sorted(f"{under}/{name}" for name in names if not name.endswith(_DRAFT))

    def read(self, name: str) -> bytes:
        """Raises `Invalid` where there is no such file."""
        with self.open(name) as stream:
            return stream.read()

    def load(self, name: str, kind: type[T]) -> T:
        """A value that was kept as JSON. Raises `Invalid`."""
        try:
            return msgspec.json.decode(self.read(name), type=kind)
        except msgspec.DecodeError as error:
            raise Invalid(f"{self.place}/{name} cannot be read: {error}.") from error

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """To be read in any order. Raises `Invalid` where there is no such file."""
        with open_seekable(self._files, self._path(name)) as stream:
            yield stream

    def keep(self, name: str, value: Any) -> None:
        """A value, as JSON."""
        with self.draft(name) as out:
            out.write(msgspec.json.encode(value))

    @contextmanager
    def draft(self, name: str) -> Iterator[IO[bytes]]:
        """To be written: the file is there when this ends well. Each draft has a name of its own,
        so that a process that was thought dead harms nobody."""
        path = self._path(name)
        if not self.local:
            with self._object(path) as stream:
                yield stream
            return
        draft = Path(f"{path}.{uuid.uuid4().hex}{_DRAFT}")
        draft.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Nothing happens where there is no such file."""
        if self.exists(name):
            self._files.rm_file(self._path(name))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Against a second run in this folder, and what a killed one left is swept away. Objects
        cannot be held: there, two runs do the same work twice and write the same."""
        if not self.local:
            yield
            return
        root = Path(self.place)
        root.mkdir(parents=True, exist_ok=True)
        with (root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(f"Another run works in {self.place}.", mend="let it end") from None
            for left in root.rglob(f"*{_DRAFT}"):
                left.unlink(missing_ok=True)
            yield

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _object(self, path: str) -> Iterator[Any]:
        stream = self._files.open(path, "wb")
        try:
            yield stream
            stream.close()
        except BaseException:
            # half a file must not become an object
            stream.discard()
            raise


def files_at(place: str) -> tuple[Any, str]:
    """The file system of a place, and the path in it. Raises `Invalid` for what is neither a path
    nor s3://, or where the extra lacks."""
    scheme, remote, _ = place.partition("://")
    if remote and scheme != "s3":
        raise Invalid(f"{scheme}:// is no place for a catalogue.", mend="use a path or s3://")
    # others write there too: what was listed a minute ago may be wrong
    about = {"use_listings_cache": False} if remote else {}
    try:
        files, path = fsspec.core.url_to_fs(place, **about)
    except ImportError as error:
        raise Invalid(
            "Reading and writing s3:// needs the extra 's3'.", mend="pip install 'canut[s3]'"
        ) from error
    return files, str(path).rstrip("/")


@contextmanager
def open_seekable(files: Any, path: str) -> Iterator[IO[bytes]]:
    """A file that can be read in any order. Raises `Invalid`, `Unavailable`."""
    try:
        stream = files.open(path, "rb")
    except FileNotFoundError as error:
        raise Invalid(f"There is nothing at {path}.") from error
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error}") from error
    with stream:
        yield stream
