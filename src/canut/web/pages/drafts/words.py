"""The words of the steps of a new batch, and the values that their pages show."""

from msgspec import Struct

from canut.insight.asking import Asking, Proof
from canut.web.i18n import N_

KIND_NAMES: dict[str, str] = {
    "text": N_("Text"),
    "number": N_("Number"),
    "image": N_("Picture"),
    "url": N_("Web address"),
    "boolean": N_("Yes or no"),
}
TYPE_NAMES: dict[str, tuple[str, str]] = {
    "choice": (N_("One of several options"), N_("a category, a verdict, a language")),
    "choices": (N_("Any of several options"), N_("every topic that a message touches")),
    "scale": (N_("A point on a scale"), N_("from not at all to entirely")),
    "number": (N_("A number"), N_("a weight, an amount, a count")),
    "text": (N_("Free text"), N_("a title, a correction, a sentence")),
    "record": (N_("A form with several fields"), N_("name, brand and weight of one product")),
}


class Sent:
    """A file that came with a form, as the readers of a process want it."""

    def __init__(self, data: bytes):
        self._data = data

    def read_bytes(self) -> bytes:
        return self._data


class ColumnView(Struct, frozen=True):
    """A column, with what is said of it."""

    name: str
    samples: tuple[str, ...]
    kind: str
    use: str


class Offer(Struct, frozen=True):
    """A process that can be chosen."""

    version_id: int
    title: str
    description: str
    own: bool
    number: int
    #: of its fields, those that a column fits, and those it requires and nothing does
    fits: list[tuple[str, str]]
    missing: list[str]


class Level(Struct, frozen=True):
    """A quality that can be asked for, with what it costs."""

    #: percent, as the form sends it
    value: str
    wrong_max: int
    asking: Asking
    proof: Proof
