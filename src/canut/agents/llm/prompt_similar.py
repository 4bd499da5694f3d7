"""Which decided items are most like the one in hand: those shown to a model as examples."""

import math
from collections import Counter
from collections.abc import Sequence

from canut.agents.grounding.text import fold

#: letters of a gram; across words, so that word order and endings count a little
_GRAM = 3


class Similar:
    """Texts that can be searched by likeness: cosine over three-letter grams, rare ones weighing
    more (tf-idf). Pure: the same texts and query give the same order."""

    def __init__(self, texts: Sequence[str]):
        counted = [_grams(text) for text in texts]
        self._size = len(texts)
        held = Counter(gram for grams in counted for gram in grams)
        self._rarity = {gram: math.log1p(self._size / many) for gram, many in held.items()}
        self._where: dict[str, list[tuple[int, float]]] = {}
        for place, grams in enumerate(counted):
            weights = {gram: many * self._rarity[gram] for gram, many in grams.items()}
            norm = math.sqrt(sum(weight * weight for weight in weights.values()))
            for gram, weight in weights.items():
                self._where.setdefault(gram, []).append((place, weight / norm))

    def nearest(self, text: str, count: int) -> list[int]:
        """Places of the texts most like this one, best first; of equals, the first. Texts with
        nothing in common are left out."""
        scores = [0.0] * self._size
        for gram, many in _grams(text).items():
            for place, weight in self._where.get(gram, ()):
                scores[place] += many * self._rarity[gram] * weight
        order = sorted(range(self._size), key=lambda place: (-scores[place], place))
        return [place for place in order[:count] if scores[place] > 0]


def _grams(text: str) -> Counter[str]:
    plain = f" {fold(text).text} "
    return Counter(plain[i : i + _GRAM] for i in range(len(plain) - _GRAM + 1))
