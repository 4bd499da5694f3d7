"""What the steps of a new batch share: the draft of a request, what it comes to, its rows."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from babel.units import format_unit
from msgspec import Struct

from canut.channels.columns import Columns
from canut.channels.drafts import drafting, store
from canut.channels.drafts.composing import Plan, plan, read_columns
from canut.channels.drafts.files import Uploads
from canut.channels.drafts.looking import against, look
from canut.channels.drafts.model import STEPS, Draft, Form, Found, first
from canut.processes.model import REFERENCE, ItemShape
from canut.processes.store import ProcessVersion, read_version_async
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.i18n import N_
from canut.web.pages.render import locale_of
from canut.web.pages.view import now_ms, pool

CLIENTS = requires("client")
#: bytes of a unit, and its name
SIZES = ((10**9, "gigabyte"), (10**6, "megabyte"), (10**3, "kilobyte"), (1, "byte"))
#: fields of every form that are no answer of it
NOT_SAID = ("_csrf_token", "revision", "act")
#: the steps, with their names
NAMES: dict[str, str] = {
    "file": N_("File"),
    "columns": N_("Columns"),
    "question": N_("Question"),
    "target": N_("Quality"),
    "launch": N_("Launch"),
}


class Sight(Struct, frozen=True):
    """A draft with everything that a step may need of it."""

    draft: Draft
    #: the version it chose
    version: ProcessVersion | None
    #: its classes that came as a file
    options: Sequence[dict[str, Any]]
    plan: Plan


class Place(Struct, frozen=True):
    """A step in the line of steps."""

    slug: str
    #: its address; "" where there is no draft yet
    href: str
    name: str
    done: bool
    here: bool


def uploads(request: WebRequest) -> Uploads:
    """The folder of uploads."""
    return house(request).uploads


async def find(request: WebRequest, draft_id: int) -> Draft:
    """A draft of whoever asks. Raises `NotFound`."""
    return await drafting.find(pool(request), principal(request), draft_id, now_ms())


async def sight(request: WebRequest, draft: Draft) -> Sight:
    """The draft with its version, its classes, and what it comes to."""
    said = first(draft.form("question"), "version")
    options: list[dict[str, Any]] = []
    version = None
    async with pool(request).connection() as conn:
        if said.isdecimal() and len(said) < 19:
            version = await read_version_async(conn, int(said))
        if draft.n_options:
            options = await store.options_async(conn, draft.id)
    if version is not None and version.client_id not in (None, draft.client_id):
        version = None
    # many classes take seconds
    made = await asyncio.to_thread(plan, draft, version, options, locale_of(request))
    return Sight(draft, version, options, made)


def saying(draft: Draft, step: str, form: Form) -> Draft:
    """The draft as if this had been kept."""
    return msgspec.structs.replace(draft, said={**draft.said, step: form})


def readable(seen: Sight) -> tuple[Columns, ItemShape]:
    """How the rows can be looked at: by the process, or, while fields of it have no column, by
    what the columns are."""
    if any(problem.field.startswith("map.") for problem in seen.plan.problems["question"]):
        shape, columns = read_columns(seen.draft.form("columns"), seen.draft.facts.columns)
        return columns, shape
    return seen.plan.columns, seen.plan.shape


async def looked(request: WebRequest, seen: Sight) -> Found:
    """What a look at every row finds; what was found before where nothing else is looked for.
    Raises `Invalid`, and `NotFound` where the file is gone."""
    columns, shape = readable(seen)
    before = seen.draft.found
    if before is not None and before.against == against(columns, shape):
        return before
    shared, loop = house(request), asyncio.get_running_loop()
    leave = shared.busy.enter(seen.draft.client_id)
    try:
        found = await loop.run_in_executor(
            shared.imports, look, uploads(request), seen.draft, columns, shape
        )
    finally:
        leave()
    await drafting.set_found(pool(request), seen.draft, found)
    return found


def skips(draft: Draft) -> bool:
    """Whether rows that are wrong are to be left out."""
    return any(first(draft.form(step), "skip") for step in ("columns", "question"))


def column_names(columns: Columns) -> dict[str, str]:
    """What the file calls a field."""
    return {**columns.renamed, REFERENCE: columns.key or REFERENCE}


def nav(seen: Sight | None, here: str) -> list[Place]:
    """The five steps, each with where it is and whether it is done."""
    if seen is None:
        return [Place(name, "", said, False, name == here) for name, said in NAMES.items()]
    done = {
        step: step in seen.draft.said and not seen.plan.problems[step] for step in STEPS[:-1]
    } | {"file": True, "launch": False}
    at = f"/batches/new/{seen.draft.id}"
    return [
        Place(name, f"{at}/{name}", said, done[name], name == here) for name, said in NAMES.items()
    ]


def size_words(count: int, locale: str) -> str:
    """A size of a file, in words."""
    unit, name = next(one for one in SIZES if count >= one[0] or one[0] == 1)
    return str(format_unit(round(count / unit, 1), f"digital-{name}", "short", locale=locale))
