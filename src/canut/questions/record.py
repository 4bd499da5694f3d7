"""`record`: several fields, each a question of its own type.

Definition: `title`, `instructions`, `fields`: a list of tables, each a question with, besides its
own keys,
    name            lower-case letters, digits and "_", the key in the answer
    required        true unless it says false
    required_when   { field = "verdict", in = ["reject"] }: asked for (and then required) only
                    where that earlier field has one of these values; elsewhere it is no part of
                    the answer, and what is given for it is dropped
Answer: an object; fields without an answer are left out.

Widget: template "record.html"; data:
    name, title, instructions
    fields          list of
        field           its name
        template, data  its own widget; its form names are "<name>.<field>"
        required        true, or false
        required_when   null, or form name `name` and list of values `in`
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from canut.errors import Invalid, Problem
from canut.questions.base import Answers, Beliefs, Localised, Question, Track, Widget, localise
from canut.questions.definition import Definition, refuse
from canut.questions.fields import Condition, Field, aggregate_fields, is_empty
from canut.questions.registry import load_question

#: keys of a field that are the record's, not its question's
OWN_KEYS = ("name", "required", "required_when")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Record(Struct, frozen=True):
    """A question answered by an object of fields."""

    title: Localised
    instructions: Localised
    fields: list[Field]

    def schema(self) -> dict[str, Any]:
        """An object of the fields, with the conditions as if/then."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {field.name: field.question.schema() for field in self.fields},
            "required": [field.name for field in self.fields if field.required],
            "additionalProperties": False,
        }
        conditions = [
            {"if": field.when.schema(), "then": {"required": [field.name]}}
            for field in self.fields
            if field.when
        ]
        if conditions:
            schema["allOf"] = conditions
        return schema

    def normalise(self, raw: Any) -> dict[str, Any]:
        """The fields that have an answer, normalised; raises `Invalid` with a problem per wrong
        field, named by its dotted path."""
        if not isinstance(raw, Mapping):
            raise refuse("no answer is given" if raw is None else "must be an object of fields")
        problems: list[Problem] = []
        value: dict[str, Any] = {}
        for field in self.fields:
            if field.when and not field.when.holds(value):
                continue
            given = raw.get(field.name)
            if not (field.required or field.when) and is_empty(given):
                continue
            try:
                value[field.name] = field.question.normalise(given)
            except Invalid as error:
                problems += [_below(field.name, problem) for problem in error.problems]
        known = {field.name for field in self.fields}
        names = ", ".join(field.name for field in self.fields)
        problems += [
            Problem(message="is not a field of this answer", mend=f"known are: {names}", field=key)
            for key in map(str, raw)
            if key not in known
        ]
        if problems:
            raise Invalid("This answer cannot be accepted.", problems=problems)
        return value

    def agree(self, left: Any, right: Any) -> float:
        """Mean over the fields that either has; a field only one has counts 0."""
        scores = [
            field.question.agree(left[field.name], right[field.name])
            if field.name in left and field.name in right
            else 0.0
            for field in self.fields
            if field.name in left or field.name in right
        ]
        return sum(scores) / len(scores) if scores else 1.0

    def aggregate(self, answers: Answers, track: Track) -> Beliefs:
        """Field by field (`canut.questions.fields.aggregate_fields`); the confidence is that of
        the least sure required field."""
        return aggregate_fields(self.fields, answers, track)

    def from_form(self, form: Mapping[str, Sequence[str]], name: str = "answer") -> dict[str, Any]:
        """What each field's question finds under `<name>.<field>`."""
        raw = {
            field.name: field.question.from_form(form, f"{name}.{field.name}")
            for field in self.fields
        }
        return {key: value for key, value in raw.items() if value is not None}

    def to_form(self, value: Any, name: str = "answer") -> dict[str, list[str]]:
        """The form fields of every field."""
        form: dict[str, list[str]] = {}
        for field in self.fields:
            if field.name in value:
                form |= field.question.to_form(value[field.name], f"{name}.{field.name}")
        return form

    def widget(self, locale: str, name: str = "answer") -> Widget:
        """Template "record.html"; its data is described at the top of this module."""
        shown = []
        for field in self.fields:
            widget = field.question.widget(locale, f"{name}.{field.name}")
            when = field.when and {"name": f"{name}.{field.when.field}", "in": field.when.values}
            shown.append(
                {
                    "field": field.name,
                    "template": widget.template,
                    "data": widget.data,
                    "required": field.required,
                    "required_when": when,
                }
            )
        data = {
            "name": name,
            "title": localise(self.title, locale),
            "instructions": localise(self.instructions, locale),
            "fields": shown,
        }
        return Widget("record.html", data)

    def describe(self, value: Any, locale: str) -> str:
        """Each field's title and answer: "Verdict: Reject; Reasons: Insults"."""
        # French puts a space that does not break before its colon
        colon = "\u00a0: " if locale.startswith("fr") else ": "
        return "; ".join(
            localise(field.question.title, locale)
            + colon
            + field.question.describe(value[field.name], locale)
            for field in self.fields
            if field.name in value
        )


