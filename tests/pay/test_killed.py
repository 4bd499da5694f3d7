"""A settlement and payouts that are killed at any moment, and begun again: nobody is paid twice,
and nobody is left out."""

import itertools
import random
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psycopg
import pytest

from canut.db.check import check
from canut.pay.accrual import accept_due
from canut.pay.funding import cover_batches
from canut.pay.hours import Hours, record_hours
from canut.pay.ledger import first_fault
from canut.pay.payouts.asking import payouts_of, set_account
from canut.pay.settlement import list_slips
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.pay.paid import NOW, again, engine, funded, sums, work_on
from tests.pay.payees import VAULT, bank_account, person
from tests.pay.test_settlement import AFTER, priced

ROOT = Path(__file__).parents[2]


def worked(conn: psycopg.Connection, people: int) -> list[int]:
    """Who has worked slowly, a task each, and waited, in a period that is over and of which all is
    accepted."""
    one = priced(conn)
    one.work = again(conn, one.work, people)
    funded(conn, one, NOW + 200_000)
    cover_batches(conn, NOW + 200_000)
    crowd = [make.contributor(conn) for _ in range(people)]
    for who in crowd:
        if not work_on(conn, one, who, 1, 55_000, NOW + 300_000):
            # money covers the tasks that follow when those before them are decided
            engine(conn, NOW + 400_000)
            cover_batches(conn, NOW + 400_000)
            assert work_on(conn, one, who, 1, 55_000, NOW + 300_000)
    engine(conn, NOW + 3_000_000)
    waited = Hours("waiting", NOW + 4_000_000, NOW + 4_060_000, 60_000, "It was down.")
    for who in crowd:
        record_hours(conn, COMMAND_LINE, who, waited, NOW + 5_000_000)
    accept_due(conn, AFTER)
    everybody = [row[0] for row in conn.execute("select id from contributor order by id")]
    for who in everybody:
        set_account(conn, COMMAND_LINE, who, bank_account(), VAULT, NOW)
    return crowd


def killed_at(url: str, moments: Iterable[int], piece: int, keepers: list[int]) -> int:
    """Run the program to its end, killing it after so many of the things that it says; how often
    it was killed."""
    words = [sys.executable, "-m", "tests.pay.paying", url, str(AFTER), str(piece)]
    for kills, moment in enumerate([*moments, sys.maxsize]):
        with subprocess.Popen(
            [*words, *map(str, keepers)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = itertools.islice(process.stdout, moment)
            if sum(1 for _ in lines) == moment:
                process.kill()
            ended = process.wait()
        if ended == 0:
            return kills
        assert ended == -signal.SIGKILL
    raise AssertionError("the last one is not killed")


def paid_once(url: str, people: int, moments: Iterable[int], piece: int) -> int:
    """All of it, and what must hold in the end; how often it was killed."""
    with psycopg.connect(url, autocommit=True) as conn:
        crowd = worked(conn, people)
        keepers = [person(conn, None, "steward").account_id or 0 for _ in range(2)]
        kills = killed_at(url, moments, piece, keepers)
        slips = {slip.contributor_id: slip for slip in list_slips(conn, limit=500)}
        assert len(list_slips(conn, limit=500)) == len(slips) == people + 5
        assert {slips[who].topup_minor for who in crowd} == {14}
        for who, slip in slips.items():
            [payout] = payouts_of(conn, who)
            assert (payout.state, payout.amount) == ("paid", slip.total_minor)
        there = sums(conn)
        assert there["contributor_payable"] == there["payout_clearing"] == (0, 0, 0)
        topups = "select sum(amount) from ledger_transfer where kind = 'topup'"
        assert make.one(conn, topups) == sum(slip.topup_minor for slip in slips.values())
        hourly = "select sum(amount) from ledger_transfer where kind = 'hourly'"
        assert make.one(conn, hourly) == sum(slip.hours_minor for slip in slips.values())
        assert {slips[who].hours_ms for who in crowd} == {60_000}
        assert first_fault(conn) is None
        assert check(conn) == []
    return kills


def test_killed_twice(fresh_url: str) -> None:
    """While slips are paid, and while a run is approved."""
    assert paid_once(fresh_url, 12, (3, 28), piece=4) == 2


@pytest.mark.slow
def test_two_hundred_people_and_twenty_kills(fresh_url: str) -> None:
    """At moments that are drawn: each time somewhere else."""
    chance = random.Random(20_261_122)
    moments = [chance.randrange(1, 40) for _ in range(20)]
    assert paid_once(fresh_url, 200, moments, piece=7) > 10
