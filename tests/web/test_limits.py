"""Token buckets and the memory of principals: exact, and bounded."""

from hypothesis import given
from hypothesis import strategies as st

from canut.people.model import Principal
from canut.web.house import Principals
from canut.web.limits import Limit


class Clock:
    """Time that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@given(
    st.floats(0.1, 100),
    st.integers(1, 50),
    st.lists(st.floats(0, 10), max_size=200),
)
def test_never_more_than_burst_plus_rate(per_s: float, burst: int, pauses: list[float]) -> None:
    """Over any stretch of time, no more passes than the burst and what was refilled."""
    clock = Clock()
    limit = Limit(per_s, burst, clock=clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += limit.take("a") == 0
    assert passed <= burst + per_s * (clock.now - 1000.0) + 1e-6


@given(st.floats(0.1, 100), st.integers(1, 5), st.integers(1, 20))
def test_the_wait_is_long_enough(per_s: float, burst: int, tries: int) -> None:
    """Whoever waits as long as they were told passes."""
    clock = Clock()
    limit = Limit(per_s, burst, clock=clock)
    for _ in range(tries):
        wait_s = limit.take("a")
        if wait_s:
            assert limit.wait("a") == wait_s
            clock.now += wait_s * (1 + 1e-9) + 1e-9
            assert limit.take("a") == 0


def test_keys_do_not_share() -> None:
    """One who is at the limit holds nobody else up, and is forgotten on request."""
    limit = Limit(1, 1, clock=Clock())
    assert limit.take("a") == 0
    assert limit.take("a") > 0
    assert limit.take("b") == 0
    limit.forget("a")
    assert limit.take("a") == 0


def test_no_limit() -> None:
    """A rate of 0 limits nothing and remembers nothing."""
    limit = Limit(0, 0, clock=Clock())
    assert all(limit.take("a") == 0 for _ in range(1000))
    assert len(limit) == 0


def test_memory_is_bounded() -> None:
    """A million addresses do not fill the memory; the least recent bucket goes first."""
    limit = Limit(1, 1, clock=Clock(), buckets_max=100)
    limit.take("first")
    for number in range(99):
        limit.take(f"a{number}")
    limit.take("first")
    limit.take("one more")
    assert len(limit) == 100
    assert limit.take("first") > 0
    assert limit.take("a0") == 0


def test_principals_are_remembered_for_a_while() -> None:
    """Long enough to save round trips, short enough that a revocation elsewhere is felt."""
    clock = Clock()
    known = Principals(clock=clock, remember_s=5, size_max=3)
    who = Principal(account_id=1)
    known.remember(b"a", who)
    known.remember(b"b", None)
    assert known.find(b"a") == (True, who)
    assert known.find(b"b") == (True, None)
    assert known.find(b"c") == (False, None)
    clock.now += 5
    assert known.find(b"a") == (False, None)
    for number in range(10):
        known.remember(bytes([number]), Principal(account_id=number))
    assert len(known) == 3
    known.forget_account(9)
    assert known.find(bytes([9])) == (False, None)
    assert known.find(bytes([8]))[0]
