"""From a folder to a process: `process.toml`, instructions, taxonomy, sample and gold.

Reading goes on after a fault, so that one call reports every fault there is, each with its
file, row or key, and the mend.
"""

import re
import tomllib
from importlib.resources.abc import Traversable
from typing import Any, get_args

import msgspec
from msgspec import Struct

from canut.errors import Invalid, NotFound, Problem, Unavailable
from canut.processes.checks import checks_of
from canut.processes.examples import GoldItem, SampleItem, read_gold, read_sample
from canut.processes.files import find, read_text
from canut.processes.model import (
    LOCALES,
    REFERENCE,
    FieldType,
    ItemField,
    ItemShape,
    ProcessDefinition,
    StepDefinition,
)
from canut.processes.promise import read_promise
from canut.processes.reading import SLUG, Table, suggest, untranslated
from canut.processes.shipped import FILE
from canut.processes.taxonomy import read_taxonomy
from canut.questions.base import Question
from canut.questions.registry import load_question

#: the highest level that an exam can prove (`canut.quality.exams.rules`)
EXAM_MAX = 0.92
_TYPES = get_args(FieldType)
_INDEX = re.compile(r"\[(\d+)\]")
_ANSWERS_MAX = 99
_LEASE_S = (30, 7 * 24 * 3600)
_LENGTH_MAX = 1_000_000


class Loaded(Struct, frozen=True):
    """A process folder, read and checked."""

    definition: ProcessDefinition
    sample: tuple[SampleItem, ...]
    gold: tuple[GoldItem, ...]
    #: what works and should still be mended, such as a missing translation
    warnings: tuple[Problem, ...]


def load_folder(folder: Traversable) -> Loaded:
    """Read the process in a folder (a `pathlib.Path` or a folder of a package).

    Raises `NotFound` where there is no process.toml, and `Invalid` with every problem.
    """
    file = find(folder, FILE)
    if file is None:
        raise NotFound(
            f"There is no {FILE} in {folder.name or folder}.",
            mend="canut process new SLUG writes one",
        )
    problems: list[Problem] = []
    warnings: list[Problem] = []
    table = Table(_parse(read_text(file, FILE, problems), problems), "", FILE, problems)
    reader = _Reader(folder, problems, warnings)
    definition = reader.process(table)
    sample = read_sample(folder, definition.item, problems)
    gold = read_gold(folder, definition.item, reader.questions, sample, problems)
    if problems:
        raise Invalid(f"The process has {_count(problems)}.", problems=_unique(problems))
    return Loaded(definition, sample, gold, tuple(warnings))


def check_question(definition: dict[str, Any], table: Table) -> Question | None:
    """The question of a step, or None after reporting what is wrong with it."""
    try:
        return load_question(definition)
    except Invalid as error:
        for problem in error.problems:
            table.fault(_below(problem.field), problem.message, problem.mend)
    except Unavailable as error:
        table.fault("type", error.message, error.mend)
    return None


def _below(field: str) -> str:
    # A question names its keys from "question" on and counts from 0; the table it is read from
    # knows its own place, and a person counts from 1.
    key = field.removeprefix("question").removeprefix(".")
    return _INDEX.sub(lambda found: f"[{int(found[1]) + 1}]", key)


