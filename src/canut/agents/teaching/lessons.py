"""What an agent may learn from: decided items, with where each decision came from.

Never tasks that a licence rests on, nor near copies of these that were decided later: evidence on
what was learned proves nothing. Never what an agent decided: it would learn from itself. The newest
lessons are held back to see what was learned, and near duplicates are never on both sides.

Source: Broder, "On the resemblance and containment of documents" (1997), for the signatures.
"""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from canut.agents.learning import features
from canut.agents.learning.features import Rows, UInt64
from canut.agents.learning.replay import row_hashes
from canut.agents.model import Example, Item, Step
from canut.agents.teaching.rules import VALIDATED
from canut.errors import Conflict
from canut.truth.votes import Int64

#: from this share of common n-grams on, two items are near duplicates
ALIKE = 0.6
#: signatures are compared in so many bands of so many numbers: items with ALIKE in common meet in
#: one band with probability 1 - (1 - 0.6**4)**20 = 0.94, and by way of third ones
BANDS, BAND = 20, 4
#: a lesson counts at least so much: a reviewer no better than chance teaches nothing
WEIGHT_MIN = 0.01
#: pairs compared at once
PAIRS = 1 << 16

Source = Literal["people", "expert", "gold", "agent"]


class Decided(Struct, frozen=True):
    """A decided item."""

    item: Item
    #: as the question normalises it
    value: Any
    decided_at: int
    #: who decided
    source: Source
    #: probability that the decision is right, as far as its reviewers are known
    trust: float = 1.0


class Lesson(Struct, frozen=True):
    """Examples to learn from, and examples to see what was learned."""

    train: list[Example]
    #: newer than what is in `train`, and like nothing in it
    validation: list[Example]
    #: why decided items are in neither, with how many
    left_out: dict[str, int] = field(default_factory=dict)


def lesson(
    step: Step,
    decided: Sequence[Decided],
    *,
    protected: Collection[int],
    evidence: Sequence[Item] = (),
    drawn: Sequence[int] = (),
    answers: int = 2,
    share: float = VALIDATED,
) -> Lesson:
    """A lesson from decided items.

    `protected` holds the keys of tasks that a licence, an exam or a certificate rests on: asking
    for one of them raises `Conflict`. `evidence` are these items themselves, and `drawn` when each
    was, so that near copies decided since can be left out (without it: all near copies). `answers`
    is how many answers the question has, for what chance would get right. About `share` of the
    items, the newest, are for validation.
    """
    asked = sorted({one.item.key for one in decided} & set(protected))
    if asked:
        raise Conflict(
            f"{len(asked)} of these tasks are evidence for a licence or a certificate "
            f"(task {asked[0]} among them): nobody may learn from them.",
            mend="leave them out of the lesson",
        )
    own = [one for one in decided if one.source != "agent"]
    left_out = {"decided by an agent": len(decided) - len(own)}
    items = [one.item for one in own]
    counts = features.rows(step.shape, [item.payload for item in [*items, *evidence]])
    group = near_duplicates(counts)
    when = np.array([one.decided_at for one in own], np.int64)
    tainted = _late(group[: len(own)], when, group[len(own) :], drawn)
    left_out["like evidence"] = int(tainted.sum())
    rows = np.flatnonzero(~tainted)
    examples = {
        int(i): Example(items[i], own[i].value, _weight(own[i].trust, answers), int(group[i]))
        for i in rows
    }
    train, validation = _by_time(rows, when, group, share)
    left_out["late copies"] = len(rows) - len(train) - len(validation)
    return Lesson(
        [examples[i] for i in train],
        [examples[i] for i in validation],
        {why: count for why, count in left_out.items() if count},
    )


def _late(group: Int64, when: Int64, judged: Int64, drawn: Sequence[int]) -> NDArray[np.bool_]:
    """Which examples are like evidence that was drawn before they were decided, bool (n,): who is
    asked about new work has not seen what comes after it. What came before it may be learned:
    new work has such copies too. `drawn`: when each of `judged` was, in their order; empty: before
    everything."""
    if not len(judged):
        return np.zeros(len(group), bool)
    names, place = np.unique(judged, return_inverse=True)
    first = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(first, place, np.array(drawn or [0] * len(judged), np.int64))
    at = np.minimum(np.searchsorted(names, group), len(names) - 1)
    late: NDArray[np.bool_] = (names[at] == group) & (when >= first[at])
    return late


