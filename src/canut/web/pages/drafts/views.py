"""What each step of a new batch shows."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from canut.channels.drafts.columns import match
from canut.channels.drafts.composing import (
    KINDS,
    OWN,
    deadline_of,
    key_of,
    kind_of,
    mapping_of,
    use_of,
)
from canut.channels.drafts.model import Draft, Found, first
from canut.db.pool import SyncConn
from canut.errors import CanutError, Problem
from canut.insight.asking import Asking, asking, proof
from canut.insight.store_asking import Measured, measured
from canut.processes.making import PART_TYPES, TYPES, form_of
from canut.processes.model import REFERENCE, ItemField, ProcessDefinition, StepDefinition
from canut.processes.store import list_processes_async, read_version_async
from canut.questions.base import Question, localise
from canut.questions.registry import load_question
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.pages.drafts.preview import preview
from canut.web.pages.drafts.pricing import Priced, levels_at, price, price_levels, shares_around
from canut.web.pages.drafts.shared import (
    Sight,
    column_names,
    looked,
    readable,
    skips,
)
from canut.web.pages.drafts.words import KIND_NAMES, TYPE_NAMES, ColumnView, Level, Offer
from canut.web.pages.money.shared import LINES
from canut.web.pages.render import locale_of
from canut.web.pages.view import now_ms, pool, problems_of, told

#: problems of rows shown on a page, and of a file of classes
PROBLEMS_SHOWN = 20
CLASS_PROBLEMS_MAX = 20
#: rows of the file shown
ROWS_SHOWN = 5
#: what is asked for where nobody says anything
USUAL_ERROR = 5


async def columns(request: WebRequest, seen: Sight) -> dict[str, Any]:
    draft = seen.draft
    form, found = draft.form("columns"), draft.facts.columns
    key = key_of(form, found)
    shown = [
        ColumnView(one.name, one.samples, kind_of(form, place, one), use_of(form, place, one))
        for place, one in enumerate(found)
    ]
    return {
        "columns": shown,
        "key": next((place for place, one in enumerate(found) if one.name == key), None),
        "key_fixed": key == REFERENCE,
        "kinds": [(kind, KIND_NAMES[kind]) for kind in KINDS],
        "rows": [[_cell(row.get(one.name)) for one in found]
                 for row in draft.facts.rows[:ROWS_SHOWN]],
        **await _rows(request, seen),
    }  # fmt: skip


async def question(request: WebRequest, seen: Sight) -> dict[str, Any]:
    draft, locale = seen.draft, locale_of(request)
    form, version = draft.form("question"), seen.version
    way = first(form, "way")
    if way != "made" and version is None:
        return {"view": "choose", "offers": await _offers(request, draft, locale)}
    values: dict[str, Any] = {
        "view": way if way == "made" else "published",
        "preview": await preview(request, seen),
        "version": version,
        "fields": version.definition.item.fields if version else (),
        "chosen": mapping_of(form, version, draft) if version else {},
        "columns": [column.name for column in draft.facts.columns],
        "n_steps": len(version.definition.steps) if version else 1,
        "editable": _editable(seen, locale),
        "takes_classes": _takes_classes(seen),
        "n_options": draft.n_options,
        "types": [(kind, *TYPE_NAMES[kind]) for kind in TYPES],
        "part_types": [(kind, TYPE_NAMES[kind][0]) for kind in PART_TYPES],
        "own": OWN,
    }
    ready = not any(one.field.startswith("map.") for one in seen.plan.problems["question"])
    if way != "made" and ready:
        values |= await _rows(request, seen)
    return values


async def target(request: WebRequest, seen: Sight) -> dict[str, Any]:
    form, definition = seen.draft.form("target"), seen.plan.definition
    usual, own = float(USUAL_ERROR), ""
    if seen.version is not None and seen.plan.way != "made":
        usual = seen.version.definition.steps[0].promise.error_max * 100
        own = f"{round(usual, 3):g}"
    values: dict[str, Any] = {"levels": [], "prices": {}, "items": await _items(request, seen)}
    shares = shares_around(usual)
    if definition is not None and not seen.plan.problems["question"]:
        known = await _measured(request, seen)
        client, items = seen.draft.client_id, values["items"]

        def read(conn: SyncConn) -> dict[str, Any]:
            asked = levels_at(seen, shares)
            question = load_question(definition.steps[0].question)
            return {
                "levels": _levels(asked, question, items, known),
                "prices": price_levels(conn, client, asked, items, now_ms()),
            }

        values |= {"known": known, **await in_thread(request, read)}
    said = first(form, "error", f"{usual:g}")
    other = said not in {f"{share:g}" for share in shares}
    return values | {
        "own": own,
        "error": "other" if other else said,
        "error_other": first(form, "error_other", said if other and said != "other" else ""),
        "deadline": first(form, "deadline"),
        "steps_asked": len(definition.steps) if definition else 1,
    }


async def launch(request: WebRequest, seen: Sight) -> dict[str, Any]:
    draft, definition, locale = seen.draft, seen.plan.definition, locale_of(request)
    late: list[Problem] = []
    values = {
        "name": first(draft.form("launch"), "name", _stem(draft.file_name)),
        "key": first(draft.form("launch"), "key"),
        "definition": definition,
        "deadline_ms": deadline_of(draft.form("target"), now_ms(), late),
        "missing": _missing(seen),
        "runs": seen.plan.way,
        "asking": None,
        "error_max": definition.steps[0].promise.error_max if definition else None,
        "question_text": "",
        "shown": [], "hidden": [], "personal": [], "priced": None,
        "budget": first(draft.form("launch"), "budget"),
        **await _rows(request, seen),
    }  # fmt: skip
    if definition is None:
        return values
    values["question_text"] = localise(definition.steps[0].question.get("title", ""), locale)
    names = column_names(seen.plan.columns)
    for field in definition.item.fields:
        place = "personal" if field.personal else "shown" if field.show else "hidden"
        if seen.version is None or names.get(field.name) or _there(draft, field):
            values[place].append(localise(field.title, locale))
    if not values["missing"]:
        known = await _measured(request, seen)
        values["asking"] = await asyncio.to_thread(_ask, definition.steps[0], known)
        values["priced"] = await _priced(request, seen, definition, values)
        values["line_names"] = LINES
    return values


async def _priced(
    request: WebRequest, seen: Sight, definition: ProcessDefinition, values: dict[str, Any]
) -> Priced | None:
    who, found = principal(request), values["found"]
    items = found.rows - found.rejected if found else 0
    shares = shares_around(definition.steps[0].promise.error_max * 100)
    return await in_thread(
        request,
        lambda conn: price(conn, who, seen, shares, items, now_ms(), values["deadline_ms"]),
    )


def _missing(seen: Sight) -> list[str]:
    """Steps that keep the batch from being launched."""
    said, problems = seen.draft.said, seen.plan.problems
    return [
        step for step in ("columns", "question", "target") if step not in said or problems[step]
    ]


def _there(draft: Draft, field: ItemField) -> bool:
    return any(column.name == field.name for column in draft.facts.columns)


async def _rows(request: WebRequest, seen: Sight) -> dict[str, Any]:
    """What a look at every row found, in the words of the file."""
    found: Found | None = None
    broken: list[Problem] = []
    try:
        found = await looked(request, seen)
    except CanutError as error:
        broken = problems_of(error)
    names = column_names(readable(seen)[0])
    shown = told(request, found.problems[:PROBLEMS_SHOWN]) if found else []
    return {
        "found": found,
        "broken": told(request, broken),
        "wrong_rows": [(names.get(one.field, one.field), one) for one in shown],
        "skip": skips(seen.draft),
    }


async def _offers(request: WebRequest, draft: Draft, locale: str) -> list[Offer]:
    async with pool(request).connection() as conn:
        listed = await list_processes_async(conn, draft.client_id)
        versions = [await read_version_async(conn, one.version_id) for one in listed]
    offers = []
    for version in versions:
        if version is None:
            continue
        fields = version.definition.item.fields
        found = match(fields, draft.facts.columns)
        fits = [(localise(one.title, locale), found[one.name]) for one in fields if found[one.name]]
        missing = [
            localise(one.title, locale) for one in fields if one.required and not found[one.name]
        ]
        title = localise(version.definition.title, locale)
        description = localise(version.definition.description, locale)
        own = version.client_id is not None
        offers.append(Offer(version.id, title, description, own, version.number, fits, missing))
    # what fits comes first, one's own before the library
    return sorted(offers, key=lambda one: (bool(one.missing), not one.own, -len(one.fits)))


def _editable(seen: Sight, locale: str) -> bool:
    if seen.version is None:
        return True
    steps = seen.version.definition.steps
    return len(steps) == 1 and form_of(steps[0], locale) is not None


def _takes_classes(seen: Sight) -> bool:
    if seen.version is None:
        return True
    kinds = [step.question.get("type") for step in seen.version.definition.steps]
    return sum(kind in ("choice", "choices") for kind in kinds) == 1


async def _items(request: WebRequest, seen: Sight) -> int:
    """Rows that become items, as far as is known."""
    try:
        found = await looked(request, seen)
    except CanutError:
        return 0
    return found.rows - found.rejected


async def _measured(request: WebRequest, seen: Sight) -> Measured:
    """What is known of the step: of a question that was just made, nothing is."""
    if seen.version is None or seen.plan.definition is None:
        return Measured()
    step = seen.plan.definition.steps[0].slug
    async with pool(request).connection() as conn:
        return await measured(conn, seen.draft.client_id, seen.version.process_id, step)


def _levels(
    asked: dict[str, ProcessDefinition], question: Question, items: int, known: Measured
) -> list[Level]:
    levels = []
    for share, definition in asked.items():
        step = definition.steps[0]
        wrong = math.floor(step.promise.error_max * items + 1e-9)
        proved = proof(step.promise, items)
        levels.append(Level(share, wrong, asking(step, question, known), proved))
    return levels


def _ask(step: StepDefinition, known: Measured) -> Asking:
    return asking(step, load_question(step.question), known)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _stem(file_name: str) -> str:
    name = Path(file_name).name
    for ending in (".gz", ".zst"):
        name = name.removesuffix(ending)
    return (name.rpartition(".")[0] or name).strip()[:200]


VIEWS: dict[str, Callable[[WebRequest, Sight], Awaitable[dict[str, Any]]]] = {
    "columns": columns,
    "question": question,
    "target": target,
    "launch": launch,
}
