"""Medians, medoids and edit distances, against plain definitions of them."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.central import medoid, weighted_median
from canut.truth.distance import CHARACTERS_MAX, edit_distance, text_distance


def edits_by_the_book(left: str, right: str) -> int:
    """Levenshtein's recurrence, one cell at a time."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        following = [i]
        for j, b in enumerate(right, 1):
            following.append(min(row[j] + 1, following[-1] + 1, row[j - 1] + (a != b)))
        row = following
    return row[-1]


WORDS = st.text(alphabet="abcé \U0001f9f5", max_size=12)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=12))
def test_edit_distance_is_levenshtein(pairs: list[tuple[str, str]]):
    """Protects the vectorised distance, in blocks of pairs of unequal lengths."""
    got = text_distance([a for a, _ in pairs], [b for _, b in pairs])
    wanted = [edits_by_the_book(a, b) / max(len(a), len(b), 1) for a, b in pairs]
    assert got == pytest.approx(np.array(wanted))


def test_edit_distance_of_known_words():
    """Protects against an oracle that is wrong the same way."""
    assert text_distance(["kitten", "", "same", ""], ["sitting", "abc", "same", ""]) == (
        pytest.approx([3 / 7, 1, 0, 0])
    )
    assert len(edit_distance([])) == 0


def test_long_texts_are_compared_by_words_and_soon():
    """Protects the engine from quadratic time on long texts."""
    text = "canut loom silk " * 1000
    start = time.process_time()
    distance = text_distance([text, text], [text + "shuttle", "wool " * 3000])
    assert time.process_time() - start < 5
    assert distance == pytest.approx([1 / 3001, 1])
    assert len(text) > CHARACTERS_MAX


def median(rows: list[tuple[int, float, float]], n_tasks: int) -> list[float | None]:
    task, value, weight = (np.array(column) for column in zip(*rows, strict=True))
    chosen = weighted_median(task.astype(np.int32), value, weight, n_tasks)
    return [float(value[i]) if i >= 0 else None for i in chosen]


def test_weighted_median():
    """Protects the middle: weights count, one wild answer does not, no task is mixed up."""
    rows = [(2, 1e9, 1.0), (0, 5.0, 1.0), (2, 7.0, 1.0), (0, 1.0, 1.0), (2, 8.0, 1.0)]
    assert median(rows, 4) == [1.0, None, 8.0, None]
    assert median([(0, 1.0, 1.0), (0, 2.0, 5.0), (0, 3.0, 1.0)], 1) == [2.0]
    none = weighted_median(np.zeros(0, np.int32), np.zeros(0), np.zeros(0), 2)
    assert none.tolist() == [-1, -1]


@given(st.lists(st.tuples(st.integers(-99, 99), st.sampled_from([0.5, 1.0, 3.0])), min_size=1))
def test_weighted_median_splits_the_weight(answers: list[tuple[int, float]]):
    """Protects its definition: at most half of the weight is below it, at most half above."""
    rows = [(0, float(value), weight) for value, weight in answers]
    (chosen,) = median(rows, 1)
    assert chosen is not None
    half = sum(weight for _, weight in answers) / 2
    assert sum(weight for value, weight in answers if value < chosen) <= half
    assert sum(weight for value, weight in answers if value > chosen) <= half


def test_medoid():
    """Protects the text nearest to the others, and its distances."""
    texts = ["blue kettle", "blue kettles", "red toaster"]
    task = np.array([0, 0, 0, 2], np.int32)
    best, distance = medoid(task, np.array([2, 1, 0, 2], np.int32), np.ones(4), texts, 3)
    assert best.tolist() == [1, -1, 2]
    assert distance[1] == 0
    assert distance[2] == pytest.approx(1 / 12)
    assert distance[3] == 0


def test_medoid_of_two_is_the_heavier():
    """Protects who is right of two who disagree: the one with the better record."""
    task, text = np.zeros(2, np.int32), np.array([0, 1], np.int32)
    best, _ = medoid(task, text, np.array([0.6, 0.9]), ["a", "b"], 1)
    assert best.tolist() == [1]
    best, _ = medoid(task, text, np.array([0.7, 0.7]), ["a", "b"], 1)
    assert best.tolist() == [0]
