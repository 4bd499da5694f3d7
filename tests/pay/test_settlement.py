"""At the end of a period everybody has reached the floor, and the slip says how."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Conflict, Forbidden, Invalid, NotFound
from canut.pay.accrual import accept_due
from canut.pay.funding import cover_batches
from canut.pay.hours import Hours, decide_hours, list_hours, record_hours, state_hours
from canut.pay.ledger import closed_until, first_fault
from canut.pay.policy.model import DAY_MS, Policy
from canut.pay.settlement import (
    grouped,
    list_periods,
    list_slips,
    read_slip,
    settle_next,
    settle_until,
    sums_of,
)
from canut.pay.settlement.model import Unpaid, Worked
from canut.pay.settlement.rules import period_end, reckon, shared_out, week_of
from canut.pay.settlement.slip_csv import slip_csv
from canut.pay.settlement.slip_pdf import slip_pdf
from canut.pay.settlement.slip_words import shown
from canut.pay.tariff import owed_for_time
from canut.pay.tariffs import review_tariffs
from canut.pay.time import decide_review, state_time
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.pay.paid import NOW, again, engine, funded, paid, sums, work_on

WEEK = week_of(NOW)
AFTER = WEEK + 7 * DAY_MS


def priced(db, people=5):
    """A batch whose step pays a price (5 cents), and one more of the same step with money."""
    one = paid(db, items=400)
    funded(db, one)
    for who in [make.contributor(db) for _ in range(people)]:
        work_on(db, one, who, 6, 10_000)
    engine(db, NOW + 100_000)
    assert len(review_tariffs(db, NOW + 100_000)) == 1
    one.work = again(db, one.work, 60)
    funded(db, one, NOW + 200_000)
    cover_batches(db, NOW + 200_000)
    return one


def settle_all(db, now):
    while settle_next(db, now):
        pass


def test_who_was_slow_reaches_the_floor_and_the_slip_adds_up(db):
    """A top-up from the batch's reserve, the rest from the co-op, once; the slip's lines are the
    sums that it says."""
    one = priced(db)
    who = make.contributor(db)
    work_on(db, one, who, 10, 55_000, NOW + 300_000)
    engine(db, NOW + 3_000_000)
    assert settle_next(db, AFTER - 1) == 0
    settle_all(db, AFTER)
    settle_all(db, AFTER)
    [slip] = list_slips(db, contributor_id=who)
    assert (slip.n_tasks, slip.agreed_ms, slip.qualifying_minor) == (10, 550_000, 50)
    assert slip.topup_minor == owed_for_time(1202, 550_000) - 50 > 0
    assert (slip.from_ms, slip.until_ms, slip.number) == (WEEK, AFTER, 1)
    whole = read_slip(db, slip.id, who)
    assert sum(line.pay_minor for line in whole.lines) == slip.qualifying_minor
    assert sum(line.agreed_ms for line in whole.lines) == slip.agreed_ms
    assert {line.basis for line in whole.lines} == {"price"}
    with pytest.raises(NotFound):
        read_slip(db, slip.id, who + 1)
    [group] = grouped(whole.lines)
    assert (group.n_tasks, group.each_minor, group.pay_minor) == (10, 5, 50)
    accept_due(db, AFTER)
    paid_out = db.execute(
        "select credits from ledger_account where kind = 'contributor_payable' and owner_id = %s",
        [who],
    ).fetchone()
    assert paid_out == (slip.total_minor,)
    assert sums(db)["topup_reserve"][0] >= 0
    assert closed_until(db) == AFTER
    assert first_fault(db) is None


def test_the_files_of_a_slip_have_every_line_and_the_sum(db):
    """Whoever adds the CSV up gets the total; the PDF says the same in two languages."""
    from pypdf import PdfReader

    one = priced(db)
    who = make.contributor(db)
    work_on(db, one, who, 3, 55_000, NOW + 300_000)
    engine(db, NOW + 3_000_000)
    settle_all(db, AFTER)
    slip = read_slip(db, list_slips(db, contributor_id=who)[0].id)
    rows = list(csv.reader(slip_csv(slip, "en", lambda n: f"T{n}").decode().splitlines()))
    tasks = [row for row in rows if row[0] == "task" or row[0] == "Task"]
    assert len(tasks) == 3
    assert tasks[0][1].startswith("Colours, Colour, T")
    assert tasks[0][7].endswith("/colour")
    pay = sum(round(100 * float(row[5])) for row in tasks)
    ms = sum(int(row[4]) for row in tasks)
    total = pay + max(0, owed_for_time(1202, ms) - pay)
    [said] = [row for row in rows if row[1] == "Pay of the period"]
    assert said[5] == f"{total / 100:.2f}" == f"{slip.summary.total_minor / 100:.2f}"
    for locale, words in (("en", "Every task"), ("fr", "Chaque tâche")):
        made = slip_pdf(slip, locale, coop="Les Tisseurs")
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)
        assert words in text
        assert re.search({"en": r"\d September 2026", "fr": r"\d septembre 2026"}[locale], text)
        assert "Colours, Colour" in text
        assert shown(slip.summary.total_minor, "EUR", locale) in text.replace("\u202f", "\xa0")
        assert made == slip_pdf(slip, locale, coop="Les Tisseurs")


def test_what_becomes_known_later_is_paid_with_the_next_slip(db):
    """A time that a person agreed after the period was settled: what is then missing is paid, and
    nothing is taken back. It is of the settlement that paid it, whose slips are other periods'."""
    one = priced(db)
    who = make.contributor(db)
    [task] = work_on(db, one, who, 1, 60_000, NOW + 300_000)
    db.execute("update work_time set agreed_ms = 10000 where contributor_id = %s", [who])
    db.execute(
        "update activity set intervals = '{}', active_ms = 0 where contributor_id = %s", [who]
    )
    engine(db, NOW + 400_000)
    settle_all(db, AFTER)
    me = Principal(contributor_id=who, name="me")
    review = state_time(db, me, task, 60_000, "I read the notes", AFTER)
    decide_review(db, COMMAND_LINE, review, 60_000, "they are long", AFTER + 1)
    settle_all(db, AFTER + 7 * DAY_MS)
    later, first = list_slips(db, contributor_id=who)
    assert (first.agreed_ms, first.topup_minor) == (0, 0)
    assert (later.number, later.from_ms, later.agreed_ms) == (2, WEEK, 60_000)
    assert later.topup_minor == owed_for_time(1202, 60_000) - 5
    settle_all(db, AFTER + 21 * DAY_MS)
    assert len(list_slips(db, contributor_id=who)) == 2
    sums_by = sums_of(db, list_periods(db))
    counts = [[(one.slips, one.topup_minor) for one in sums] for sums in sums_by.values()]
    topups = sum(one.topup_minor for one in list_slips(db)) - later.topup_minor
    assert counts[-2:] == [[(0, later.topup_minor)], [(6, topups)]]
    assert set(map(len, counts[:-2])) == {0}
    assert first_fault(db) is None


