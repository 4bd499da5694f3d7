"""Transcripts put together word by word."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.alignment import Lines, network
from canut.truth.distance import edit_distance, word_distance
from canut.truth.rover import WORDS_MAX, Fused, Transcripts, rover

Texts = list[list[str]]


def fuse(*tasks: Texts, right: list[float] | None = None, tolerance: float = 0.0) -> Fused:
    """One contributor for each place in the list of a task."""
    rows = [(t, c, words) for t, texts in enumerate(tasks) for c, words in enumerate(texts)]
    n = max((len(texts) for texts in tasks), default=0)
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    words = [row[2] for row in rows]
    record = np.zeros(n) if right is None else np.array(right) * 100
    judged = np.zeros(n) if right is None else np.full(n, 100.0)
    of = Transcripts(columns[:, 0], columns[:, 1], words, words, len(tasks))
    return rover(of, record, judged, tolerance=tolerance)


def ask(*texts: str, right: list[float] | None = None) -> Fused:
    return fuse([text.split() for text in texts], right=right)


def test_better_than_any_of_them():
    """Protects the point of it: each of three errs elsewhere, together they do not."""
    said = ask(
        "the loom stands in the old house",
        "a loom stands in the old house by the river",
        "the loom stand in the cold house by the river",
        "the loom stands the old house by the river",
    )
    assert said.words == [
        ["the", "loom", "stands", "in", "the", "old", "house", "by", "the", "river"]
    ]
    assert len(said.probability[0]) == 10
    assert said.agreement.argmin() == 0


def test_words_added_and_left_out():
    """Protects silence: what most did not hear is not there, what most heard is."""
    assert ask("so it is", "it is", "it is").words == [["it", "is"]]
    assert ask("it is", "it really is", "it really is").words == [["it", "really", "is"]]
    assert ask("", "", "uh").words == [[]]


def test_a_record_is_heard():
    """Protects confidence-weighted votes: two careless ones do not outvote a careful one."""
    said = ask("silk is dear", "silk is deer", "silk is deer", right=[0.99, 0.4, 0.4])
    assert said.words == [["silk", "is", "dear"]]


def test_corner_cases():
    """Protects nobody, one, silence, and what would take for ever."""
    assert fuse().words == []
    nobody = fuse([["a"]], [])
    assert nobody.words == [["a"], None]
    assert nobody.confidence[1] == 0
    alone = ask("one two")
    assert alone.words == [["one", "two"]]
    assert 0.3 < alone.confidence[0] < 0.9
    assert ask("", "").words == [[]]
    with pytest.raises(ValueError, match="words"):
        ask("a " * (WORDS_MAX + 1))


WORDS = st.lists(st.sampled_from("abcd"), max_size=7)


@given(WORDS, WORDS)
def test_two_are_aligned_with_the_least_edits(one: list[str], two: list[str]):
    """Protects the alignment: places where two transcripts differ are as many as their edit
    distance, and every word has its place, in order."""
    codes = [np.array([ord(word) for word in words], np.int32) for words in (one, two)]
    (edits,) = edit_distance([(codes[0], codes[1])])
    begin = np.array([0, len(one), len(one) + len(two)])
    net = network(Lines(np.zeros(2, np.int32), np.concatenate(codes), begin, 1))
    first, second = net.offset[net.line == 0], net.offset[net.line == 1]
    assert first[first >= 0].tolist() == list(range(len(one)))
    assert second[second >= 0].tolist() == list(range(len(two)))
    alike = sum(i >= 0 and j >= 0 and one[i] == two[j] for i, j in zip(first, second, strict=True))
    assert len(first) - alike == edits


TASKS = st.lists(st.lists(WORDS, max_size=4), min_size=1, max_size=4)


@given(TASKS, st.randoms(use_true_random=False))
def test_neither_order_nor_company_matters(tasks: list[Texts], lot):
    """Protects reproducible decisions: answers may be stored in any order, and what else is
    decided in the same pass changes nothing."""
    rows = [(t, c, words) for t, texts in enumerate(tasks) for c, words in enumerate(texts)]
    record, judged = np.linspace(2, 9, 4), np.full(4, 10.0)

    def said(kept: list[tuple[int, int, list[str]]], n_tasks: int) -> Fused:
        columns = np.array([row[:2] for row in kept], np.int32).reshape(-1, 2)
        words = [row[2] for row in kept]
        of = Transcripts(columns[:, 0], columns[:, 1], words, words, n_tasks)
        return rover(of, record, judged, tolerance=0.2)

    plain = said(rows, len(tasks))
    order = lot.sample(range(len(rows)), len(rows))
    mixed = said([rows[i] for i in order], len(tasks))
    assert mixed.words == plain.words
    assert np.array_equal(mixed.confidence, plain.confidence)
    assert np.array_equal(mixed.agreement, plain.agreement[order])
    for t in range(len(tasks)):
        alone = said([(0, c, words) for i, c, words in rows if i == t], 1)
        assert alone.words[0] == plain.words[t]
        assert alone.confidence[0] == pytest.approx(plain.confidence[t])
    assert np.all((plain.confidence >= 0) & (plain.confidence <= 1))


def test_as_sure_as_right():
    """Protects stopping: of simulated listeners, who hear 80% of 20 words and miss 3%, decided
    words are right as often as believed, and transcripts are within a tolerance of 0.15 as often,
    each within 0.05; and the result is nearer the truth than any listener's."""
    chance = np.random.default_rng(4)
    truths = [[f"w{i}" for i in chance.integers(0, 200, 20)] for _ in range(600)]
    heard = [
        [
            [
                word if chance.random() < 0.8 else f"w{chance.integers(0, 200)}"
                for word in truth
                if chance.random() < 0.97
            ]
            for _ in range(3)
        ]
        for truth in truths
    ]
    said = fuse(*heard, right=[0.78, 0.78, 0.78], tolerance=0.15)
    decided = [words or [] for words in said.words]
    wrong = word_distance(decided, truths)
    best = np.min([word_distance([h[i] for h in heard], truths) for i in range(3)], axis=0)
    sure = np.concatenate(said.probability)
    right = 1 - (wrong * 20).sum() / len(sure)
    assert abs(sure.mean() - right) < 0.05
    assert wrong.mean() < 0.75 * best.mean()
    assert abs(said.confidence.mean() - (wrong <= 0.15).mean()) < 0.05
