"""What a draft comes to: the process its batch would run, and how its file is read. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from canut.channels.columns import Columns
from canut.channels.drafts.columns import match
from canut.channels.drafts.model import Column, Draft, Form, first
from canut.errors import CanutError, Problem
from canut.processes.library import with_options
from canut.processes.making import make_question, name_of, slug_of
from canut.processes.model import (
    REFERENCE,
    FieldType,
    ItemField,
    ItemShape,
    ProcessDefinition,
    StepDefinition,
)
from canut.processes.store import ProcessVersion

#: what a question made on the pages is asked at
STEP = "answer"
#: where processes that a client made on the pages are
OWN = "own/"
KINDS: tuple[FieldType, ...] = ("text", "number", "image", "url", "boolean")
#: bounds of the promise that can be asked for
ERROR_MAX = (0.001, 0.3)
MOST_ANSWERS = 15


class Plan(Struct, frozen=True):
    """What a draft comes to so far, with everything that is missing or wrong, by step."""

    #: None where nothing is asked yet
    definition: ProcessDefinition | None
    #: the same, before a quality is asked for
    base: ProcessDefinition | None
    columns: Columns
    shape: ItemShape
    #: "published": runs as it is; "adapted": for this batch; "made": a version of its own
    way: str
    problems: dict[str, list[Problem]]


def plan(
    draft: Draft, version: ProcessVersion | None, options: Sequence[dict[str, Any]], locale: str
) -> Plan:
    """What the draft comes to; `version` is the one it chose, if it chose one."""
    wrong: dict[str, list[Problem]] = {"columns": [], "question": [], "target": []}
    form = draft.form("question")
    own_shape, own_columns = read_columns(draft.form("columns"), draft.facts.columns)
    if version is None:
        shape, columns = own_shape, own_columns
        if not any(field.show and not field.personal for field in shape.fields):
            mend = "choose at least one column that contributors see"
            wrong["columns"].append(Problem("no column is shown", mend, field="columns"))
    else:
        shape = version.definition.item
        columns = read_mapping(form, version, draft, wrong["question"])
    base = definition = _definition(draft, version, options, locale, wrong["question"], shape)
    way = "made" if first(form, "way") == "made" else "published"
    if base is not None:
        form = draft.form("target")
        definition = with_target(base, form, wrong["target"], made=way == "made")
    if way == "published" and version is not None and definition != version.definition:
        way = "adapted"
    return Plan(definition, base, columns, shape, way, wrong)


def read_columns(form: Form, found: Sequence[Column]) -> tuple[ItemShape, Columns]:
    """The shape of items made of these columns, and how they are read."""
    fields: list[ItemField] = []
    renamed: dict[str, str] = {}
    key = key_of(form, found)
    main = True
    for place, column in enumerate(found):
        use = use_of(form, place, column)
        if use == "keep" or column.name == key:
            continue
        kind = kind_of(form, place, column)
        taken = {field.name for field in fields} | {REFERENCE}
        name = name_of(column.name, "column", taken)
        personal = use == "personal"
        # an item without what it is about cannot be answered
        needed = main and not personal and not column.gaps
        main = main and personal
        fields.append(ItemField(name, column.name, kind, required=needed, personal=personal))
        if name != column.name:
            renamed[name] = column.name
    return ItemShape(tuple(fields)), Columns(renamed, "" if key == REFERENCE else key)


def key_of(form: Form, found: Sequence[Column]) -> str:
    """The column with the client's own key: what was said, else what it looks like."""
    names = [column.name for column in found]
    if REFERENCE in names:
        return REFERENCE
    if "key" in form:
        said = first(form, "key")
        return names[int(said)] if said.isdecimal() and int(said) < len(names) else ""
    return next((column.name for column in found if column.key), "")


def use_of(form: Form, place: int, column: Column) -> str:
    """Who sees a column: what was said, else what it looks like."""
    guessed = "personal" if column.personal else "show" if column.samples else "keep"
    said = first(form, f"use.{place}", guessed)
    return said if said in ("show", "keep", "personal") else guessed


def kind_of(form: Form, place: int, column: Column) -> FieldType:
    """What a column holds: what was said, else what it looks like."""
    said = first(form, f"kind.{place}", column.kind)
    return next((kind for kind in KINDS if kind == said), column.kind)


def read_mapping(
    form: Form, version: ProcessVersion, draft: Draft, problems: list[Problem]
) -> Columns:
    """Which column each field of a process is taken from: what was said, else what fits."""
    fields = version.definition.item.fields
    chosen = mapping_of(form, version, draft)
    used: dict[str, str] = {}
    for field in fields:
        column = chosen[field.name]
        if field.required and not column:
            mend = "choose the column that holds it"
            problems.append(Problem("the process requires it", mend, field=f"map.{field.name}"))
        elif column and column in used:
            message = f"the column {column!r} is taken twice"
            problems.append(Problem(message, "choose another", field=f"map.{field.name}"))
        used[column] = field.name
    renamed = {name: column for name, column in chosen.items() if column and name != column}
    key = key_of(draft.form("columns"), draft.facts.columns)
    return Columns(renamed, "" if key == REFERENCE else key)