def test_a_period_is_not_settled_before_its_answers_are_counted_nor_twice(db):
    """By a person too, who may end it earlier; each is in the audit log."""
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    with pytest.raises(Forbidden):
        settle_until(db, Principal(name="me"), NOW)
    assert settle_until(db, COMMAND_LINE, NOW) == []
    engine(db, NOW)
    work_on(db, one, who, 2, 20_000)
    assert settle_next(db, AFTER) == 0
    engine(db, NOW + 50_000)
    work_on(db, one, who, 1, 20_000, NOW + 60_000)
    with pytest.raises(Conflict, match="not counted"):
        settle_until(db, COMMAND_LINE, AFTER)
    engine(db, NOW + 90_000)
    with pytest.raises(Invalid, match="past"):
        settle_until(db, COMMAND_LINE, NOW, NOW + 1)
    [first] = settle_until(db, COMMAND_LINE, NOW + 100_000, NOW + 100_000)
    assert (first.slips, first.period.until_ms) == (1, NOW + 100_000)
    assert settle_until(db, COMMAND_LINE, NOW + 100_000, NOW + 100_000) == []
    assert settle_until(db, COMMAND_LINE, NOW + 200_000) == []
    assert [one.settled_ms for one in list_periods(db)] == [NOW + 100_000]
    assert db.execute(
        "select count(*) from audit_log where action = 'settle.period'"
    ).fetchone() == (1,)


def test_an_exam_is_paid_by_the_hour_by_the_coop(db):
    """From answer to answer, of each as long as a pilot task is paid for (three times 30 s); the
    time between may be paid as other hours, and no more than it."""
    one, who = paid(db), make.contributor(db)
    exam = make.one(
        db,
        """insert into exam (contributor_id, process_id, step_slug, step_id, seed, state, rules,
            started_ms, seen_ms, ended_ms)
        select %s, process_id, slug, step_id, 1, 'failed', '{}', %s, %s, %s
        from batch_step where id = %s returning id""",
        *(who, NOW, NOW, NOW + 300_000, one.batch_step),
    )
    db.execute("set local session_replication_role = replica")
    for place, (shown_ms, answered_ms) in enumerate(
        ((0, 20_000), (21_000, 40_000), (41_000, 290_000))
    ):
        db.execute(
            """insert into gold_answer (contributor_id, gold_id, shown_ms, answered_ms, exam_id,
                place) values (%s, %s, %s, %s, %s, %s)""",
            [who, place + 1, NOW + shown_ms, NOW + answered_ms, exam, place + 1],
        )
    db.execute("set local session_replication_role = origin")
    guide = Hours("training", NOW, NOW + 300_000, 300_000, "I read the guide between.")
    with pytest.raises(Invalid, match="twice"):
        record_hours(db, COMMAND_LINE, who, guide, AFTER)
    asked = state_hours(db, Principal(contributor_id=who), guide, AFTER)
    [waiting] = list_hours(db, AFTER)
    assert (waiting.room.exams_ms, waiting.most_ms) == (20_000 + 20_000 + 90_000, 170_000)
    decide_hours(db, COMMAND_LINE, asked.id, 70_000, "a part of it", AFTER)
    settle_all(db, AFTER)
    settle_all(db, AFTER + 7 * DAY_MS)
    [slip] = list_slips(db, contributor_id=who)
    lines = [(one.kind, one.agreed_ms) for one in read_slip(db, slip.id).hours]
    assert lines == [("exam", 130_000), ("training", 70_000)]
    assert (slip.hours_ms, slip.agreed_ms) == (200_000, 0)
    assert slip.hours_minor == owed_for_time(1202, 200_000) == slip.total_minor
    assert sums(db)["contributor_payable"][0] == -sums(db)["coop_fee"][0] == slip.hours_minor
    assert first_fault(db) is None


