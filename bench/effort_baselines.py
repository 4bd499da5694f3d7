"""What three answers on every item give, for `bench.effort`: majority, and Dawid-Skene."""

from typing import Any

import numpy as np

from canut.truth.confusion import dawid_skene
from canut.truth.grid import grid
from canut.truth.votes import Votes
from canut.truth.voting import majority


def three(
    rows: list[tuple[str, str]], people: int, person_error: float, seed: int
) -> dict[str, Any]:
    """Errors of both, with answers drawn as those of the run are."""
    rng = np.random.default_rng([seed, 3])
    labels = {label: k for k, label in enumerate(sorted({label for _, label in rows}))}
    truth = np.array([labels[label] for _, label in rows])
    n, k = len(truth), len(labels)
    who = np.array([rng.choice(people, 3, replace=False) for _ in range(n)])
    said = np.repeat(truth, 3)
    wrong = rng.random(3 * n) < person_error
    other = rng.integers(k - 1, size=3 * n)
    other = np.where(other == said, k - 1, other)
    said = np.where(wrong, other, said)
    votes = Votes(
        np.repeat(np.arange(n, dtype=np.int32), 3),
        who.ravel().astype(np.int32),
        said.astype(np.int32),
        n,
        people,
        k,
    )
    laid = grid(votes)
    return {
        "three_answers_majority_error": _error(majority(laid), truth),
        "three_answers_dawid_skene_error": _error(dawid_skene(laid), truth),
        "three_answers_per_item": 3,
    }


def _error(belief: Any, truth: np.ndarray) -> float:
    return round(float((np.asarray(belief.posterior).argmax(axis=1) != truth).mean()), 4)
