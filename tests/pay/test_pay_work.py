"""From a pilot to pay: money first, time counted once, each answer paid once."""

import pytest

from canut.db.rows import of
from canut.errors import CanutError, Conflict, Forbidden, Invalid
from canut.pay.accrual import accept_due, accrue, accruing, pay_between
from canut.pay.funding import cover_batches, deposit, fund
from canut.pay.ledger import AccountName, Transfer, Void, first_fault, open_accounts, post
from canut.pay.policy import decide_rule, policy_at
from canut.pay.policy.model import DAY_MS
from canut.pay.quotes import make_quote
from canut.pay.tariffs import history, review_tariffs, set_tariff, tariff_at
from canut.pay.tariffs.facts import as_pay
from canut.pay.tariffs.store_facts import STEPS, StepRow
from canut.pay.time import count_time, decide_review, list_reviews, state_time, time_between
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.pay.paid import NOW, again, engine, funded, paid, sums, work_on


def test_nobody_works_before_the_money_is_there(db):
    """Fairwork 1.1: a batch whose step pays is closed until it is funded, whoever opens it."""
    one, who = paid(db), make.contributor(db)
    assert make.claim(db, who, batch=one.work.batch_id) == []
    db.execute("update batch_step set open = true where batch_id = %s", [one.work.batch_id])
    assert make.claim(db, who, batch=one.work.batch_id) == []
    offer = make_quote(db, COMMAND_LINE, one.work.batch_id, NOW)
    with pytest.raises(Invalid, match="not enough money"):
        fund(db, COMMAND_LINE, offer.id, NOW)
    assert make.claim(db, who, batch=one.work.batch_id) == []
    funded(db, one)
    assert len(make.claim(db, who, 9, batch=one.work.batch_id)) == 3


def test_voluntary_work_begins_by_itself(db):
    """What has no tariff works as it always did."""
    work, who = make.work(db), make.contributor(db)
    assert make.claim(db, who, batch=work.batch_id) != []
    with pytest.raises(Conflict, match="nothing to pay"):
        make_quote(db, COMMAND_LINE, work.batch_id, NOW)


