"""Transfers posted by the group, set-based, durable: transfers a second.

    python -m bench.ledger [--transfers 200000] [--group 10000] [--connections 2]

Each connection pays 300 contributors out of an escrow of its own, as a settlement does; `--shared`
makes it one escrow for all, which they must take in turns. A last row posts a payout run: as many
holds as there are contributors in a group, each of another account. The floor is a bare COPY of the
rows that were posted into one table without an index. Both wait for the disk. At the end the whole
book is proved, and balances at a past date are read before and after a period closes. The last line
is one JSON object; `cpu_us` (processor time of the program and of PostgreSQL, for each transfer)
says what a machine that is busy with other things hides.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
from msgspec import Struct

from bench.intake import backend_s
from canut.db.migrate import migrate
from canut.db.server import EmbeddedServer
from canut.pay.ledger import (
    AccountName,
    Transfer,
    balance_at,
    close_period,
    first_fault,
    open_accounts,
    post,
)

CONTRIBUTORS = 300
#: dates of the work, in ms
DAY_MS = 86_400_000


class Run(Struct, frozen=True):
    """What posting took."""

    seconds: float
    program_s: float
    backend_s: float
    transfers: int

    @property
    def per_s(self) -> int:
        return round(self.transfers / self.seconds)

    @property
    def cpu_us(self) -> float:
        return round((self.program_s + self.backend_s) / self.transfers * 1e6, 1)


class Accounts(Struct, frozen=True):
    """Ids."""

    escrows: list[int]
    payable: list[int]
    clearing: int


def opened(conn: psycopg.Connection[Any], escrows: int, people: int) -> Accounts:
    """Accounts with money in every escrow."""
    sql = "insert into client (slug, name, created_ms) values ('c', 'C', 1) returning id"
    row = conn.execute(sql).fetchone()
    assert row is not None
    names = [
        AccountName("bank", "EUR"),
        AccountName("client_deposit", "EUR", row[0]),
        AccountName("payout_clearing", "EUR"),
        *(AccountName("batch_escrow", "EUR", n + 1) for n in range(escrows)),
        *(AccountName("contributor_payable", "EUR", n + 1) for n in range(people)),
    ]
    bank, deposit, clearing, *rest = open_accounts(conn, names, 1).values()
    whole = 10**12
    first = [Transfer("deposit", "deposit", bank, deposit, whole * escrows, "EUR")]
    funds = [
        Transfer(f"fund:{escrow}", "fund", deposit, escrow, whole, "EUR")
        for escrow in rest[:escrows]
    ]
    post(conn, [*first, *funds], 1)
    return Accounts(rest[:escrows], rest[escrows:], clearing)


def groups(name: str, escrow: int, payable: list[int], count: int, size: int) -> list[Any]:
    """Groups of `size` accruals, each of a task, dated when it was submitted."""
    made = [
        Transfer(
            f"accrue:{name}:{n}",
            "accrue",
            escrow,
            payable[n % CONTRIBUTORS],
            5 + n % 40,
            "EUR",
            reference=f"task:{n}",
            at_ms=1000 + n * DAY_MS // count,
        )
        for n in range(count)
    ]
    return [made[at : at + size] for at in range(0, count, size)]


def timed(url: str, work: list[list[Any]]) -> Run:
    """Each list of groups by a thread and a connection of its own, all at once."""
    spent: list[float] = []
    gate = threading.Barrier(len(work) + 1)

    def run(mine: list[Any]) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            before = backend_s(conn)
            gate.wait()
            for group in mine:
                post(conn, group, 2 * DAY_MS)
            spent.append(backend_s(conn) - before)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in work]
    for thread in threads:
        thread.start()
    gate.wait()
    began, program = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    seconds, program = time.perf_counter() - began, time.process_time() - program
    return Run(seconds, program, sum(spent), sum(len(g) for mine in work for g in mine))


def floor(conn: psycopg.Connection[Any]) -> float:
    """Rows a second of a bare COPY of what the table of transfers holds."""
    with conn.cursor() as cursor, cursor.copy("copy ledger_transfer to stdout") as out:
        pieces = [bytes(piece) for piece in out]
    conn.execute("create table bare (like ledger_transfer)")
    began = time.perf_counter()
    with conn.cursor() as cursor, cursor.copy("copy bare from stdin") as copy:
        for at in range(0, len(pieces), 1000):
            copy.write(b"".join(pieces[at : at + 1000]))
    return len(pieces) / (time.perf_counter() - began)


def past(conn: psycopg.Connection[Any], account: int) -> float:
    """Milliseconds of a balance at the end of the day of the accruals."""
    began = time.perf_counter()
    balance_at(conn, account, DAY_MS + 2000)
    return round((time.perf_counter() - began) * 1000, 1)


def measure(url: str, given: argparse.Namespace) -> dict[str, Any]:
    """All of it."""
    people = max(CONTRIBUTORS, given.group)
    share = given.transfers // given.connections
    with psycopg.connect(url, autocommit=True) as conn:
        migrate(conn)
        made = opened(conn, given.connections, people)
        escrows = made.escrows[:1] * given.connections if given.shared else made.escrows
        work = [
            groups(str(n), escrow, made.payable, share, given.group)
            for n, escrow in enumerate(escrows)
        ]
        accrued = timed(url, work)
        print(f"accruals: {accrued.per_s:,} a second, {accrued.cpu_us} us of CPU each", flush=True)
        bare = floor(conn)
        run = [
            Transfer(f"pay:{n}", "hourly", made.escrows[0], payable, 100, "EUR", pending=True)
            for n, payable in enumerate(made.payable)
        ]
        spread = timed(url, [[run]])
        print(f"an account each: {spread.per_s:,} a second, {spread.cpu_us} us", flush=True)
        open_ms = past(conn, made.escrows[0])
        close_period(conn, DAY_MS + 2000, 3 * DAY_MS)
        closed_ms = past(conn, made.escrows[0])
        began = time.perf_counter()
        # contributors and batches of a benchmark are only numbers
        fault = first_fault(conn)
        check_s = time.perf_counter() - began
        assert fault is not None
        assert "somebody who is there" in fault.rule, fault
    return {
        "transfers": accrued.transfers,
        "group": given.group,
        "connections": given.connections,
        "shared_escrow": given.shared,
        "transfers_per_s": accrued.per_s,
        "cpu_us": accrued.cpu_us,
        "floor_rows_per_s": round(bare),
        "ratio": round(accrued.per_s / bare, 3),
        "account_each_per_s": spread.per_s,
        "account_each_cpu_us": spread.cpu_us,
        "check_s": round(check_s, 2),
        "past_balance_ms": {"open": open_ms, "closed": closed_ms},
        "load_1m": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--transfers", type=int, default=200_000)
    parser.add_argument("--group", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--shared", action="store_true", help="one escrow for all connections")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canut-bench-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedServer(Path(folder) / "db")
        try:
            result = measure(server.start(), given)
        finally:
            server.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
