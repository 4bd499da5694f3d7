"""Items as rows of hashed n-grams: the same numbers for the same item, on any machine.

Words, pairs of words, and runs of 2 to 5 characters inside a word (with its borders), each hashed
into one of `WIDTH` columns; numbers by their size, booleans and short texts also as whole values.
Hashes are computed for all the texts of a block at once, from prefix sums of a polynomial modulo
2**64, so that a title costs some twenty microseconds. Nothing is learned here.

Source: Weinberger, Dasgupta, Langford, Smola & Attenberg, "Feature hashing for large scale
multitask learning", ICML 2009; Karp & Rabin (1987) for hashes of substrings.
"""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from canut.processes.model import ItemShape

#: a change of what is computed here changes every agent's version
VERSION = 1
#: columns; a power of two
WIDTH = 1 << 20
#: characters of one text that are read
READ_MAX = 20_000
#: texts hashed at once: bounds memory to some tens of megabytes for titles
BLOCK = 4096
#: a text up to this long also counts as a value of its field
VALUE_LENGTH_MAX = 40
GRAMS = (2, 3, 4, 5)

UInt64 = NDArray[np.uint64]
#: a scipy.sparse.csr_matrix, which has no types
Rows: TypeAlias = Any

_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))
_SPACE = ord(" ")


def rows(shape: ItemShape, payloads: Sequence[Mapping[str, Any]]) -> Rows:
    """Counts, float32 csr (len(payloads), WIDTH). Fields that are personal, or that the shape does
    not know, are not read."""
    readers = [field for field in shape.fields if not field.personal]
    blocks = [
        _block(readers, payloads[start : start + BLOCK]) for start in range(0, len(payloads), BLOCK)
    ]
    if not blocks:
        return sparse.csr_matrix((0, WIDTH), dtype=np.float32)
    return blocks[0] if len(blocks) == 1 else sparse.vstack(blocks, format="csr")


def plain(texts: Sequence[str]) -> Rows:
    """Counts of texts that belong to no field, float32 csr (len(texts), WIDTH)."""
    doc, column = _grams([folded(text) for text in texts])
    return _counted(doc, column, len(texts))


def folded(text: str) -> str:
    """A text in the form in which it is compared: compatibility forms made one, no case, single
    spaces; the first `READ_MAX` characters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text[:READ_MAX].casefold().split())


def _block(fields: Sequence[Any], payloads: Sequence[Mapping[str, Any]]) -> Rows:
    texts: list[str] = []
    whole: list[str] = []
    owner: list[int] = []
    for place, payload in enumerate(payloads):
        parts: list[str] = []
        for field in fields:
            value = payload.get(field.name)
            if value is None:
                continue
            for token in _tokens(field.name, field.type, value, parts):
                whole.append(token)
                owner.append(place)
        texts.append(" ".join(parts))
    doc, column = _grams(texts)
    if whole:
        doc = np.concatenate([doc, np.array(owner, np.int32)])
        column = np.concatenate([column, _values(whole)])
    return _counted(doc, column, len(payloads))


def _tokens(name: str, kind: str, value: Any, parts: list[str]) -> list[str]:
    """Whole values of one field; its text, if it has one, is added to `parts`."""
    if kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
        return [f"{name}\0{token}" for token in _sizes(value)]
    if kind == "boolean" or not isinstance(value, str):
        return [f"{name}\0{value!r}"]
    if kind == "image":
        return []
    text = folded(value)
    parts.append(text)
    return [f"{name}\0{text}"] if len(text) <= VALUE_LENGTH_MAX else []


def _sizes(value: float) -> list[str]:
    """A number at three resolutions: numbers near each other share some."""
    if not math.isfinite(value):
        return ["odd"]
    size = math.log2(1 + abs(value))
    side = "-" if value < 0 else "+"
    return [f"{side}{step}:{math.floor(size * step)}" for step in (1, 4)] + [f"={value:.6g}"]


def _values(tokens: Sequence[str]) -> NDArray[np.int64]:
    """Columns of whole values: the hash of each token's characters."""
    codes, starts, ends, _ = _characters(tokens)
    return _columns(_Prefix(codes).of(starts, ends), 1)


