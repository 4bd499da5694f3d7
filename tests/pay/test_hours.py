"""Hours beside tasks: stated, decided by somebody else, and paid once; no millisecond twice."""

import csv
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from canut.cli.main import cli
from canut.db.check_pay import PAY
from canut.db.pool import connect
from canut.errors import CanutError, Conflict, Forbidden, Invalid, NotFound
from canut.pay.active_time import total_ms, union, without
from canut.pay.hours import (
    Hours,
    decide_hours,
    list_hours,
    note_waiting,
    own_hours,
    record_hours,
    state_hours,
    unpaid_ms,
)
from canut.pay.hours.model import TaskInSpan
from canut.pay.hours.rules import (
    OPEN_MAX,
    decision_problems,
    default_currency,
    first_of,
    room_in,
)
from canut.pay.ledger import first_fault
from canut.pay.policy import decide_rule
from canut.pay.policy.model import DAY_MS, Policy
from canut.pay.settlement import list_slips, read_slip, settle_next
from canut.pay.settlement.slip_csv import slip_csv
from canut.pay.settlement.slip_sum import steps
from canut.pay.tariff import owed_for_time
from canut.pay.time import count_time, decide_review, state_time
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.pay.paid import NOW, engine, funded, paid, sums, work_on
from tests.pay.payees import person
from tests.pay.test_settlement import AFTER, settle_all

MINUTE = 60_000
#: what takes a terminal over, and looks like another row there
FORGED = "Nothing.\n     9  Ada: \x1b[2K\x9b31m\u202e paid"
WAITED = Hours("waiting", NOW, NOW + 10 * MINUTE, 8 * MINUTE, "The page did not load.")
#: after all of it
THEN = NOW + DAY_MS

Conn = psycopg.Connection[Any]


def me(who: int) -> Principal:
    return Principal(contributor_id=who, name="me")


def count(db: Conn, table: str) -> int:
    return int(make.one(db, f"select count(*) from {table}"))


def faults(db: Conn) -> list[str]:
    """Rules of pay that do not hold."""
    return [rule for rule, breach in PAY.items() if db.execute(breach).fetchone()]


SPANS = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 30)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=6,
)


@st.composite
def tasks_in_span(draw: st.DrawFn) -> list[TaskInSpan]:
    """Tasks as counting leaves them: what was measured of different ones does not overlap."""
    found: list[TaskInSpan] = []
    measured: list[tuple[int, int]] = []
    for claimed, ended in draw(SPANS):
        own = without([(claimed, ended)], measured)[:1]
        measured = union([*measured, *own])
        if draw(st.booleans()):
            found.append(TaskInSpan(claimed, ended, own, total_ms(own), stated=False))
        else:
            agreed = draw(st.integers(0, ended - claimed))
            found.append(TaskInSpan(claimed, ended, own, agreed, stated=True))
    return found


@given(span=SPANS.filter(bool), tasks=tasks_in_span(), exams=SPANS, want=st.integers(0, 130))
def test_no_millisecond_is_paid_twice(
    span: list[tuple[int, int]],
    tasks: list[TaskInSpan],
    exams: list[tuple[int, int]],
    want: int,
) -> None:
    """What can be agreed lies in the span, outside what was measured and outside exams; and beside
    it each task that a person decided about still has room for its own time."""
    room = room_in(span[0], tasks, exams)
    whole = span[0][1] - span[0][0]
    assert room.tasks_ms + room.exams_ms + room.most_ms == whole
    given_ = first_of(room.free, want)
    assert total_ms(given_) == min(want, room.most_ms)
    assert without(given_, [span[0]]) == []
    for task in tasks:
        within = total_ms(given_) - total_ms(without(given_, [(task.claimed_ms, task.ended_ms)]))
        if task.stated:
            assert task.agreed_ms <= task.ended_ms - task.claimed_ms - within
        else:
            assert without(given_, union(task.measured)) == given_
    assert without(given_, union(exams)) == given_
    refused = {one.field for one in decision_problems(want, 100, "why", room)}
    assert ("time" in refused) == (want > min(100, room.most_ms))


