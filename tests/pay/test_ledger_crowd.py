"""Many at once, and killed at any moment: the books stay whole."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest

from canut.db.migrate import migrate
from canut.db.server import EmbeddedServer
from canut.errors import Invalid
from canut.pay.ledger import (
    AccountName,
    Post,
    Transfer,
    Void,
    balances,
    close_period,
    first_fault,
    open_accounts,
    post,
)
from canut.pay.ledger.model import TransferKind
from tests.pay.books import books

#: posts groups of ten for ever, and says which are durable
POSTER = """
import sys, psycopg
from canut.pay.ledger import Transfer, post
url, name, bank, deposit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with psycopg.connect(url, autocommit=True) as conn:
    for group in range(10**6):
        keys = [f"{name}:{group}:{n}" for n in range(10)]
        post(conn, [Transfer(k, "deposit", bank, deposit, 1, "EUR") for k in keys], 1000)
        print(group, flush=True)
"""


def test_many_post_at_once(fresh_url: str) -> None:
    """Threads with groups over the same accounts in any order, the same keys twice, more asked than
    is there, and a period that closes meanwhile: nobody waits in a circle, escrow is spent to the
    cent and no further, and each key is posted once."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        b = books(conn, escrow=300)
        people = [b.ada, b.bea]
        taken: Counter[str] = Counter()
        #: fields of what was refused
        short: list[str] = []
        wrong: list[BaseException] = []

        def work(seed: int) -> None:
            chance = random.Random(seed)
            try:
                with psycopg.connect(fresh_url, autocommit=True) as mine:
                    for turn in range(12):
                        # every second thread posts what the one before it posts
                        name = f"{seed // 2}:{turn}"
                        pairs: list[tuple[TransferKind, int, int]] = [
                            ("accrue", b.escrow, people[turn % 2]),
                            ("accrue", b.escrow, people[1 - turn % 2]),
                            ("fee", b.escrow, b.fee),
                        ]
                        moves = [
                            Transfer(f"{name}:{n}", kind, debit, credit, 3, "EUR")
                            for n, (kind, debit, credit) in enumerate(pairs)
                        ]
                        chance.shuffle(moves)
                        try:
                            post(mine, moves, 5000)
                            taken[name] += 1
                        except Invalid as error:
                            short.extend(problem.field for problem in error.problems)
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
        for thread in threads:
            thread.start()
        close_period(conn, 3000, 5000)
        for thread in threads:
            thread.join(60)
        assert not wrong
        assert not any(thread.is_alive() for thread in threads)
        assert set(short) == {"amount"}
        # 300 is enough for 33 groups of 9
        assert len(taken) == 33
        found = balances(conn, [b.escrow, b.ada, b.bea, b.fee])
        assert [found[i].posted for i in (b.escrow, b.ada, b.bea, b.fee)] == [3, 99, 99, 99]
        assert first_fault(conn) is None


def test_a_hold_is_resolved_by_one_of_many(fresh_url: str) -> None:
    """Whoever comes first posts it; the others are told."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        b = books(conn, escrow=100)
        [hold] = post(
            conn, [Transfer("h", "accrue", b.escrow, b.ada, 9, "EUR", pending=True)], 2000
        )
        outcomes: list[str] = []
        gate = threading.Barrier(4)

        def resolve(n: int) -> None:
            with psycopg.connect(fresh_url, autocommit=True) as mine:
                gate.wait()
                move = Post(f"p{n}", hold) if n % 2 else Void(f"v{n}", hold)
                try:
                    post(mine, [move], 2000)
                    outcomes.append("done")
                except Invalid as error:
                    outcomes.append("told" if "posted or voided before" in str(error) else "?")

        threads = [threading.Thread(target=resolve, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == ["done", "told", "told", "told"]
        assert first_fault(conn) is None


def poster(url: str, name: str, bank: int, deposit: int) -> "subprocess.Popen[str]":
    """A program that posts until it is killed."""
    words = [sys.executable, "-c", POSTER, url, name, str(bank), str(deposit)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def whole(conn: psycopg.Connection, acknowledged: dict[str, int]) -> None:
    """Every group is there whole or not at all, and every one that was acknowledged is there."""
    assert first_fault(conn) is None
    rows = conn.execute(
        """select split_part(key, ':', 1), split_part(key, ':', 2)::int, count(*)
        from ledger_transfer where kind = 'deposit' and key not like 'key-%' group by 1, 2"""
    ).fetchall()
    assert {count for *_, count in rows} == {10}
    there = {(name, group) for name, group, _ in rows}
    for name, last in acknowledged.items():
        assert {(name, group) for group in range(last + 1)} <= there


def last_said(process: "subprocess.Popen[str]") -> int:
    """The last group that a killed poster called durable."""
    assert process.stdout is not None
    with process.stdout as out:
        # a line that was cut short was not said
        said = out.read().split("\n")[:-1]
    process.wait()
    return int(said[-1]) if said else -1


def test_a_poster_that_is_killed(fresh_url: str) -> None:
    """By SIGKILL in the middle of a group: what it called durable is there, no group in part."""
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        b = books(conn)
        process = poster(fresh_url, "one", b.bank, b.deposit)
        assert process.stdout is not None
        for _ in range(5):
            process.stdout.readline()
        process.kill()
        last = last_said(process)
        # what the poster had begun may still be ending
        conn.execute("select pg_advisory_xact_lock(ledger_lock())")
        whole(conn, {"one": max(last, 4)})


@pytest.mark.slow
def test_a_database_that_is_killed(data: Path) -> None:
    """PostgreSQL itself, by SIGKILL, three times under load, and it is back each time."""
    server = EmbeddedServer(data)
    url = server.start()
    acknowledged: dict[str, int] = {}
    try:
        with psycopg.connect(url, autocommit=True) as conn:
            migrate(conn)
            row = conn.execute(
                "insert into client (slug, name, created_ms) values ('c', 'C', 1) returning id"
            ).fetchone()
            assert row is not None
            names = [AccountName("bank", "EUR"), AccountName("client_deposit", "EUR", row[0])]
            bank, deposit = open_accounts(conn, names, 1).values()
            row = conn.execute("show data_directory").fetchone()
            assert row is not None
            folder = Path(row[0])
        for turn in range(3):
            running = {f"{turn}-{n}": poster(url, f"{turn}-{n}", bank, deposit) for n in range(2)}
            time.sleep(1)
            os.kill(int((folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            for name, process in running.items():
                acknowledged[name] = last_said(process)
            deadline = time.monotonic() + 60
            while not server.revive() and time.monotonic() < deadline:
                time.sleep(0.1)
        with psycopg.connect(url, autocommit=True) as conn:
            whole(conn, acknowledged)
            assert sum(acknowledged.values()) > 0
    finally:
        server.stop()
