"""Reading a question's definition: take what is right, remember everything that is wrong."""

from collections.abc import Mapping
from typing import Any

from canut.errors import Invalid, Problem
from canut.questions.base import Localised


class Definition:
    """A table of a definition, and the problems found in it so far.

    Every reading method returns a usable value even where it reports a problem, so that reading
    goes on and one pass finds them all; `finish` raises.
    """

    def __init__(self, table: Any, path: str = "question", problems: list[Problem] | None = None):
        self.path = path
        self.problems: list[Problem] = [] if problems is None else problems
        self._known: set[str] = set()
        self.table: Mapping[str, Any] = {}
        if isinstance(table, Mapping):
            self.table = table
        else:
            self.problem("", "must be a table")

    def problem(self, key: str, message: str, mend: str = "") -> None:
        """Remember that the value under this key is wrong."""
        field = f"{self.path}.{key}" if key else self.path
        self.problems.append(Problem(message=message, mend=mend, field=field))

    def take(self, key: str) -> Any:
        """The value as it is written; None where there is none."""
        self._known.add(key)
        return self.table.get(key)

    def text(self, key: str, *, required: bool = False) -> Localised:
        """A text in one language or several."""
        value = self.take(key)
        if value is None:
            if required:
                self.problem(key, "is missing", "write a text, or one text per language")
            return ""
        return self.localised(key, value)

    def localised(self, key: str, value: Any) -> Localised:
        """Check that a value is a text in one language or several."""
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, Mapping) and value:
            for language, text in value.items():
                if not (isinstance(text, str) and text.strip()):
                    self.problem(f"{key}.{language}", "must be a text that is not empty")
            return {str(language): str(text) for language, text in value.items()}
        self.problem(key, "must be a text that is not empty, or one text per language")
        return ""

    def word(self, key: str, *, required: bool = False) -> str:
        """A plain text that programs read."""
        value = self.take(key)
        if value is None and not required:
            return ""
        if isinstance(value, str) and value.strip() and value == value.strip():
            return value
        self.problem(
            key,
            "is missing" if value is None else "must be a text without spaces around it",
        )
        return ""

    def words(self, key: str) -> list[str]:
        """A list of plain texts."""
        value = self.take(key)
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(w, str) and w.strip() for w in value):
            return list(value)
        self.problem(key, "must be a list of texts")
        return []

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem(key, "must be true or false")
            return default
        return value

    def integer(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number between `low` and `high`."""
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problem(key, f"must be a whole number between {low} and {high}")
            return default
        return value

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """A number between `low` and `high`."""
        value = self.take(key)
        if value is None:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            self.problem(key, f"must be a number between {low:g} and {high:g}")
            return default
        return value

    def tables(self, key: str) -> list["Definition"]:
        """A list of tables, at least one; their problems are remembered here."""
        value = self.take(key)
        if not isinstance(value, list) or not value:
            self.problem(key, "must be a list of tables, at least one")
            return []
        return [
            Definition(table, f"{self.path}.{key}[{i}]", self.problems)
            for i, table in enumerate(value)
        ]

    def close(self) -> None:
        """Report the keys that nobody has asked for: a misspelt key must not pass in silence."""
        for key in self.table:
            if key not in self._known:
                known = ", ".join(sorted(self._known))
                self.problem(str(key), "is not known here", f"known are: {known}")

    def finish(self) -> None:
        """Raise `Invalid` with every problem, if there is any."""
        self.take("type")
        self.close()
        if self.problems:
            raise Invalid("This question cannot be used.", problems=self.problems)


def refuse(message: str, mend: str = "", field: str = "") -> Invalid:
    """The error for one wrong answer, or for one wrong field of an answer."""
    problem = Problem(message=message, mend=mend, field=field)
    return Invalid("This answer cannot be accepted.", problems=[problem])


def first(form: Mapping[str, Any], name: str) -> str | None:
    """The first value of a form field; None where it is missing."""
    return next(iter(form.get(name) or ()), None)
