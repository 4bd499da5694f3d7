"""Transcripts put together word by word: what most say at each place, though no one said it all."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.truth.categorical import TEMPER, backed_off, naive_bayes
from canut.truth.votes import Float64, Int32, Votes

#: the word of somebody who says nothing at a place
NOTHING = ""
#: words of a transcript beyond which it is refused: alignment takes time with the square
WORDS_MAX = 5_000


class Transcript(Struct, frozen=True):
    """What several transcripts of the same recording say together."""

    words: list[str]
    #: probability that each word is right, float64 (words,)
    probability: Float64
    #: mean probability, over all places, that what was decided there is right, silence
    #: included; 0 where nobody transcribed
    confidence: float
    #: the same of what each transcript has at every place, float64 (transcripts,)
    agreement: Float64


def rover(
    transcripts: Sequence[Sequence[str]],
    contributor: Int32,
    right: Float64,
    judged: Float64,
    *,
    temper: float = TEMPER,
) -> Transcript:
    """Align the transcripts into one network of words, and vote at each place of it.

    `contributor` int32 (transcripts,) says who wrote each; `right` of `judged` words of each
    contributor were right. The transcripts join the network one by one, the most trusted first,
    each aligned with least edits (a place costs nothing where anybody in it said the word). Then
    every place is one question, "which word, or none", answered by all of them and believed by
    `canut.truth.categorical.naive_bayes`. Assumes that contributors err independently. Raises
    ValueError for a transcript of more than `WORDS_MAX` words.

    Source: Fiscus, "A post-processing system to yield reduced word error rates: Recognizer
    Output Voting Error Reduction (ROVER)", ASRU 1997; records take the place of its confidences.
    """
    if any(len(words) > WORDS_MAX for words in transcripts):
        raise ValueError(f"a transcript has more than {WORDS_MAX} words")
    if not transcripts:
        return Transcript([], np.zeros(0), 0.0, np.zeros(0))
    skill = backed_off(right, judged)
    # who is trusted most first; the words themselves settle it between equals, not the storage
    order = sorted(
        range(len(transcripts)), key=lambda i: (-skill[contributor[i]], tuple(transcripts[i]))
    )
    places: list[list[str]] = []
    for n_before, i in enumerate(order):
        places = _join(places, transcripts[i], n_before)
    if not places:
        return Transcript([], np.zeros(0), 0.0, np.zeros(len(transcripts)))
    return _vote(places, order, contributor, right, judged, temper)


def _join(places: list[list[str]], words: Sequence[str], n_before: int) -> list[list[str]]:
    """The network with one more transcript: a word, or `NOTHING`, at each place."""
    moves = _moves([frozenset(place) for place in places], words)
    joined: list[list[str]] = []
    i, j = len(places), len(words)
    while i or j:
        move = moves[i, j]
        i, j = i - (move != 2), j - (move != 1)
        before = [NOTHING] * n_before if move == 2 else places[i]
        joined.append([*before, NOTHING if move == 1 else words[j]])
    return joined[::-1]


def _moves(places: Sequence[frozenset[str]], words: Sequence[str]) -> NDArray[np.int8]:
    """The last move of the cheapest way to each cell: 0 a place takes a word, 1 a place is
    passed over, 2 a word gets a place of its own; int8 (places + 1, words + 1)."""
    index = {word: i for i, word in enumerate(dict.fromkeys(words))}
    spoken = np.array([index[word] for word in words], np.int64)
    column = np.arange(len(words) + 1, dtype=np.float64)
    moves = np.full((len(places) + 1, len(words) + 1), 2, np.int8)
    moves[:, 0] = 1
    cost = column.copy()
    for i, place in enumerate(places, 1):
        known = np.zeros(len(index) + 1, bool)
        known[[index[word] for word in place if word in index]] = True
        # passing over a place where somebody said nothing is no edit
        skip = cost + (NOTHING not in place)
        take = np.append(skip[0], cost[:-1] + ~known[spoken]) if len(words) else skip
        best = np.minimum(skip, take)
        # words of their own run along the row: a running minimum, each cell's column taken off
        following = np.minimum.accumulate(best - column) + column
        moves[i] = np.where(take <= following, 0, np.where(skip <= following, 1, 2))
        moves[i, 0] = 1
        cost = following
    return moves


def _vote(
    places: list[list[str]],
    order: list[int],
    contributor: Int32,
    right: Float64,
    judged: Float64,
    temper: float,
) -> Transcript:
    words = sorted({word for place in places for word in place})
    index = {word: i for i, word in enumerate(words)}
    n = len(order)
    votes = Votes(
        np.repeat(np.arange(len(places), dtype=np.int32), n),
        np.tile(contributor[order], len(places)).astype(np.int32),
        np.array([index[word] for place in places for word in place], np.int32),
        len(places),
        len(right),
        # any other word might be right as well
        len(words) + len(places) + 1,
    )
    belief = naive_bayes(votes, right, judged, temper=temper)
    agreement = np.zeros(n)
    agreement[order] = belief.of_votes().reshape(len(places), n).mean(0)
    said = [(words[i], p) for i, p in zip(belief.best, belief.confidence, strict=True)]
    return Transcript(
        words=[word for word, _ in said if word != NOTHING],
        probability=np.array([p for word, p in said if word != NOTHING]),
        confidence=float(belief.confidence.mean()),
        agreement=agreement,
    )
