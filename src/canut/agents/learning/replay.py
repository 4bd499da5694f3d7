"""What a learner remembers: its examples as hashed rows, no more than fit in a bounded memory.

The text of an item is not kept. The newest example of the same row wins; where memory is short,
each answer keeps its newest examples, and the most frequent answers forget first.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import sparse

from canut.agents.artefact import Array, refuse
from canut.agents.learning.features import WIDTH, Rows
from canut.truth.votes import Float64, Int32, Int64

#: rows remembered at most
ROWS_MAX = 50_000
#: non-zero numbers remembered at most: 5 bytes each
NUMBERS_MAX = 8_000_000
COUNT_MAX = 255


class Replay(Struct, frozen=True):
    """Examples, oldest first."""

    #: counts of n-grams, float32 csr (n, WIDTH)
    counts: Rows
    #: which answer each has, int32 (n,), index into `values`
    value: Int32
    weight: Float64
    #: near duplicates have the same, int64 (n,)
    group: Int64
    #: canonical JSON of every answer there is
    values: tuple[str, ...]

    def arrays(self) -> dict[str, Array]:
        """As arrays for an artefact; `values` go into its header."""
        return {
            "replay.starts": self.counts.indptr.astype(np.int64),
            "replay.column": self.counts.indices.astype(np.int32),
            "replay.count": np.minimum(self.counts.data, COUNT_MAX).astype(np.uint8),
            "replay.value": self.value,
            "replay.weight": self.weight,
            "replay.group": self.group,
        }


def nothing() -> Replay:
    """Nothing remembered yet."""
    return Replay(
        sparse.csr_matrix((0, WIDTH), dtype=np.float32),
        np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.int64), (),
    )  # fmt: skip


def restored(arrays: dict[str, Array], values: Sequence[str]) -> Replay:
    """From the arrays of an artefact; raises `Invalid` where they do not fit together, for what
    computes with them trusts their indices."""
    starts = _wanted(arrays, "replay.starts", np.int64)
    n = len(starts) - 1
    column = _wanted(arrays, "replay.column", np.int32)
    count = _wanted(arrays, "replay.count", np.uint8, len(column))
    value = _wanted(arrays, "replay.value", np.int32, n)
    weight = _wanted(arrays, "replay.weight", np.float64, n)
    group = _wanted(arrays, "replay.group", np.int64, n)
    if not (0 <= n <= ROWS_MAX and len(column) <= NUMBERS_MAX + ROWS_MAX):
        refuse("it remembers more than may be")
    if starts[0] != 0 or starts[-1] != len(column) or (np.diff(starts) < 0).any():
        refuse("its rows do not fit together")
    if not (_inside(column, WIDTH) and _inside(value, len(values)) and (count > 0).all()):
        refuse("it points at what is not there")
    if not (np.isfinite(weight).all() and (weight > 0).all()):
        refuse("its weights are not numbers over 0")
    rows = sparse.csr_matrix((count.astype(np.float32), column, starts), shape=(n, WIDTH))
    return Replay(rows, value, weight, group, tuple(values))


def together(
    old: Replay, counts: Rows, answers: Sequence[str], weight: Float64, group: Int64
) -> Replay:
    """What is remembered after more examples, within the bounds. Groups that are 0 become one of
    their own: that of the row."""
    known = {value: i for i, value in enumerate(old.values)}
    fresh = [known.setdefault(answer, len(known)) for answer in answers]
    counts = counts.copy()
    counts.data = np.minimum(counts.data, COUNT_MAX)
    alike = row_hashes(counts)
    counts = sparse.vstack([old.counts, counts], format="csr")
    value = np.concatenate([old.value, np.array(fresh, np.int32)])
    weight = np.concatenate([old.weight, weight])
    group = np.concatenate([old.group, np.where(group == 0, alike, group)])
    alike = np.concatenate([row_hashes(old.counts), alike])
    kept = _kept(alike, value, np.diff(counts.indptr))
    used, value = np.unique(value[kept], return_inverse=True)
    names = list(known)
    return Replay(
        counts[kept],
        value.astype(np.int32),
        weight[kept],
        group[kept],
        tuple(names[i] for i in used),
    )


def row_hashes(counts: Rows) -> Int64:
    """A number per row that equal rows share, int64 (n,)."""
    mix = (counts.indices.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mix = (mix ^ (mix >> np.uint64(29))) * counts.data.astype(np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mix)])
    hashed: Int64 = (sums[counts.indptr[1:]] - sums[counts.indptr[:-1]]).view(np.int64)
    return hashed


def _kept(alike: Int64, value: Int32, size: NDArray[np.integer]) -> Int64:
    """Which examples are remembered, int64, rising."""
    newest = len(alike) - 1 - np.unique(alike[::-1], return_index=True)[1]
    newest.sort()
    # rank of each among those of its answer, 0 for the newest
    order = np.lexsort((-newest, value[newest]))
    same = value[newest][order]
    rank = np.empty(len(newest), np.int64)
    rank[order] = np.arange(len(newest)) - np.searchsorted(same, same)
    turn = np.lexsort((-newest, rank))
    fits = (np.arange(1, len(turn) + 1) <= ROWS_MAX) & (
        np.cumsum(size[newest[turn]]) <= NUMBERS_MAX
    )
    chosen: Int64 = np.sort(newest[turn[fits]])
    return chosen


def _wanted(arrays: dict[str, Array], name: str, kind: type, size: int | None = None) -> Array:
    found = arrays.get(name)
    if found is None or found.dtype != kind or found.ndim != 1:
        refuse(f"it has no {name!r}")
    if (size is not None and len(found) != size) or (not len(found) and name == "replay.starts"):
        refuse(f"{name!r} has the wrong length")
    return found


def _inside(places: Array, size: int) -> bool:
    return bool(((places >= 0) & (places < size)).all())
