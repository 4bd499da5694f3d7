"""Transcripts put together word by word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canut.truth.distance import edit_distance
from canut.truth.rover import WORDS_MAX, Transcript, rover


def ask(*texts: str, right: tuple[float, ...] | None = None) -> Transcript:
    n = len(texts)
    record = np.zeros(n) if right is None else np.array(right) * 100
    judged = np.zeros(n) if right is None else np.full(n, 100.0)
    return rover([text.split() for text in texts], np.arange(n, dtype=np.int32), record, judged)


def test_better_than_any_of_them():
    """Protects the point of it: each of three errs elsewhere, together they do not."""
    said = ask(
        "the loom stands in the old house",
        "a loom stands in the old house by the river",
        "the loom stand in the cold house by the river",
        "the loom stands the old house by the river",
    )
    assert " ".join(said.words) == "the loom stands in the old house by the river"
    assert len(said.probability) == len(said.words)
    assert said.agreement.argmin() == 0


def test_words_added_and_left_out():
    """Protects silence: what most did not hear is not there, what most heard is."""
    assert ask("so it is", "it is", "it is").words == ["it", "is"]
    assert ask("it is", "it really is", "it really is").words == ["it", "really", "is"]
    assert ask("", "", "uh").words == []


def test_a_record_is_heard():
    """Protects confidence-weighted votes: two careless ones do not outvote a careful one."""
    said = ask("silk is dear", "silk is deer", "silk is deer", right=(0.98, 0.5, 0.5))
    assert said.words == ["silk", "is", "dear"]


def test_corner_cases():
    """Protects nobody, one, silence, and what would take for ever."""
    assert ask().confidence == 0
    alone = ask("one two")
    assert alone.words == ["one", "two"]
    assert 0.5 < alone.confidence < 0.9
    assert ask("", "").words == []
    assert len(set(ask("a b c", "d e f", "g h i").words)) <= 3
    with pytest.raises(ValueError, match="words"):
        ask("a " * (WORDS_MAX + 1))


WORDS = st.lists(st.sampled_from("abcd"), max_size=7)


@settings(deadline=None, max_examples=50)
@given(WORDS, WORDS)
def test_two_are_aligned_with_the_least_edits(one: list[str], two: list[str]):
    """Protects the alignment: places where two transcripts differ are as many as their edit
    distance."""
    codes = [np.array([ord(word) for word in words], np.int32) for words in (one, two)]
    (edits,) = edit_distance([(codes[0], codes[1])])
    places = max(len(one), len(two))
    sure = rover([one, two], np.zeros(2, np.int32), np.array([5.0]), np.array([5.0]))
    if not places:
        assert sure.agreement.tolist() == [0, 0]
        return
    alike = rover([one, one], np.zeros(2, np.int32), np.array([5.0]), np.array([5.0]))
    assert (edits == 0) == (sure.words == one and sure.confidence == alike.confidence)
    assert sure.confidence <= alike.confidence or not one


@settings(deadline=None, max_examples=50)
@given(st.lists(WORDS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_order_does_not_matter(texts: list[list[str]], lot):
    """Protects reproducible decisions: contributors may be stored and numbered in any order."""
    n = len(texts)
    record = np.linspace(2, 9, n)
    plain = rover(texts, np.arange(n, dtype=np.int32), record, np.full(n, 10.0))
    order = np.array(lot.sample(range(n), n))
    mixed = rover([texts[i] for i in order], order.astype(np.int32), record, np.full(n, 10.0))
    assert mixed.words == plain.words
    assert mixed.confidence == plain.confidence
    assert np.array_equal(mixed.agreement, plain.agreement[order])
    assert 0 <= plain.confidence <= 1


def test_as_sure_as_right():
    """Protects stopping: of simulated listeners, the mean probability of the words is within
    0.05 of the share that is right, and the result is nearer the truth than any listener's."""
    chance = np.random.default_rng(4)
    sure, right, away, best = [], 0, 0.0, 0.0
    for _ in range(150):
        truth = [f"w{i}" for i in chance.integers(0, 200, 20)]
        heard = [
            [
                word if chance.random() < 0.8 else f"w{chance.integers(0, 200)}"
                for word in truth
                if chance.random() < 0.97
            ]
            for _ in range(3)
        ]
        said = rover(heard, np.arange(3, dtype=np.int32), np.full(3, 80.0), np.full(3, 100.0))
        sure += said.probability.tolist()
        edits = [_edits(words, truth) for words in (said.words, *heard)]
        right += len(said.words) - edits[0]
        away += edits[0]
        best += min(edits[1:])
    assert abs(np.mean(sure) - right / len(sure)) < 0.05
    assert away < 0.75 * best


def _edits(left: list[str], right: list[str]) -> float:
    known = {word: i for i, word in enumerate({*left, *right})}
    a, b = (np.array([known[word] for word in words], np.int32) for words in (left, right))
    return float(edit_distance([(a, b)])[0])
