"""A question made from a form, by somebody who writes no TOML; and back. Pure.

The form has, under plain names: `title`, `type`, `options` (one a line, a line of help behind `|`),
`low` and `high` (words for the ends of a scale), `min`, `max`, `unit`, `whole`, `length`, `lines`.
A record has its fields' own under `part.0.` to `part.7.`, each with `label` and `optional`.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from canut.errors import Invalid, Problem
from canut.processes.model import StepDefinition
from canut.questions.base import Localised, localise
from canut.questions.registry import load_question

Form = Mapping[str, Sequence[str]]
Option = dict[str, Any]

#: what can be made from a form, in the order in which it is offered
TYPES = ("choice", "choices", "scale", "number", "text", "record")
#: what a field of a record may be
PART_TYPES = ("choice", "choices", "scale", "number", "text")
PARTS_MAX = 8
#: options that a form can hold; more come as a file
OPTIONS_MAX = 200
#: names of a question's fields, and where the form has them when the registry complains
_FIELD_OF = {
    "options": "options", "min": "min", "max": "max", "unit": "unit", "title": "title",
    "max_length": "length", "labels": "low", "fields": "part.0.label",
}  # fmt: skip


def first(form: Form, name: str) -> str:
    """The first value of a field, without spaces around it."""
    return next(iter(form.get(name) or ()), "").strip()


def make_question(
    form: Form,
    problems: list[Problem],
    *,
    locale: str,
    options: Sequence[Option] = (),
    base: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The `[step.question]` table of a form. `options` came as a file and stand for those of the
    form; `base` is the question it began as: what was not changed stays, in every language. What
    is wrong is added to `problems`, by the names of the form."""
    table = _Maker(form, problems, locale).question("", dict(base or {}), list(options))
    if problems:
        return table
    try:
        load_question(table)
    except Invalid as error:
        problems += [_as_told(problem) for problem in error.problems]
    return table


def _as_told(problem: Problem) -> Problem:
    path = problem.field.removeprefix("question").removeprefix(".")
    part = ""
    if path.startswith("fields["):
        part = f"part.{path[7 : path.index(']')]}."
        path = path.partition("].")[2]
    key = path.partition("[")[0].partition(".")[0]
    field = _FIELD_OF.get(key, "title")
    return Problem(problem.message, problem.mend, field=part + field)


class _Maker:
    def __init__(self, form: Form, problems: list[Problem], locale: str):
        self.form, self.problems, self.locale = form, problems, locale

    def question(self, at: str, base: dict[str, Any], options: list[Option]) -> dict[str, Any]:
        kind = first(self.form, f"{at}type") or "choice"
        if kind not in (PART_TYPES if at else TYPES):
            kind = "choice"
        if base.get("type") != kind:
            base = {"title": base["title"]} if "title" in base else {}
        title = first(self.form, f"{at}label" if at else "title")
        if not title:
            self.problems.append(
                Problem("is missing", "write it in one line", field=f"{at}label" if at else "title")
            )
        own = {"type": kind, "title": kept(base.get("title"), title, self.locale)}
        made = getattr(self, kind)(at, base, options)
        return {**base, **own, **made}

    def choice(self, at: str, base: dict[str, Any], options: list[Option]) -> dict[str, Any]:
        if not options:
            options = self.options(at, base.get("options", []))
        return {"options": options}

    def choices(self, at: str, base: dict[str, Any], options: list[Option]) -> dict[str, Any]:
        made: dict[str, Any] = self.choice(at, base, options)
        for key in ("min", "max"):
            number = self.number_at(f"{at}{key}", whole=True)
            if number is not None:
                made[key] = number
        return made

    def scale(self, at: str, base: dict[str, Any], _: list[Option]) -> dict[str, Any]:
        low = self.number_at(f"{at}min", whole=True)
        high = self.number_at(f"{at}max", whole=True)
        points = {"min": 1 if low is None else low, "max": 5 if high is None else high}
        ends = {points["min"]: f"{at}low", points["max"]: f"{at}high"}
        held = dict(base.get("labels", {})) if _same(base, points) else {}
        labels = {
            str(point): kept(held.get(str(point)), text, self.locale)
            for point, name in ends.items()
            if (text := first(self.form, name))
        }
        inner = {key: text for key, text in held.items() if key not in map(str, ends)}
        return {**points, "labels": inner | labels} if inner or labels else points

    def number(self, at: str, base: dict[str, Any], _: list[Option]) -> dict[str, Any]:
        made: dict[str, Any] = {"integer": bool(first(self.form, f"{at}whole"))}
        for key in ("min", "max"):
            number = self.number_at(f"{at}{key}", whole=False)
            if number is not None:
                made[key] = number
        unit = first(self.form, f"{at}unit")
        if unit:
            made["unit"] = kept(base.get("unit"), unit, self.locale)
        return made

    def text(self, at: str, base: dict[str, Any], _: list[Option]) -> dict[str, Any]:
        length = self.number_at(f"{at}length", whole=True)
        return {
            "multiline": bool(first(self.form, f"{at}lines")),
            "max_length": 1000 if length is None else length,
        }

    def record(self, at: str, base: dict[str, Any], _: list[Option]) -> dict[str, Any]:
        before = {field["name"]: field for field in base.get("fields", [])}
        fields: list[dict[str, Any]] = []
        for place in parts(self.form):
            at = f"part.{place}."
            held = before.get(first(self.form, f"{at}name"), {})
            field = self.question(at, dict(held), [])
            taken = {one["name"] for one in fields}
            field["name"] = held.get("name") or _name(first(self.form, f"{at}label"), place, taken)
            if "required_when" not in held:
                field["required"] = not first(self.form, f"{at}optional")
            fields.append(field)
        if not fields:
            self.problems.append(
                Problem("a form has at least one field", "name the first", field="part.0.label")
            )
        return {"fields": fields}

    def options(self, at: str, before: Sequence[Option]) -> list[Option]:
        known = {localise(one.get("label") or one["value"], self.locale): one for one in before}
        name, found = f"{at}options", []
        lines = [line.strip() for text in self.form.get(name) or () for line in text.splitlines()]
        written = [line for line in lines if line]
        if len(written) < 2:
            self.problems.append(
                Problem("there are fewer than two options", "write one a line", field=name)
            )
        if len(written) > OPTIONS_MAX:
            message = f"there are more than {OPTIONS_MAX} options"
            self.problems.append(Problem(message, "hand them in as a file", field=name))
        seen: set[str] = set()
        for line in written[:OPTIONS_MAX]:
            label, _, hint = (unicodedata.normalize("NFC", part).strip() for part in _cut(line))
            option = dict(known.get(label) or {"value": label, "label": label})
            if label.casefold() in seen:
                self.problems.append(Problem(f"{label!r} is there twice", "remove one", field=name))
            seen.add(label.casefold())
            if hint or option.get("hint"):
                option["hint"] = kept(option.get("hint"), hint, self.locale)
            found.append({key: value for key, value in option.items() if value != ""})
        return found

    def number_at(self, name: str, *, whole: bool) -> Any:
        text = first(self.form, name).replace(",", ".")
        if not text:
            return None
        try:
            return int(text) if whole or text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            self.problems.append(
                Problem(f"{text[:40]!r} is no number", "write it in digits", field=name)
            )
            return None


