"""Transcripts put together word by word: what most say at each place, though no one said it all."""

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from canut.truth.alignment import NOWHERE, Lines, Network, network
from canut.truth.categorical import PLAUSIBLE, TEMPER, backed_off, naive_bayes
from canut.truth.votes import Float64, Int32, Int64, Posterior, Votes, starts

#: label of somebody who says nothing at a place
NOTHING = 0
#: words of a transcript beyond which it is refused: alignment takes time with the square
WORDS_MAX = 10_000


class Transcripts(Struct, frozen=True):
    """Transcripts as columns of the same length n."""

    #: int32 (n,), 0 <= task < n_tasks
    task: Int32
    #: int32 (n,), 0 <= contributor < n_contributors; nobody transcribes a task twice
    contributor: Int32
    #: the words of each, as they are compared
    spoken: Sequence[Sequence[str]]
    #: the same words, as they are written
    written: Sequence[Sequence[str]]
    n_tasks: int


class Fused(Struct, frozen=True):
    """What the transcripts of each task say together."""

    #: of each task the words that were decided, as they are most written; None where nobody
    #: transcribed
    words: list[list[str] | None]
    #: probability of each of these words, one float64 array for each task
    probability: list[Float64]
    #: probability that no more than the tolerance of all places is wrong, silence included;
    #: float64 (n_tasks,); 0 where nobody transcribed
    confidence: Float64
    #: expected word accuracy of each transcript: mean probability, over all places of its task,
    #: that what it has there is right; float64 (n,)
    agreement: Float64


class _Coded(Struct, frozen=True):
    """Distinct transcripts as numbers, by task, the most trusted first."""

    lines: Lines
    #: line of each transcript, int64 (n,)
    line: Int64
    #: writing of each word of each transcript, int32, one transcript after the other
    writing: Int32
    #: where each transcript begins in `writing`, int64 (n,)
    begin: Int64
    #: the writings, sorted
    writings: list[str]
    n_words: int


def rover(
    of: Transcripts,
    right: Float64,
    judged: Float64,
    *,
    tolerance: float = 0.0,
    temper: float = TEMPER,
) -> Fused:
    """Align the transcripts of each task into one network of words, and vote at each place of it.

    `right` of `judged` words of each contributor were right, float64 (n_contributors,). The
    transcripts join the network one by one, the most trusted first, each aligned with least edits
    (`canut.truth.alignment`). Then every place is one question, "which word, or none", answered by
    all of them and believed by `canut.truth.categorical.naive_bayes`, as if at least `PLAUSIBLE`
    other words were possible; of the writings of the word that wins, the one of most weight is
    taken. Assumes that contributors err independently, and at one place as at another. Raises
    ValueError for a transcript of more than `WORDS_MAX` words.

    Source: Fiscus, "A post-processing system to yield reduced word error rates: Recognizer
    Output Voting Error Reduction (ROVER)", ASRU 1997; records take the place of its confidences.
    """
    if any(len(words) > WORDS_MAX for words in of.spoken):
        raise ValueError(f"a transcript has more than {WORDS_MAX} words")
    skill = backed_off(right, judged)
    coded = _coded(of, skill)
    net = network(coded.lines)
    # a cell of the network is heard once for each transcript of its line
    cell, who = _cells(net, coded)
    offset = net.offset[cell]
    at = coded.lines.begin[net.line[cell]] + np.maximum(offset, 0)
    said = np.full(len(cell), NOTHING, np.int32)
    spoken = offset != NOWHERE
    said[spoken] = coded.lines.word[at[spoken]] + 1
    votes = Votes(
        net.place[cell].astype(np.int32),
        of.contributor[who],
        said,
        len(net.task),
        len(right),
        coded.n_words + 1 + PLAUSIBLE,
    )
    belief = naive_bayes(votes, right, judged, temper=temper)

    places = np.bincount(net.task, minlength=of.n_tasks)
    certain = np.bincount(who, belief.of_votes(), minlength=len(of.task))
    agreement = certain / np.maximum(places[of.task], 1)
    chosen = np.flatnonzero(spoken & (said == belief.best[votes.task]))
    writing = coded.writing[coded.begin[who[chosen]] + offset[chosen]]
    best = _heaviest(votes.task[chosen], writing, skill[of.contributor[who[chosen]]], net)
    words, probability = _sentences(of, net, belief, best, coded.writings)
    return Fused(
        words=words,
        probability=probability,
        confidence=_within(net, belief.confidence, places, tolerance),
        agreement=np.clip(agreement, 0.0, 1.0),
    )


