"""A simulated crowd: real books, a simulated clock, and nobody under the floor."""

import numpy as np

from canut.cli.simulate_pay_plot import plotted
from canut.pay.simulation import Plan, draw, run
from canut.pay.simulation.crowd import PICKY, SLOW

SMALL = Plan(contributors=20, tasks=320, weeks=2, slow=0.1, picky=0.1)


def test_a_shift_is_work_that_could_be():
    """Each task is answered once, nobody has one twice or two at once, and a seed is a shift."""
    shift = draw(SMALL)
    key = (shift.week * 4 + shift.client) * 1000 + shift.place
    assert len(set(key[shift.answered])) == shift.answered.sum() == 320
    assert len(set(zip(key, shift.who, strict=True))) == len(key)
    assert {SLOW, PICKY} < set(shift.kind)
    for who in range(20):
        mine = shift.who == who
        begin, took = shift.begin_ms[mine], shift.took_ms[mine]
        order = np.argsort(begin)
        assert ((begin + took)[order][:-1] <= begin[order][1:]).all()
    assert (draw(SMALL).took_ms == shift.took_ms).all()


def test_nobody_is_under_the_floor_and_the_books_balance(db):
    """Through quotes, books and settlement; by the median time, many would be."""
    found = run(db, SMALL)
    assert (found.paid.below_periods, found.paid.missing_minor, found.ledger_faults) == (0, 0, 0)
    assert found.median.below_periods > found.periods / 4
    assert found.no_topup.missing_minor <= found.topup_minor
    assert found.groups["slow"].gained_minor > 0
    assert "<svg" in plotted(found, "EUR")