def parts(form: Form) -> Iterator[int]:
    """The fields of a record that the form names."""
    for place in range(PARTS_MAX):
        if first(form, f"part.{place}.label"):
            yield place


def kept(before: Localised | None, text: str, locale: str) -> Localised:
    """What a text becomes that was changed in one language: the others stay."""
    if before is None or before == "":
        return text
    if localise(before, locale) == text:
        return before
    return {**before, locale: text} if isinstance(before, dict) and text else text


def form_of(step: StepDefinition, locale: str) -> dict[str, list[str]] | None:
    """The form that makes this step; None where no form can."""
    question = step.question
    if question.get("type") not in TYPES or question.get("transcript"):
        return None
    form = _form_of(question, "", locale)
    if form is None:
        return None
    form["instructions"] = [localise(step.instructions, locale) if step.instructions else ""]
    return form


def _form_of(question: Mapping[str, Any], at: str, locale: str) -> dict[str, list[str]] | None:
    form = {
        f"{at}label" if at else "title": [localise(question.get("title", ""), locale)],
        f"{at}type": [question["type"]],
    }
    for key in ("min", "max"):
        if key in question:
            form[at + key] = [f"{question[key]:g}"]
    if question.get("unit"):
        form[f"{at}unit"] = [localise(question["unit"], locale)]
    for key, name in (("integer", "whole"), ("multiline", "lines")):
        if question.get(key):
            form[at + name] = ["1"]
    if "max_length" in question:
        form[f"{at}length"] = [str(question["max_length"])]
    labels = question.get("labels", {})
    for end, name in (("min", "low"), ("max", "high")):
        point = str(question.get(end, 1 if end == "min" else 5))
        if labels.get(point):
            form[at + name] = [localise(labels[point], locale)]
    options = question.get("options", [])
    if 0 < len(options) <= OPTIONS_MAX and not any(one.get("parent") for one in options):
        form[f"{at}options"] = ["\n".join(_line(one, locale) for one in options)]
    for place, field in enumerate(question.get("fields", [])):
        inner = _form_of(field, f"part.{place}.", locale) if place < PARTS_MAX else None
        if inner is None or field["type"] not in PART_TYPES:
            return None
        form |= inner | {f"part.{place}.name": [field["name"]]}
        if field.get("required") is False:
            form[f"part.{place}.optional"] = ["1"]
    return form


def _line(option: Option, locale: str) -> str:
    label = localise(option.get("label") or option["value"], locale)
    hint = localise(option.get("hint", ""), locale)
    return f"{label} | {hint}" if hint else label


def _cut(line: str) -> tuple[str, str, str]:
    return line.partition("|")


def _same(base: Mapping[str, Any], points: Mapping[str, int]) -> bool:
    return bool(base.get("min", 1) == points["min"] and base.get("max", 5) == points["max"])


def slug_of(text: str) -> str:
    """A short name in small letters, digits and hyphens; "" where there is none in the text."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign if sign.isascii() and sign.isalnum() else " " for sign in apart
                    if not unicodedata.combining(sign))  # fmt: skip
    return "-".join(plain.split())[:60].strip("-")


def name_of(text: str, otherwise: str, taken: set[str]) -> str:
    """A name for programs: letters, digits and _, which nobody has yet."""
    name = slug_of(text).replace("-", "_")[:36]
    name = name if name[:1].isalpha() else f"{otherwise}_{name}" if name else otherwise
    return next(one for one in (name, *(f"{name}_{n}" for n in range(2, 1000))) if one not in taken)


def _name(label: str, place: int, taken: set[str]) -> str:
    return name_of(label, f"field_{place + 1}", taken)