def _parse(text: str, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # Whatever else would be reported follows from the syntax error, so stop here.
        problems.append(Problem(f"not TOML: {error}", "check quotes and brackets there", FILE))
        raise Invalid("The process cannot be read.", problems=problems) from None


class _Reader:
    def __init__(self, folder: Traversable, problems: list[Problem], warnings: list[Problem]):
        self.folder = folder
        self.problems = problems
        self.warnings = warnings
        self.questions: dict[str, Question] = {}
        self.shape = ItemShape(())

    def process(self, table: Table) -> ProcessDefinition:
        """The whole file."""
        slug = table.text("slug")
        if not slug or not all(SLUG.fullmatch(part) for part in slug.split("/")):
            mend = 'write a name such as "catalogue/categorise"'
            table.fault("slug", f"{slug!r} is no process name" if slug else "missing", mend)
        title = table.localised("title")
        description = table.localised("description")
        item_table = table.table("item")
        item = self.shape = self.item(item_table) if item_table else ItemShape(())
        step_tables = table.tables("step")
        steps = tuple(self.step(part, len(step_tables)) for part in step_tables)
        table.close()
        _report_twice(table, "step", "slug", [step.slug for step in steps])
        self.warnings += untranslated({"title": title, "description": description}, "", FILE)
        return ProcessDefinition(slug, title, description, item, steps)

    def item(self, table: Table) -> ItemShape:
        """The `[item]` table."""
        extra = table.flag("extra", True)
        fields = tuple(self.field(part) for part in table.tables("field"))
        table.close()
        _report_twice(table, "field", "name", [field.name for field in fields])
        if fields and not any(field.show for field in fields):
            table.fault("field", "no field is shown", "a contributor must see something")
        return ItemShape(fields, extra)

    def field(self, table: Table) -> ItemField:
        """One `[[item.field]]`."""
        name = table.text("name")
        if not name.isidentifier():
            message = f"{name!r} is no field name" if name else "missing"
            table.fault("name", message, "use letters, digits and _")
        elif name == REFERENCE:
            mend = "every item has one already: leave this field out"
            table.fault("name", f"{REFERENCE!r} is the client's key of an item", mend)
        kind = table.text("type", "text")
        if kind not in _TYPES:
            mend = suggest(kind, _TYPES) or f"one of {', '.join(_TYPES)}"
            table.fault("type", f"there is no field type {kind!r}", mend)
            kind = "text"
        field = ItemField(
            name=name,
            title=table.localised("title"),
            type=kind,  # type: ignore[arg-type]
            required=table.flag("required", False),
            personal=table.flag("personal", False),
            show=table.flag("show", True),
            length_max=table.whole("length_max", 20_000, 1, _LENGTH_MAX),
        )
        table.close()
        self.warnings += untranslated(field.title, table.at("title"), FILE)
        return field

    def step(self, table: Table, steps: int) -> StepDefinition:
        """One `[[step]]`."""
        slug = table.slug("slug")
        if slug in (REFERENCE, "item"):
            table.fault("slug", f"{slug!r} has a meaning of its own in files", "choose another")
        step = StepDefinition(
            slug=slug,
            title=table.localised("title"),
            question=self.question(table, slug),
            instructions=self.instructions(table, slug, steps),
            min_answers=table.whole("min_answers", 2, 1, _ANSWERS_MAX),
            max_answers=table.whole("max_answers", 5, 1, _ANSWERS_MAX),
            target_confidence=table.share("target_confidence", 0.9),
            lease_s=table.whole("lease_s", 600, *_LEASE_S),
            skills=table.slugs("skills"),
            licence=table.flag("licence", False),
            exam=table.share("exam", 0.7),
            expert_skill=table.slug("expert_skill") if "expert_skill" in table.data else "",
            promise=read_promise(table, self.shape.fields, self.questions.get(slug)),
            checks=self.checks(table, slug),
            about=table.names("about", [one.name for one in self.shape.fields if one.show]),
        )
        if "expert_skill" not in table.data:
            table.text("expert_skill")
        if step.exam > EXAM_MAX:
            mend = f"at most {EXAM_MAX:g}: sixty questions prove no more"
            table.fault("exam", f"{step.exam:g} is too high", mend)
        if step.min_answers > step.max_answers:
            mend = f"at least min_answers, which is {step.min_answers}"
            table.fault("max_answers", f"{step.max_answers} is too few", mend)
        table.close()
        self.warnings += untranslated(step.title, table.at("title"), FILE)
        return step

    def question(self, table: Table, slug: str) -> dict[str, Any]:
        """The `[step.question]` table with its taxonomies inlined."""
        part = table.table("question")
        if part is None:
            return {}
        before = len(self.problems)
        definition: dict[str, Any] = self.inlined(part.data, part, "")
        if len(self.problems) == before:
            question = check_question(definition, part)
            if question is not None:
                self.questions[slug] = question
        self.warnings += untranslated(part.data, part.path, FILE)
        return definition

    def checks(self, table: Table, slug: str) -> tuple[dict[str, Any], ...]:
        """The `[[step.checks]]` tables."""
        tables = tuple(table.take("checks", list, f"tables: [[{table.at('checks')}]]", []))
        try:
            checks_of(tables, self.questions.get(slug), self.shape)
        except Invalid as error:
            for problem in error.problems:
                table.fault(problem.field, problem.message, problem.mend)
            return ()
        return tables

    def inlined(self, value: Any, table: Table, path: str) -> Any:
        """The value with every `taxonomy = "file.csv"` in it replaced by its options."""
        if isinstance(value, list):
            return [
                self.inlined(one, table, f"{path}[{number}]") for number, one in enumerate(value, 1)
            ]
        if not isinstance(value, dict):
            return value
        prefix = f"{path}." if path else ""
        definition = {
            key: self.inlined(part, table, prefix + key)
            for key, part in value.items()
            if key != "taxonomy"
        }
        if "taxonomy" in value:
            definition["options"] = self.taxonomy(value, table, prefix)
        return definition

    def taxonomy(self, value: dict[str, Any], table: Table, prefix: str) -> list[dict[str, Any]]:
        """The options of the taxonomy file that a question names."""
        name = value["taxonomy"]
        if "options" in value:
            table.fault(f"{prefix}options", "both options and a taxonomy are given", "keep one")
        file = find(self.folder, name) if isinstance(name, str) else None
        if file is None:
            mend = "name a CSV file in the folder of the process"
            table.fault(f"{prefix}taxonomy", f"there is no file {name!r}", mend)
            return []
        options = read_taxonomy(file, name, self.problems)
        for row, option in enumerate(options, 1):
            for warning in untranslated(option, "", name):
                self.warnings.append(msgspec.structs.replace(warning, row=row))
        return options

    def instructions(self, table: Table, slug: str, steps: int) -> dict[str, str]:
        """Markdown by language, from the files named, else from those of the convention."""
        default = "instructions.{locale}.md" if steps == 1 else "instructions/{slug}.{locale}.md"
        pattern = table.text("instructions", default)
        if "{locale}" not in pattern:
            mend = f'write {{locale}} where the language stands: "{default}"'
            table.fault("instructions", "the name is the same for every language", mend)
            return {}
        texts = {}
        for locale in LOCALES:
            name = pattern.replace("{slug}", slug).replace("{locale}", locale)
            file = find(self.folder, name)
            text = read_text(file, name, self.problems).strip() if file else ""
            if text:
                texts[locale] = text
            else:
                lack = "the file is empty" if file else f"no instructions in {locale!r}"
                self.warnings.append(Problem(lack, "write them", name))
        if not texts:
            mend = f"write {default.replace('{slug}', slug).replace('{locale}', 'en')}"
            table.fault("instructions", "there are no instructions in any language", mend)
        return texts


def _report_twice(table: Table, key: str, name: str, values: list[str]) -> None:
    for number, value in enumerate(values, 1):
        if value and value in values[: number - 1]:
            table.fault(f"{key}[{number}].{name}", f"{value!r} is there twice", "rename one")


def _unique(problems: list[Problem]) -> list[Problem]:
    return list(dict.fromkeys(problems))


def _count(problems: list[Problem]) -> str:
    number = len(_unique(problems))
    return "1 problem" if number == 1 else f"{number} problems"
