"""What a language model is told: the process, the instructions, decided examples, the item.

Only fields that a contributor would be shown are sent, and none that the process marks personal.
What an item says is data: it goes out as one JSON object between marks that the item cannot know,
without characters that hide text from people and not from machines.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from canut.agents.llm.prompt_schema import OPTIONS_MAX, wrapped
from canut.agents.llm.prompt_similar import Similar
from canut.agents.llm.prompt_words import WORDS
from canut.agents.llm.wire import NAME, Ask, Message
from canut.agents.model import Step, digest
from canut.errors import Invalid, Problem
from canut.processes.model import ItemField, ItemShape
from canut.questions.base import HasOptions, Localised, Question, localise
from canut.questions.number import LIMIT
from canut.questions.record import Record

Locale = Literal["en", "fr"]

#: options shown of a list that is too long to show
LIKELY = 60
#: longest item that is sent, in characters of its JSON; a longer one is left to others, not cut
ITEM_CHARS_MAX = 60_000
#: changes whenever what is written here changes what a model is told
VERSION = 1

#: characters that nobody sees: tags, turned directions, zero widths that join nothing
_HIDDEN = re.compile("[\U000e0000-\U000e007f\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]")


class Precedent(Struct, frozen=True):
    """An item that was decided, as an example."""

    #: what was sent of it, `visible`
    item: dict[str, str]
    #: its decided answer, normalised
    value: Any
    #: number of the client whose item it was; 0: nobody's
    client: int = 0


class Brief(Struct, frozen=True):
    """What is the same for every item of a step."""

    process: Localised
    title: Localised
    #: Markdown
    instructions: str
    question: Question
    fields: tuple[ItemField, ...]
    locale: Locale


def brief_of(
    step: Step, locale: Locale, *, process: Localised = "", fields: Sequence[str] = ()
) -> Brief:
    """The brief of a step in the language of the process, whose title is `process`. `fields` names
    those to send; all that may be sent, if empty. Raises `Invalid` for each that may not."""
    return Brief(
        process=process,
        title=step.definition.title,
        instructions=localise(step.definition.instructions, locale),
        question=step.question,
        fields=sendable(step.shape, fields),
        locale=locale,
    )


def sendable(shape: ItemShape, fields: Sequence[str] = ()) -> tuple[ItemField, ...]:
    """The fields that go to a model: of those named, or of all. Pictures do not: a model is sent
    text. Raises `Invalid` with a problem per field that may not be sent, and where none is left.
    """
    by_name = {field.name: field for field in shape.fields}
    problems = []
    for name in fields:
        fault = _fault(by_name.get(name))
        if fault:
            problems.append(Problem(fault, "take it out of the fields to send", field=name))
    chosen = [by_name[name] for name in fields if name in by_name] or list(shape.fields)
    sent = tuple(field for field in chosen if not _fault(field))
    if not sent and not problems:
        problems.append(Problem("no field of this process may be sent to a model"))
    if problems:
        raise Invalid("These fields may not be sent to a language model.", problems=problems)
    return sent


def _fault(field: ItemField | None) -> str:
    if field is None:
        return "agents see no such field: it is personal, or the process has none"
    if field.personal:
        return "is personal: it is never sent"
    if not field.show:
        return "is not shown to contributors, and a model is one"
    return "is a picture, and only text is sent" if field.type == "image" else ""


def visible(fields: Sequence[ItemField], payload: Mapping[str, Any]) -> dict[str, str]:
    """What of an item is sent, as text: the fields of the brief that it has, in their order.
    Columns that the process does not know are not sent: nobody has said that they may be."""
    return {
        field.name: str(payload[field.name])
        for field in fields
        if payload.get(field.name) not in (None, "")
    }


class Prompt:
    """A brief made ready: lists of options that are too long to show can be searched."""

    def __init__(self, brief: Brief):
        self.brief = brief
        self._long = [
            (
                [option["value"] for option in options],
                Similar(
                    [" ".join([*o["path"], o["label"], o["hint"], *o["synonyms"]]) for o in options]
                ),
            )
            for question in _parts(brief.question)
            if isinstance(question, HasOptions)
            and len(options := question.options(brief.locale)) > OPTIONS_MAX
        ]

    def build(
        self,
        item: Mapping[str, str],
        precedents: Sequence[Precedent] = (),
        *,
        max_tokens: int = 1024,
        temperature: float | None = 0.0,
    ) -> Ask:
        """What is asked about one item (`visible`). Raises `Invalid` where it is too long."""
        turns = []
        for precedent in precedents:
            said = msgspec.json.encode({NAME: precedent.value}).decode()
            turns += [Message("user", fenced(precedent.item)), Message("assistant", said)]
        last = fenced(item)
        if len(last) > ITEM_CHARS_MAX:
            raise Invalid(f"The item is longer than {ITEM_CHARS_MAX} characters.")
        likely = self._likely(item, precedents)
        return Ask(
            system=_system(self.brief, likely),
            messages=(*turns, Message("user", last)),
            schema=wrapped(self.brief.question.schema(), likely),
            max_tokens=max_tokens,
            temperature=temperature,
        )

    def _likely(self, item: Mapping[str, str], precedents: Sequence[Precedent]) -> frozenset[str]:
        """Of every long list, the options whose words are most like the item's, and those that
        the examples have."""
        found = set(_strings([precedent.value for precedent in precedents]))
        for values, similar in self._long:
            found |= {values[place] for place in similar.nearest(item_text(item), LIKELY)}
        return frozenset(found)


def fenced(item: Mapping[str, str]) -> str:
    """An item as data: JSON, where no line of it can pass for ours, between marks made of the
    hash of what is in it, which a text cannot hold of itself."""
    clean = {name: _HIDDEN.sub("", text) for name, text in item.items()}
    data = msgspec.json.encode(clean).decode()
    mark = f"item-{hashlib.sha256(data.encode()).hexdigest()[:16]}"
    return f"<{mark}>\n{data}\n</{mark}>"


def fingerprint(brief: Brief) -> str:
    """SHA-256 of all that is the same for every item, for the version of an agent."""
    likely = frozenset[str]()
    return digest([VERSION, _system(brief, likely), wrapped(brief.question.schema(), likely)])


def item_text(item: Mapping[str, str]) -> str:
    """An item as one text, to be compared with others."""
    return "\n".join(item.values())


def _system(brief: Brief, likely: frozenset[str]) -> str:
    words, locale = WORDS[brief.locale], brief.locale
    process = localise(brief.process, locale)
    fields = [f"- {field.name}: {localise(field.title, locale)}" for field in brief.fields]
    parts = [
        words.role.format(step=localise(brief.title, locale)),
        words.process.format(process=process) if process else "",
        f"# {words.instructions}\n{brief.instructions}" if brief.instructions else "",
        f"# {words.item}\n" + "\n".join(fields),
        f"# {words.question}\n" + "\n".join(_described(brief.question, "", brief.locale, likely)),
        f"# {words.rules}\n{words.data}\n{words.honesty}\n{words.reply}",
    ]
    return "\n\n".join(part for part in parts if part)


def _described(question: Question, name: str, locale: Locale, likely: frozenset[str]) -> list[str]:
    """The question in lines: its title and instructions, its options; of a record, each field."""
    title = localise(question.title, locale)
    lines = [f"- {name}: {title}" if name else title]
    own = localise(getattr(question, "instructions", ""), locale)
    lines += [f"  {own}"] if own else []
    schema, unit = question.schema(), localise(getattr(question, "unit", ""), locale)
    bounds = [schema[key] for key in ("minimum", "maximum") if abs(schema.get(key, LIMIT)) < LIMIT]
    if bounds or unit:
        lines.append("  " + " … ".join(f"{bound:g}" for bound in bounds) + f" {unit}".rstrip())
    labels = getattr(question, "labels", {})
    lines += [f"  - {point} = {localise(label, locale)}" for point, label in labels.items()]
    if isinstance(question, Record):
        for field in question.fields:
            lines += _described(field.question, field.name, locale, likely)
    elif isinstance(question, HasOptions):
        for option in _shown(question, locale, likely):
            path = " › ".join([*option["path"], option["label"]])
            hint = f" ({option['hint']})" if option["hint"] else ""
            lines.append(f"  - {option['value']} = {path}{hint}")
    return lines


def _shown(question: HasOptions, locale: Locale, likely: frozenset[str]) -> list[dict[str, Any]]:
    options = question.options(locale)
    if len(options) <= OPTIONS_MAX:
        return options
    return [option for option in options if option["value"] in likely]


def _parts(question: Question) -> list[Question]:
    """The questions of a record, or the question itself."""
    return [f.question for f in question.fields] if isinstance(question, Record) else [question]


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return _strings(list(value.values()))
    return [one for part in value for one in _strings(part)] if isinstance(value, list) else []
