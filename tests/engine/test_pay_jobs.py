"""Pay as the engine does it: over and over, committed, and told."""

import psycopg

from canut.db.check import check
from canut.engine.pay import cover, settle, square
from canut.pay.funding import deposit, fund
from canut.pay.quotes import make_quote
from canut.people.store import COMMAND_LINE
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make
from tests.pay.paid import NOW, paid, work_on
from tests.pay.payees import sound
from tests.pay.test_invoices import House


def test_work_is_paid_by_the_jobs_and_a_client_is_told_once_when_money_is_short(fresh_url):
    """Two engines at a time pay each answer once; the event is there when the batch waits; a hold
    whose time is over is voided."""
    with (
        psycopg.connect(fresh_url, autocommit=True) as conn,
        psycopg.connect(fresh_url, autocommit=True) as other,
    ):
        one, who = paid(conn, items=40), make.contributor(conn)
        conn.execute(
            "insert into webhook (client_id, url, secret, created_ms) values (%s, %s, 'whsec_', 1)",
            [one.work.client_id, "https://belvoie.example/hook"],
        )
        offer = make_quote(conn, COMMAND_LINE, one.work.batch_id, NOW, items=1)
        total = offer.quote.total_minor
        deposit(conn, COMMAND_LINE, one.work.client_id, total, "EUR", "wire", NOW)
        fund(conn, COMMAND_LINE, offer.id, NOW)
        now = NOW
        for _ in range(30):
            now += 60_000
            work_on(conn, one, who, 2, 25_000, now)
            with conn.transaction():
                decide_fresh(conn, Steps(), now, 1000)
            with conn.transaction():
                settle(conn, lambda at=now: at)
                # the other engine finds that somebody is at it, and leaves it to them
                assert settle(other, lambda at=now: at) == 0
            cover(conn, now)
            cover(other, now)
        events = conn.execute("select event_type, payload from webhook_delivery").fetchall()
        assert [event for event, _ in events] == ["batch.short"]
        assert events[0][1]["data"]["batch"] == one.work.batch_id
        [answers] = conn.execute("select count(*) from answer").fetchone()
        assert conn.execute("select count(*), count(sheet_id) from earning").fetchone() == (
            answers,
            answers,
        )
        assert 0 < answers < 40
        assert check(conn) == []


def test_deposits_get_back_what_is_left_and_pay_the_tax_of_invoices_once(db):
    """What a finished batch did not use is enough for the tax that waited: both in one turn, by the
    engine, and nothing in the next."""
    house = House(db, deposit=0)
    invoice = house.issue()
    assert square(db, NOW) == 0
    db.execute("update batch set state = 'delivered' where id = %s", [house.batch])
    insert = "insert into batch_pay (batch_id, currency, funded_ms) values (%s, 'EUR', 1)"
    db.execute(insert, [house.batch])
    assert square(db, NOW) == 2
    assert square(db, NOW) == 0
    rows = db.execute(
        """select kind, sum(amount)::bigint from ledger_transfer where kind in ('release', 'vat')
        group by kind order by kind"""
    ).fetchall()
    assert rows == [("release", 20_000 - 5_423), ("vat", invoice.vat)]
    said = "select detail->>'by' from audit_log where action = 'release.batch'"
    assert db.execute(said).fetchall() == [("engine",)]
    assert sound(db)
