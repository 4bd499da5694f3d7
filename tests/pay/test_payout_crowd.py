"""Payouts and invoices while several people act at once: each cent moves once."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from canut.errors import CanutError
from canut.pay.money.invoicing import issue_invoice
from canut.pay.payouts import runs
from canut.pay.payouts.asking import request_payout
from canut.pay.payouts.reconciling import read_statement
from tests import factories as make
from tests.pay.payees import COOP as BANKED
from tests.pay.payees import NOW, Payees, camt, sound
from tests.pay.test_invoices import COOP, House


def at_once(url: str, *acts: Callable[[psycopg.Connection], Any]) -> list[Any]:
    """What each gives, or the error of ours that it ends with; all begin at the same moment."""
    ready, given = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int) -> None:
        with psycopg.connect(url) as conn:
            conn.execute("select 1")
            conn.rollback()
            ready.wait(20)
            try:
                given[place] = acts[place](conn)
            except CanutError as error:
                conn.rollback()
                given[place] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return given


def test_a_crowd_moves_each_cent_once(fresh_url: str) -> None:
    """Ten requests for all that there is: one is granted. Runs assembled at once share nothing.
    Four approvals of two people send a run once. A statement that four read settles once. Invoices
    that three issue bill once, without a gap."""
    with psycopg.connect(fresh_url) as conn:
        p = Payees(conn)
    asks = [
        lambda conn, n=n: request_payout(conn, p.ada, 10_000, "EUR", f"key {n}", NOW)
        for n in range(10)
    ]
    granted = [one for one in at_once(fresh_url, *asks) if not isinstance(one, CanutError)]
    assert len(granted) == 1
    with psycopg.connect(fresh_url) as conn:
        request_payout(conn, p.bea, 500, "EUR", "bea", NOW)

    made = at_once(
        fresh_url,
        *[lambda conn: runs.assemble_run(conn, p.operator, "iban", "EUR", NOW, limit=1)] * 4,
    )
    runs_made = [one for one in made if not isinstance(one, CanutError)]
    assert sorted(run.total for run in runs_made) == [500, 10_000]

    run = runs_made[0]
    approvals = [
        lambda conn, who=who: runs.approve_run(conn, who, run.id, run.total, NOW)
        for who in (p.operator, p.steward) * 2
    ]
    states = [one.state for one in at_once(fresh_url, *approvals)]
    assert "approved" in states
    with psycopg.connect(fresh_url) as conn:
        [payout] = runs.payouts_in(conn, p.operator, run.id)
        assert make.one(conn, "select count(*) from ledger_transfer where mode = 'post'") == 1

    line = (payout.reference, f"{payout.amount / 100:.2f}", "DBIT")
    read = [lambda conn: read_statement(conn, p.steward, BANKED, camt("S", line), NOW)] * 4
    reports = [one[0] for one in at_once(fresh_url, *read)]
    assert sorted(report.again for report in reports) == [0, 1, 1, 1]
    with psycopg.connect(fresh_url) as conn:
        assert make.one(conn, "select count(*) from ledger_transfer where kind = 'settle'") == 1
        house = House(conn)

    bills = [
        lambda conn: issue_invoice(conn, house.operator, COOP, house.client, "EUR", NOW, NOW)
    ] * 3
    issued = [one for one in at_once(fresh_url, *bills) if not isinstance(one, CanutError)]
    assert [one.number for one in issued] == ["2026-00001"]
    with psycopg.connect(fresh_url) as conn:
        assert make.one(conn, "select last from invoice_series") == 1
        assert sound(conn)