def _grams(texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Document and column of every n-gram."""
    codes, _, _, doc_of = _characters([f" {text} " for text in texts])
    prefix = _Prefix(codes)
    letter = _letters(codes)
    docs: list[NDArray[np.int32]] = []
    columns: list[NDArray[np.int64]] = []
    edge = np.diff(letter.astype(np.int8))
    begin, end = np.flatnonzero(edge == 1) + 1, np.flatnonzero(edge == -1) + 1
    docs.append(doc_of[begin])
    columns.append(_columns(prefix.of(begin, end), 2))
    paired = doc_of[begin[1:]] == doc_of[begin[:-1]]
    first, second = np.flatnonzero(paired), np.flatnonzero(paired) + 1
    mixed = prefix.of(begin[first], end[first]) * np.uint64(3) + prefix.of(
        begin[second], end[second]
    )
    docs.append(doc_of[begin[first]])
    columns.append(_columns(mixed, 3))
    # a gram may have a border at either end, never in the middle
    inner = np.concatenate([[0], np.cumsum(~letter)])
    for size in GRAMS:
        start = np.arange(max(len(codes) - size + 1, 0))
        if not len(start):
            continue
        inside = inner[start + size - 1] - inner[start + 1] == 0
        start = start[inside & (letter[start] | letter[start + size - 1])]
        docs.append(doc_of[start])
        columns.append(_columns(prefix.of(start, start + size), 4 + size))
    return np.concatenate(docs), np.concatenate(columns)


def _letters(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which characters belong to words: letters, digits, marks. Others are borders."""
    small = codes < 128
    known = _ASCII[np.where(small, codes, 0)]
    if small.all():
        return known
    others = np.unique(codes[~small])
    word = np.array([_is_letter(int(code)) for code in others])
    known[~small] = word[np.searchsorted(others, codes[~small])]
    return known


def _is_letter(code: int) -> bool:
    return unicodedata.category(chr(code))[0] in "LNM"


_ASCII = np.array([_is_letter(code) for code in range(128)])


class _Prefix:
    """Hashes of any substring, from prefix sums: (P[j] - P[i]) / base**i."""

    def __init__(self, codes: NDArray[np.uint32]):
        powers = np.full(len(codes) + 1, _BASE, np.uint64)
        powers[0] = 1
        np.cumprod(powers, out=powers)
        back = np.full(len(codes) + 1, _INVERSE, np.uint64)
        back[0] = 1
        np.cumprod(back, out=back)
        self._back = back
        sums = np.zeros(len(codes) + 1, np.uint64)
        np.cumsum(_mixed(codes.astype(np.uint64)) * powers[:-1], out=sums[1:])
        self._sums = sums

    def of(self, start: NDArray[np.int64], end: NDArray[np.int64]) -> UInt64:
        """Hash of characters start..end."""
        hashed: UInt64 = (self._sums[end] - self._sums[start]) * self._back[start]
        return hashed


def _characters(
    texts: Sequence[str],
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Code points of all texts in one array, where each starts and ends, whose each one is."""
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(lengths)
    return codes, ends - lengths, ends, np.repeat(np.arange(len(texts), dtype=np.int32), lengths)


def _mixed(values: UInt64) -> UInt64:
    """Bits well spread (the finaliser of splitmix64, Steele, Lea & Flood 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _columns(hashes: UInt64, kind: int) -> NDArray[np.int64]:
    """Column of each hash; the same text as a word and as a value has two columns."""
    spread = _mixed(hashes ^ np.uint64(kind << 56))
    return (spread & np.uint64(WIDTH - 1)).astype(np.int64)


def _counted(doc: NDArray[np.int32], column: NDArray[np.int64], n: int) -> Rows:
    """How often each column occurs in each document."""
    key = doc.astype(np.int64) * WIDTH + column
    key.sort()
    first = np.flatnonzero(np.diff(key, prepend=-1))
    count = np.diff(np.append(first, len(key))).astype(np.float32)
    kept = key[first]
    starts = np.searchsorted(kept, np.arange(n + 1, dtype=np.int64) * WIDTH)
    return sparse.csr_matrix(
        (count, (kept & (WIDTH - 1)).astype(np.int32), starts.astype(np.int64)), shape=(n, WIDTH)
    )