def test_hours_are_paid_in_the_currency_of_ones_floor() -> None:
    """Of the place, or of home where that has none; of several the first that was decided."""
    floors = {("FR", "EUR"): 1202, ("US-CA", "USD"): 1600, ("US-CA", "EUR"): 1500}
    policy = Policy(0, "FR", floors, {}, 0, 0, 5, 7)
    found = [default_currency(policy, place) for place in (None, "FR", "US-CA", "BR")]
    assert found == ["EUR", "EUR", "USD", "EUR"]
    assert default_currency(structs.replace(policy, floors={}), None) is None


def test_stated_hours_wait_for_somebody_else(db: Conn) -> None:
    """Nothing is paid before; whoever decides is not whose hours they are; each is decided once,
    with a reason, and all of it is in the audit log."""
    who = make.contributor(db)
    mine = person(db, who, "contributor", "steward")
    asked = state_hours(db, mine, WAITED, THEN)
    assert (asked.state, asked.currency, asked.agreed_ms) == ("open", "EUR", None)
    assert state_hours(db, mine, WAITED, THEN + 1) == asked
    with pytest.raises(Conflict, match="already"):
        state_hours(
            db,
            mine,
            structs.replace(WAITED, from_ms=NOW + 9 * MINUTE, until_ms=THEN, stated_ms=1),
            THEN,
        )
    with pytest.raises(Forbidden, match="their own"):
        decide_hours(db, mine, asked.id, MINUTE, "I did", THEN)
    with pytest.raises(Forbidden, match="their own"):
        record_hours(db, mine, who, WAITED, THEN)
    for refused in (
        lambda: decide_hours(db, me(who), asked.id, MINUTE, "I did", THEN),
        lambda: record_hours(db, me(who), who, WAITED, THEN),
    ):
        with pytest.raises(Forbidden, match="Operators and stewards"):
            refused()
    with pytest.raises(NotFound):
        decide_hours(db, COMMAND_LINE, asked.id + 1, MINUTE, "why", THEN)
    [waiting] = list_hours(db, THEN)
    assert (waiting.hours, waiting.most_ms) == (asked, 8 * MINUTE)
    assert unpaid_ms(db, who) == 0
    agreed = decide_hours(db, COMMAND_LINE, asked.id, 5 * MINUTE, " It was down. ", THEN)
    assert (agreed.state, agreed.agreed_ms, agreed.why) == ("agreed", 5 * MINUTE, "It was down.")
    with pytest.raises(Conflict, match="decided already"):
        decide_hours(db, COMMAND_LINE, asked.id, 8 * MINUTE, "after all", THEN)
    assert list_hours(db, THEN) == []
    assert [one.hours for one in list_hours(db, THEN, open_only=False)] == [agreed]
    assert own_hours(db, who) == [agreed]
    assert own_hours(db, who, before=agreed.id) == own_hours(db, who + 1) == []
    log = "select action from audit_log where subject = 'paid_hours' order by id"
    assert [row[0] for row in db.execute(log)] == ["open.paid_hours", "decide.paid_hours"]


def test_hours_that_were_refused_can_be_stated_anew(db: Conn) -> None:
    """They take no room; what is agreed, or waits, does."""
    who = make.contributor(db)
    first = state_hours(db, me(who), WAITED, THEN)
    assert decide_hours(db, COMMAND_LINE, first.id, 0, "no trace of it", THEN).state == "refused"
    kind = structs.replace(WAITED, kind="training", reason="I read the guide.")
    made = record_hours(db, COMMAND_LINE, who, kind, THEN)
    assert (made.state, made.agreed_ms, made.why) == ("agreed", 8 * MINUTE, "I read the guide.")
    assert record_hours(db, COMMAND_LINE, who, kind, THEN + 1) == made
    with pytest.raises(Conflict):
        record_hours(db, COMMAND_LINE, who, WAITED, THEN)
    assert count(db, "paid_hours") == 2


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"kind": "tea"}, {"kind"}),
        ({"until_ms": NOW}, {"until"}),
        ({"until_ms": NOW + DAY_MS + 1}, {"until"}),
        ({"until_ms": NOW + 2 * DAY_MS}, {"until"}),
        ({"from_ms": -1, "until_ms": 9, "stated_ms": 10}, {"from"}),
        ({"stated_ms": 0}, {"time"}),
        ({"stated_ms": 10 * MINUTE + 1}, {"time"}),
        ({"currency": "GBP"}, {"currency"}),
        ({"reason": " "}, {"reason"}),
        ({"reason": "x" * 2001}, {"reason"}),
        (
            {"kind": "", "stated_ms": -1, "currency": "?", "reason": ""},
            {"kind", "time", "currency", "reason"},
        ),
    ],
)
def test_hours_that_cannot_be_are_refused_with_all_that_is_wrong(
    db: Conn, change: dict[str, Any], fields: set[str]
) -> None:
    """By whoever states or records them, and nothing is kept."""
    who = make.contributor(db)
    hours = structs.replace(WAITED, **change)
    for refused in (
        lambda: state_hours(db, me(who), hours, THEN),
        lambda: record_hours(db, COMMAND_LINE, who, hours, THEN),
    ):
        with pytest.raises(Invalid) as caught:
            refused()
        assert {one.field for one in caught.value.problems} == fields
    assert count(db, "paid_hours") == count(db, "audit_log") == 0


