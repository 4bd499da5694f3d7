"""The values of a draft."""

from typing import Any, Literal

from msgspec import Struct

from canut.errors import Conflict, Problem
from canut.processes.model import FieldType

#: the fields of a form as they were sent
Form = dict[str, list[str]]
#: what a contributor sees of a column
Use = Literal["show", "keep", "personal"]

#: the forms of a draft, in their order
STEPS = ("columns", "question", "target", "launch")
#: a draft that nobody touches is kept so long
KEEP_MS = 7 * 86_400_000


class Column(Struct, frozen=True):
    """A column of the file, and what it seems to hold."""

    name: str
    kind: FieldType
    #: values of the first rows that are not empty
    samples: tuple[str, ...] = ()
    #: whether more of the first rows have no value than are rows to mend
    gaps: bool = False
    #: whether it looks like the client's own key, or like personal data
    key: bool = False
    personal: bool = False


class Handed(Struct, frozen=True):
    """Pictures that came with a file, or in its place."""

    n: int
    #: columns of the table that name them; none, where the table was made of them
    columns: tuple[str, ...] = ()
    #: the first of the files that were left out, each with what is wrong, and how many are
    left_out: tuple[Problem, ...] = ()
    n_left_out: int = 0


class Facts(Struct, frozen=True):
    """What a file holds."""

    columns: tuple[Column, ...]
    #: its first rows, long texts cut
    rows: tuple[dict[str, Any], ...]
    pictures: Handed | None = None


class Found(Struct, frozen=True):
    """What a look at every row found."""

    #: what was looked for: other columns or another shape make it out of date
    against: str
    rows: int
    rejected: int
    n_problems: int
    #: the first of them
    problems: tuple[Problem, ...]


class Draft(Struct, frozen=True):
    """A batch in the making."""

    id: int
    client_id: int
    account_id: int
    revision: int
    file: str
    file_name: str
    bytes: int
    said: dict[str, Form]
    facts: Facts
    found: Found | None
    #: classes that came as a file, if any
    n_options: int
    changed_by: int
    changed_ms: int
    expires_ms: int
    #: set once it is launched
    batch_id: int | None

    def form(self, step: str) -> Form:
        """What was said at a step so far."""
        return self.said.get(step, {})


class DraftLine(Struct, frozen=True):
    """A draft in a list."""

    id: int
    client_id: int
    file_name: str
    #: what it will be called, where somebody said so
    name: str
    changed_ms: int
    expires_ms: int
    #: the last step that was filled in
    steps: tuple[str, ...]


class Stale(Conflict):
    """Somebody changed the draft meanwhile; `draft` is as it is now."""

    code = "conflict"

    def __init__(self, draft: Draft):
        super().__init__(
            "This draft was changed in another window.",
            mend="look at what is there now, or save yours in its place",
        )
        self.draft = draft


def first(form: Form, name: str, otherwise: str = "") -> str:
    """The first value of a field."""
    return next(iter(form.get(name) or ()), otherwise)
