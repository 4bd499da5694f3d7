"""A program that settles a period and pays everybody out, in small pieces, for the test that kills
it: it goes on from wherever it finds things, and says each thing that is durable.

    python -m tests.pay.paying URL NOW_MS PIECE ACCOUNT ACCOUNT
"""

import sys
from collections.abc import Iterator

import psycopg

from canut.pay.payouts import asking, runs
from canut.pay.payouts.model import BANK
from canut.pay.payouts.reconciling import read_statement
from canut.pay.settlement import list_slips, settle_next, store
from canut.people.model import Principal
from tests.pay.payees import COOP, camt


def settling(conn: psycopg.Connection, now: int, piece: int) -> Iterator[str]:
    """The period that is over; `piece` slips at a time."""
    while True:
        while settle_next(conn, now, piece):
            yield "settled"
        with conn.transaction():
            # whoever was killed may still hold the lock: then there was nothing to do for us
            store.alone(conn)
        if not settle_next(conn, now, piece):
            return
        yield "settled"


def asking_for_all(conn: psycopg.Connection, now: int) -> Iterator[str]:
    """Everybody wants all that there is."""
    for slip in list_slips(conn, limit=500):
        me = Principal(contributor_id=slip.contributor_id, name="me")
        for currency, amount in asking.available(conn, slip.contributor_id).items():
            asking.request_payout(conn, me, amount, currency, "all", now)
            yield "asked"


def paying(
    conn: psycopg.Connection, now: int, piece: int, keepers: list[Principal]
) -> Iterator[str]:
    """Runs of `piece` payouts, approved by two, and what the bank says of each."""
    first, second = keepers
    while runs.waiting(conn, first):
        runs.assemble_run(conn, first, BANK, "EUR", now, limit=piece)
        yield "assembled"
    for run in runs.list_runs(conn, first, limit=500):
        if run.paid == run.n_payouts:
            continue
        for who in keepers:
            runs.approve_run(conn, who, run.id, run.total, now)
            yield "approved"
        lines = [
            (one.reference, f"{one.amount // 100}.{one.amount % 100:02}", "DBIT")
            for one in runs.payouts_in(conn, first, run.id)
        ]
        read_statement(conn, second, COOP, camt(f"S{run.id}", *lines), now)
        yield "read"


def main(url: str, now: int, piece: int, accounts: list[int]) -> None:
    """All of it, to the end."""
    keepers = [Principal(account_id=one, roles=frozenset({"steward"})) for one in accounts]
    with psycopg.connect(url, autocommit=True) as conn:
        for part in (
            settling(conn, now, piece),
            asking_for_all(conn, now),
            paying(conn, now, piece, keepers),
        ):
            for done in part:
                print(done, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [int(one) for one in sys.argv[4:]])
