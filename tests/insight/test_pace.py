"""How fast a batch is decided, and when it will be: honest about what is not known."""

import psycopg
from hypothesis import given
from hypothesis import strategies as st

from canut.insight.pace import DECIDED_MIN, HOUR_MS, Pulse, end, pace
from canut.insight.progress import read_measured, take_pulses
from canut.work.model import StepProgress
from tests.factories import NOW, work

MINUTE = 60_000


def pulses(counts: list[int], every_ms: int = MINUTE) -> list[Pulse]:
    """A pulse at the end of each stretch in which so many were decided."""
    total, made = 0, [Pulse(NOW, 0, 0)]
    for n, count in enumerate(counts, 1):
        total += count
        made.append(Pulse(NOW + n * every_ms, 3 * total, total))
    return made


@given(st.lists(st.integers(0, 500), max_size=60))
def test_a_rate_lies_in_its_range_and_an_end_in_its_own(counts: list[int]) -> None:
    """The range holds the mean, spans hold every decision, and a faster pace ends earlier."""
    seen = pulses(counts)
    found = pace(seen, seen[-1].at_ms)
    if sum(counts) < DECIDED_MIN or len(counts) < 3:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.low < found.rate < found.high
    hours = found.measured_ms / HOUR_MS
    assert abs(sum(found.spans) / len(found.spans) * hours - sum(counts)) < 1e-6 * sum(counts)
    soon, late = end(found, 100, NOW), end(found, 1000, NOW)
    assert NOW <= soon.earliest_ms <= late.earliest_ms
    assert soon.latest_ms is None or soon.latest_ms > soon.earliest_ms


def test_what_is_steady_is_told_closely_and_what_is_not_is_not() -> None:
    """The range of an even pace is narrow; where nearly all came at once no end is promised."""
    even = pace(pulses([100] * 60), NOW + 60 * MINUTE)
    burst = pace(pulses([0] * 59 + [6000]), NOW + 60 * MINUTE)
    assert even is not None
    assert burst is not None
    assert even.rate == burst.rate == 6000
    assert even.high - even.low < 0.1 * even.rate
    assert burst.low == 0
    assert end(burst, 100, NOW).latest_ms is None


def test_a_pause_is_no_slow_pace() -> None:
    """Three hours without a pulse are not counted as time at work; a day ago is not looked at."""
    before = pulses([50] * 10)
    after = [
        Pulse(one.at_ms + 3 * HOUR_MS, one.n_answers + 1500, one.n_decided + 500) for one in before
    ]
    seen = [*before, *after]
    found = pace(seen, seen[-1].at_ms)
    assert found is not None
    assert found.measured_ms == 20 * MINUTE
    assert found.rate == 50 * 60
    assert pace(seen, seen[-1].at_ms + 30 * HOUR_MS) is None


def test_pulses_are_taken_where_something_moved(db: psycopg.Connection) -> None:
    """A batch that stands still is noted once an hour, one that is paused never: so a silence of
    more than an hour is a pause."""
    batch, step = (made := work(db)).batch_id, made.batch_steps[0]
    noted = "select count(*) from batch_pulse where batch_id = %s"
    for minute in range(3):
        take_pulses(db, NOW + minute * MINUTE)
    assert db.execute(noted, [batch]).fetchone() == (1,)
    db.execute("update batch_step set n_decided = 1 where id = %s", [step])
    take_pulses(db, NOW + 3 * MINUTE)
    take_pulses(db, NOW + 64 * MINUTE)
    assert db.execute(noted, [batch]).fetchone() == (3,)
    db.execute("update batch set state = 'paused' where id = %s", [batch])
    take_pulses(db, NOW + 200 * MINUTE)
    assert db.execute(noted, [batch]).fetchone() == (3,)


def test_of_many_decisions_an_even_sample_is_told_as_one(db: psycopg.Connection) -> None:
    """Few decisions are counted, of more a sample is read, which says so and is near the truth."""
    made = work(db, items=3)
    step = made.batch_steps[0]
    db.execute(
        """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
           n_answers, evidence, decided_ms)
           select 1000000 + n, %s, 1000000 + n, '"red"',
                  case when n %% 4 = 0 then 0.72 else 0.99 end,
                  case when n %% 10 = 0 then 'expert' else 'answers' end, 2,
                  '[1, [1, 1.0, 0.9], [2, 0.5, 0.9]]', 1
           from generate_series(1, 30000) n""",
        [step],
    )

    def progress(decided: int) -> StepProgress:
        return StepProgress(step, 0, "colour", "Colour", True, decided, decided, decided, 0)

    sampled = read_measured(db, progress(30_000))
    assert not sampled.exact
    assert sampled.read == 20_000
    assert abs(sampled.bins[14] / sampled.read - 0.25) < 0.02
    assert abs(sampled.methods["expert"] / sampled.read - 0.1) < 0.02
    assert sampled.agreement == 0.75
    db.execute("delete from decision where batch_step_id = %s and item_id > 1000100", [step])
    counted = read_measured(db, progress(100))
    assert counted.exact
    assert (counted.bins[14], counted.bins[19]) == (25, 75)
    assert counted.methods == {"answers": 90, "expert": 10}