def test_an_hour_of_a_pilot_is_paid_as_an_hour_and_held_for_five_days(db):
    """Times of 7 s are added up before they are rounded, cents shared out exactly, the money held
    in the books, and theirs after five days of silence; all of it once."""
    one, who = paid(db, items=10), make.contributor(db)
    funded(db, one)
    work_on(db, one, who, 10, 7_000)
    assert engine(db, NOW + 80_000) == 10
    assert accrue(db, NOW + 81_000) == 0
    due = -(-1202 * 70_000 // 3_600_000)
    amounts = [row[0] for row in db.execute("select amount_minor from earning")]
    assert sum(amounts) == due
    assert max(amounts) - min(amounts) <= 1
    books = sums(db)
    assert books["contributor_payable"] == (0, 0, due)
    assert books["batch_escrow"][1] == due + -(-due * 1000 // 10_000)
    assert accept_due(db, NOW + 80_000 + 5 * DAY_MS - 1) == 0
    assert accept_due(db, NOW + 80_000 + 5 * DAY_MS) == 1
    assert accept_due(db, NOW + 80_000 + 5 * DAY_MS) == 0
    assert sums(db)["contributor_payable"] == (due, 0, 0)
    assert first_fault(db) is None
    [total] = pay_between(db, NOW, NOW + DAY_MS, who)
    assert total.pay_minor == due


def test_parallel_tabs_count_once_and_late_packets_add_nothing_twice(db):
    """Two tasks reported for the same minute make one minute, also when one of them comes later."""
    one, who = paid(db, items=2), make.contributor(db)
    funded(db, one)
    first, second = make.claim(db, who, 2, one.work.batch_id)

    def finish(task, seen, at):
        db.execute(
            """select finish_task(%s, %s, %s, 'answer', '"red"', 0, null, null, '',
                                  %s::int8multirange, null, %s)""",
            [who, task, one.batch_step, seen, at],
        )

    finish(first, f"{{[{NOW - 9000},{NOW + 60_000})}}", NOW + 60_000)
    assert count_time(db, NOW) == 1
    finish(second, f"{{[{NOW},{NOW + 90_000})}}", NOW + 90_000)
    assert count_time(db, NOW) == 1
    assert count_time(db, NOW) == 0
    times = dict(db.execute("select task_id, agreed_ms from work_time"))
    assert times == {first: 60_000, second: 30_000}
    [total] = time_between(db, NOW, NOW + DAY_MS, who)
    assert (total.tasks, total.agreed_ms) == (2, 90_000)


def test_a_contributors_statement_is_decided_by_a_person(db):
    """It changes nothing by itself; a claim beyond the lease is an error that says so; what a
    person decided is paid, once."""
    one, who = paid(db, items=1), make.contributor(db)
    funded(db, one)
    [task] = work_on(db, one, who, 1, 20_000)
    engine(db, NOW + 30_000)
    me = Principal(contributor_id=who, name="me")
    with pytest.raises(Invalid, match="longer than"):
        state_time(db, me, task, 20_001, "I read the notes", NOW)
    with pytest.raises(Invalid, match="say why"):
        state_time(db, me, task, 10_000, " ", NOW)
    db.execute("update work_time set measured_ms = 5000, agreed_ms = 5000")
    db.execute("update earning set paid_ms = 5000, amount_minor = 2")
    review = state_time(db, me, task, 20_000, "I read the notes", NOW)
    with pytest.raises(Conflict, match="waits"):
        state_time(db, me, task, 19_000, "again", NOW)
    assert db.execute("select agreed_ms from work_time").fetchone() == (5000,)
    with pytest.raises(Forbidden):
        decide_review(db, me, review, 20_000, "so be it", NOW)
    with pytest.raises(Invalid, match="neither"):
        decide_review(db, COMMAND_LINE, review, 20_001, "so be it", NOW)
    decided = decide_review(db, COMMAND_LINE, review, 20_000, "the notes are long", NOW)
    assert (decided.measured_ms, decided.stated_ms, decided.agreed_ms) == (5000, 20_000, 20_000)
    assert list_reviews(db) == []
    accrue(db, NOW + 40_000)
    accrue(db, NOW + 50_000)
    assert db.execute("select amount_minor from earning where cause like 'time:%'").fetchall() == [
        (-(-1202 * 20_000 // 3_600_000) - 2,)
    ]
    assert first_fault(db) is None


def test_after_thirty_tasks_there_is_a_price_and_it_rises_for_what_was_done(db):
    """Pilot -> measured at 30 tasks; at 100 the mean has grown: what was paid less is owed; a lower
    price is for new batches."""
    one = paid(db, items=400)
    people = [make.contributor(db) for _ in range(5)]
    funded(db, one)
    for who in people:
        work_on(db, one, who, 6, 10_000)
    engine(db, NOW + 100_000)
    [first] = review_tariffs(db, NOW + 100_000)
    assert (first.was.stage, first.now.stage, first.now.n_tasks) == ("pilot", "measured", 30)
    # all took 10 s: 1.2 x 10 s at 12.02 an hour
    assert first.now.price_minor == -(-1202 * 12_000 // 3_600_000) == 5
    assert review_tariffs(db, NOW + 100_001) == []
    for n, who in enumerate(people):
        cover_batches(db, NOW + 200_000)
        work_on(db, one, who, 14, 30_000 + n, NOW + 200_000)
    engine(db, NOW + 900_000)
    assert db.execute(
        "select distinct amount_minor from earning where basis = 'price'"
    ).fetchall() == [(5,)]
    [second] = review_tariffs(db, NOW + 900_000)
    price = second.now.price_minor
    assert price > 5
    assert (second.answers, second.owed_minor) == (70, 70 * (price - 5))
    accrue(db, NOW + 900_001)
    accrue(db, NOW + 900_002)
    paid_all = db.execute(
        """select distinct sum(amount_minor) from earning where basis = 'price'
        group by task_id, contributor_id"""
    ).fetchall()
    assert paid_all == [(price,)]
    assert db.execute("select price_minor from batch_step_pay").fetchone() == (price,)
    for n, who in enumerate(people):
        cover_batches(db, NOW + 1_000_000)
        work_on(db, one, who, 40, 1_000 + n, NOW + 1_000_000)
    engine(db, NOW + 1_900_000)
    [third] = review_tariffs(db, NOW + 1_900_000)
    assert third.now.price_minor < price
    assert third.owed_minor == 0
    assert db.execute("select price_minor from batch_step_pay").fetchone() == (price,)
    assert len(history(db, one.step)) == 4
    assert first_fault(db) is None


def test_a_batch_never_has_more_in_hand_than_its_money_covers(db):
    """However many claim: what is in hand, handed in or earned never passes the escrow; when the
    money is used up the batch waits, its client is named once, and nobody loses anything."""
    one = paid(db, items=300, min_answers=2, max_answers=3)
    offer = make_quote(db, COMMAND_LINE, one.work.batch_id, NOW, items=12)
    total = offer.quote.total_minor
    deposit(db, COMMAND_LINE, one.work.client_id, total, "EUR", "wire", NOW)
    fund(db, COMMAND_LINE, offer.id, NOW)
    people = [make.contributor(db) for _ in range(4)]
    now, told = NOW, 0
    for _ in range(45):
        for who in people:
            now += 1000
            work_on(db, one, who, 2, 29_000, now)
            now += 60_000
        engine(db, now)
        told += len(cover_batches(db, now).short)
        assert sums(db)["batch_escrow"][0] - sums(db)["batch_escrow"][1] >= 0
    assert told == 1
    assert db.execute("select sum(coop_minor) from pay_sheet").fetchone() == (0,)
    done = db.execute(
        "select n_decided, n_tasks from batch_step where id = %s", [one.batch_step]
    ).fetchone()
    assert 12 <= done[0] < done[1]
    # no task was left half asked
    assert db.execute(
        """select count(*) from task t join answer a on a.task_id = t.id
        where t.batch_step_id = %s and not t.decided""",
        [one.batch_step],
    ).fetchone() == (0,)
    more = make_quote(db, COMMAND_LINE, one.work.batch_id, now, items=20)
    deposit(db, COMMAND_LINE, one.work.client_id, more.quote.total_minor, "EUR", "wire 2", now)
    assert fund(db, COMMAND_LINE, more.id, now).short_ms is None
    assert work_on(db, one, people[0], 2, 29_000, now + 1000) != []
    assert first_fault(db) is None


def test_what_the_money_does_not_reach_the_coop_stands_in_for(db):
    """Contributors are paid though a batch has nothing left."""
    one, who = paid(db, items=3), make.contributor(db)
    funded(db, one)
    work_on(db, one, who, 3, 25_000)
    has = sums(db)["batch_escrow"][0]
    names = [
        AccountName("batch_escrow", "EUR", one.work.batch_id),
        AccountName("client_deposit", "EUR", one.work.client_id),
    ]
    escrow, client = open_accounts(db, names, NOW).values()
    post(db, [Transfer("gone", "release", escrow, client, has - 10, "EUR")], NOW)
    engine(db, NOW + 100_000)
    due = -(-1202 * 75_000 // 3_600_000)
    assert db.execute("select pay_minor, coop_minor, fee_minor from pay_sheet").fetchone() == (
        *(due, due - 10, 0),
    )
    accept_due(db, NOW + 6 * DAY_MS)
    assert sums(db)["contributor_payable"] == (due, 0, 0)
    assert sums(db)["batch_escrow"] == (0, 0, 0)
    assert first_fault(db) is None


def test_an_answer_taken_back_earns_nothing_and_again_given_once(db):
    """Undo on the task screen neither pays nor loses."""
    one, who = paid(db, items=1), make.contributor(db)
    funded(db, one)
    [task] = make.claim(db, who, 1, one.work.batch_id)
    finish = """select finish_task(%s, %s, %s, 'answer', '"red"', %s, null, null, '',
                                   '{}', %s, %s)"""
    db.execute(finish, [who, task, one.batch_step, NOW + 15_000, NOW, NOW])
    withdrawn = db.execute(
        "select withdraw_answer(%s, %s, %s, 60000, %s, %s)",
        [who, task, one.batch_step, NOW + 1, NOW + 1],
    ).fetchone()
    assert withdrawn == ("withdrawn",)
    assert engine(db, NOW + 20_000) == 0
    db.execute(finish, [who, task, one.batch_step, 0, NOW + 21_000, NOW + 21_000])
    engine(db, NOW + 22_000)
    # nothing was measured: paid by the assumed time
    assert db.execute("select basis, paid_ms from earning").fetchall() == [("assumed", 30_000)]


def test_rules_have_dates_and_the_past_is_what_it_was(db):
    """A resolution changes what comes; prices made before it are looked at anew."""
    now = make.one(db, "select now_ms()")
    decide_rule(
        db,
        COMMAND_LINE,
        "floor",
        1300,
        now,
        jurisdiction="FR",
        currency="EUR",
        from_ms=now + 10,
        resolution="2026-4",
    )
    assert policy_at(db, now).floor(None, "EUR") == 1202
    assert policy_at(db, now + 10).floor(None, "EUR") == 1300
    with pytest.raises(Invalid, match="past"):
        decide_rule(db, COMMAND_LINE, "fee", 500, now, from_ms=now - 1)
    with pytest.raises(Invalid, match="jurisdiction") as wrong:
        decide_rule(db, COMMAND_LINE, "floor", 0, now, jurisdiction="France", currency="XXX")
    assert {p.field for p in wrong.value.problems} == {"value", "jurisdiction", "currency"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "XXX"},
        {"price_minor": -1},
        {"price_minor": 4.5},
        {"assumed_ms": 0},
        {"why": ""},
        {"price_minor": 5},
        {"currency": "USD"},
    ],
)
def test_what_cannot_be_a_tariff_changes_nothing(db, wrong):
    """Negative and fractional cents, unknown currencies, a price before there is a measurement, a
    currency without a floor."""
    one = paid(db)
    values = {"currency": "EUR", "assumed_ms": 1000, "why": "because"} | wrong
    with pytest.raises(CanutError):
        set_tariff(db, COMMAND_LINE, one.step, NOW, **values)
    assert tariff_at(db, one.step.process_id, "colour", NOW) == one.tariff


@pytest.mark.parametrize("amount", [-5, 0, 1.5, True])
def test_what_is_no_amount_is_not_booked(db, amount):
    """Nothing is posted, and each mistake is told."""
    client = make.client(db)
    with pytest.raises(Invalid):
        deposit(db, COMMAND_LINE, client, amount, "EUR", "wire", NOW)
    assert sums(db).get("client_deposit", (0, 0, 0)) == (0, 0, 0)


def test_the_same_wire_is_booked_once_and_another_amount_is_refused(db):
    """A bank's reference names one payment."""
    client = make.client(db)
    first = deposit(db, COMMAND_LINE, client, 500, "EUR", "wire 7", NOW)
    assert deposit(db, COMMAND_LINE, client, 500, "EUR", "wire 7", NOW) == first
    with pytest.raises(Conflict):
        deposit(db, COMMAND_LINE, client, 600, "EUR", "wire 7", NOW)


def test_a_quote_is_good_for_its_tariff_only(db):
    """Nobody agrees to a price that has changed since."""
    one = paid(db)
    offer = make_quote(db, COMMAND_LINE, one.work.batch_id, NOW)
    set_tariff(db, COMMAND_LINE, one.step, NOW, currency="EUR", assumed_ms=60_000, why="longer")
    with pytest.raises(Conflict, match="changed"):
        fund(db, COMMAND_LINE, offer.id, NOW)
    stranger = Principal(account_id=1, client_ids=(one.work.client_id + 1,))
    with pytest.raises(CanutError, match="not yours"):
        fund(db, stranger, offer.id, NOW)
    assert again(db, one.work, 2).batch_id != one.work.batch_id


def test_a_batch_pays_the_fee_that_was_agreed_to(db):
    """A fee that changed between the quote and the agreement is not charged; one that changes later
    holds for other batches."""
    one, later = paid(db), NOW + DAY_MS
    offer = make_quote(db, COMMAND_LINE, one.work.batch_id, NOW)
    decide_rule(db, COMMAND_LINE, "fee", offer.quote.fee + 300, NOW, from_ms=later)
    deposit(db, COMMAND_LINE, one.work.client_id, 2 * offer.quote.total_minor, "EUR", "w", NOW)
    with pytest.raises(Conflict, match="fee"):
        fund(db, COMMAND_LINE, offer.id, later)
    fund(db, COMMAND_LINE, offer.id, NOW)
    more = make_quote(db, COMMAND_LINE, one.work.batch_id, later, items=1)
    assert more.quote.fee == offer.quote.fee
    assert make_quote(db, COMMAND_LINE, paid(db).work.batch_id, later).quote.fee > offer.quote.fee


def test_a_batch_is_not_paid_for_twice(db):
    """Two quotes of the same items: whichever comes second is refused, and what is covered is not
    quoted again unasked."""
    one = paid(db)
    batch = one.work.batch_id
    first, second = (make_quote(db, COMMAND_LINE, batch, NOW) for _ in range(2))
    deposit(db, COMMAND_LINE, one.work.client_id, 3 * first.quote.total_minor, "EUR", "w", NOW)
    fund(db, COMMAND_LINE, second.id, NOW + 1)
    with pytest.raises(Conflict, match="agreed to since"):
        fund(db, COMMAND_LINE, first.id, NOW + 2)
    with pytest.raises(Conflict, match="nothing to pay"):
        make_quote(db, COMMAND_LINE, batch, NOW + 2)
    said = db.execute("select count(*) from audit_log where action = 'make.quote'").fetchone()
    assert said == (2,)


def test_who_belongs_to_a_client_makes_it_no_money(db):
    """A deposit is booked by stewards and operators, and never by the client's own people."""
    client = make.client(db)
    own = Principal(account_id=1, roles=frozenset({"steward"}), client_ids=(client,))
    for by in (own, Principal(account_id=1, client_ids=(client,))):
        with pytest.raises(Forbidden):
            deposit(db, by, client, 500, "EUR", "wire", NOW)
    assert "client_deposit" not in sums(db)


def test_everybody_is_paid_however_many_are_owed_at_once(db, monkeypatch):
    """What is due beyond one group of the books is in the next."""
    monkeypatch.setattr(accruing, "DUE_MAX", 2)
    one = paid(db, items=5)
    funded(db, one)
    for place in range(5):
        work_on(db, one, make.contributor(db), 1, 20_000, NOW + place)
    engine(db, NOW + 60_000)
    assert db.execute("select count(*) from pay_sheet where holds <> '{}'").fetchone() == (5,)
    assert first_fault(db) is None


def test_whoever_chooses_work_is_told_what_it_pays(db):
    """By the hour, by the task with its measured hour, or that it is voluntary; and whether it
    waits for money."""
    work, one = make.work(db), paid(db)

    def told(batch):
        with db.cursor(row_factory=of(StepRow)) as cursor:
            found = [as_pay(row) for row in cursor.execute(STEPS, [[batch]])]
        [only] = found
        return only

    assert told(work.batch_id).way == "voluntary"
    waiting = told(one.work.batch_id)
    assert (waiting.way, waiting.waits, waiting.hourly_minor) == ("hour", True, 1202.0)
    funded(db, one)
    assert not told(one.work.batch_id).waits
    db.execute("update batch_step_pay set price_minor = 20")
    by_task = told(one.work.batch_id)
    assert (by_task.way, by_task.price_minor, by_task.hourly_minor) == ("task", 20, 2400.0)
    # what gets a tariff later stays what it was
    set_tariff(db, COMMAND_LINE, one.step, NOW, currency="EUR", why="over", voluntary=True)
    assert told(one.work.batch_id).way == "task"
    assert told(again(db, one.work, 1).batch_id).way == "voluntary"


def test_a_sheet_that_the_books_refuse_keeps_no_other_back(db):
    """A hold that somebody voided is for a person to look at; everybody else gets their money."""
    one, people = paid(db, items=4), [make.contributor(db) for _ in range(2)]
    funded(db, one)
    for who in people:
        work_on(db, one, who, 2, 25_000)
    engine(db, NOW + 60_000)
    hold = make.one(db, "select holds[1] from pay_sheet where contributor_id = %s", people[0])
    post(db, [Void("void", hold)], NOW + 70_000)
    assert accept_due(db, NOW + 6 * DAY_MS) == 1
    assert accept_due(db, NOW + 6 * DAY_MS) == 0
    accepted = db.execute("select contributor_id from pay_sheet where accepted_ms is not null")
    assert accepted.fetchall() == [(people[1],)]