def mapping_of(form: Form, version: ProcessVersion, draft: Draft) -> dict[str, str]:
    """Column by field; "" for none."""
    columns = draft.facts.columns
    names = {column.name for column in columns}
    guessed = match(version.definition.item.fields, columns)
    said = first(form, "mapped") == version.slug
    found = {}
    for field in version.definition.item.fields:
        column = first(form, f"map.{field.name}") if said else guessed[field.name]
        found[field.name] = column if column in names else ""
    return found


def _definition(
    draft: Draft,
    version: ProcessVersion | None,
    options: Sequence[dict[str, Any]],
    locale: str,
    problems: list[Problem],
    shape: ItemShape,
) -> ProcessDefinition | None:
    form = draft.form("question")
    if first(form, "way") == "made":
        base = version.definition if version is not None else None
        return _made(form, base, options, locale, problems, shape)
    if version is None:
        problems.append(
            Problem("no question is chosen", "choose one, or make your own", field="way")
        )
        return None
    if not options:
        return version.definition
    try:
        return with_options(version.definition, list(options))
    except CanutError as error:
        problems += [
            Problem(one.message, one.mend, field="taxonomy") for one in error.problems
        ] or [Problem(error.message, error.mend, field="taxonomy")]
        return version.definition


def _made(
    form: Form,
    base: ProcessDefinition | None,
    options: Sequence[dict[str, Any]],
    locale: str,
    problems: list[Problem],
    shape: ItemShape,
) -> ProcessDefinition:
    before = base.steps[0] if base is not None else None
    table = make_question(
        form,
        problems,
        locale=locale,
        options=options,
        base=before.question if before is not None else None,
    )
    title = first(form, "title").strip()
    name = first(form, "name").strip() or (title if base is None else "")
    said = first(form, "instructions").strip()
    if before is None or base is None:
        step = StepDefinition(STEP, title, table, {locale: said} if said else {})
        return ProcessDefinition(f"{OWN}{slug_of(name) or 'question'}", name, title, shape, (step,))
    instructions = {**before.instructions, locale: said}
    kept = {language: text for language, text in instructions.items() if text}
    step = msgspec.structs.replace(before, question=table, instructions=kept)
    slug = base.slug if base.slug.startswith(OWN) else f"{OWN}{slug_of(base.slug)}"
    return msgspec.structs.replace(base, slug=slug, steps=(step,))


def with_target(
    definition: ProcessDefinition, form: Form, problems: list[Problem], *, made: bool
) -> ProcessDefinition:
    """The process with the quality that was asked for; as it is where nothing was, or where it
    promises that already and was not `made` here."""
    error_max = read_error_max(form, problems)
    if error_max is None:
        return definition
    steps = tuple(
        step if step.promise.error_max == error_max and not made else _with_error(step, error_max)
        for step in definition.steps
    )
    return msgspec.structs.replace(definition, steps=steps)


def read_error_max(form: Form, problems: list[Problem]) -> float | None:
    """The share of wrong decisions asked for, in a form in percent; None where nothing is said."""
    written = first(form, "error")
    if written == "other":
        written = first(form, "error_other")
    if not written:
        return None
    low, high = ERROR_MAX
    try:
        share = round(float(written.replace(",", ".").rstrip(" %")) / 100, 6)
    except ValueError:
        share = -1.0
    if not low <= share <= high:
        mend = f"write a number from {low * 100:g} to {high * 100:g}"
        problems.append(Problem("this is no share of errors", mend, field="error_other"))
        return None
    return share


def _with_error(step: StepDefinition, error_max: float) -> StepDefinition:
    promise = msgspec.structs.replace(step.promise, error_max=error_max)
    # a decision is made once the belief in it is as sure as the promise
    return msgspec.structs.replace(
        step,
        promise=promise,
        target_confidence=round(1 - error_max, 6),
        max_answers=max(step.max_answers, most_answers(error_max)),
    )


def most_answers(error_max: float) -> int:
    """Answers that may be asked for: more where less may be wrong."""
    return 5 if error_max >= 0.05 else 7 if error_max >= 0.02 else 9


def deadline_of(form: Form, now_ms: int, problems: list[Problem]) -> int | None:
    """The end of the day asked for, UTC; None where none is, or after adding to `problems`."""
    written = first(form, "deadline").strip()
    if not written:
        return None
    try:
        day = datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
        end_ms = int((day + timedelta(days=1)).timestamp() * 1000) - 1
    except (ValueError, OverflowError):
        problem = Problem("this is no date", "write it as 2027-01-31", field="deadline")
        problems.append(problem)
        return None
    if end_ms <= now_ms:
        problems.append(Problem("this day is over", "choose a later one", field="deadline"))
        return None
    return end_ms
