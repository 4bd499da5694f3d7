"""A question that is not asked yet, by the code and the templates of the task screen, on a row of
the file."""

import hashlib
from typing import Any

import msgspec
from markupsafe import Markup

from canut.errors import CanutError
from canut.processes.model import REFERENCE, ItemShape, ProcessDefinition
from canut.processes.shape import compile_shape
from canut.questions.registry import load_question
from canut.web.auth import WebRequest
from canut.web.pages.drafts.shared import Sight
from canut.web.pages.pictures import draft_pictures
from canut.web.pages.screen import step_values
from canut.web.pages.view import fragment, now_ms
from canut.work.model import ClaimedTask, LoadedStep, TaskRef

#: how long a task is somebody's
LEASE_MS = 600_000


async def preview(request: WebRequest, seen: Sight) -> Markup:
    """The task screen of the first row that has nothing wrong; "" while there is no question."""
    definition = seen.plan.definition
    if definition is None:
        return Markup("")
    first = definition.steps[0]
    try:
        question = load_question(first.question)
    except CanutError:
        return Markup("")
    # lists of options are kept by the number of a step: one that changes needs another number
    digest = hashlib.sha256(msgspec.json.encode(first.question)).digest()
    number = -int.from_bytes(digest[:6], "big")
    step = LoadedStep(
        number, 0, 0, seen.draft.client_id, 0, _assets(seen, definition), 0, 1, first, question,
        definition.item,
    )  # fmt: skip
    item = step.visible(_item(seen, definition.item))
    name = "0" * 12
    task = ClaimedTask(TaskRef(number, 0), name, 0, 0, now_ms() + LEASE_MS, False, item)
    private = await draft_pictures(request, seen.draft.client_id, seen.draft.file)
    values = await step_values(request, step, task, {}, (), set(), private)
    html = fragment(request, "work/fragment.html", **values)
    # what can be unfolded there is unfolded here, where nothing can be pressed
    opened = html.replace('<details class="guide">', '<details class="guide" open>')
    return Markup(opened)  # noqa: S704 - made by our own templates


def _assets(seen: Sight, definition: ProcessDefinition) -> str:
    """The process whose pictures the items may name."""
    return seen.version.slug if seen.version is not None else definition.slug


def _item(seen: Sight, shape: ItemShape) -> dict[str, Any]:
    """The first row that is right, else the first as it is."""
    from_ = {column: field for field, column in seen.plan.columns.renamed.items()}
    check = compile_shape(shape)
    rows = [
        {from_.get(name, name): value for name, value in row.items() if name != REFERENCE}
        for row in seen.draft.facts.rows
    ]
    good = (clean for row in rows if (clean := check(row, 1, [])) is not None)
    names = {field.name for field in shape.fields}
    return next(good, {name: value for name, value in rows[0].items() if name in names})