def _coded(of: Transcripts, skill: Float64) -> _Coded:
    """Number the words so that numbers are in the order of the words themselves, whatever order
    they came in; transcripts alike are aligned once."""
    n = len(of.task)
    size = np.fromiter(map(len, of.spoken), np.int64, n)
    flat, index = _numbered(word for words in of.spoken for word in words)
    writing, writings = _numbered(word for words in of.written for word in words)
    begin = np.cumsum(size) - size
    # the first byte weighs most, so that they sort as the words do
    ranks = flat.astype(">i4")
    texts = [ranks[b : b + s].tobytes() for b, s in zip(begin.tolist(), size.tolist(), strict=True)]
    rank = {text: i for i, text in enumerate(sorted(set(texts)))}
    text = np.fromiter((rank[t] for t in texts), np.int64, n)
    key = of.task.astype(np.int64) * max(len(rank), 1) + text
    ordered = np.lexsort((-skill[of.contributor], key))
    lead = ordered[starts(key[ordered])]
    lead = lead[np.lexsort((text[lead], -skill[of.contributor[lead]], of.task[lead]))]
    place = {k: i for i, k in enumerate(key[lead].tolist())}
    line = np.fromiter((place[k] for k in key.tolist()), np.int64, n)
    pieces = [flat[begin[i] : begin[i] + size[i]] for i in lead.tolist()]
    lines = Lines(
        task=of.task[lead],
        word=np.concatenate([np.zeros(0, np.int32), *pieces]),
        begin=np.r_[0, np.cumsum(size[lead])],
        n_tasks=of.n_tasks,
    )
    return _Coded(lines, line, writing, begin, writings, len(index))


def _numbered(words: Iterable[str]) -> tuple[Int32, list[str]]:
    """Each word as its place among all, sorted; and these."""
    every = list(words)
    known = sorted(set(every))
    index = {word: i for i, word in enumerate(known)}
    return np.fromiter((index[word] for word in every), np.int32, len(every)), known


def _cells(net: Network, coded: _Coded) -> tuple[Int64, Int64]:
    """Which cell of the network each vote is of, and which transcript casts it."""
    by_line = np.argsort(coded.line, kind="stable")
    n_of = np.bincount(coded.line, minlength=len(coded.lines.task))
    first = np.cumsum(n_of) - n_of
    times = n_of[net.line]
    cell = np.repeat(np.arange(len(net.line)), times)
    within = np.arange(len(cell)) - np.repeat(np.cumsum(times) - times, times)
    return cell, by_line[first[net.line[cell]] + within]


def _heaviest(place: Int32, writing: Int32, weight: Float64, net: Network) -> Int64:
    """The writing of most weight at each place, the first of equals; -1 where there is none."""
    best = np.full(len(net.task), -1, np.int64)
    order = np.lexsort((weight, writing, place))
    place, writing, weight = place[order], writing[order], weight[order]
    if not len(place):
        return best
    start = np.flatnonzero(np.r_[True, (np.diff(place) != 0) | (np.diff(writing) != 0)])
    total = np.add.reduceat(weight, start)
    place, writing = place[start], writing[start]
    ranked = np.lexsort((writing, -np.round(total, 9), place))
    winner = ranked[starts(place)]
    best[place[winner]] = writing[winner]
    return best


def _sentences(
    of: Transcripts, net: Network, belief: Posterior, best: Int64, writings: list[str]
) -> tuple[list[list[str] | None], list[Float64]]:
    """The decided words of each task, silence left out, and their probabilities."""
    heard = np.flatnonzero((belief.best != NOTHING) & (best >= 0))
    # the network goes by size of task: back to the order of tasks, places as they are
    heard = heard[np.argsort(net.task[heard], kind="stable")]
    words = [writings[i] for i in best[heard].tolist()]
    edge = np.searchsorted(net.task[heard], np.arange(of.n_tasks + 1)).tolist()
    answered = np.bincount(of.task, minlength=of.n_tasks) > 0
    probability = belief.confidence[heard]
    return (
        [words[edge[t] : edge[t + 1]] if answered[t] else None for t in range(of.n_tasks)],
        [probability[edge[t] : edge[t + 1]] for t in range(of.n_tasks)],
    )


def _within(net: Network, right: Float64, places: Int64, tolerance: float) -> Float64:
    """Probability that at most so many of a task's places are wrong, float64 (n_tasks,), as of
    independent trials of unequal chances (Poisson binomial, summed place by place)."""
    confidence = np.zeros(len(places))
    order = np.argsort(net.task, kind="stable")
    chance = right[order]
    begin = np.cumsum(places) - places
    allowed = np.floor(tolerance * places + 1e-9).astype(np.int64)
    # tasks of about the same length together, so that little is padding
    by_size = np.argsort(places, kind="stable")
    by_size = by_size[places[by_size] > 0]
    for low in range(0, len(by_size), 1024):
        tasks = by_size[low : low + 1024]
        n, most = places[tasks], int(allowed[tasks].max())
        errors = np.zeros((len(tasks), most + 1))
        errors[:, 0] = 1.0
        for i in range(int(n.max())):
            there = i < n
            p = np.where(there, chance[np.where(there, begin[tasks] + i, 0)], 1.0)[:, None]
            moved = errors[:, :-1] * (1 - p)
            errors *= p
            errors[:, 1:] += moved
        inside = np.arange(most + 1) <= allowed[tasks][:, None]
        confidence[tasks] = (errors * inside).sum(1)
    return np.clip(confidence, 0.0, 1.0)