def test_killed_between_slips_the_rest_is_paid_once(db):
    """Each piece is a transaction; slip by slip, every one is paid once, then the books close."""
    one = paid(db, items=12)
    funded(db, one)
    for who in [make.contributor(db) for _ in range(4)]:
        work_on(db, one, who, 2, 20_000)
    engine(db, NOW + 100_000)
    db.execute("update work_time set agreed_ms = agreed_ms / 2 where task_id % 2 = 0")
    db.execute("update earning set amount_minor = 1")
    assert settle_next(db, AFTER, limit=1) == 1
    unpaid = db.execute("select count(*) from pay_slip where paid_ms is null").fetchone()[0]
    assert unpaid == 4
    for left in range(unpaid):
        assert closed_until(db) == 0
        assert settle_next(db, AFTER, limit=1) == 1
        rest = db.execute("select count(*) from pay_slip where paid_ms is null").fetchone()[0]
        assert rest == unpaid - left - 1
    assert settle_next(db, AFTER, limit=1) == 1
    assert settle_next(db, AFTER, limit=1) == 0
    assert closed_until(db) == AFTER
    topups = db.execute("select sum(amount) from ledger_transfer where kind = 'topup'").fetchone()
    assert topups == db.execute("select sum(topup_minor) from pay_slip").fetchone()
    assert first_fault(db) is None


AMOUNT = st.integers(0, 10**6)


@given(
    floor=st.integers(1, 10_000),
    agreed=st.lists(st.integers(0, 10**8), min_size=1, max_size=6),
    pay=AMOUNT,
    before=AMOUNT,
    reserves=st.lists(st.integers(0, 10**5), min_size=6, max_size=6),
    social=st.integers(0, 10_000),
    exam=st.integers(0, 10**7),
)
def test_invariant_10_pay_of_a_period_reaches_the_floor(
    floor, agreed, pay, before, reserves, social, exam
):
    """Credits of a contributor and period are at least the floor for agreed time, whatever reserves
    hold; the parts are exact to the cent, and no reserve gives more than it has."""
    policy = Policy(0, "FR", {("FR", "EUR"): floor}, {"FR": social}, 0, 0, 5, 7)
    total = sum(agreed)
    worked = Worked(1, "EUR", None, 1, 0, len(agreed), total, pay, before, exam)
    slip = reckon(worked, policy)
    credit = pay + before + slip.topup_minor
    assert credit * 3_600_000 >= floor * total
    assert slip.topup_minor == 0 or (credit - 1) * 3_600_000 < floor * total
    assert slip.hours_minor * 3_600_000 >= floor * exam
    batches = list(range(1, len(agreed) + 1))
    unpaid = Unpaid(7, 1, "EUR", "FR", slip.topup_minor, slip.hours_minor, batches, agreed)
    money = dict(zip(range(1, 7), reserves, strict=True))
    parts = list(shared_out([unpaid, unpaid], money, policy))
    given_ = sum(part.own_minor + part.coop_minor for part in parts)
    assert given_ == 2 * (slip.topup_minor + slip.hours_minor)
    for batch, has in money.items():
        took = [p.own_minor + p.own_social_minor for p in parts if p.batch_id == batch]
        assert sum(took) <= has
    for part in parts:
        assert min(part.own_minor, part.coop_minor) >= 0
        due = part.own_minor + part.coop_minor
        assert part.own_social_minor + part.coop_social_minor == -(-due * social // 10_000)


def test_a_new_floor_ends_a_period(db):
    """One floor holds for all of a period."""
    from canut.pay.policy import list_rules

    db.execute(
        """insert into policy (name, jurisdiction, currency, value, from_ms, made_ms)
        values ('floor', 'FR', 'EUR', 1300, %s, 0)""",
        [WEEK + 2 * DAY_MS],
    )
    rules = list_rules(db)
    assert period_end(rules, WEEK) == WEEK + 2 * DAY_MS
    assert period_end(rules, WEEK + 2 * DAY_MS) == WEEK + 9 * DAY_MS
