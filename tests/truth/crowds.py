"""Crowds to test estimators on: small ones that Hypothesis makes, and simulated ones."""

import numpy as np
from hypothesis import strategies as st

from canut.truth.votes import Float64, Int32, Votes


@st.composite
def tiny(draw: st.DrawFn, most: int = 24) -> Votes:
    """Any votes at all: nobody, one contributor, one class seen, tasks without votes..."""
    n_tasks, n_people = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    n_classes = draw(st.integers(1, 4))
    row = st.tuples(
        st.integers(0, n_tasks - 1), st.integers(0, n_people - 1), st.integers(0, n_classes - 1)
    )
    columns = np.array(draw(st.lists(row, max_size=most)), np.int32).reshape(-1, 3)
    return Votes(columns[:, 0], columns[:, 1], columns[:, 2], n_tasks, n_people, n_classes)


def simulated(seed: int, n_tasks: int, redundancy: int, confusion: Float64) -> tuple[Votes, Int32]:
    """Votes and the truth: contributor j says k with probability confusion[j, truth, k]."""
    chance = np.random.default_rng(seed)
    n_people, n_classes, _ = confusion.shape
    truth = chance.integers(n_classes, size=n_tasks).astype(np.int32)
    who = [chance.permutation(n_people)[:redundancy] for _ in range(n_tasks)]
    contributor = np.concatenate(who).astype(np.int32)
    task = np.repeat(np.arange(n_tasks, dtype=np.int32), redundancy)
    below = confusion.cumsum(2)[contributor, truth[task]]
    label = (chance.random(len(task))[:, None] > below).sum(1).clip(max=n_classes - 1)
    return Votes(task, contributor, label.astype(np.int32), n_tasks, n_people, n_classes), truth


def coins(skill: Float64, n_classes: int) -> Float64:
    """Confusion matrices of contributors who are right as often on every class."""
    even = (1 - skill)[:, None, None] / (n_classes - 1)
    return even + (skill[:, None, None] - even) * np.eye(n_classes)
