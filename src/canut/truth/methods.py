"""The estimators for labels under their names: one interface, columns in, a `Belief` out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from canut.truth.bayes import ebcc, one_coin
from canut.truth.confusion import backoff, dawid_skene
from canut.truth.difficulty import glad
from canut.truth.grid import Belief, Grid, grid
from canut.truth.ordinal import leaning
from canut.truth.pool import pooled
from canut.truth.votes import Float64, Votes
from canut.truth.voting import majority, wawa

#: name -> estimator; "canut" is the one we decide with
METHODS: Mapping[str, Callable[[Grid], Belief]] = MappingProxyType(
    {
        "majority": majority,
        "wawa": wawa,
        "dawid_skene": dawid_skene,
        "one_coin": one_coin,
        "backoff": backoff,
        "ebcc": ebcc,
        "glad": glad,
        "leaning": leaning,
        "canut": pooled,
    }
)


def infer(votes: Votes, method: str = "canut", weight: Float64 | None = None) -> Belief:
    """What these votes say by one of `METHODS`; `weight` as for `canut.truth.grid.grid`.

    Raises KeyError for a method there is not, ValueError for columns that are out of range.
    """
    return METHODS[method](grid(votes, weight))
