"""How probable a model found the answer it wrote, from the probabilities of its tokens."""

import math
import re
from collections.abc import Sequence

from msgspec import Struct

#: a value of a JSON text; one followed by a colon is a key
_LEAF = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*")(?P<key>\s*:)?|-?\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b'
)


class Token(Struct, frozen=True):
    """A token of a reply, as the OpenAI dialect gives it; other keys are passed over."""

    token: str
    #: natural logarithm of its probability, at most 0
    logprob: float


def probability(text: str, tokens: Sequence[Token]) -> float | None:
    """Probability of the least sure value in a JSON reply, 0..1; None where nothing can be said.

    A value's probability is the product over its tokens. Keys, brackets and commas are given by
    the schema and say nothing of the answer. The least sure value, not the product of all: a
    record of twenty fields is not less sure of itself than one of two (as in `questions.fields`).
    """
    if not tokens or "".join(token.token for token in tokens) != text:
        return None
    spans = [(found.start(), found.end()) for found in _LEAF.finditer(text) if found["key"] is None]
    sums = [0.0] * len(spans)
    start = 0
    for token in tokens:
        end = start + len(token.token)
        for i, (first, last) in enumerate(spans):
            if start < last and first < end:
                sums[i] += min(token.logprob, 0.0)
        start = end
    return math.exp(min(sums)) if sums else None
