"""The processes that come with Canut, by slug, and what a client may change in them."""

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from canut.errors import Invalid, NotFound
from canut.processes.files import find
from canut.processes.load import Loaded, load_folder
from canut.processes.model import ProcessDefinition, StepDefinition
from canut.processes.reading import suggest
from canut.processes.shipped import library_root, library_slugs
from canut.processes.taxonomy import Option, options_of
from canut.questions.registry import load_question

_MEDIA_TYPES = {
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}

#: longest name of a picture; a file system would refuse to look for much longer ones
NAME_LENGTH_MAX = 100


class Asset(Struct, frozen=True):
    """A picture of a sample: what `asset:NAME` in an item stands for."""

    data: bytes
    media_type: str


def library_folder(slug: str) -> Traversable:
    """The folder of a shipped process; raises `NotFound`."""
    if slug not in library_slugs():
        mend = suggest(slug, library_slugs()) or "canut process list"
        raise NotFound(f"There is no process {slug!r} in the library.", mend=mend)
    return library_root().joinpath(*slug.split("/"))


def load_shipped(slug: str) -> Loaded:
    """A shipped process with its sample and gold; raises `NotFound`."""
    return load_folder(library_folder(slug))


def read_asset(slug: str, name: str) -> Asset:
    """The picture `asset:NAME` of a shipped process; raises `NotFound`.

    An SVG is a document: serve it with a Content-Security-Policy that forbids scripts.
    """
    media_type = _MEDIA_TYPES.get(name.rpartition(".")[2])
    plain = "/" not in name and len(name) <= NAME_LENGTH_MAX
    file = find(library_folder(slug), f"assets/{name}") if plain else None
    if file is None or media_type is None:
        raise NotFound(f"There is no picture {name!r} in {slug}.")
    return Asset(file.read_bytes(), media_type)


def with_taxonomy(
    definition: ProcessDefinition, path: Path | Traversable, step: str = ""
) -> ProcessDefinition:
    """The process with the classes of this CSV file as the options of one of its choices.

    `step` names the step; it may be left out where only one step is a choice. Raises `Invalid`
    with every problem of the file, `NotFound` where there is no such file.
    """
    return with_options(definition, options_of(path), step)


def with_options(
    definition: ProcessDefinition, options: list[Option], step: str = ""
) -> ProcessDefinition:
    """The process with these options in one of its choices; see `with_taxonomy`."""
    target = _choice_step(definition, step)
    question: dict[str, Any] = {**target.question, "options": options}
    load_question(question)
    changed = msgspec.structs.replace(target, question=question)
    steps = tuple(changed if one is target else one for one in definition.steps)
    return msgspec.structs.replace(definition, steps=steps)


def _choice_step(definition: ProcessDefinition, slug: str) -> StepDefinition:
    choices = [one for one in definition.steps if one.question.get("type") in ("choice", "choices")]
    fitting = [one for one in choices if slug in ("", one.slug)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(one.slug for one in choices)
    mend = f"name one of: {names}" if names else "choose a process that asks for a choice"
    what = f"step {slug!r}" if slug else "one step"
    raise Invalid(f"{definition.slug} has not {what} that is a choice.", mend=mend)
