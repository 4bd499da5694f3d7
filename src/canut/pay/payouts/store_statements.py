"""The SQL of bank statements."""

from typing import Any

from msgspec import Struct
from psycopg.types.json import Jsonb

from canut.db.pool import SyncConn
from canut.db.rows import all_of

# one at a time: whoever reads the same statement meanwhile waits, and then finds it read
LOCK = "select pg_advisory_xact_lock(hashtextextended('bank statement ' || %s || ' ' || %s, 0))"

READ = "select digest, report from bank_statement where iban = %s and statement = %s"

KEEP = """
insert into bank_statement (iban, statement, digest, report, account_id, read_ms)
values (%(iban)s, %(statement)s, %(digest)s, %(report)s, %(account)s, %(now)s)
on conflict (iban, statement) do update set report = excluded.report"""

PAYOUTS_OF_RUNS = "select id from payout where run_id = any (%s)"

LIST = """
select id, iban, statement, report, read_ms from bank_statement
where %s::bigint is null or id < %s::bigint order by id desc limit %s"""


class StatementRow(Struct, frozen=True):
    """A statement that was read."""

    id: int
    iban: str
    statement: str
    report: dict[str, Any]
    read_ms: int


def lock(conn: SyncConn, iban: str, statement: str) -> None:
    conn.execute(LOCK, [iban, statement])


def read(conn: SyncConn, iban: str, statement: str) -> tuple[bytes, dict[str, Any]] | None:
    """Digest and report of when it was read."""
    row = conn.execute(READ, [iban, statement]).fetchone()
    return None if row is None else (bytes(row[0]), row[1])


def keep(conn: SyncConn, values: dict[str, Any]) -> None:
    conn.execute(KEEP, values | {"report": Jsonb(values["report"])})


def payouts_of_runs(conn: SyncConn, runs: list[int]) -> list[int]:
    return [row[0] for row in conn.execute(PAYOUTS_OF_RUNS, [runs])]


def statements(conn: SyncConn, before: int | None, limit: int) -> list[StatementRow]:
    return all_of(conn, StatementRow, LIST, [before, before, limit])
