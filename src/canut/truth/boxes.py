"""Boxes drawn around things, put together: which of them mean the same thing, and where it is."""

import numpy as np
from msgspec import Struct

from canut.truth.categorical import TEMPER, backed_off, naive_bayes
from canut.truth.votes import Float64, Int32, Int64, Votes

#: boxes that overlap by as much mean the same thing
OVERLAP = 0.55
#: largest coordinate
LIMIT = 1e100


class Drawn(Struct, frozen=True):
    """Boxes of one label as columns of the same length n."""

    #: which picture, int32 (n,), 0 <= task < n_tasks
    task: Int32
    #: int32 (n,), 0 <= contributor < n_contributors
    contributor: Int32
    #: left, top, right, bottom, float64 (n, 4), finite; right > left and bottom > top
    box: Float64
    #: who looked at which picture, whether they drew anything or not, int32 (m,) both; each once
    looked_task: Int32
    looked_contributor: Int32
    n_tasks: int
    n_contributors: int


class Fused(Struct, frozen=True):
    """The m things found, likeliest first within a picture."""

    #: int32 (m,), sorted
    task: Int32
    #: float64 (m, 4)
    box: Float64
    #: probability that there is such a thing, float64 (m,)
    probability: Float64
    #: which of the things each drawn box means, int64 (n,)
    thing: Int64
    #: how far each drawn box overlaps the fused one, float64 (n,)
    overlap: Float64


def overlap(left: Float64, right: Float64) -> Float64:
    """Intersection over union of boxes (..., 4) that broadcast: 0 to 1, float64 (...)."""
    low = np.maximum(left[..., :2], right[..., :2])
    high = np.minimum(left[..., 2:], right[..., 2:])
    # as shares of the left box, so that huge coordinates do not overflow
    size, other = left[..., 2:] - left[..., :2], right[..., 2:] - right[..., :2]
    both = np.prod(np.maximum(high - low, 0.0) / size, axis=-1)
    area = np.prod(other / size, axis=-1)
    return np.asarray(both / (1.0 + area - both), np.float64)


def fuse(
    drawn: Drawn,
    right: Float64,
    judged: Float64,
    *,
    least: float = OVERLAP,
    temper: float = TEMPER,
) -> Fused:
    """Weighted boxes fusion, contributors' skills as weights.

    In the order of skill, each box joins the thing of its picture that its author has no box of
    yet and whose fused box it overlaps most, by at least `least`, or starts a new one; a fused
    box is the mean of its members' edges, weighted by skill. Whether a thing is there is a
    yes-or-no question to all who looked at the picture (`canut.truth.categorical.naive_bayes`);
    a fused box below 0.5 is given back too: the caller says what is enough. Boxes of different
    labels are fused apart. Assumes that who draws a thing draws it once.

    Source: Solovyev, Wang & Gabruseva, "Weighted boxes fusion: ensembling boxes from different
    object detection models", Image and Vision Computing 107 (2021); the score of a thing is a
    posterior instead of a mean confidence. Raises ValueError for boxes without area, for
    coordinates that are not finite, and for a box in a picture its author did not look at.
    """
    _check(drawn)
    weight = np.clip(backed_off(right, judged), 0.01, 1.0)[drawn.contributor]
    order = np.lexsort((*drawn.box.T[::-1], drawn.contributor, -weight, drawn.task))
    raw = np.full(len(order), -1, np.int64)
    sums: list[Float64] = []
    members: list[set[int]] = []
    first, now = 0, -1
    for i in order.tolist():
        if drawn.task[i] != now:
            now, first = int(drawn.task[i]), len(sums)
        thing = _nearest(drawn.box[i], int(drawn.contributor[i]), sums, members, first, least)
        if thing == len(sums):
            sums.append(np.zeros(5))
            members.append(set())
        sums[thing] += np.append(drawn.box[i] * weight[i], weight[i])
        members[thing].add(int(drawn.contributor[i]))
        raw[i] = thing
    return _conclude(drawn, raw, np.array(sums).reshape(-1, 5), members, right, judged, temper)


def _check(drawn: Drawn) -> None:
    box = drawn.box
    if not np.all(np.abs(box) <= LIMIT):
        raise ValueError(f"a coordinate is not finite, or larger than {LIMIT:g}")
    if not np.all(box[:, 2:] > box[:, :2]):
        raise ValueError("a box has no area")
    key = drawn.looked_task.astype(np.int64) * drawn.n_contributors + drawn.looked_contributor
    own = drawn.task.astype(np.int64) * drawn.n_contributors + drawn.contributor
    if not np.isin(own, key).all():
        raise ValueError("a box is in a picture that its author did not look at")


def _nearest(
    box: Float64,
    who: int,
    sums: list[Float64],
    members: list[set[int]],
    first: int,
    least: float,
) -> int:
    """The thing, from `first` on, that a box means; a new one's number where none."""
    found = [thing for thing in range(first, len(sums)) if who not in members[thing]]
    if not found:
        return len(sums)
    fused = np.array([sums[thing][:4] / sums[thing][4] for thing in found])
    shared = overlap(box, fused)
    best = int(shared.argmax())
    return found[best] if shared[best] >= least else len(sums)


def _conclude(
    drawn: Drawn,
    raw: Int64,
    sums: Float64,
    members: list[set[int]],
    right: Float64,
    judged: Float64,
    temper: float,
) -> Fused:
    """Ask of each thing everybody who looked, and sort."""
    n = len(sums)
    task = np.zeros(n, np.int32)
    task[raw] = drawn.task
    box = sums[:, :4] / sums[:, 4:]
    lookers: list[list[int]] = [[] for _ in range(drawn.n_tasks)]
    for i, who in zip(drawn.looked_task.tolist(), drawn.looked_contributor.tolist(), strict=True):
        lookers[i].append(who)
    asked = [(i, who, who in members[i]) for i in range(n) for who in lookers[task[i]]]
    thing, who, yes = np.array(asked, np.int32).reshape(-1, 3).T
    votes = Votes(thing, who, yes, n, drawn.n_contributors, 2)
    there = naive_bayes(votes, right, judged, temper=temper).dense()[:, 1]
    order = np.lexsort((*box.T[::-1], -there, task))
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    return Fused(
        task=task[order],
        box=box[order],
        probability=there[order],
        thing=place[raw],
        overlap=overlap(drawn.box, box[raw]),
    )