def near_duplicates(counts: Rows) -> Int64:
    """Group of each row, int64 (n,): rows that have `ALIKE` of their n-grams in common, by way of
    others or not, share one, which is never 0. The same for any order of the rows."""
    n = counts.shape[0]
    if not n:
        return np.zeros(0, np.int64)
    first, second = _candidates(_signatures(counts))
    near = _resemblance(counts, first, second) >= ALIKE
    links = sparse.coo_matrix(
        (np.ones(int(near.sum()), np.int8), (first[near], second[near])), shape=(n, n)
    )
    label = connected_components(links, directed=False)[1]
    # named by what is in them, so that a later lesson gives the same name
    names = np.full(label.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(names, label, row_hashes(counts))
    named = names[label]
    return np.where(named == 0, 1, named)


def _by_time(rows: Int64, when: Int64, group: Int64, share: float) -> tuple[list[int], list[int]]:
    """Rows to learn from and rows to see what was learned: a group belongs where it began, and its
    members that came after the cut are in neither."""
    if not len(rows) or share <= 0:
        return rows.tolist(), []
    names, place = np.unique(group[rows], return_inverse=True)
    begun = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(begun, place, when[rows])
    begins = begun[place]
    cut = np.sort(begins)[max(0, int(np.ceil(len(rows) * (1 - share))) - 1)]
    old = begins <= cut
    return rows[old & (when[rows] <= cut)].tolist(), rows[~old].tolist()


def _weight(trust: float, answers: int) -> float:
    """1 for a decision that is surely right, 0 (nearly) for one no better than chance."""
    chance = 1 / max(answers, 2)
    return min(1.0, max(WEIGHT_MIN, (trust - chance) / (1 - chance)))


def _signatures(counts: Rows) -> UInt64:
    """Smallest of its hashes under each of BANDS x BAND functions, uint64 (n, BANDS * BAND)."""
    n = counts.shape[0]
    signs = np.zeros((n, BANDS * BAND), np.uint64)
    filled = np.flatnonzero(np.diff(counts.indptr))
    if not len(filled):
        return signs
    column = counts.indices.astype(np.uint64) + np.uint64(1)
    for k in range(BANDS * BAND):
        odd = np.uint64((0x9E3779B97F4A7C15 * (2 * k + 1)) & (1 << 64) - 1)
        hashed = column * odd
        hashed = (hashed ^ (hashed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
        signs[filled, k] = np.minimum.reduceat(
            hashed ^ (hashed >> np.uint64(29)), counts.indptr[filled]
        )
    return signs


def _candidates(signs: UInt64) -> tuple[Int64, Int64]:
    """Pairs of rows that agree in a whole band: each with the one before it among its likes."""
    pairs = []
    for band in range(BANDS):
        part = np.ascontiguousarray(signs[:, band * BAND : (band + 1) * BAND])
        alike = np.unique(part, axis=0, return_inverse=True)[1].ravel()
        order = np.argsort(alike, kind="stable")
        same = np.flatnonzero(alike[order][1:] == alike[order][:-1])
        pairs.append(np.stack([order[same], order[same + 1]], axis=1))
    together = np.unique(np.concatenate(pairs), axis=0)
    return together[:, 0], together[:, 1]


def _resemblance(counts: Rows, first: Int64, second: Int64) -> np.ndarray:
    """N-grams in both, divided by n-grams in either (Jaccard), float64 (pairs,)."""
    there = counts.copy()
    there.data = np.ones_like(there.data)
    size = np.diff(counts.indptr)
    alike = np.zeros(len(first))
    for start in range(0, len(first), PAIRS):
        a, b = first[start : start + PAIRS], second[start : start + PAIRS]
        both = np.asarray(there[a].multiply(there[b]).sum(axis=1)).ravel()
        either = size[a] + size[b] - both
        # two empty items are the same
        alike[start : start + PAIRS] = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    return alike
