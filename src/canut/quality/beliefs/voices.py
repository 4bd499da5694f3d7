"""How much an answer counts among those that are not independent of it: pure."""

from collections.abc import Sequence

import numpy as np

from canut.truth.clones import voices
from canut.truth.votes import Float64, Int32, Votes

#: (one, other, how far they are one voice), places among the contributors
Pairs = Sequence[tuple[int, int, float]]


def weights(
    family: Int32, alike: Pairs, task: Int32, contributor: Int32, n_tasks: int
) -> Float64 | None:
    """How much each answer counts, float64 (n,); None: 1 for all.

    `family` int32 (n_contributors,): a number for each family of agents, -1 for none; a family is
    one voice on each task (`canut.truth.clones.voices`). Of those who were found to err together,
    each counts 1 / (1 + the sum of how far the others who answered the same task are one voice
    with it): two who copy everything count half each.
    """
    if not alike and not np.any(family >= 0):
        return None
    label = np.zeros(len(task), np.int32)
    weight = voices(Votes(task, contributor, label, n_tasks, len(family), 1), family)
    partners: dict[int, dict[int, float]] = {}
    for one, other, share in alike:
        # a family is one voice already
        if family[one] < 0 or family[one] != family[other]:
            partners.setdefault(one, {})[other] = share
            partners.setdefault(other, {})[one] = share
    if partners:
        _share(weight, partners, task, contributor)
    return weight


def _share(
    weight: Float64, partners: dict[int, dict[int, float]], task: Int32, contributor: Int32
) -> None:
    """Divide the voices of partners who meet, in place."""
    meeting: dict[int, list[int]] = {}
    for row in np.flatnonzero(np.isin(contributor, list(partners))).tolist():
        meeting.setdefault(int(task[row]), []).append(row)
    for rows in meeting.values():
        for row in rows:
            shares = partners[int(contributor[row])]
            weight[row] /= 1 + sum(shares.get(int(contributor[r]), 0.0) for r in sorted(rows))


def numbered(families: Sequence[str | None]) -> Int32:
    """A number for each family, -1 where there is none."""
    number = {name: i for i, name in enumerate(sorted({f for f in families if f}))}
    return np.array([number.get(name or "", -1) for name in families], np.int32)
