"""Beliefs about answers that pick several labels: who forgets labels, who picks too many."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import expit, logit

from canut.truth.categorical import PRIOR_SKILL, PRIOR_WEIGHT, TEMPER, backed_off
from canut.truth.votes import Float64, Int32, Int64, starts

#: labels that apply which the pool's rates lean on the records by
POOL_WEIGHT = 20.0
#: tasks that how common a label is leans on how common all are by
LABEL_WEIGHT = 10.0
#: wrong picks that where they fall leans on how common labels are by
LIFT_WEIGHT = 2.0
#: of EM; more change beliefs by less than 0.001
ROUNDS = 6
#: no rate is closer to 0 or 1
RATE_MIN = 1e-5
#: no label is believed to be more common, when nothing is known of who picks it
COMMON_MAX = 0.5

#: sums of weights: whole numbers where there is nothing to sum
Counted = Float64 | NDArray[np.integer]


class Picks(Struct, frozen=True):
    """Answers as columns of the same length n, each with the labels it picked."""

    #: int32 (n,), 0 <= task < n_tasks
    task: Int32
    #: int32 (n,), 0 <= contributor < n_contributors; nobody answers a task twice
    contributor: Int32
    #: of each answer, different labels, 0 <= label < n_classes
    picked: Sequence[Sequence[int]]
    n_tasks: int
    n_contributors: int
    n_classes: int


class Several(Struct, frozen=True):
    """What the picks say."""

    #: of each task, (label, probability) of every label that anybody picked, likeliest first;
    #: None where nobody answered
    ranked: list[list[tuple[int, float]] | None]
    #: probability that the least sure label is judged right, and that no label was forgotten by
    #: all, whichever is less; float64 (n_tasks,); 0 where nobody answered
    confidence: Float64
    #: mean probability that an answer is right about the labels that anybody picked for its
    #: task, float64 (n,)
    agreement: Float64
    #: how often each contributor leaves out a label that applies, and picks one that does not;
    #: float64 (n_contributors,)
    misses: Float64
    false: Float64


class _Ticks(Struct, frozen=True):
    """Answers by task and contributor, whatever order they came in: sums of floats depend on it.
    The questions are the (task, label) that anybody picked, sorted."""

    order: Int64
    task: Int32
    who: Int32
    #: how much each answer counts, float64 (n,)
    weight: Float64
    #: the same as a lesson about who gave it: a lone answer teaches nothing
    lesson: Float64
    #: answer and question of each pick, int64 (picks,)
    answer: Int64
    question: Int64
    #: task and label of each question, int64 (questions,)
    of_task: Int64
    of_label: Int64
    #: how many questions each task has, int64 (n_tasks,)
    n_asked: Int64
    n_contributors: int
    n_classes: int


class _Rates(Struct, frozen=True):
    """What the answers are weighed by."""

    misses: Float64
    false: Float64
    #: log-odds that each label applies, float64 (n_classes,)
    common: Float64
    #: log of how much oftener than others each label is picked wrongly, float64 (n_classes,)
    lure: Float64


class _Belief(Struct, frozen=True):
    #: log-odds that the label of each question applies, float64 (questions,)
    score: Float64
    #: how many labels that nobody picked apply, in expectation, float64 (n_tasks,)
    forgotten: Float64


def several(
    picks: Picks,
    right: Float64,
    judged: Float64,
    weight: Float64 | None = None,
    *,
    temper: float = TEMPER,
) -> Several:
    """Two rates per contributor, of labels left out and of labels picked wrongly, and how common
    each label is, from a few rounds of EM over these answers.

    A rate leans on the pool's, moved by as much as the odds of an error in the contributor's
    record (`right` of `judged`, float64 (n_contributors,)) differ from the usual; the pool's leans
    on the records, of which half of the errors are taken to be of either kind; and how common a
    label is, on how common labels are. So the pick of a lone stranger is believed as
    `canut.truth.categorical.naive_bayes` has it. `weight` float64 (n,), 0 to 1, is how much each
    answer counts, as evidence and as a lesson; a lone answer to a task is no lesson.

    Odds are tempered. The labels that nobody picked for a task are one question together, "is any
    forgotten", so that cost does not grow with the number of labels. Assumes that labels are
    independent given who answers.

    Source: Dawid & Skene (1979) with two classes, on the binary relevance of Tsoumakas & Katakis,
    "Multi-label classification" (2007); the leaning as in `canut.truth.confusion`.
    """
    data = _sorted(picks, weight)
    record = np.clip(backed_off(right, judged), RATE_MIN, 1 - RATE_MIN)
    rates = _start(data, record)
    for _ in range(ROUNDS if len(data.task) else 0):
        rates = _learn(data, record, _believe(data, rates), rates.common)
    return _conclude(data, _believe(data, rates), rates, temper)


def _sorted(picks: Picks, weight: Float64 | None) -> _Ticks:
    n, n_classes = len(picks.task), max(picks.n_classes, 1)
    order = np.lexsort((picks.contributor, picks.task))
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    size = np.fromiter(map(len, picks.picked), np.int64, n)
    label = np.fromiter((i for labels in picks.picked for i in labels), np.int64, int(size.sum()))
    answer = np.repeat(place, size)
    by_answer = np.lexsort((label, answer))
    answer, label = answer[by_answer], label[by_answer]
    task = picks.task[order]
    asked, question = np.unique(
        task[answer].astype(np.int64) * n_classes + label, return_inverse=True
    )
    of_task, of_label = np.divmod(asked, n_classes)
    counted = np.ones(n) if weight is None else weight[order]
    company = np.bincount(task[counted > 0], minlength=picks.n_tasks)[task]
    return _Ticks(
        order=order,
        task=task,
        who=picks.contributor[order],
        weight=counted,
        lesson=np.where(company > 1, counted, 0.0),
        answer=answer,
        question=question,
        of_task=of_task,
        of_label=of_label,
        n_asked=np.bincount(of_task, minlength=picks.n_tasks),
        n_contributors=picks.n_contributors,
        n_classes=n_classes,
    )


def _start(data: _Ticks, record: Float64) -> _Rates:
    """What strangers do, with labels as common as they are picked."""
    picked = np.bincount(
        data.of_label[data.question], data.weight[data.answer], minlength=data.n_classes
    )
    common = _common(picked, data.weight.sum())
    odds = _usual_odds(common)
    lure = logit(common) - np.log(odds)
    return _Rates(_rate(1 - record), _rate((1 - record) * odds), logit(common), lure)


def _common(applies: Counted, n_tasks: float) -> Float64:
    """How common each label is, backed off to how common all are, float64 (n_classes,)."""
    mean = (applies.sum() + 1) / (n_tasks * len(applies) + 2)
    share = (applies + LABEL_WEIGHT * mean) / (n_tasks + LABEL_WEIGHT)
    return _rate(share)


def _usual_odds(common: Float64) -> float:
    mean = min(float(common.mean()), COMMON_MAX)
    return mean / (1 - mean)


def _rate(value: Float64) -> Float64:
    rate: Float64 = np.clip(value, RATE_MIN, 1 - RATE_MIN)
    return rate


def _believe(data: _Ticks, rates: _Rates) -> _Belief:
    """The belief in every question, given the rates. A pick never counts against its label."""
    n_tasks = len(data.n_asked)
    silent = np.minimum(np.log(rates.misses) - np.log1p(-rates.false), 0.0)
    picker, label = data.who[data.answer], data.of_label[data.question]
    picked = np.log1p(-rates.misses) - np.log(rates.false)
    voice = np.maximum(picked[picker] - rates.lure[label], 0.0) - silent[picker]
    denied = np.bincount(data.task, data.weight * silent[data.who], minlength=n_tasks)
    score = denied[data.of_task] + rates.common[data.of_label]
    score += np.bincount(data.question, data.weight[data.answer] * voice, minlength=len(score))

    odds = np.exp(rates.common)
    elsewhere = np.bincount(data.of_task, odds[data.of_label], minlength=n_tasks)
    others = data.n_classes - data.n_asked
    usual = np.maximum(odds.sum() - elsewhere, 0.0) / np.maximum(others, 1)
    forgotten = usual * np.exp(denied)
    return _Belief(score, others * (forgotten / (1 + forgotten)))


def _learn(data: _Ticks, record: Float64, belief: _Belief, common: Float64) -> _Rates:
    """The rates that the belief makes likely, each leaning on a coarser one."""
    n, n_tasks = data.n_contributors, len(data.n_asked)
    applies = expit(belief.score)
    answered = np.bincount(data.task, minlength=n_tasks) > 0
    forgotten = np.where(answered, belief.forgotten, 0.0)
    here = np.bincount(data.of_task, applies, minlength=n_tasks) + forgotten
    due = np.bincount(data.who, data.lesson * here[data.task], minlength=n)
    counted = data.lesson[data.answer]
    picker = data.who[data.answer]
    found = np.bincount(picker, counted * applies[data.question], minlength=n)
    false = np.maximum(np.bincount(picker, counted, minlength=n) - found, 0.0)
    missed = np.maximum(due - found, 0.0)
    undue = np.maximum(np.bincount(data.who, data.lesson, minlength=n) * data.n_classes - due, 0.0)

    label = np.bincount(data.of_label, applies, minlength=data.n_classes)
    n_answered = int(answered.sum())
    unasked = np.exp(common) * (n_answered - np.bincount(data.of_label, minlength=len(common)))
    label = label + unasked * (forgotten.sum() / max(unasked.sum(), RATE_MIN))
    share = _common(label, n_answered)
    odds = _usual_odds(share)

    # an error in the record is a label missed or a wrong one picked; the second has more occasions
    spoken = np.bincount(data.who, data.lesson, minlength=n)
    usual = (spoken @ (1 - record) + 1 - PRIOR_SKILL) / (spoken.sum() + 1)
    careless = (1 - record) / record * ((1 - usual) / usual)
    misses = _leaning(missed, due, usual, 1.0, careless)
    wrong = _leaning(false, undue, usual * odds, odds, careless)
    return _Rates(misses, wrong, logit(share), _lure(data, applies, share, odds))


def _leaning(n: Counted, of: Counted, stranger: float, odds: float, careless: Float64) -> Float64:
    """n / of of each contributor, leaning on the pool's, which leans on what strangers do; `odds`
    of a label that applies to one that does not make occasions of both kinds worth the same."""
    pool = (n.sum() + POOL_WEIGHT / odds * stranger) / (of.sum() + POOL_WEIGHT / odds)
    pool_odds = pool / (1 - pool) * careless
    own = pool_odds / (1 + pool_odds)
    return _rate((n + PRIOR_WEIGHT / odds * own) / (of + PRIOR_WEIGHT / odds))


def _lure(data: _Ticks, applies: Float64, share: Float64, odds: float) -> Float64:
    """Where wrong picks fall, leaning on how common labels are, float64 (n_classes,): a lone pick
    of a rare label is then believed as much as that of a common one."""
    wrong = data.lesson[data.answer] * (1 - applies[data.question])
    n = np.bincount(data.of_label[data.question], wrong, minlength=data.n_classes)
    occasions = data.lesson.sum() * (1 - share)
    mean = max(n.sum() / max(occasions.sum(), RATE_MIN), RATE_MIN)
    prior = share / (1 - share) / odds
    more = LIFT_WEIGHT / mean
    lure: Float64 = np.log((n + more * mean * prior) / (occasions + more) / mean)
    return lure


def _conclude(data: _Ticks, belief: _Belief, rates: _Rates, temper: float) -> Several:
    n_tasks = len(data.n_asked)
    yes = expit(temper * belief.score)
    # log-odds that none is forgotten: exp(-f) against 1 - exp(-f)
    forgotten = np.maximum(belief.forgotten, RATE_MIN**2)
    confidence = expit(-temper * (forgotten + np.log(-np.expm1(-forgotten))))
    none = confidence.copy()
    np.minimum.at(confidence, data.of_task, np.maximum(yes, 1 - yes))
    answered = np.bincount(data.task, minlength=n_tasks) > 0
    confidence[~answered] = 0.0

    ranked: list[list[tuple[int, float]] | None] = [[] if there else None for there in answered]
    order = np.lexsort((data.of_label, -yes, data.of_task))
    pairs = list(zip(data.of_label[order].tolist(), yes[order].tolist(), strict=True))
    start = starts(data.of_task[order])
    for first, last in zip(start.tolist(), [*start[1:].tolist(), len(pairs)], strict=False):
        ranked[int(data.of_task[order[first]])] = pairs[first:last]

    # right about every label that was not picked, and about those that were instead
    denied = np.bincount(data.of_task, 1 - yes, minlength=n_tasks)[data.task]
    said = denied + np.bincount(data.answer, (2 * yes - 1)[data.question], minlength=len(data.task))
    asked = data.n_asked[data.task]
    agreement = np.empty(len(data.task))
    agreement[data.order] = np.where(asked, said / np.maximum(asked, 1), none[data.task])
    return Several(ranked, confidence, np.clip(agreement, 0, 1), rates.misses, rates.false)