def test_nobody_takes_the_floor_of_another_place_by_its_currency(db: Conn) -> None:
    """Hours that are stated are in a currency of one's own floor; whoever records some may say
    another."""
    who = make.contributor(db)
    decide_rule(db, COMMAND_LINE, "floor", 2500, NOW, jurisdiction="CH", currency="CHF")
    francs = structs.replace(WAITED, currency="CHF")
    with pytest.raises(Invalid, match="currency") as caught:
        state_hours(db, me(who), francs, THEN)
    [problem] = caught.value.problems
    assert (problem.field, problem.mend) == ("currency", "use one of EUR")
    assert record_hours(db, COMMAND_LINE, who, francs, THEN).currency == "CHF"
    db.execute("update contributor set jurisdiction = 'CH' where id = %s", [who])
    later = structs.replace(WAITED, from_ms=WAITED.until_ms, until_ms=THEN)
    assert state_hours(db, me(who), later, THEN).currency == "CHF"


def test_no_more_wait_than_somebody_reads(db: Conn) -> None:
    """Of one contributor; what is decided makes room."""
    who, other = make.contributor(db), make.contributor(db)
    one = structs.replace(WAITED, stated_ms=1)
    for place in range(OPEN_MAX):
        begin = NOW + place * MINUTE
        last = structs.replace(one, from_ms=begin, until_ms=begin + MINUTE)
        made = state_hours(db, me(who), last, THEN)
    with pytest.raises(Conflict, match="Too many"):
        state_hours(db, me(who), structs.replace(one, from_ms=THEN - 1, until_ms=THEN), THEN)
    assert state_hours(db, me(who), last, THEN) == made
    assert state_hours(db, me(other), one, THEN).state == "open"
    decide_hours(db, COMMAND_LINE, made.id, 0, "nothing was down", THEN)
    assert state_hours(db, me(who), structs.replace(last, stated_ms=2), THEN).state == "open"


def test_only_people_have_hours(db: Conn) -> None:
    """Programs do not wait, and what the screen notes is waiting."""
    who = make.contributor(db)
    db.execute("update contributor set kind = 'agent' where id = %s", [who])
    with pytest.raises(NotFound):
        record_hours(db, COMMAND_LINE, who, WAITED, THEN)
    other = me(make.contributor(db))
    with pytest.raises(Invalid):
        state_hours(db, other, structs.replace(WAITED, kind="panel"), THEN, noted=True)
    noted = state_hours(db, other, structs.replace(WAITED, reason=""), THEN, noted=True)
    assert noted.noted
    assert state_hours(db, other, structs.replace(WAITED, reason=""), THEN, noted=True) == noted


def test_the_screen_notes_waiting_for_paid_work(db: Conn) -> None:
    """From a minute on, a day at most, never what is still to come, and once; in a batch whose work
    is voluntary nothing."""
    who, free, one = me(make.contributor(db)), make.work(db), paid(db)
    funded(db, one)
    batch, until = one.work.batch_id, NOW + MINUTE
    assert note_waiting(db, who, free.batch_id, NOW, until, THEN) == []
    assert note_waiting(db, who, batch, NOW, until - 1, THEN) == []
    assert note_waiting(db, who, batch, NOW, until, until - 1) == []
    [made] = note_waiting(db, who, batch, NOW, until, until)
    assert (made.kind, made.noted, made.stated_ms, made.state) == ("waiting", True, MINUTE, "open")
    assert note_waiting(db, who, batch, NOW, until, THEN) == [made]
    late = NOW + 3 * DAY_MS
    [long] = note_waiting(db, who, batch, NOW, late, late)
    assert (long.from_ms, long.stated_ms) == (NOW + 2 * DAY_MS, DAY_MS)
    decide_hours(db, COMMAND_LINE, made.id, 0, "nothing was down", late)
    [again] = note_waiting(db, who, batch, NOW, until, THEN)
    assert (again.id, again.state) == (made.id, "refused")


