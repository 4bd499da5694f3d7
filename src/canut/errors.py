"""What can go wrong, as one hierarchy of values.

An error has a code for programs, a message for a person and, where there is one, the mend.
Which HTTP status a code gets is decided in one table, in `canut.web.errors`.
"""

from typing import Any, ClassVar

from msgspec import Struct


class Problem(Struct, frozen=True, omit_defaults=True):
    """One thing wrong in what somebody handed us: where, what, and how to mend it."""

    #: what is wrong, for a person
    message: str
    #: what to do about it, for a person
    mend: str = ""
    #: file (or "stdin", "request") in which it was found
    file: str = ""
    #: row, counted from 1 for the first row of data; 0 where rows make no sense
    row: int = 0
    #: column, key or dotted path of the field
    field: str = ""

    def __str__(self) -> str:
        where = [self.file, f"row {self.row}" if self.row else "", self.field]
        place = ", ".join(part for part in where if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text} ({self.mend})" if self.mend else text


class CanutError(Exception):
    """Base of every error that Canut raises on purpose."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, mend: str = "", problems: list[Problem] | None = None):
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.problems = problems or []

    def __str__(self) -> str:
        head = f"{self.message} ({self.mend})" if self.mend else self.message
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])

    def as_dict(self) -> dict[str, Any]:
        """The error as plain values, for JSON."""
        return {"code": self.code, "message": self.message, "mend": self.mend}


class Invalid(CanutError):
    """What was handed over breaks a rule; `problems` lists every place."""

    code = "invalid"


class NotFound(CanutError):
    """There is no such thing, or it is not for the asker to see."""

    code = "not_found"


class Conflict(CanutError):
    """The request contradicts what is already there."""

    code = "conflict"


class Expired(CanutError):
    """A deadline has passed and the thing cannot be done any more."""

    code = "expired"


class Forbidden(CanutError):
    """The asker is known, and may not do this."""

    code = "forbidden"


class Unauthenticated(CanutError):
    """We do not know who asks."""

    code = "unauthenticated"


class TooMany(CanutError):
    """A limit is reached; `retry_after_s` says when to try again."""

    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int, mend: str = ""):
        super().__init__(message, mend=mend)
        self.retry_after_s = retry_after_s


class Unavailable(CanutError):
    """Something we depend on does not answer (the database, an object store)."""

    code = "unavailable"
