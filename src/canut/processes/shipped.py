"""Which of the processes that come with Canut a database has yet to publish.

Every command asks, and nearly always the answer is none: so nothing here reads a process, and
nothing heavy is imported.
"""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from canut.processes.store_shipped import Sync, published

#: the file that makes a folder a process
FILE = "process.toml"
#: what becomes of a folder depends on the code that reads it, too
READERS = ("canut.processes", "canut.questions")


def library_root() -> Traversable:
    """The folder of all of them."""
    return files("canut.processes") / "library"


def library_slugs() -> list[str]:
    """The slugs of the shipped processes, in alphabetical order."""
    return sorted(_slugs(library_root(), ""))


def shipped_digests() -> dict[str, str]:
    """Slug -> digest of all that decides what is published of it: another release has another,
    where anything has changed."""
    readers = hashlib.sha256()
    for package in READERS:
        modules = [file for file in files(package).iterdir() if file.name.endswith(".py")]
        _digest(readers, sorted((file.name, file) for file in modules))
    digests = {}
    for slug in library_slugs():
        digest = readers.copy()
        _digest(digest, sorted(_files(library_root().joinpath(*slug.split("/")), "")))
        digests[slug] = digest.hexdigest()
    return digests


def unpublished(conn: Sync) -> dict[str, str]:
    """Slug -> digest of those that were never published here from just this, or of which the
    version is gone."""
    known = published(conn)
    return {slug: one for slug, one in shipped_digests().items() if known.get(slug) != one}


def _digest(digest: "hashlib._Hash", named: Iterable[tuple[str, Traversable]]) -> None:
    # the lengths, so that what ends one file cannot begin the next
    for name, file in named:
        data = file.read_bytes()
        digest.update(f"{len(name)} {name} {len(data)} ".encode() + data)


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for part in folder.iterdir():
        name = f"{path}/{part.name}"
        if part.is_dir():
            yield from _files(part, name)
        else:
            yield name, part


def _slugs(folder: Traversable, slug: str) -> Iterator[str]:
    for part in folder.iterdir():
        if part.is_dir():
            name = f"{slug}/{part.name}" if slug else part.name
            if (part / FILE).is_file():
                yield name
            else:
                yield from _slugs(part, name)