def test_of_waiting_on_two_devices_all_is_noted_once(db: Conn) -> None:
    """What the other has noted is cut out, and what is left under a minute is nothing."""
    who, one = me(make.contributor(db)), paid(db)
    funded(db, one)
    batch = one.work.batch_id

    def noted(begin: int, end: int) -> list[tuple[int, int]]:
        made = note_waiting(db, who, batch, NOW + begin, NOW + end, THEN)
        return [(one.from_ms - NOW, one.until_ms - NOW) for one in made]

    assert noted(5 * MINUTE, 6 * MINUTE) == [(5 * MINUTE, 6 * MINUTE)]
    now = [(5 * MINUTE, 6 * MINUTE), (6 * MINUTE, 7 * MINUTE)]
    assert noted(4 * MINUTE + 1, 7 * MINUTE) == now
    now = [(MINUTE, 5 * MINUTE), *now, (7 * MINUTE, 9 * MINUTE)]
    assert noted(MINUTE, 9 * MINUTE) == noted(MINUTE, 9 * MINUTE) == now
    assert noted(0, 10 * MINUTE - 1) == [(0, MINUTE), *now]
    assert count(db, "paid_hours") == 5
    assert faults(db) == []


def test_waiting_tells_nobody_which_batches_are_paid(db: Conn) -> None:
    """Of a batch that they could not work in it is nothing, as of one that is voluntary or that is
    not there; of one in which they answered it is noted, though it has ended since."""
    one, who = paid(db), make.contributor(db, ("silk",))
    db.execute("update batch_step set skills = '{silk}'")
    other = me(make.contributor(db))
    funded(db, one)
    batch, until = one.work.batch_id, NOW + MINUTE

    def noted(by: Principal, at: int = until) -> bool:
        return bool(note_waiting(db, by, batch, at - MINUTE, at, at))

    assert note_waiting(db, other, batch + 1, NOW, until, until) == []
    assert [noted(other), noted(me(who))] == [False, True]
    make.claim(db, who, 1, batch)
    db.execute("update batch_step set open = false")
    assert [noted(other), noted(me(who), until + MINUTE)] == [False, True]
    db.execute("update batch_step set open = true")
    work_on(db, one, who, 1, MINUTE)
    db.execute("update batch_step set open = false")
    db.execute("update assignment set state = 'expired' where state = 'claimed'")
    late = NOW + 2 * DAY_MS
    assert [noted(me(who), until + 2 * MINUTE), noted(me(who), late)] == [True, False]


def test_time_of_tasks_is_not_paid_as_hours_nor_the_other_way_round(db: Conn) -> None:
    """The decider sees what of the span tasks pay; what was agreed is not counted for a task whose
    report comes later, nor agreed as a task's time after all."""
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    first, second = work_on(db, one, who, 2, 3 * MINUTE)
    engine(db, THEN)
    asked = state_hours(db, me(who), structs.replace(WAITED, stated_ms=10 * MINUTE), THEN)
    [waiting] = list_hours(db, THEN)
    assert (waiting.room.tasks, waiting.room.tasks_ms) == (2, 6 * MINUTE)
    assert waiting.most_ms == 4 * MINUTE
    with pytest.raises(Invalid) as caught:
        decide_hours(db, COMMAND_LINE, asked.id, 4 * MINUTE + 1, "", THEN)
    assert {problem.field for problem in caught.value.problems} == {"time", "why"}
    decide_hours(db, COMMAND_LINE, asked.id, 4 * MINUTE, "it was down", THEN)
    # a packet that was late: the second task was at work for four minutes more
    db.execute(
        "update assignment set ended_ms = ended_ms + %s where task_id = %s", [4 * MINUTE, second]
    )
    db.execute(
        "update activity set fresh = true, intervals = intervals + %s::int8multirange"
        " where task_id = %s",
        [f"{{[{NOW},{NOW + 10 * MINUTE})}}", second],
    )
    assert count_time(db, THEN) == 1
    times = dict(db.execute("select task_id, agreed_ms from work_time").fetchall())
    assert times == {first: 3 * MINUTE, second: 3 * MINUTE}
    review = state_time(db, me(who), second, 9 * MINUTE, "I had it open", THEN)
    with pytest.raises(Invalid, match="pay time twice"):
        decide_review(db, COMMAND_LINE, review, 9 * MINUTE, "yes", THEN)
    assert faults(db) == []


