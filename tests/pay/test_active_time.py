"""Time counts once, where something happened, and never outside a lease."""

from hypothesis import given
from hypothesis import strategies as st

from canut.pay.active_time import Lease, active, claim_problems, total_ms, union, without

spans = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 60)).map(lambda s: (s[0], s[0] + s[1]))
)


def covered(intervals):
    return {ms for start, end in intervals for ms in range(start, end)}


def test_gaps_within_the_idle_limit_count_and_longer_ones_do_not():
    """A contributor who reads for 20 s is paid for it, one who leaves for 5 minutes is not."""
    lease = Lease(0, 600_000)
    seen = [(0, 0), (20_000, 20_000), (25_000, 26_000), (320_000, 320_000), (321_000, 321_000)]
    assert active(seen, 30_000, lease) == [(0, 26_000), (320_000, 321_000)]


def test_a_single_instant_is_no_time():
    """One key press says that somebody was there, not for how long."""
    assert active([(5, 5)], 30_000, Lease(0, 10)) == []


@given(spans, st.integers(0, 30), st.integers(0, 100), st.integers(0, 200))
def test_nothing_counts_outside_the_lease_nor_twice(seen, idle, begin, held):
    """However many tabs report what they like, counted time lies in the lease, ordered, apart."""
    got = active(seen, idle, Lease(begin, begin + held))
    assert total_ms(got) == len(covered(got)) <= held
    assert all(begin <= a < b <= begin + held for a, b in got)
    inside = {ms for ms in covered(seen) if begin <= ms < begin + held}
    assert inside <= covered(got)


@given(spans, spans)
def test_what_was_counted_for_another_task_is_not_counted_again(first, second):
    """Parallel tasks share the clock: each millisecond belongs to one of them."""
    mine, taken = union(first), union(second)
    left = without(mine, taken)
    assert covered(left) == covered(mine) - covered(taken)
    assert left == union(left)


def test_a_statement_beyond_the_lease_is_an_error_that_names_the_most():
    """A mistyped correction is told, not quietly cut."""
    lease = Lease(1000, 61_000)
    assert claim_problems(60_000, lease) == []
    [problem] = claim_problems(60_001, lease)
    assert "60000 ms" in problem.message
    assert problem.field == "time"
    assert claim_problems(-1, lease)[0].field == "time"
