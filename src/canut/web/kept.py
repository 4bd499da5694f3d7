"""What a web process keeps ready for the task screen: it never changes, so it may be kept."""

import hashlib
from collections import OrderedDict
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec

from canut.questions.base import HasOptions
from canut.web.option_index import ARROW, OptionIndex
from canut.work.tasks import Steps

#: lists of options kept; one of 10,000 classes is a megabyte
OPTIONS_MAX = 50
#: instructions kept, as HTML
GUIDES_MAX = 400

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded memory: what was used longest ago goes first."""

    def __init__(self, size_max: int):
        self._size_max = size_max
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """What is kept under this key."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: K, value: V) -> V:
        """Keep it, and return it."""
        self._kept[key] = value
        if len(self._kept) > self._size_max:
            self._kept.popitem(last=False)
        return value

    def __len__(self) -> int:
        return len(self._kept)


class OptionList:
    """The options of a question in one language. What it takes to serve them is made when it is
    first asked for: 500,000 are 40 MB as JSON, and nobody fetches those."""

    def __init__(self, question: HasOptions, locale: str):
        self._question, self._locale = question, locale

    @cached_property
    def body(self) -> bytes:
        """All of them, as the combobox fetches a list that is not too long:
        `{"paths": [text], "options": [[value, label, hint, place in paths, synonyms]]}`."""
        return encode_options(self._question.options(self._locale))

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'

    @cached_property
    def search(self) -> OptionIndex:
        """For lists that are searched here."""
        return OptionIndex(self._question.options(self._locale))


class Kept:
    """Steps, option lists and instructions of one web process."""

    def __init__(self) -> None:
        self.steps = Steps()
        #: by step of a batch, form name and language
        self.options: Recent[tuple[int, str, str], OptionList] = Recent(OPTIONS_MAX)
        #: HTML by Markdown
        self.guides: Recent[str, str] = Recent(GUIDES_MAX)

    def option_list(self, step_id: int, name: str, locale: str, question: HasOptions) -> OptionList:
        """The options of a question, kept."""
        key = (step_id, name, locale)
        return self.options.get(key) or self.options.keep(key, OptionList(question, locale))


def encode_options(options: list[dict[str, Any]]) -> bytes:
    """Paths are shared by many options: they are sent once, and options point to them."""
    places: dict[str, int] = {}
    rows = []
    for option in options:
        place = places.setdefault(ARROW.join(option["path"]), len(places))
        rows.append([option["value"], option["label"], option["hint"], place, option["synonyms"]])
    return msgspec.json.encode({"paths": list(places), "options": rows})