def test_a_time_that_a_person_lowered_does_not_rise_again_over_hours(db: Conn) -> None:
    """Hours took the time that a task was found not to have taken: a second statement about the
    task cannot have it, though the screen measured it."""
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    [task] = work_on(db, one, who, 1, 10 * MINUTE)
    engine(db, THEN)
    less = state_time(db, me(who), task, MINUTE, "I was away", THEN)
    decide_review(db, COMMAND_LINE, less, MINUTE, "so it was", THEN)
    asked = state_hours(db, me(who), structs.replace(WAITED, stated_ms=9 * MINUTE), THEN)
    decide_hours(db, COMMAND_LINE, asked.id, 9 * MINUTE, "it was down", THEN)
    more = state_time(db, me(who), task, 2 * MINUTE, "after all", THEN)
    for agreed_ms in (MINUTE + 1, 2 * MINUTE, 10 * MINUTE):
        with pytest.raises(Invalid, match="pay time twice"):
            decide_review(db, COMMAND_LINE, more, agreed_ms, "yes", THEN)
    assert decide_review(db, COMMAND_LINE, more, MINUTE, "as before", THEN).agreed_ms == MINUTE
    assert faults(db) == []


def test_whoever_decides_knows_of_answers_without_a_time(db: Conn) -> None:
    """A device that reports nothing hides no work that is paid by the answer."""
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    for place, task in enumerate(make.claim(db, who, 3, one.work.batch_id, NOW), start=1):
        db.execute(
            """select finish_task(%s, %s, %s, 'answer', '"red"', 0, null, null, '', null, null,
                                  %s)""",
            [who, task, one.batch_step, NOW + place * 4 * MINUTE],
        )
    engine(db, THEN)
    state_hours(db, me(who), WAITED, THEN)
    [waiting] = list_hours(db, THEN)
    # the third was handed in when the hours were over
    assert (waiting.room.tasks, waiting.room.tasks_ms, waiting.most_ms) == (2, 0, 8 * MINUTE)


def test_hours_in_a_currency_without_a_floor_yet_wait_for_one(db: Conn) -> None:
    """The period that ends where the first floor in it begins is settled without them; the next one
    pays them."""
    who = make.contributor(db)
    db.execute("update contributor set jurisdiction = 'US' where id = %s", [who])
    decide_rule(db, COMMAND_LINE, "floor", 1600, THEN, jurisdiction="US", currency="USD")
    made = record_hours(db, COMMAND_LINE, who, WAITED, THEN + 1)
    assert made.currency == "USD"
    settle_all(db, AFTER + 7 * DAY_MS)
    [slip] = list_slips(db, contributor_id=who)
    assert (slip.from_ms, slip.hours_minor) == (THEN, owed_for_time(1600, 8 * MINUTE))
    assert faults(db) == []


