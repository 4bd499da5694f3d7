"""What a step knows when it weighs answers, and what it learns when it decides.

Everything is read from and added to the database in the transaction that decides: engines keep
nothing, so any number of them agree, and one that is killed loses nothing.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.db.pool import SyncConn
from canut.quality.beliefs import store
from canut.quality.beliefs.model import UNIT, StepModel, StepPlace, classes_of, options_hash
from canut.quality.beliefs.voices import Pairs, numbered
from canut.questions.base import Question, Track
from canut.truth.posterior import Known, learned
from canut.truth.votes import Float64, Int32, Votes


class Standing(Struct, frozen=True):
    """What a step knows of the contributors at hand."""

    place: StepPlace
    model: StepModel
    track: Track
    #: number of the model family of each contributor, -1 for none, int32 (n_contributors,)
    family: Int32
    #: places among the contributors
    alike: Pairs
    #: hash of the list of options where confusions are counted, else ""
    options: str
    #: place of each option in that list
    index: dict[str, int]


def standing(
    conn: SyncConn, place: StepPlace, question: Question, contributors: list[int]
) -> Standing:
    """Read it. `contributors` are ids, sorted; arrays are in their order."""
    known = store.records(conn, place, contributors)
    records = [known.get(c, store.Record()) for c in contributors]
    where = {c: i for i, c in enumerate(contributors)}
    pairs = store.alike(conn, place, contributors)
    model = store.model(conn, place)
    classes = classes_of(question) or []
    options = options_hash(classes) if classes else ""
    confusions = None
    if classes:
        confusions = read_known(conn, place, options, contributors, len(classes), model)
    return Standing(
        place=place,
        model=model,
        track=Track(
            # gold is the better evidence of the two
            right=np.array([record.right + record.gold_right for record in records]),
            judged=np.array([record.judged + record.gold_judged for record in records]),
            known=confusions,
        ),
        family=numbered([record.family for record in records]),
        alike=[(where[one], where[other], share) for one, other, share in pairs],
        options=options,
        index={value: i for i, value in enumerate(classes)},
    )


def read_known(
    conn: SyncConn,
    place: StepPlace,
    options: str,
    contributors: list[int],
    n_classes: int,
    model: StepModel,
) -> Known:
    """The confusions of these contributors between the options of this list."""
    counts = np.zeros((len(contributors) + 1, n_classes, n_classes))
    who, said, truth = store.confusions(conn, place, options, contributors, n_classes)
    # contributors are sorted, and nobody has the number of everybody
    counts[np.searchsorted(np.array([0, *contributors]), who), said] = truth
    counts /= UNIT
    fitted = model.parameters.fitted.get(options)
    return Known(counts[1:], counts[0], fitted.stack() if fitted else None)


def learn(
    conn: SyncConn,
    of: Standing,
    contributors: Sequence[int],
    votes: Votes,
    truth: Float64,
    counts: NDArray[np.bool_],
) -> None:
    """Add the answers marked in `counts`, bool (n,), to the confusions of who gave them; `truth`
    (n_tasks, n_classes) is what is believed of their tasks."""
    who, said, expected = learned(votes, units(truth), counts)
    if not len(who):
        return
    own = expected.astype(np.int64)
    total = np.zeros((votes.n_classes, votes.n_classes), np.int64)
    np.add.at(total, said, own)
    heard = np.flatnonzero(total.any(1))
    everybody = [0] * len(heard) + [contributors[j] for j in who.tolist()]
    rows = np.concatenate([total[heard], own])
    place = [*heard.tolist(), *said.tolist()]
    store.add_confusions(conn, of.place, of.options, everybody, place, rows)


def units(posterior: Float64) -> Float64:
    """Probabilities as whole units of the database's counts: their sums are exact, in any order,
    up to nine thousand million answers."""
    whole: Float64 = np.rint(posterior * UNIT)
    return whole
