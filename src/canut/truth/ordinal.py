"""Beliefs about a scale: everybody has a lean and a spread, and errs next to the right point."""

import numpy as np
from msgspec import Struct
from scipy.special import ndtr, softmax

from canut.truth.categorical import PRIOR_SKILL, PRIOR_WEIGHT, TEMPER
from canut.truth.confusion import CLASS_WEIGHT, ROW_WEIGHT
from canut.truth.grid import Belief, Grid, believe, grid, trivial
from canut.truth.votes import Float64, Int32, Votes

#: leans that are tried, in points of a five-point scale; longer scales have longer ones
LEANS = np.array([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
#: spreads that are tried, likewise; the last is of somebody who answers anything
SPREADS = np.array([0.25, 0.4, 0.6, 0.8, 1.1, 1.5, 2.2, 6.0])
#: share of answers that are slips: any point at all
SLIP = 0.02
#: contributors that a guess at what strangers do is worth, against those who are seen
GUESS_WEIGHT = 20.0
#: tasks of each point that the balance is worth on a scale of five, before any is seen
BALANCE_WEIGHT = 10.0
ROUNDS = 6
#: a mean change of the posterior that is not worth another round
SETTLED = 0.002


class Ordinal(Struct, frozen=True):
    """What the votes say about points of a scale."""

    #: probability of each point, float64 (n_tasks, n_classes)
    posterior: Float64
    #: the likeliest point, int32 (n_tasks,); -1 where nobody answered
    best: Int32
    #: probability that the right point is within `tolerance` of `best`, float64 (n_tasks,)
    confidence: Float64
    #: probability that the right point is within `tolerance` of each vote, float64 (n,)
    agreement: Float64
    #: by how many points each contributor leans up, float64 (n_contributors,)
    lean: Float64


class _Kinds(Struct, frozen=True):
    """The kinds of contributors that there may be: every lean with every spread."""

    #: log probability of the answer k from kind g where l is right, float64 (K said, K true, G)
    log_says: Float64
    #: probability that each is within the tolerance, float64 (G,)
    within: Float64
    #: float64 (G,)
    lean: Float64


def leaning(of: Grid) -> Belief:
    """Lean and spread of every contributor along a scale, and the points that follow.

    In the interface of `canut.truth.methods`; see `ordinal`. Nothing is known of contributors
    beforehand and nothing is tempered, so its posteriors are too sure of themselves, as those of
    all single models are.
    """
    certain = trivial(of)
    if certain:
        return certain
    nothing = np.zeros(of.votes.n_contributors)
    posterior, _ = _fit(of, _kinds(of.votes.n_classes, 0), nothing, nothing, 1.0)
    return believe(of, posterior)


def ordinal(
    votes: Votes,
    right: Float64,
    judged: Float64,
    *,
    tolerance: int = 0,
    temper: float = TEMPER,
) -> Ordinal:
    """A latent scale: contributor j perceives l + b_j + s_j N(0, 1) and says the nearest point.

    What is perceived beyond an end is the end; `SLIP` of the answers are any point. Each (b, s)
    of a grid is a kind of contributor; which kind j is, is a posterior: how common the kind is
    among all, times what the record of j says (`right` of `judged` answers within `tolerance`),
    times these votes, in a few rounds of EM. What a kind says is then bent by what all
    contributors say of a point, and by what j itself does, each backed off as in
    `canut.truth.confusion.backoff`. So a contributor with one answer is a stranger, and
    one with a thousand is itself. Posteriors are tempered like
    `canut.truth.categorical.naive_bayes`. Assumes that errors are independent. A lean that all
    share cannot be seen. Dense: tasks x points, and contributors x points x points.

    Source: Lakshminarayanan & Teh, "Inferring ground truth from multi-annotator ordinal data: a
    probabilistic approach" (2013), with their continuous worker parameters on a grid, whose
    weights are learned (Kiefer & Wolfowitz, Annals of Mathematical Statistics 27 (1956)).
    """
    n_tasks, n_classes = votes.n_tasks, votes.n_classes
    kinds = _kinds(n_classes, tolerance)
    order = np.lexsort((votes.label, votes.contributor, votes.task))
    ordered = Votes(
        votes.task[order],
        votes.contributor[order],
        votes.label[order],
        n_tasks,
        votes.n_contributors,
        n_classes,
    )
    posterior, kind = _fit(grid(ordered), kinds, right, judged, temper)
    point = np.arange(n_classes)
    within = (np.abs(point[:, None] - point) <= tolerance).astype(np.float64)
    near = np.minimum(posterior @ within, 1.0)
    best = posterior.argmax(1).astype(np.int32)
    confidence = near[np.arange(n_tasks), best]
    unanswered = np.bincount(votes.task, minlength=n_tasks) == 0
    best[unanswered], confidence[unanswered] = -1, 0.0
    return Ordinal(
        posterior=posterior,
        best=best,
        confidence=confidence,
        agreement=near[votes.task, votes.label],
        lean=kind @ kinds.lean,
    )


def _kinds(n_classes: int, tolerance: int) -> _Kinds:
    longer = max((n_classes - 1) / 4, 1.0)
    lean = longer * np.repeat(LEANS, len(SPREADS))
    spread = np.tile(SPREADS, len(LEANS)) * np.maximum(longer, 1.0)
    point = np.arange(n_classes)
    edge = np.r_[-np.inf, point[1:] - 0.5, np.inf]
    reach = ndtr((edge[:, None, None] - point[None, :, None] - lean) / spread)
    says = (1 - SLIP) * np.diff(reach, axis=0) + SLIP / n_classes
    near = np.abs(point[:, None] - point) <= tolerance
    within = (says * near[:, :, None]).sum(0).mean(0)
    return _Kinds(np.log(says), np.clip(within, 1e-9, 1 - 1e-9), lean)


def _strangers(kinds: _Kinds) -> Float64:
    """A guess at how common each kind is, float64 (G,): the flattest by which a stranger is
    within the tolerance as often as `PRIOR_SKILL` says, and leans no way."""
    slope = 0.0
    aim = np.clip(PRIOR_SKILL, kinds.within.min() + 0.01, kinds.within.max() - 0.01)
    shy = -0.5 * (kinds.lean / max(np.abs(kinds.lean).max() / 2, 1e-9)) ** 2
    for _ in range(30):  # Newton's method on one exponent
        share = softmax(shy + slope * kinds.within)
        mean = share @ kinds.within
        spread = max(share @ (kinds.within - mean) ** 2, 1e-6)
        slope = float(np.clip(slope + np.clip((aim - mean) / spread, -5, 5), -60, 60))
    return np.asarray(softmax(shy + slope * kinds.within), np.float64)


def _fit(
    of: Grid, kinds: _Kinds, right: Float64, judged: Float64, temper: float
) -> tuple[Float64, Float64]:
    """The posterior (n_tasks, K), tempered, and the kind of each contributor (J, G)."""
    _, n_contributors, n_classes = of.shape
    answered = of.count.sum(1) > 0
    guess = _strangers(kinds)
    common = guess
    # a record is worth no more than it is known to be: agreement is not truth
    worth = judged / (1 + judged / (20 * PRIOR_WEIGHT))
    share = np.divide(right, judged, out=np.zeros(n_contributors), where=judged > 0).clip(0, 1)
    record = np.outer(worth * share, np.log(kinds.within))
    record += np.outer(worth * (1 - share), np.log1p(-kinds.within))
    flat = kinds.log_says.reshape(n_classes * n_classes, -1)
    active = (of.given.sum(1) > 0)[:, None]
    kind = softmax(np.log(common) + record, axis=1)
    says_j = np.exp(flat) @ kind.T
    posterior = _points(of, says_j, np.full(n_classes, 1 / n_classes), 1.0)
    for _ in range(ROUNDS):
        counts = (of.said @ posterior).reshape(n_contributors, n_classes * n_classes)
        kind = softmax(np.log(common) + record + counts @ flat, axis=1)
        seen = (kind * active).sum(0)
        common = (guess * GUESS_WEIGHT + seen) / (GUESS_WEIGHT + seen.sum())
        says_j = _own(np.exp(flat) @ kind.T, counts.T, np.exp(flat) @ common)
        share = posterior[answered].sum(0) + BALANCE_WEIGHT * n_classes / 5
        share /= share.sum()
        before, posterior = posterior, _points(of, says_j, share, 1.0)
        if np.abs(posterior - before).sum() <= SETTLED * posterior.size:
            break
    return _points(of, says_j, share, temper), kind


def _own(shape: Float64, counts: Float64, usual: Float64) -> Float64:
    """What each says where l is right, float64 (K said * K true, J): the shape that follows from
    its kind, bent as all contributors' answers bend it, and then by its own answers. `usual`
    (K * K,) is what kinds say on average."""
    n_classes = round(len(usual) ** 0.5)
    square = (n_classes, n_classes, counts.shape[1])
    # a cell of a long scale is hardly ever seen: it leans longer on the shape
    longer = max(n_classes / 5, 1.0) ** 2
    by_class, by_row = CLASS_WEIGHT * longer, ROW_WEIGHT * longer
    judged = counts.reshape(square).sum(0)
    predicted = (shape.reshape(square) * judged).sum(2)
    mean = usual.reshape(square[:2])
    bend = (counts.reshape(square).sum(2) + by_class * mean) / (predicted + by_class * mean)
    bent = shape.reshape(square) * bend[:, :, None]
    bent /= bent.sum(0)
    own = (counts.reshape(square) + by_row * bent) / (judged + by_row)
    return np.asarray(own, np.float64).reshape(shape.shape)


def _points(of: Grid, says: Float64, share: Float64, temper: float) -> Float64:
    """The posterior of each task, given what each contributor says where l is right, and how
    common each point is."""
    _, n_contributors, n_classes = of.shape
    log_says = np.log(says).reshape(n_classes, n_classes, n_contributors).transpose(2, 0, 1)
    total = of.heard @ np.ascontiguousarray(log_says).reshape(-1, n_classes)
    return np.asarray(softmax(temper * (total + np.log(share)), axis=1), np.float64)
