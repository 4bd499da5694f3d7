"""Open accounts: a month is published once its books are closed, and tells of no single person."""

import asyncio

import psycopg

from canut.db.pool import connect_async
from canut.pay.accrual import accept_due
from canut.pay.hours import Hours as PaidHours
from canut.pay.hours import record_hours
from canut.pay.ledger import Reverse, post
from canut.pay.open_accounts import publish_months, read_months, store
from canut.pay.open_accounts.model import Figures, Hours, Moved, OpenMonth, month_of, shown
from canut.pay.policy.model import DAY_MS
from canut.pay.settlement import settle_next
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.pay.paid import NOW, engine, funded, paid, work_on


def months(url: str) -> list[OpenMonth]:
    async def read() -> list[OpenMonth]:
        async with connect_async(url) as conn:
            return await read_months(conn)

    return asyncio.run(read())


def settled(conn: psycopg.Connection, now: int) -> None:
    while accept_due(conn, now) or settle_next(conn, now):
        pass


def test_a_month_says_what_the_books_say_once_they_are_closed(fresh_url: str) -> None:
    """Not before its last period is settled; pay, fee and what clients paid are those of the
    ledger, a transfer that was taken back does not count; again, nothing more. A month in which
    nobody was paid is there, and empty."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        assert publish_months(conn, NOW) == 0
        one = paid(conn, items=30)
        funded(conn, one)
        for took in (20_000, 30_000, 40_000, 50_000, 60_000):
            work_on(conn, one, make.contributor(conn), 3, took)
        with conn.transaction():
            engine(conn, NOW + 200_000)
        start, end = month_of(NOW)
        settled(conn, end - 1)
        fee = "select id from ledger_transfer where kind = 'fee' and mode = 'post' order by id"
        post(conn, [Reverse("oops", make.one(conn, fee), "a mistake")], end - 1)
        assert publish_months(conn, end + DAY_MS) == 0
        after = month_of(end)[1]
        settled(conn, after + 8 * DAY_MS)
        assert publish_months(conn, after + 8 * DAY_MS) == 2
        assert publish_months(conn, after + 9 * DAY_MS) == 0
        sums = conn.execute(
            """select sum(amount) filter (where kind = 'accrue'),
                      sum(amount) filter (where kind = 'fee' and reverses is null)
                    - sum(amount) filter (where kind = 'fee' and reverses is not null)
            from ledger_transfer where mode in ('posted', 'post')"""
        ).fetchone()
    empty, first = months(fresh_url)
    assert (first.from_ms, first.until_ms, empty.shares) == (start, end, [])
    [share] = first.shares
    found = share.figures
    assert found is not None
    assert (found.pay_minor, found.fee_minor) == sums
    assert found.clients_minor == found.pay_minor + found.fee_minor
    # a pilot pays an hour's floor, and each contributor's pay is rounded up
    assert found.contributors == 5
    assert 1200 <= (found.hourly_minor or 0) < 1250


def test_of_few_people_nothing_is_shown() -> None:
    """Neither where four were paid, nor where four have slips; and no hourly pay where four have
    agreed time."""
    moved = Moved("EUR", 5, 5, 5, 800, 10, 100, 50, 50, 100)
    hours = Hours("EUR", 5, 0, 5, 1304)
    [share] = shown([moved], [hours])
    # somebody's own pay of an hour is not told to the cent
    assert share.figures == Figures(5, 0, 1300, 800, 10, 100, 50, 50, 100)
    assert share.figures.share == 0.8
    for few in (
        ([Moved("EUR", 4, 0, 0, 800, 10, 100, 50, 50, 100)], [hours]),
        ([moved], [Hours("EUR", 4, 0, 4, 1300)]),
        # programs among them hide nobody
        ([moved], [Hours("EUR", 9, 5, 4, 1300)]),
        ([moved], [Hours("USD", 5, 0, 5, 1300)]),
    ):
        assert shown(*few)[0].figures is None
    [share] = shown([moved], [Hours("EUR", 5, 0, 4, 1300)])
    assert share.figures is not None
    assert share.figures.hourly_minor is None
    [share] = shown([Moved("EUR", 9, 1, 4, 800, 10, 100, 50, 50, 100)], [hours])
    assert share.figures is not None
    assert (share.figures.coop_minor, share.figures.topup_minor) == (None, None)
    # where all are programs, there is nobody to hide
    [share] = shown([Moved("EUR", 0, 0, 0, 8, 1, 1, 1, 1, 1)], [Hours("EUR", 3, 3, 3, 1300)])
    assert share.figures is not None
    assert share.figures.simulated == 3


def test_hours_that_the_coop_pays_hide_nobody_whom_clients_paid(db: psycopg.Connection) -> None:
    """One person was paid by a client, five others by the co-op: what the one earned is not told.
    Where clients paid nobody, what the co-op paid five people may be."""
    begin = NOW + 3_600_000
    hours = PaidHours("training", begin, begin + 600_000, 600_000, "The guide.")
    for _ in range(5):
        record_hours(db, COMMAND_LINE, make.contributor(db), hours, begin + DAY_MS)
    db.execute("update contributor set simulated = false")
    start, end = month_of(NOW)
    with db.transaction(force_rollback=True):
        settled(db, NOW + 8 * DAY_MS)
        [share] = shown(store.moved(db, start, end), store.hours(db, start, end))
        assert share.figures is not None
        assert (share.figures.pay_minor, share.figures.coop_minor) == (0, 5 * 201)
    one, who = paid(db), make.contributor(db)
    funded(db, one)
    work_on(db, one, who, 3, 20_000)
    engine(db, NOW + 200_000)
    db.execute("update contributor set simulated = false")
    settled(db, NOW + 8 * DAY_MS)
    [share] = shown(store.moved(db, start, end), store.hours(db, start, end))
    assert share.figures is None


def test_months_begin_on_their_first_day() -> None:
    """UTC, December and leap years included."""
    assert month_of(1_735_689_599_999) == (1_733_011_200_000, 1_735_689_600_000)
    assert month_of(1_709_164_800_000) == (1_706_745_600_000, 1_709_251_200_000)
