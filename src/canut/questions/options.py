"""The options of a choice: a flat list, or a taxonomy of thousands of classes.

In a definition, `options` is a list of tables with `value` (what is stored), `label`
(`Localised`, the value if left out), `hint` (`Localised`), `parent` (the value of the option it
belongs to) and `synonyms` (other words people search it by). Only options that are nobody's
parent can be answered, unless the question says `any_level = true`.
"""

import unicodedata
from typing import Any

from msgspec import Struct

from canut.errors import Problem
from canut.questions.base import Localised, localise
from canut.questions.definition import Definition

#: with more options than this, a page does not hold them but fetches them once
SHOWN_MAX = 50
#: with more options than this, an error does not list them
LISTED_MAX = 30


class Option(Struct, frozen=True):
    """One option of a list or one class of a taxonomy."""

    value: str
    label: Localised
    hint: Localised
    #: value of the option it belongs to; "" at the top
    parent: str
    #: other words for it, in any language
    synonyms: list[str]


class Options(Struct, frozen=True):
    """All the options of a question, checked."""

    #: by value, in the order of the definition
    by_value: dict[str, Option]
    #: values that can be answered, in that order
    answerable: list[str]
    #: place of each answerable value in that list
    index: dict[str, int]
    #: folded label or synonym to value, to help who typed a label instead of a value
    known_as: dict[str, str]
    #: answerable value to the outermost option it belongs to, below one that all belong to
    group: dict[str, str]

    def check(self, raw: Any) -> str | Problem:
        """The value of an answerable option, or what is wrong with it; O(1)."""
        if not isinstance(raw, str):
            missing = raw is None
            return Problem(
                message="no answer is given" if missing else "must be the value of an option",
                mend=self._mend(""),
            )
        value = raw if raw in self.index else unicodedata.normalize("NFC", raw.strip())
        if value in self.index:
            return value
        if not value:
            return Problem(message="no answer is given", mend=self._mend(""))
        if value in self.by_value:
            return Problem(
                message=f"{value!r} has sub-options and cannot be answered itself",
                mend="choose one of its sub-options",
            )
        return Problem(message=f"{value[:80]!r} is not an option", mend=self._mend(value))

    def _mend(self, value: str) -> str:
        meant = self.known_as.get(_fold(value))
        if meant is not None:
            return f"write its value {meant!r}"
        if len(self.answerable) <= LISTED_MAX:
            return f"choose one of: {', '.join(self.answerable)}"
        return f"choose one of the {len(self.answerable)} options"

    def label(self, value: str, locale: str) -> str:
        """The option in words; the value itself where it is not (or no longer) an option."""
        option = self.by_value.get(value)
        return localise(option.label, locale) if option else value

    def path(self, value: str, locale: str) -> list[str]:
        """Labels of what the option belongs to, from the outermost."""
        labels: list[str] = []
        parent = self.by_value[value].parent if value in self.by_value else ""
        while parent:
            labels.append(self.label(parent, locale))
            parent = self.by_value[parent].parent
        return labels[::-1]

    def in_words(self, value: str, locale: str) -> str:
        """The option with its path: "Kitchen › Kettles"."""
        return " › ".join([*self.path(value, locale), self.label(value, locale)])

    def listed(self, locale: str) -> list[dict[str, Any]]:
        """Every answerable option as plain values: `canut.questions.base.HasOptions`."""
        return [
            {
                "value": value,
                "label": self.label(value, locale),
                "hint": localise(self.by_value[value].hint, locale),
                "path": self.path(value, locale),
                "synonyms": self.by_value[value].synonyms,
            }
            for value in self.answerable
        ]

    def shown(self, locale: str) -> dict[str, Any]:
        """What a widget gets: `large`, `count`, and `options` unless there are too many."""
        count = len(self.answerable)
        if count > SHOWN_MAX:
            return {"large": True, "count": count}
        return {"large": False, "count": count, "options": self.listed(locale)}


def read_options(definition: Definition) -> Options:
    """Read `options` and `any_level`; problems are remembered in `definition`."""
    any_level = definition.flag("any_level", default=False)
    tables = definition.tables("options")
    by_value: dict[str, Option] = {}
    rows: list[tuple[Definition, Option]] = []
    for table in tables:
        option = _read_option(table)
        if option.value in by_value:
            table.problem("value", f"{option.value!r} is used twice", "give each its own value")
        elif option.value:
            by_value[option.value] = option
            rows.append((table, option))
    _check_parents(rows, by_value)
    parents = {option.parent for option in by_value.values()}
    answerable = [value for value in by_value if any_level or value not in parents]
    if tables and not answerable and not definition.problems:
        definition.problem("options", "none of them can be answered")
    return Options(
        by_value=by_value,
        answerable=answerable,
        index={value: i for i, value in enumerate(answerable)},
        known_as=_names(by_value, answerable),
        group={} if definition.problems else _groups(by_value, answerable),
    )


def _read_option(table: Definition) -> Option:
    value = table.word("value", required=True)
    if value != unicodedata.normalize("NFC", value) or not value.isprintable():
        table.problem("value", "must be printable text in Unicode normal form C")
    option = Option(
        value=value,
        label=table.text("label") or value,
        hint=table.text("hint"),
        parent=table.word("parent"),
        synonyms=table.words("synonyms"),
    )
    table.close()
    return option


def _check_parents(rows: list[tuple[Definition, Option]], by_value: dict[str, Option]) -> None:
    rooted: set[str] = {""}
    for table, option in rows:
        if option.parent and option.parent not in by_value:
            table.problem("parent", f"there is no option {option.parent!r}")
            rooted.add(option.parent)
    for table, option in rows:
        climbed: list[str] = []
        value = option.value
        while value not in rooted and value not in climbed:
            climbed.append(value)
            value = by_value[value].parent
        if value in climbed:
            table.problem("parent", f"{option.value!r} belongs to itself, by way of its parents")
        rooted.update(climbed)


def _groups(by_value: dict[str, Option], answerable: list[str]) -> dict[str, str]:
    paths: dict[str, list[str]] = {}
    for value in answerable:
        path = [value]
        while by_value[path[-1]].parent:
            path.append(by_value[path[-1]].parent)
        paths[value] = path[::-1]
    level = 0
    while len({path[level] if level < len(path) else "" for path in paths.values()}) == 1:
        if any(level + 1 >= len(path) for path in paths.values()):
            break
        level += 1
    return {value: path[level] for value, path in paths.items()}


def _names(by_value: dict[str, Option], answerable: list[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for value in answerable:
        option = by_value[value]
        labels = option.label.values() if isinstance(option.label, dict) else [option.label]
        for name in (value, *labels, *option.synonyms):
            names.setdefault(_fold(name), value)
    return names


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()
