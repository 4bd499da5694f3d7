"""Boxes put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.boxes import Drawn, Fused, fuse, overlap

Row = tuple[int, int, tuple[float, float, float, float]]


def ask(rows: list[Row], looked: list[tuple[int, int]], people: int = 4, **known: float) -> Fused:
    """What is fused; everybody's record is `right` of 100."""
    columns = np.array([row[:2] for row in rows], np.int32).reshape(-1, 2)
    box = np.array([row[2] for row in rows], np.float64).reshape(-1, 4)
    seen = np.array(looked, np.int32).reshape(-1, 2)
    drawn = Drawn(columns[:, 0], columns[:, 1], box, seen[:, 0], seen[:, 1], 3, people)
    record = np.full(people, known.get("right", 0.0))
    return fuse(drawn, record, np.where(record > 0, 100.0, 0.0))


ALL = [(t, c) for t in range(3) for c in range(4)]


def test_overlap():
    """Protects intersection over union, against numbers worked out by hand."""
    boxes = np.array([[0, 0, 2, 2], [1, 1, 3, 3], [5, 5, 6, 6], [0, 0, 2, 1]], np.float64)
    assert overlap(boxes[0], boxes) == pytest.approx([1, 1 / 7, 0, 0.5])


def test_boxes_of_one_thing_become_one():
    """Protects the fusion: edges are means, and a box that only one drew is believed less."""
    near = [(0, 0, (0, 0, 10, 10)), (0, 1, (1, 0, 11, 10)), (0, 2, (-1, 0, 9, 10))]
    fused = ask([*near, (0, 3, (50, 50, 60, 60))], ALL)  # type: ignore[list-item]
    assert fused.box[0] == pytest.approx([0, 0, 10, 10])
    assert fused.thing.tolist() == [0, 0, 0, 1]
    assert fused.probability[0] > 0.5 > fused.probability[1]
    assert fused.overlap[0] == pytest.approx(1)


def test_two_things_side_by_side_stay_two():
    """Protects from joining two boxes of one author, however near."""
    fused = ask([(0, 0, (0, 0, 10, 10)), (0, 0, (1, 0, 11, 10))], [(0, 0)])
    assert len(fused.task) == 2


def test_who_is_better_draws_the_edge():
    """Protects the weights: a careful contributor's edges count more."""
    drawn = Drawn(
        np.zeros(2, np.int32), np.arange(2, dtype=np.int32),
        np.array([[0.0, 0, 10, 10], [2, 0, 12, 10]]),
        np.zeros(2, np.int32), np.arange(2, dtype=np.int32), 1, 2,
    )  # fmt: skip
    fused = fuse(drawn, np.array([98.0, 40.0]), np.full(2, 100.0))
    assert 0 < fused.box[0, 0] < 0.8


def test_corner_cases():
    """Protects pictures with nothing in them, and from boxes that are none."""
    assert len(ask([], ALL).task) == 0
    assert len(ask([], []).task) == 0
    one = ask([(1, 0, (0, 0, 1, 1))], [(1, 0)])
    assert one.task.tolist() == [1]
    assert 0.5 < one.probability[0] < 0.9
    huge = ask([(0, 0, (-1e99, -1e99, 1e99, 1e99))], [(0, 0)])
    assert huge.overlap[0] == pytest.approx(1)
    for wrong in ((0, 0, 0, 1), (0, 0, np.inf, 1), (0, 0, np.nan, 1), (2, 2, 1, 3)):
        with pytest.raises(ValueError, match=r"area|finite"):
            ask([(0, 0, wrong)], ALL)
    with pytest.raises(ValueError, match="look"):
        ask([(0, 1, (0, 0, 1, 1))], [(0, 0)])


BOX = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 5)] * 2).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
ROWS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), BOX), max_size=10)


@given(ROWS, st.randoms(use_true_random=False), st.sampled_from([0.5, 4.0]), st.integers(-9, 9))
def test_order_units_and_origins_do_not_matter(rows: list[Row], lot, unit: float, zero: int):
    """Protects reproducible fusion: storage order, pixels or shares, and where zero is."""
    plain = ask(rows, ALL)
    order = lot.sample(range(len(rows)), len(rows))
    mixed = ask([rows[i] for i in order], ALL)
    assert np.array_equal(mixed.box, plain.box)
    assert np.array_equal(mixed.probability, plain.probability)
    moved = [(t, c, tuple((edge + zero) * unit for edge in box)) for t, c, box in rows]
    other = ask(moved, ALL)  # type: ignore[arg-type]
    assert other.box == pytest.approx((plain.box + zero) * unit)
    assert other.probability == pytest.approx(plain.probability)
    assert np.all((plain.overlap > 0) & (plain.overlap <= 1 + 1e-12))


def test_as_sure_as_right():
    """Protects stopping: of simulated crowds, the mean probability is within 0.05 of the share
    of things that are there, and fused boxes fit better than drawn ones."""
    chance = np.random.default_rng(5)
    rows, looked, things = [], [], {}
    for task in range(400):
        thing = np.array([100.0, 100, 140, 140]) + chance.uniform(0, 500)
        things[task] = thing
        for who in range(4):
            looked.append((task, who))
            if chance.random() < 0.85:
                rows.append((task, who, thing + chance.normal(0, 3, 4)))
            if chance.random() < 0.2:
                rows.append((task, who, 2000 * (who + 1) + thing))
    columns = np.array([row[:2] for row in rows], np.int32)
    box = np.array([row[2] for row in rows])
    seen = np.array(looked, np.int32)
    drawn = Drawn(columns[:, 0], columns[:, 1], box, seen[:, 0], seen[:, 1], 400, 4)
    fused = fuse(drawn, np.full(4, 85.0), np.full(4, 100.0))
    truth = np.array([things[task] for task in fused.task.tolist()])
    fit = overlap(fused.box, truth)
    assert abs(fused.probability.mean() - (fit > 0.5).mean()) < 0.05
    fit_drawn = overlap(box, np.array([things[task] for task in columns[:, 0].tolist()]))
    assert fit[fit > 0.5].mean() > fit_drawn[fit_drawn > 0.5].mean() + 0.03
