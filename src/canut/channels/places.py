"""Where files are: a path, standard input or output, s3://, https://. Opened as plain streams.

Only a command opens a place by its name. A server never opens an address that a request named:
it reads the request's own bytes (`canut.channels.files.read_stream`).
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import fsspec

from canut.errors import Invalid, Unavailable

#: schemes that are opened through fsspec, and the extra of Canut that brings the library
REMOTE = {"s3": "s3", "http": "", "https": ""}
STANDARD = "-"


def file_name(place: str) -> str:
    """What problems call it: the last part of the path, without the query or credentials."""
    if place == STANDARD:
        return "stdin"
    return place.split("?", 1)[0].rstrip("/").rsplit("/", 1)[-1] or place


@contextmanager
def open_to_read(place: str) -> Iterator[IO[bytes]]:
    """The bytes of a place. Raises `Invalid` where there is nothing to read, `Unavailable` where
    a store does not answer."""
    if place == STANDARD:
        yield sys.stdin.buffer
    elif _scheme(place):
        with _remote(place, "rb") as stream:
            yield stream
    else:
        try:
            stream = Path(place).open("rb")  # noqa: SIM115
        except OSError as error:
            raise Invalid(f"{place} cannot be read: {error.strerror}.") from error
        with stream:
            yield stream


@contextmanager
def open_to_write(place: str) -> Iterator[IO[bytes]]:
    """A place to write bytes to. A local file appears whole or not at all; so does an object."""
    if place == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif _scheme(place) == "s3":
        with _remote(place, "wb") as stream:
            yield stream
    elif _scheme(place):
        raise Invalid(f"Nothing can be written to {place}.", mend="name a path or an s3:// place")
    else:
        with _draft(Path(place)) as stream:
            yield stream


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    # /dev/null, a pipe: there is nothing to rename into place
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    draft = path.with_name(f".{path.name}.part")
    try:
        stream = draft.open("wb")
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}.") from error
    try:
        with stream:
            yield stream
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _scheme(place: str) -> str:
    scheme, found, _ = place.partition("://")
    if not found:
        return ""
    if scheme not in REMOTE:
        known = ", ".join(f"{name}://" for name in REMOTE)
        raise Invalid(f"{scheme}:// is not a place we know.", mend=f"use a path, - or {known}")
    return scheme


@contextmanager
def _remote(place: str, mode: str) -> Iterator[IO[bytes]]:
    scheme = _scheme(place)
    shown = place.split("?", 1)[0]
    try:
        # one request at a time, read ahead: files are read once, from front to back
        files, path = fsspec.core.url_to_fs(place)
    except ImportError as error:
        extra = REMOTE[scheme]
        raise Invalid(
            f"Reading and writing {scheme}:// needs the extra {extra!r}.",
            mend=f"pip install 'canut[{extra}]'",
        ) from error
    opened: Any = None
    try:
        opened = files.open(path, mode)
        yield opened
        opened.close()
    except FileNotFoundError as error:
        raise Invalid(f"There is nothing at {shown}.") from error
    except PermissionError as error:
        raise Invalid(
            f"{shown} may not be opened: {error}", mend="check the credentials"
        ) from error
    except _failures() as error:
        raise Unavailable(f"{shown} does not answer: {error}") from error
    except BaseException:
        # half an export must not become an object
        if opened is not None and mode == "wb" and hasattr(opened, "discard"):
            opened.discard()
        raise


def _failures() -> tuple[type[BaseException], ...]:
    """Errors of the client libraries that are no OSError; loaded with the scheme that uses them."""
    names = (("aiohttp", "ClientError"), ("botocore.exceptions", "BotoCoreError"))
    found = [getattr(sys.modules[name], kind) for name, kind in names if name in sys.modules]
    return (OSError, *found)
