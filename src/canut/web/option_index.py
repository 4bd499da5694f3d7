"""Finding one of hundreds of thousands of options while somebody types.

Words are kept sorted, so that all that begin with what was typed stand together; a word leads to
its options by whole arrays of numbers. Labels, other names and paths are kept apart: a hit in the
label counts more, and what many options belong to is kept once.
"""

import math
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canut.web.fold import fold

Ids = NDArray[np.int32]
Mask = NDArray[np.bool_]

#: between the labels of a path
ARROW = " › "
#: words of an item that are looked at to guess its options
WORDS_MAX = 60
#: options whose labels are compared more closely
NEAR_MAX = 1000
#: the last of what begins with a word
LAST = chr(0x10FFFF)

_WORD = re.compile(r"\w+")


class Words:
    """Words, each with the numbers of what it stands in."""

    def __init__(self, texts: Iterable[Iterable[str]]):
        """`texts`: the words of each thing, in the order of their numbers."""
        numbers: dict[str, int] = {}
        word, thing = array("i"), array("i")
        for n, words in enumerate(texts):
            for one in set(words):
                word.append(numbers.setdefault(one, len(numbers)))
                thing.append(n)
        self.sorted = sorted(numbers)
        place = np.empty(len(numbers), np.int32)
        for at, one in enumerate(self.sorted):
            place[numbers[one]] = at
        rows = place[np.frombuffer(word, np.int32)] if len(word) else np.empty(0, np.int32)
        order = np.argsort(rows, kind="stable")
        self._things = np.frombuffer(thing, np.int32)[order] if len(thing) else rows
        self._starts = np.searchsorted(rows[order], np.arange(len(numbers) + 1))

    def beginning(self, word: str) -> Ids:
        """Numbers of all that has a word which begins so; some may come twice."""
        first, last = bisect_left(self.sorted, word), bisect_left(self.sorted, word + LAST)
        return self._things[self._starts[first] : self._starts[last]]

    def exactly(self, word: str) -> Ids:
        """Numbers of all that has this word."""
        at = bisect_left(self.sorted, word)
        if at == len(self.sorted) or self.sorted[at] != word:
            return self._things[:0]
        return self._things[self._starts[at] : self._starts[at + 1]]


class OptionIndex:
    """The options of one question in one language."""

    def __init__(self, options: Sequence[dict[str, Any]]):
        """`options`: as `HasOptions.options` lists them."""
        self.values = [option["value"] for option in options]
        self.labels = [option["label"] for option in options]
        self._hints = [option["hint"] for option in options]
        places: dict[tuple[str, ...], int] = {}
        at = [places.setdefault(tuple(option["path"]), len(places)) for option in options]
        self.paths = list(places)
        self.place = np.array(at, np.int32)
        folded = [fold(label) for label in self.labels]
        self._in_label = Words(map(_WORD.findall, folded))
        self._in_names = Words(_names(option) for option in options)
        self._in_path = Words(_WORD.findall(fold(" ".join(path))) for path in self.paths)
        self._order = np.array(sorted(range(len(folded)), key=folded.__getitem__), np.int32)
        self._sorted = [folded[n] for n in self._order]

    def __len__(self) -> int:
        return len(self.values)

    def find(self, text: str, limit: int) -> tuple[list[int], int]:
        """Options with words that begin as those of the text, the best first, and how many there
        are: labels that begin with it, then words of the label, then anything else."""
        asked = fold(text).strip()
        words = _WORD.findall(asked)
        if not words:
            return list(range(min(limit, len(self)))), len(self)
        masks = [self._holding(word) for word in words]
        whole: Mask = np.logical_and.reduce([whole for _, whole in masks])
        label: Mask = np.logical_and.reduce([label for label, _ in masks])
        first, last = bisect_left(self._sorted, asked), bisect_left(self._sorted, asked + LAST)
        begins = [int(n) for n in islice((n for n in self._order[first:last] if whole[n]), limit)]
        found = dict.fromkeys(begins)
        for mask in (label, whole):
            if len(found) < limit:
                found |= dict.fromkeys(np.flatnonzero(mask)[: limit + len(found)].tolist())
        return list(found)[:limit], int(whole.sum())

    def likely(self, text: str, limit: int) -> list[int]:
        """Options whose label shares its words with the text, rare words counting more."""
        words = list(dict.fromkeys(word for word in _WORD.findall(fold(text)) if len(word) > 2))
        score = np.zeros(len(self), np.float32)
        for word in words[:WORDS_MAX]:
            for form in {word, word.removesuffix("s"), word + "s"}:
                named = self._in_label.exactly(form)
                if len(named):
                    score[named] += math.log(1 + len(self) / len(named))
        hits: NDArray[np.intp] = np.flatnonzero(score)
        if len(hits) > NEAR_MAX:
            hits = np.sort(hits[np.argpartition(-score[hits], NEAR_MAX)[:NEAR_MAX]])
        # the shorter of two labels is the nearer one
        length = np.array([len(self.labels[n]) for n in hits], np.float32)
        best = hits[np.argsort(-score[hits] / np.sqrt(8 + length), kind="stable")]
        return [int(n) for n in best[:limit]]

    def below(self, path: tuple[str, ...], limit: int) -> tuple[list[tuple[str, int]], list[int]]:
        """The next level under a path, each with how many options it holds, and the options that
        stand at the path itself."""
        depth = len(path)
        counts = np.bincount(self.place, minlength=len(self.paths))
        levels: dict[str, int] = {}
        here: list[int] = []
        for n, one in enumerate(self.paths):
            if one == path:
                here = np.flatnonzero(self.place == n)[:limit].tolist()
            elif one[:depth] == path:
                levels[one[depth]] = levels.get(one[depth], 0) + int(counts[n])
        return list(levels.items()), here

    def rows(self, found: Iterable[int]) -> list[list[str]]:
        """Options as pages take them: value, label, hint, path."""
        return [
            [self.values[n], self.labels[n], self._hints[n], ARROW.join(self.paths[self.place[n]])]
            for n in found
        ]

    def _holding(self, word: str) -> tuple[Mask, Mask]:
        """Options with such a word in their label, and anywhere."""
        label = np.zeros(len(self), np.bool_)
        label[self._in_label.beginning(word)] = True
        paths = np.zeros(len(self.paths), np.bool_)
        paths[self._in_path.beginning(word)] = True
        whole = label | paths[self.place]
        whole[self._in_names.beginning(word)] = True
        return label, whole


def _names(option: dict[str, Any]) -> list[str]:
    """What else an option is called."""
    return _WORD.findall(fold(" ".join([option["value"], *option["synonyms"]])))