class RecordType:
    """The question type `record`."""

    name = "record"

    def load(self, definition: Mapping[str, Any]) -> Record:
        """Read a definition; raises `Invalid`."""
        table = Definition(definition)
        fields: dict[str, Field] = {}
        title, instructions = table.text("title", required=True), table.text("instructions")
        for row in table.tables("fields"):
            field = _read_field(row, fields)
            if field is not None:
                fields[field.name] = field
        table.finish()
        return Record(title=title, instructions=instructions, fields=list(fields.values()))

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        """The moderation of a review: a verdict, and reasons where it is a rejection."""
        definition = {
            "type": "record",
            "title": {"en": "May this review be published?", "fr": "Peut-on publier cet avis ?"},
            "fields": [
                {
                    "name": "verdict",
                    "type": "choice",
                    "title": {"en": "Verdict", "fr": "Verdict"},
                    "options": [
                        {"value": "publish", "label": {"en": "Publish", "fr": "Publier"}},
                        {"value": "reject", "label": {"en": "Reject", "fr": "Refuser"}},
                    ],
                },
                {
                    "name": "reasons",
                    "type": "choices",
                    "title": {"en": "Reasons", "fr": "Motifs"},
                    "min": 1,
                    "required_when": {"field": "verdict", "in": ["reject"]},
                    "options": [
                        {"value": "insult", "label": {"en": "Insults", "fr": "Insultes"}},
                        {"value": "advert", "label": {"en": "Advertising", "fr": "Publicité"}},
                    ],
                },
                {
                    "name": "note",
                    "type": "text",
                    "title": {"en": "Note", "fr": "Remarque"},
                    "required": False,
                },
            ],
        }
        return definition, [
            {"verdict": "publish"},
            {"verdict": "reject", "reasons": ["advert", "insult"], "note": " Links to a shop "},
            {"verdict": "reject", "reasons": ["insult"]},
            {"verdict": "publish", "reasons": ["insult"], "note": ""},
        ]


def _read_field(row: Definition, earlier: Mapping[str, Field]) -> Field | None:
    """Read one field; None where it has a problem that keeps others from referring to it."""
    name = row.word("name", required=True)
    if name and not _NAME.fullmatch(name):
        row.problem("name", "must be lower-case letters, digits and _, a letter first")
    if name in earlier:
        row.problem("name", f"{name!r} is used twice", "give each field its own name")
    when = _read_condition(row, earlier)
    required = row.flag("required", default=when is None)
    if when and required:
        row.problem("required", "contradicts required_when", "take one of the two out")
    question = _read_question(row)
    if question is None or not name:
        return None
    return Field(name=name, question=question, required=required, when=when)


def _read_question(row: Definition) -> Question | None:
    own = {key: value for key, value in row.table.items() if key not in OWN_KEYS}
    try:
        return load_question(own)
    except Invalid as error:
        for problem in error.problems:
            path = row.path + problem.field.removeprefix("question")
            row.problems.append(structs.replace(problem, field=path))
        return None


def _read_condition(row: Definition, earlier: Mapping[str, Field]) -> Condition | None:
    written = row.take("required_when")
    if written is None:
        return None
    table = Definition(written, f"{row.path}.required_when", row.problems)
    name, values = table.word("field", required=True), table.take("in")
    table.close()
    if name and name not in earlier:
        table.problem("field", f"there is no earlier field {name!r}", "put that field first")
    if not isinstance(values, list) or not values:
        table.problem("in", "must be a list of values, at least one")
        return Condition(field=name, values=[])
    if name in earlier:
        values = [_condition_value(table, i, v, earlier[name]) for i, v in enumerate(values)]
    return Condition(field=name, values=values)


def _condition_value(table: Definition, i: int, written: Any, field: Field) -> Any:
    """A value the field can have, or one of the options of a field that picks several."""
    for raw in (written, [written]):
        try:
            value = field.question.normalise(raw)
        except Invalid:
            continue
        return value[0] if isinstance(value, list) else value
    table.problem(f"in[{i}]", f"{written!r} is no answer to the field {field.name!r}")
    return written


def _below(name: str, problem: Problem) -> Problem:
    return structs.replace(problem, field=f"{name}.{problem.field}" if problem.field else name)


RECORD = RecordType()
