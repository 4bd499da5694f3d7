"""The arithmetic of pay: no cent lost, none made, nothing let go that is not covered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from canut.errors import Invalid
from canut.pay.accrual.model import Due, Work, charged, earned
from canut.pay.amounts import read_minor
from canut.pay.cost import answers_most, base_minor
from canut.pay.funding.model import StepCover, plan
from canut.pay.policy.model import share_of
from canut.pay.quotes.model import StepFacts, Terms
from canut.pay.quotes.rules import quote
from canut.pay.tariff import owed_for_time

works = st.lists(
    st.builds(
        Work,
        task_id=st.integers(1, 10**9),
        contributor_id=st.integers(1, 4),
        batch_step_id=st.integers(1, 3),
        agreed_ms=st.none() | st.integers(1, 600_000),
        price_minor=st.none() | st.integers(1, 500),
        floor_minor=st.just(1202),
        assumed_ms=st.integers(1, 60_000),
    ),
    max_size=30,
)
FACTS = StepFacts(
    batch_step_id=1,
    slug="category",
    tariff_id=1,
    price_minor=10,
    floor_minor=1202,
    task_ms=24_000,
    assumed_ms=20_000,
    lease_ms=600_000,
    min_answers=2,
    max_answers=5,
    target=0.9,
    skill=0.8,
    answers_known=None,
    gold_share=0.05,
    audit_share=0.1,
    audits_max=400,
    panel=2,
    daily_known=(400, 900),
    people=20,
    ai_micro=0,
)


@given(works)
def test_an_hour_is_paid_as_an_hour_however_it_is_cut_up(work):
    """By the task, each earns its price; by the hour, the tasks of one contributor at one step earn
    together exactly what their time is owed, and each its share of it within a cent."""
    found = earned(work)
    assert len(found) == len(work)
    groups = {}
    for one in found:
        if one.basis == "price":
            assert one.amount_minor == one.work.price_minor
        else:
            groups.setdefault((one.work.batch_step_id, one.work.contributor_id), []).append(one)
    for group in groups.values():
        total, ms = sum(g.amount_minor for g in group), sum(g.paid_ms for g in group)
        assert total == owed_for_time(1202, ms)
        assert all(abs(g.amount_minor - total * g.paid_ms / ms) < 1 for g in group)


@given(*[st.integers(0, 10**6)] * 3, st.integers(-10, 3 * 10**6))
def test_pay_is_whole_and_a_batch_never_gives_more_than_it_has(pay, social, fee, available):
    """Pay first, then contributions, then the fee; the co-op fills the rest and forgoes its fee."""
    found = charged(Due(1, 1, "EUR", None, 0, pay), "FR", social, fee, available)
    own = pay - found.coop_minor
    own_social = found.social_minor - found.coop_social_minor
    assert 0 <= own + own_social + found.fee_minor <= max(available, 0)
    assert found.social_minor == social
    if available >= pay + social + fee:
        assert (found.coop_minor, found.coop_social_minor, found.fee_minor) == (0, 0, fee)


steps = st.lists(
    st.builds(
        lambda unit, most, released, decided, left, live, pending, audits: StepCover(
            0, unit, most, released + left, released, min(decided, released), live, pending, audits
        ),
        st.integers(1, 500),
        st.integers(1, 12),
        *[st.integers(0, 300)] * 3,
        *[st.integers(0, 40)] * 3,
    ),
    min_size=1,
    max_size=3,
).map(lambda found: [structs.replace(s, batch_step_id=n) for n, s in enumerate(found)])


@given(steps, st.integers(0, 10**6))
def test_what_is_let_go_is_covered_to_its_last_answer(found, available):
    """All that is claimed, all that is let go and all that the plan lets go is within the money;
    and a batch is short only where nothing is under way and not one task more is covered."""
    planned = plan(available, found)
    need = sum(
        s.claimed_minor + (s.under_way + planned.release.get(s.batch_step_id, 0)) * s.task_minor
        for s in found
    )
    if planned.release:
        assert need <= available
        assert not planned.hold
    assert planned.hold == (sum(s.claimed_minor for s in found) > available)
    if planned.short and not planned.hold:
        assert all(not s.under_way for s in found)
        assert all(s.n_tasks == s.released or s.task_minor > available for s in found)


@given(
    st.integers(1, 10**6),
    st.integers(1, 500),
    st.integers(0, 3000),
    st.integers(0, 5000),
    st.sampled_from([None, 2.0, 3.7]),
)
def test_a_quote_is_its_lines(items, price, fee, social, known):
    """The total is the sum of the lines, each can be recomputed from what it says, and money is
    whole."""
    step = structs.replace(FACTS, price_minor=price, answers_known=known)
    found = quote("EUR", items, [step], Terms(fee, social, 1500), 0)
    assert found.total_minor == sum(line.minor for line in found.lines)
    pay = found.line("pay")
    assert pay == found.steps[0].answers * price
    assert found.line("fee") == share_of(pay, fee)
    assert found.line("social") == share_of(pay, social)
    assert all(isinstance(line.minor, int) and line.minor >= 0 for line in found.lines)
    assert found.contributor_share == pytest.approx(
        pay / (found.line("fee") + pay + found.line("social"))
    )
    assert 0 < found.earliest_ms <= found.latest_ms


def test_a_higher_target_costs_more_and_a_history_is_believed():
    """Wald's test takes more answers for more certainty; where the step has its own, they count."""
    found = quote("EUR", 1000, [FACTS], Terms(1000, 0, 1500), 0, deadline_ms=86_400_000)
    totals = [choice.total_minor for choice in found.choices]
    assert totals == sorted(totals)
    assert totals[0] < found.total_minor < totals[-1]
    # leading by two answers, of which each is right in four of five: 2.94 on average
    assert found.steps[0].answers_per_item == pytest.approx(50 / 17)
    assert found.daily_needed == found.steps[0].answers
    known = quote("EUR", 1000, [structs.replace(FACTS, answers_known=2.2)], Terms(0, 0, 0), 0)
    assert (known.steps[0].answers_per_item, known.steps[0].known) == (2.2, True)


def test_what_one_task_may_come_to():
    """The answers asked for, an expert's, and the gold beside them; in a pilot three times the
    assumed time, never more than the lease."""
    assert answers_most(5) == 9
    assert base_minor(7, 1202, 20_000, 600_000) == 7
    assert base_minor(None, 1200, 20_000, 600_000) == 20
    assert base_minor(None, 1200, 20_000, 30_000) == 10


@pytest.mark.parametrize(
    ("text", "currency"),
    [("-5", "EUR"), ("1.005", "EUR"), ("1.5", "JPY"), ("0", "EUR"), ("1e3", "EUR"), ("5", "XXX")],
)
def test_what_is_no_amount_is_refused(text, currency):
    """Negative, fractional, empty, in no currency: each is told."""
    with pytest.raises(Invalid) as wrong:
        read_minor(text, currency)
    assert wrong.value.problems


def test_amounts_are_read_exactly():
    """Without floating point on the way."""
    assert read_minor("0.29", "EUR") == 29
    assert read_minor("12,5", "EUR") == 1250
    assert read_minor("1.500", "EUR") == 150
    assert read_minor("700", "JPY") == 700
