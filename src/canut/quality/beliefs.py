"""What a step knows when it weighs answers, and what it learns when it decides.

Everything is read from and added to the database in the transaction that decides: engines keep
nothing, so any number of them agree, and one that is killed loses nothing.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.db.pool import SyncConn
from canut.quality import store_beliefs as store
from canut.quality.beliefs_model import UNIT, StepModel, StepPlace, classes_of, options_hash
from canut.questions.base import Question, Track
from canut.truth.clones import voices
from canut.truth.posterior import Known, learned
from canut.truth.votes import Float64, Int32, Votes


class Standing(Struct, frozen=True):
    """What a step knows of the contributors at hand."""

    place: StepPlace
    model: StepModel
    track: Track
    #: number of the model family of each contributor, -1 for none, int32 (n_contributors,)
    family: Int32
    #: (one, other, how far they are one voice), places among the contributors
    alike: list[tuple[int, int, float]]
    #: hash of the list of options where confusions are counted, else ""
    options: str
    #: place of each option in that list
    index: dict[str, int]


def standing(
    conn: SyncConn, place: StepPlace, question: Question, contributors: list[int]
) -> Standing:
    """Read it. `contributors` are ids; arrays are in their order."""
    known = store.records(conn, place, contributors)
    records = [known.get(c, store.Record()) for c in contributors]
    families = sorted({record.family for record in records if record.family})
    number = {family: i for i, family in enumerate(families)}
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
            right=np.array([record.right for record in records]),
            judged=np.array([record.judged for record in records]),
            known=confusions,
        ),
        family=np.array([number.get(r.family or "", -1) for r in records], np.int32),
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
    where = {0: 0} | {c: i for i, c in enumerate(contributors, 1)}
    for contributor, said, truth in store.confusions(conn, place, options, contributors):
        counts[where[contributor], said] = truth
    counts /= UNIT
    fitted = model.parameters.fitted.get(options)
    return Known(counts[1:], counts[0], fitted.stack() if fitted else None)


def weights(of: Standing, task: Int32, contributor: Int32, n_tasks: int) -> Float64 | None:
    """How much each answer counts, float64 (n,); None: 1 for all.

    A family of agents is one voice on each task (`canut.truth.clones.voices`). Of those who were
    found to err together, each counts 1 / (1 + the sum of how far the others who answered the same
    task are one voice with it): two who copy everything count half each.
    """
    if not of.alike and not np.any(of.family >= 0):
        return None
    n_contributors = len(of.family)
    label = np.zeros(len(task), np.int32)
    votes = Votes(task, contributor, label, n_tasks, n_contributors, 1)
    weight = voices(votes, of.family)
    partners: dict[int, dict[int, float]] = {}
    for one, other, share in of.alike:
        # a family is one voice already
        if of.family[one] < 0 or of.family[one] != of.family[other]:
            partners.setdefault(one, {})[other] = share
            partners.setdefault(other, {})[one] = share
    if partners:
        together: dict[int, list[int]] = {}
        for row in np.flatnonzero(np.isin(contributor, list(partners))).tolist():
            together.setdefault(int(task[row]), []).append(row)
        for rows in together.values():
            for row in rows:
                shares = partners[int(contributor[row])]
                weight[row] /= 1 + sum(shares.get(int(contributor[r]), 0.0) for r in rows)
    return weight


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
    rows = expected.astype(np.int64)
    everybody = np.zeros((votes.n_classes, votes.n_classes), np.int64)
    np.add.at(everybody, said, rows)
    heard = np.flatnonzero(everybody.any(1)).tolist()
    total = [(0, k, everybody[k].tolist()) for k in heard]
    own = zip(who.tolist(), said.tolist(), rows.tolist(), strict=True)
    store.add_confusions(
        conn, of.place, of.options, [*total, *((contributors[j], k, row) for j, k, row in own)]
    )


def units(posterior: Float64) -> Float64:
    """Probabilities as whole units of the database's counts: their sums are exact, in any order,
    up to nine thousand million answers."""
    whole: Float64 = np.rint(posterior * UNIT)
    return whole