def test_hours_of_every_kind_are_on_the_slip_and_add_up(db: Conn) -> None:
    """One sum for all of them, rounded once; the co-op pays; the CSV has each, so that whoever adds
    up gets the same cents."""
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    work_on(db, one, who, 1, 20_000)
    engine(db, NOW + MINUTE)
    spent = 0
    for place, kind in enumerate(("training", "panel", "waiting"), start=1):
        begin = NOW + place * 3_600_000
        hours = Hours(kind, begin, begin + 3_600_000, 1_000_003 * place, "as it was")
        record_hours(db, COMMAND_LINE, who, hours, THEN)
        spent += hours.stated_ms
    assert unpaid_ms(db, who) == spent
    settle_all(db, AFTER)
    assert unpaid_ms(db, who) == 0
    settle_all(db, AFTER + 7 * DAY_MS)
    [slip] = list_slips(db, contributor_id=who)
    assert (slip.hours_ms, slip.hours_minor) == (spent, owed_for_time(1202, spent))
    assert (slip.n_tasks, slip.agreed_ms) == (1, 20_000)
    whole = read_slip(db, slip.id)
    assert [line.kind for line in whole.hours] == ["training", "panel", "waiting"]
    rows = list(csv.reader(slip_csv(whole, "en").decode().splitlines()))
    lines = [row for row in rows if row[0] == "Hours"]
    assert lines[0][1] == "Training, 2026-09-21T15:13:20Z/2026-09-21T16:13:20Z"
    assert sum(int(row[4]) for row in lines) == spent
    [brought] = [row for row in rows if row[1].startswith("Hours beside tasks")]
    by_hand = -(-1202 * sum(int(row[4]) for row in lines) // 3_600_000)
    assert brought[5] == f"{by_hand / 100:.2f}"
    assert any("Heures à côté" in step.words for step in steps(whole, "fr"))
    [paid_hours] = {one.state for one in own_hours(db, who)}
    assert paid_hours == "paid"
    hourly = "select sum(amount) from ledger_transfer where kind = 'hourly'"
    assert make.one(db, hourly) == slip.hours_minor
    assert sums(db)["coop_fee"][0] <= -slip.hours_minor
    assert first_fault(db) is None
    assert faults(db) == []


def test_a_later_slip_has_the_hours_of_the_first_in_its_sum(db: Conn) -> None:
    """It says what the whole period brought, and whoever adds up its steps gets that."""
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    [task] = work_on(db, one, who, 1, MINUTE)
    db.execute("update assignment set ended_ms = %s where task_id = %s", [THEN, task])
    engine(db, THEN)
    begin = NOW + 3_600_000
    guide = Hours("training", begin, begin + 3_600_000, 3_600_000, "the guide")
    record_hours(db, COMMAND_LINE, who, guide, THEN)
    settle_all(db, AFTER)
    review = state_time(db, me(who), task, 30 * MINUTE, "I drew it on paper", AFTER)
    decide_review(db, COMMAND_LINE, review, 30 * MINUTE, "so it was", AFTER)
    settle_all(db, AFTER + 7 * DAY_MS)
    later, first = list_slips(db, contributor_id=who)
    assert (later.number, later.hours_minor, later.before_hours_minor) == (2, 0, 1202)
    assert (first.number, first.hours_minor, first.before_hours_minor) == (1, 1202, 0)
    assert (later.total_minor, later.hourly_minor) == (601 + 1202, 1202)
    rows = list(csv.reader(slip_csv(read_slip(db, later.id), "en").decode().splitlines()))
    sums_ = [
        Decimal(row[5])
        for row in rows
        if row[1].startswith(("Pay of the tasks", "Top-up", "Hours beside"))
    ]
    assert sum(sums_) == Decimal("18.03")
    own = make.one(db, "select sum(topup_minor + hours_minor) from pay_slip")
    pay = make.one(db, "select sum(amount_minor) from earning")
    assert own + pay == later.total_minor
    assert faults(db) == []


def test_hours_that_are_decided_late_are_paid_once_with_the_next_slip(db: Conn) -> None:
    """However long ago they were; killed between slips, settling goes on and pays each once."""
    crowd = [make.contributor(db) for _ in range(3)]
    asked = [state_hours(db, me(who), WAITED, THEN) for who in crowd]
    first = record_hours(db, COMMAND_LINE, make.contributor(db), WAITED, THEN)
    settle_all(db, AFTER)
    late = AFTER + 120 * DAY_MS
    for one in asked:
        decide_hours(db, COMMAND_LINE, one.id, MINUTE, "found in the logs", late)
    settle_all(db, AFTER + 119 * DAY_MS)
    while settle_next(db, late + 7 * DAY_MS, limit=1):
        assert first_fault(db) is None
    settle_all(db, late + 21 * DAY_MS)
    for one in asked:
        [slip] = list_slips(db, contributor_id=one.contributor_id)
        assert (slip.hours_minor, slip.number) == (owed_for_time(1202, MINUTE), 1)
        assert slip.until_ms > AFTER
    [slip] = list_slips(db, contributor_id=first.contributor_id)
    assert slip.until_ms == AFTER
    hourly = "select count(*) from ledger_transfer where kind = 'hourly'"
    assert make.one(db, hourly) == 4
    assert faults(db) == []


def test_hours_of_long_ago_make_no_empty_periods(db: Conn) -> None:
    """A wrong year, and nothing was settled before: the first period is that of the decision."""
    who = make.contributor(db)
    long_ago = Hours("training", 0, MINUTE, MINUTE, "the guide, on paper")
    record_hours(db, COMMAND_LINE, who, long_ago, NOW)
    settle_all(db, AFTER)
    [slip] = list_slips(db, contributor_id=who)
    assert (slip.until_ms, slip.hours_ms) == (AFTER, MINUTE)
    assert count(db, "pay_period") == 1


def test_hours_at_the_command_line_and_at_once(fresh_url: str) -> None:
    """Recorded, listed and decided at the machine, and what is wrong or missing told by field; of
    four who state or decide at once, one does."""
    with connect(fresh_url) as conn:
        who = make.contributor(conn)
        asked = state_hours(conn, me(who), structs.replace(WAITED, reason=FORGED), THEN)
        one = paid(conn)
        funded(conn, one)
        [task] = work_on(conn, one, who, 1, MINUTE, NOW + DAY_MS)
        engine(conn, NOW + 2 * DAY_MS)
        state_time(conn, me(who), task, MINUTE // 2, FORGED, NOW + 2 * DAY_MS)

    def canut(*words: str) -> str:
        command = words if words[:1] == ("reviews",) else ("hours", *words)
        found = CliRunner().invoke(cli, ["pay", *command, "--database-url", fresh_url])
        if isinstance(found.exception, CanutError):
            raise found.exception
        return found.output

    assert "at most 8 min can be agreed, in EUR" in canut()
    for listed in (canut().splitlines()[0], canut("reviews").removesuffix("\n")):
        assert listed.endswith(": Nothing. 9 Ada: \ufffd[2K\ufffd31m\ufffd paid")
    for wrong in ("nan", "inf", "-inf"):
        assert f"{wrong} is no length" in canut("--decide", "1", "--minutes", wrong, "--why", "So.")
    span = ("--from", "2020-02-01T09:00", "--until", "2020-02-01T10:00")
    guide = (*span, "--kind", "training", "--why", "The guide.")
    with pytest.raises(Invalid, match="until") as caught:
        canut("--record", str(who), *span[:2])
    assert {one.field for one in caught.value.problems} == {"kind", "until"}
    with pytest.raises(Invalid, match="minutes"):
        canut("--decide", str(asked.id), "--why", "Seen.")
    assert "do not go together" in canut("--decide", "1", "--record", "1")
    assert "60 min agreed: The guide." in canut("--record", str(who), *guide)
    told = canut("--decide", str(asked.id), "--minutes", "2.5", "--why", "Seen.")
    assert "2.5 min agreed: Seen." in told
    assert canut() == "nothing waits\n"
    assert "agreed: 2.5 min: Seen." in canut("--all")
    at_once(fresh_url)


def at_once(fresh_url: str) -> None:
    """Hours that share time wait for each other, and so do two deciders: the second is told."""
    with connect(fresh_url) as conn:
        who = make.contributor(conn)

    def state(place: int) -> int | None:
        hours = structs.replace(WAITED, from_ms=NOW + place, reason=f"the {place}th time")
        with connect(fresh_url) as conn:
            try:
                return state_hours(conn, me(who), hours, THEN).id
            except Conflict:
                return None

    def decide(place: int) -> int | None:
        with connect(fresh_url) as conn:
            try:
                return decide_hours(conn, COMMAND_LINE, made, place, "so it was", THEN).agreed_ms
            except Conflict:
                return None

    with ThreadPoolExecutor(4) as pool:
        [made] = [one for one in pool.map(state, range(4)) if one is not None]
        [agreed] = [one for one in pool.map(decide, range(4)) if one is not None]
    with connect(fresh_url) as conn:
        assert [one.agreed_ms for one in own_hours(conn, who)] == [agreed]
        assert faults(conn) == []
