"""What all answers to a step say of its contributors, and how far beliefs can be taken at their
word: pure.

What is fitted must not be what proves. Confusions are fitted on answers to ordinary work, on tasks
that experts settled, and on gold. The pool is fitted on gold, and on half of the audited tasks, by
a hash of the task: those drawn uniformly, of lists of decisions whose certificate is closed for
good. What they teach decides tasks that are decided later, and those are on other lists; so no
decision that a certificate speaks of was made, or changed, with its own audits. Evidence of
licences (blind answers in an agent's stream) is never read here.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.quality.beliefs.model import UNIT, Calibration
from canut.quality.beliefs.voices import weights
from canut.truth.calibration import reliability
from canut.truth.clones import alike
from canut.truth.confusion import refine
from canut.truth.grid import Float32, expected, grid
from canut.truth.pool import GOLD_MIN, Stack, fit
from canut.truth.posterior import Known, opinions, weigh
from canut.truth.votes import Float64, Int32, Int64, Votes
from canut.truth.voting import wawa_shares

#: tasks among which contributors who err together are looked for: pairs cost by their square
TASKS_COMPARED = 200_000


class Collected(Struct, frozen=True):
    """All the answers to a step, between the same options."""

    #: tasks of the work first, then items of gold, each with all its answers
    votes: Votes
    #: how many of the tasks are work
    n_work: int
    #: number of the family of each contributor, -1 for none, int32 (n_contributors,)
    family: Int32
    #: tasks that count in the contributors' confusions, bool (n_tasks,)
    counted: NDArray[np.bool_]
    #: tasks whose right answer is known, and that answer, int32; sorted
    known_task: Int32
    known_label: Int32


class Together(Struct, frozen=True):
    """Two contributors who err together, as places; see `canut.truth.clones.alike`."""

    one: int
    other: int
    common: int
    same_wrong: float
    chance: float
    p_value: float
    #: how far they are one voice
    share: float


class Counted(Struct, frozen=True):
    """Who confuses what, in the database's units."""

    #: of tasks of the work, int64 (n_contributors, n_classes, n_classes)
    work: Int64
    #: of gold
    gold: Int64
    together: list[Together]


def count(of: Collected) -> Counted:
    """Fit all answers anew (`canut.truth.confusion.refine`), gold and what experts settled being
    known.

    The same answers give the same counts, to the last digit, whatever was known before.
    """
    posterior = _posterior(of, [])
    together = err_together(of, posterior)
    if together:
        posterior = _posterior(of, [(pair.one, pair.other, pair.share) for pair in together])
    n_classes = of.votes.n_classes
    truth = np.rint(posterior.astype(np.float64) * UNIT)
    truth[of.known_task] = np.eye(n_classes)[of.known_label] * UNIT
    truth[~of.counted] = 0
    whole = grid(of.votes)
    total = expected(whole, truth).astype(np.int64)
    truth[of.n_work :] = 0
    work = expected(whole, truth).astype(np.int64)
    return Counted(work, total - work, together)


def _posterior(of: Collected, pairs: list[tuple[int, int, float]]) -> Float32:
    """Untempered, float32 (n_tasks, n_classes)."""
    votes = of.votes
    weight = weights(of.family, pairs, votes.task, votes.contributor, votes.n_tasks)
    whole = grid(votes, weight)
    gold = (of.known_task, of.known_label) if len(of.known_task) else None
    posterior: Float32 = refine(whole, wawa_shares(whole), (True,), gold=gold)[0].T
    return posterior


def err_together(of: Collected, posterior: Float32) -> list[Together]:
    """Contributors of different families who give the same wrong answers more often than chance
    (`canut.truth.clones.alike`), on every so-manieth task of the work where there are many.

    How far two are one voice: same wrong answers beyond chance, as a share of all the wrong answers
    that the one who errs less was expected to give to the tasks of both.
    """
    votes = of.votes
    every = -(-max(of.n_work, 1) // TASKS_COMPARED)
    kept = (votes.task < of.n_work) & (votes.task % every == 0)
    some = Votes(
        votes.task[kept] // np.int32(every),
        votes.contributor[kept],
        votes.label[kept],
        -(-of.n_work // every),
        votes.n_contributors,
        votes.n_classes,
    )
    believed = posterior[: of.n_work : every].astype(np.float64)
    believed /= believed.sum(1, keepdims=True)
    found = alike(some, believed)
    wrong = np.where(some.label == believed.argmax(1)[some.task], 0.0, believed.max(1)[some.task])
    errors = np.bincount(some.contributor, wrong, votes.n_contributors)
    rate = errors / np.maximum(np.bincount(some.contributor, minlength=votes.n_contributors), 1)
    fewest = found.common * np.minimum(rate[found.one], rate[found.other])
    room = np.maximum(fewest - found.chance, 1e-9)
    share = np.clip((found.same_wrong - found.chance) / room, 0.0, 1.0)
    columns = (found.one, found.other, found.common, found.same_wrong, found.chance)
    return [
        Together(*row)
        for row in zip(*(c.tolist() for c in (*columns, found.p_value, share)), strict=True)
        if of.family[row[0]] < 0 or of.family[row[0]] != of.family[row[1]]
    ]


class Checked(Struct, frozen=True):
    """Tasks of the usual number of answers whose right answer is known."""

    votes: Votes
    #: how much each vote counts; None: 1
    weight: Float64 | None
    #: what is right, int32 (n_tasks,)
    label: Int32


def parted(gold: Int32, size: int) -> Int32:
    """Part of its gold that each answer goes to, int32 (n,), for answers sorted by gold: parts of
    `size` answers, as tasks of the work have; what is left over joins the parts before it.

    An item of gold with forty answers would say of beliefs what none of them is like.
    """
    n = len(gold)
    start = np.r_[True, gold[1:] != gold[:-1]] if n else np.zeros(0, bool)
    begin = np.maximum.accumulate(np.where(start, np.arange(n), 0))
    rank = np.arange(n) - begin
    run = np.cumsum(start) - 1
    parts = np.maximum(np.bincount(run, minlength=0) // max(size, 1), 1)
    part = rank % parts[run]
    _, place = np.unique(run * (n + 1) + part, return_inverse=True)
    return np.asarray(place, np.int32)


def calibrate(checked: Checked, known: Known) -> tuple[Stack | None, Calibration]:
    """The pool fitted on what was checked, None where that is too little; and how the beliefs that
    it would give compare with what is right, each half judged by a pool fitted on the other.

    `known` must not know the answers to what was checked.
    """
    votes, n_tasks = checked.votes, checked.votes.n_tasks
    if not n_tasks:
        return None, Calibration()
    strangers = np.zeros(votes.n_contributors)
    seen = opinions(votes, known, strangers, strangers, checked.weight)
    every = np.arange(n_tasks, dtype=np.int32)
    confidence, right = np.zeros(n_tasks), np.zeros(n_tasks, bool)
    for half in (0, 1):
        judged, others = every[every % 2 == half], every[every % 2 != half]
        stack = _enough(fit(seen, others, checked.label[others]))
        pooled = Known(known.counts, known.everybody, stack)
        belief = weigh(votes, pooled, strangers, strangers, checked.weight).posterior[judged]
        confidence[judged] = np.clip(belief.max(1, initial=0.0), 0.0, 1.0)
        right[judged] = belief.argmax(1) == checked.label[judged]
    return _enough(fit(seen, every, checked.label)), Calibration.of(reliability(confidence, right))


def _enough(stack: Stack) -> Stack | None:
    return stack if stack.n_gold >= GOLD_MIN else None
