"""Beliefs about picks of several labels: two rates per contributor."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.categorical import naive_bayes
from canut.truth.several import Picks, Several, several
from canut.truth.votes import Votes

Row = tuple[int, int, set[int]]


def ask(
    rows: list[Row], n_tasks: int, n_classes: int, weight: list[float] | None = None
) -> Several:
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    picks = Picks(
        columns[:, 0], columns[:, 1], [sorted(row[2]) for row in rows], n_tasks, 6, n_classes
    )
    counted = None if weight is None else np.array(weight)
    return several(picks, np.arange(6.0), np.full(6, 6.0), counted)


CELLS = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 5)), st.sets(st.integers(0, 4)), max_size=15
)


@given(CELLS, st.permutations(range(6)), st.permutations(range(5)), st.permutations(range(4)))
def test_names_do_not_matter(
    cells: dict[tuple[int, int], set[int]], who: list[int], label: list[int], task: list[int]
):
    """Protects decisions from how contributors, labels and tasks happen to be numbered."""
    rows = [(t, c, picked) for (t, c), picked in cells.items()]
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    record = np.arange(6.0)
    other = np.empty(6)
    other[who] = record
    plain = several(
        Picks(columns[:, 0], columns[:, 1], [sorted(row[2]) for row in rows], 4, 6, 5),
        record,
        np.full(6, 6.0),
    )
    renamed = several(
        Picks(
            np.array(task, np.int32)[columns[:, 0]],
            np.array(who, np.int32)[columns[:, 1]],
            [[label[i] for i in row[2]] for row in rows],
            4,
            6,
            5,
        ),
        other,
        np.full(6, 6.0),
    )
    assert renamed.confidence[task] == pytest.approx(plain.confidence)
    assert renamed.agreement == pytest.approx(plain.agreement)
    assert renamed.misses[who] == pytest.approx(plain.misses)
    assert renamed.false[who] == pytest.approx(plain.false)
    for t in range(4):
        then, now = plain.ranked[t], renamed.ranked[task[t]]
        assert (then is None) == (now is None)
        assert dict(now or []) == pytest.approx({label[i]: p for i, p in then or []})


def test_nobody_picks_anything():
    """Protects the answer "none of these": agreed on, it is an answer like any other."""
    belief = ask([(0, 4, set()), (0, 5, set())], 2, 3)
    assert belief.ranked == [[], None]
    assert 0.5 < belief.confidence[0] < 1
    assert belief.confidence[1] == 0
    assert belief.agreement == pytest.approx([belief.confidence[0]] * 2)


def test_likeliest_label_first():
    """Protects the order that a limit on the number of picks cuts."""
    belief = ask([(0, 3, {2}), (0, 4, {2}), (0, 5, {1, 2})], 1, 3)
    assert [label for label, _ in belief.ranked[0] or []] == [2, 1]
    assert belief.agreement[2] < belief.agreement[0]


def test_a_lone_stranger_is_believed_as_ever():
    """Protects single answers: a pick by somebody of whom nothing is known is worth what a vote
    is, whatever label is picked and however rare it is."""
    rows = [(t, 0, {0} if t else {1}) for t in range(40)]
    columns = np.array([row[:2] for row in rows], np.int32)
    picks = Picks(columns[:, 0], columns[:, 1], [list(row[2]) for row in rows], 40, 1, 3)
    belief = several(picks, np.zeros(1), np.zeros(1))
    vote = np.zeros(1, np.int32)
    alone = naive_bayes(Votes(vote, vote, vote, 1, 1, 2), np.zeros(1), np.zeros(1)).confidence[0]
    (_, rare), (_, common) = (belief.ranked[t][0] for t in (0, 1))  # type: ignore[index]
    assert rare == pytest.approx(alone, abs=0.04)
    assert common == pytest.approx(alone, abs=0.04)


def test_weights():
    """Protects one voice from clones: what counts nothing says nothing and teaches nothing, and
    what counts half is believed less than what counts whole."""
    rows: list[Row] = [(t, c, {t % 3}) for t in range(6) for c in range(3)]
    noise: list[Row] = [(t, c, {(t + 1) % 3}) for t in range(6) for c in (3, 4, 5)]
    alone = ask(rows, 6, 3)
    muted = ask([*rows, *noise], 6, 3, [1.0] * len(rows) + [0.0] * len(noise))
    for t in range(6):
        assert dict(muted.ranked[t] or [])[t % 3] == pytest.approx(
            dict(alone.ranked[t] or [])[t % 3], abs=0.02
        )
    assert muted.misses[:3] == pytest.approx(alone.misses[:3], rel=0.1)
    half = ask(rows, 6, 3, [0.5] * len(rows))
    assert np.all(half.confidence < alone.confidence)


@pytest.mark.parametrize("right", [0.0, 1e6])
@pytest.mark.parametrize(
    "rows",
    [
        [],
        [(0, 0, set())],
        [(0, 0, {0})],
        [(t, c, {0, 1, 2}) for t in range(3) for c in range(6)],
        [(t, c, set()) for t in range(3) for c in range(6)],
        [(0, c, {c % 3}) for c in range(6)],
    ],
)
def test_corner_cases(rows: list[Row], right: float):
    """Protects against warnings and NaN: nobody, one, everything picked, nothing, no agreement,
    contributors who are never right or always, and answers that count nothing."""
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    picks = Picks(columns[:, 0], columns[:, 1], [sorted(row[2]) for row in rows], 4, 6, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for weight in (None, np.zeros(len(rows))):
            belief = several(picks, np.full(6, right), np.full(6, 1e6), weight)
            for part in (belief.confidence, belief.agreement, belief.misses, belief.false):
                assert np.all((part >= 0) & (part <= 1))


def test_better_and_as_sure_as_right():
    """Protects the two rates: of 1,000 simulated tasks with 3 answers and 8 labels, of which
    contributors forget a quarter and pick 2 in 100 wrongly, 81% are decided exactly right, against
    73% with one skill for both (which takes one denial as worth one pick). Labels are as often
    right as they are believed to be, within 0.05 in the mean, and so are those believed most."""
    chance = np.random.default_rng(7)
    n_tasks, n_classes, n_contributors = 1000, 8, 60
    applies = chance.random((n_tasks, n_classes)) < np.linspace(0.03, 0.4, n_classes)
    misses = chance.beta(2, 6, n_contributors)
    false = np.maximum(chance.beta(0.8, 39.2, n_contributors), 0.001)
    task = np.repeat(np.arange(n_tasks, dtype=np.int32), 3)
    who = np.argsort(chance.random((n_tasks, n_contributors)))[:, :3].ravel().astype(np.int32)
    rate = np.where(applies[task], 1 - misses[who, None], false[who, None])
    said = chance.random(rate.shape) < rate
    picked = [np.flatnonzero(row).tolist() for row in said]
    nothing = np.zeros(n_contributors)
    belief = several(Picks(task, who, picked, n_tasks, n_contributors, n_classes), nothing, nothing)
    exact = np.mean(
        [
            {label for label, p in ranked or [] if p > 0.5} == set(np.flatnonzero(truth))
            for ranked, truth in zip(belief.ranked, applies, strict=True)
        ]
    )
    votes = said.reshape(n_tasks, 3, n_classes).sum(1)
    # one skill for both, of strangers: a label needs as many picks as denials
    symmetric = ((votes >= 2) == applies).all(1).mean()
    assert exact > symmetric + 0.03

    pairs = [(p, applies[t, i]) for t in range(n_tasks) for i, p in belief.ranked[t] or []]
    sure = np.array([max(p, 1 - p) for p, _ in pairs])
    right = np.array([(p > 0.5) == there for p, there in pairs])
    assert abs(sure.mean() - right.mean()) < 0.05
    assert right[sure > 0.9].mean() > sure[sure > 0.9].mean() - 0.02
    assert abs(belief.confidence.mean() - exact) < 0.05
