"""Reading tables somebody wrote by hand, and telling every mistake in them at once."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from canut.errors import Problem
from canut.processes.model import LOCALES
from canut.questions.base import Localised

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LOCALE = re.compile(r"[a-z]{2}")
# Comparing takes time in proportion, and a file of thousands of faults asks thousands of times.
_SUGGEST_MAX = 200


def suggest(name: str, known: Iterable[str]) -> str:
    """The mend for an unknown name: the known one it looks like, else nothing."""
    names = list(known)
    if len(names) > _SUGGEST_MAX:
        return ""
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""


class Table:
    """A table of a TOML file being read: what is taken from it is checked, and `close` reports
    the keys nobody took. Faults are added to `problems`; the value returned then is the
    default, so that reading goes on and the next fault is found too.
    """

    def __init__(self, data: Mapping[str, Any], path: str, file: str, problems: list[Problem]):
        self.data = data
        self.path = path
        self.file = file
        self.problems = problems
        self._known: list[str] = []

    def at(self, key: str) -> str:
        """Dotted path of a key of this table."""
        return f"{self.path}.{key}" if self.path else key

    def fault(self, key: str, message: str, mend: str = "") -> None:
        """Report something wrong with a key."""
        where = self.at(key) if key else self.path
        self.problems.append(Problem(message, mend, self.file, 0, where))

    def take(self, key: str, kind: type | tuple[type, ...], words: str, default: Any) -> Any:
        """The value of a key if it has the kind, else the default."""
        self._known.append(key)
        value = self.data.get(key)
        if value is None:
            return default
        # bool is an int to Python, and never to the author of a process.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fault(key, f"expected {words}")
            return default
        return value

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        return str(self.take(key, str, "a text in quotes", default))

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return bool(self.take(key, bool, "true or false", default))

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number between low and high."""
        value = int(self.take(key, int, "a whole number", default))
        if not low <= value <= high:
            self.fault(key, f"expected a whole number from {low} to {high}, not {value}")
            return default
        return value

    def share(self, key: str, default: float) -> float:
        """A number above 0 and below 1."""
        value = float(self.take(key, (int, float), "a number between 0 and 1", default))
        if not 0 < value < 1:
            self.fault(key, f"expected a number between 0 and 1, not {value:g}")
            return default
        return value

    def slug(self, key: str) -> str:
        """A required short name: small letters, digits and hyphens."""
        value = self.text(key)
        if key not in self.data:
            self.fault(key, "missing", "add it: a short name in small letters")
        elif value and not SLUG.fullmatch(value):
            self.fault(key, f"{value!r} is no short name", "use small letters, digits and hyphens")
        elif not value and isinstance(self.data[key], str):
            self.fault(key, "empty", "give it a short name in small letters")
        return value

    def slugs(self, key: str) -> tuple[str, ...]:
        """A list of short names."""
        values = self.take(key, list, "a list of short names", [])
        for value in values:
            if not isinstance(value, str) or not SLUG.fullmatch(value):
                self.fault(key, f"{value!r} is no short name", "use small letters and hyphens")
        return tuple(value for value in values if isinstance(value, str))

    def names(self, key: str, known: Sequence[str]) -> tuple[str, ...]:
        """A list of names, each one of those that are `known`."""
        values = self.take(key, list, "a list of names", [])
        for value in values:
            if value not in known:
                mend = suggest(str(value), known) or f"one of {', '.join(known)}"
                self.fault(key, f"there is no {value!r} to show", mend)
        return tuple(value for value in values if value in known)

    def localised(self, key: str, default: Localised | None = None) -> Localised:
        """A text for people: a string, or a string per language; required without a default."""
        value: Any = self.take(key, (str, dict), "a text, or a text per language", None)
        if value is None:
            if default is None and key not in self.data:
                self.fault(key, "missing", f'add it: {key} = {{ en = "...", fr = "..." }}')
            return default if default is not None else ""
        if isinstance(value, str):
            self._filled(key, value)
            return value
        for locale, text in value.items():
            if not _LOCALE.fullmatch(locale):
                self.fault(f"{key}.{locale}", "this is no language code", "use en, fr, ...")
            if not isinstance(text, str):
                self.fault(f"{key}.{locale}", "expected a text in quotes")
            else:
                self._filled(f"{key}.{locale}", text)
        if not value:
            self.fault(key, "no language is given", 'write { en = "...", fr = "..." }')
        return {str(locale): str(text) for locale, text in value.items()}

    def table(self, key: str) -> "Table | None":
        """A required table."""
        value = self.take(key, dict, f"a table: [{self.at(key)}]", None)
        if value is None:
            if key not in self.data:
                self.fault(key, "missing", f"add a table [{self.at(key)}]")
            return None
        return Table(value, self.at(key), self.file, self.problems)

    def tables(self, key: str) -> list["Table"]:
        """A required array of at least one table; paths count from 1."""
        values = self.take(key, list, f"tables: [[{self.at(key)}]]", None)
        if values is None or not values:
            if key not in self.data or values == []:
                self.fault(key, "missing", f"add at least one table [[{self.at(key)}]]")
            return []
        tables = []
        for number, value in enumerate(values, 1):
            if isinstance(value, dict):
                path = f"{self.at(key)}[{number}]"
                tables.append(Table(value, path, self.file, self.problems))
            else:
                self.fault(f"{key}[{number}]", f"expected a table: [[{self.at(key)}]]")
        return tables

    def close(self) -> None:
        """Report every key that nobody took."""
        for key in self.data:
            if key not in self._known:
                mend = suggest(key, self._known) or f"known keys: {', '.join(self._known)}"
                self.fault(key, "unknown key", mend)

    def _filled(self, key: str, text: str) -> None:
        if not text.strip():
            self.fault(key, "empty", "write a text, or leave the key out")


def untranslated(value: Any, path: str, file: str) -> list[Problem]:
    """A warning per text that is given per language and lacks one of ours, at any depth."""
    if isinstance(value, list | tuple):
        return [
            warning
            for number, part in enumerate(value, 1)
            for warning in untranslated(part, f"{path}[{number}]", file)
        ]
    if not isinstance(value, dict):
        return []
    if value and all(_LOCALE.fullmatch(str(key)) for key in value) and _all_text(value):
        lacking = [locale for locale in LOCALES if locale not in value]
        return [
            Problem(f"no text in {locale!r}", "translate it", file, 0, path) for locale in lacking
        ]
    return [
        warning
        for key, part in value.items()
        for warning in untranslated(part, f"{path}.{key}" if path else str(key), file)
    ]


def _all_text(value: Mapping[str, Any]) -> bool:
    return all(isinstance(part, str) for part in value.values())
