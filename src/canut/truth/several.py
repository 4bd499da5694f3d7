"""Beliefs about answers that pick several labels: one yes-or-no question per label."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from canut.truth.categorical import naive_bayes
from canut.truth.votes import Float64, Int32, Int64, Votes


class Picks(Struct, frozen=True):
    """Answers as columns of the same length n, each with the labels it picked."""

    #: int32 (n,), 0 <= task < n_tasks
    task: Int32
    #: int32 (n,), 0 <= contributor < n_contributors
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
    #: probability that the least sure label is judged right, float64 (n_tasks,)
    confidence: Float64
    #: mean probability that an answer is right about the labels that anybody picked for its
    #: task, float64 (n,)
    agreement: Float64


def several(picks: Picks, right: Float64, judged: Float64) -> Several:
    """Binary naive Bayes for each (task, label) that anybody picked.

    A label that nobody picked is denied by everybody, which is at least as sure as any label
    that somebody did pick; so only tasks where nobody picked anything need one more question,
    "does any label apply", and cost does not grow with the number of labels.
    Source: binary relevance (Tsoumakas & Katakis, "Multi-label classification", 2007).
    """
    task, n_tasks, n_classes = picks.task, picks.n_tasks, picks.n_classes
    asked, votes, voter = _questions(picks)
    posterior = naive_bayes(votes, right, judged)
    yes = posterior.dense()[:, 1]

    asked_task, asked_label = np.divmod(asked, n_classes + 1)
    confidence = np.full(n_tasks, 1.0)
    np.minimum.at(confidence, asked_task, np.maximum(yes, 1.0 - yes))
    answered = np.bincount(task, minlength=n_tasks) > 0
    confidence[~answered] = 0.0

    ranked: list[list[tuple[int, float]] | None] = [[] if there else None for there in answered]
    order = np.lexsort((asked_label, -yes, asked_task))
    for i, label, probability in zip(
        asked_task[order].tolist(), asked_label[order].tolist(), yes[order].tolist(), strict=True
    ):
        ranked_here = ranked[i]
        if label < n_classes and ranked_here is not None:
            ranked_here.append((label, probability))
    total = np.bincount(voter, weights=posterior.of_votes(), minlength=len(task))
    n_votes = np.bincount(voter, minlength=len(task))
    return Several(ranked, confidence, total / np.maximum(n_votes, 1))


def _questions(picks: Picks) -> tuple[Int64, Votes, Int64]:
    """The yes-or-no questions, as sorted keys task * (n_classes + 1) + label, and the votes on
    them: of every answer on every question of its task, with the answer each vote is from.
    Label n_classes stands for "does any apply" where nobody picked anything."""
    task, picked, n_tasks, n_classes = picks.task, picks.picked, picks.n_tasks, picks.n_classes
    size = np.fromiter(map(len, picked), np.int64, len(picked))
    answer = np.repeat(np.arange(len(picked)), size)
    label = np.fromiter((i for labels in picked for i in labels), np.int64, int(size.sum()))
    wide = n_classes + 1
    empty = np.bincount(task, weights=size, minlength=n_tasks) == 0
    none_picked = np.flatnonzero(empty & (np.bincount(task, minlength=n_tasks) > 0))
    picked_key = task[answer].astype(np.int64) * wide + label
    asked = np.unique(np.r_[picked_key, none_picked * wide + n_classes])

    asked_task = asked // wide
    begin = np.searchsorted(asked_task, np.arange(n_tasks))
    count = np.bincount(asked_task, minlength=n_tasks)
    per_answer = count[task]
    voter = np.repeat(np.arange(len(task)), per_answer)
    offset = np.arange(len(voter)) - np.repeat(np.cumsum(per_answer) - per_answer, per_answer)
    question = begin[task[voter]] + offset
    said = np.zeros(len(voter), np.int32)
    # where each pick stands among the votes: first vote of its answer + rank of its question
    first_vote = np.cumsum(per_answer) - per_answer
    rank = np.searchsorted(asked, picked_key) - begin[task[answer]]
    said[first_vote[answer] + rank] = 1
    votes = Votes(
        question.astype(np.int32),
        picks.contributor[voter],
        said,
        len(asked),
        picks.n_contributors,
        2,
    )
    return asked, votes, voter
