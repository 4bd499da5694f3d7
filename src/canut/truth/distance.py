"""Edit distance between texts, many pairs at once."""

from collections.abc import Sequence

import numpy as np

from canut.truth.votes import Float64, Int32

#: texts longer than this many characters are compared word by word
CHARACTERS_MAX = 400
#: cells worked on at once; larger does not fit the cache
CELLS = 1 << 17


def text_distance(left: Sequence[str], right: Sequence[str]) -> Float64:
    """Normalised edit distance of each pair, float64, 0 (same) to 1 (nothing in common).

    The least number of insertions, deletions and substitutions, divided by the longer length;
    symmetric. Characters are compared, or words where one of the two is longer than
    `CHARACTERS_MAX`, as word error rates are for transcripts.

    Source: Levenshtein, "Binary codes capable of correcting deletions, insertions and
    reversals" (1966); the row-at-a-time recurrence of Wagner & Fischer, J. ACM 21 (1974).
    """
    words: dict[str, int] = {}
    coded = [_encode(a, b, words) for a, b in zip(left, right, strict=True)]
    longest = np.array([max(len(a), len(b), 1) for a, b in coded], np.float64)
    return edit_distance([_trim(a, b) for a, b in coded]) / longest


def word_distance(left: Sequence[Sequence[str]], right: Sequence[Sequence[str]]) -> Float64:
    """The same of sequences of words, float64 (pairs,): the word error rate, over the longer one
    of the two so that neither is the reference and it is 1 at most."""
    index: dict[str, int] = {}

    def coded(words: Sequence[str]) -> Int32:
        return np.array([index.setdefault(word, len(index)) for word in words], np.int32)

    pairs = [(coded(a), coded(b)) for a, b in zip(left, right, strict=True)]
    longest = np.array([max(len(a), len(b), 1) for a, b in pairs], np.float64)
    return edit_distance([_trim(a, b) for a, b in pairs]) / longest


def edit_distance(pairs: Sequence[tuple[Int32, Int32]]) -> Float64:
    """Edits between the two int32 sequences of each pair, float64 (n pairs,)."""
    edits = np.zeros(len(pairs))
    short = [a if len(a) <= len(b) else b for a, b in pairs]
    long = [b if len(a) <= len(b) else a for a, b in pairs]
    size = np.array([[len(a), len(b)] for a, b in zip(short, long, strict=True)]).reshape(-1, 2)
    order = np.lexsort((size[:, 0], size[:, 1]))
    begin = 0
    while begin < len(order):
        end = begin + 1
        # sorted by length, so the last of a block is its longest and little is padding
        while end < len(order) and (end - begin + 1) * (size[order[end], 1] + 1) <= CELLS:
            end += 1
        block = order[begin:end]
        edits[block] = _block([short[i] for i in block], [long[i] for i in block])
        begin = end
    return edits


def _encode(left: str, right: str, words: dict[str, int]) -> tuple[Int32, Int32]:
    if max(len(left), len(right)) <= CHARACTERS_MAX:
        return _characters(left), _characters(right)
    a, b = ([words.setdefault(w, len(words)) for w in text.split()] for text in (left, right))
    return np.array(a, np.int32), np.array(b, np.int32)


def _characters(text: str) -> Int32:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.int32)


def _trim(left: Int32, right: Int32) -> tuple[Int32, Int32]:
    """Leave out what both begin and end with: it costs no edit, and answers are mostly alike."""
    n = min(len(left), len(right))
    differs = left[:n] != right[:n]
    head = int(differs.argmax()) if differs.any() else n
    left, right = left[head:], right[head:]
    n -= head
    differs = left[::-1][:n] != right[::-1][:n]
    tail = int(differs.argmax()) if differs.any() else n
    return left[: len(left) - tail], right[: len(right) - tail]


def _block(short: list[Int32], long: list[Int32]) -> Float64:
    a, a_size = _pad(short, -1)
    b, b_size = _pad(long, -2)
    column = np.arange(b.shape[1] + 1, dtype=np.int32)
    row = np.repeat(column[None, :], len(b), axis=0)
    edits = b_size.astype(np.float64)  # right where the shorter one is empty
    for i in range(a.shape[1]):
        following = np.empty_like(row)
        following[:, 0] = i + 1
        np.minimum(row[:, 1:] + 1, row[:, :-1] + (b != a[:, i : i + 1]), out=following[:, 1:])
        # insertions run along the row: a running minimum, once each cell's own column is taken off
        row = np.minimum.accumulate(following - column, axis=1) + column
        done = np.flatnonzero(a_size == i + 1)
        edits[done] = row[done, b_size[done]]
    return edits


def _pad(sequences: list[Int32], filler: int) -> tuple[Int32, Int32]:
    size = np.array([len(s) for s in sequences], np.int32)
    padded = np.full((len(sequences), int(size.max(initial=0))), filler, np.int32)
    for i, sequence in enumerate(sequences):
        padded[i, : len(sequence)] = sequence
    return padded, size
