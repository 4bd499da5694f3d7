"""Posting groups of moves: all of a group or nothing, each key once."""

from collections.abc import Sequence

import msgspec
import psycopg

from canut.db.pool import SyncConn
from canut.errors import CanutError, Conflict, Invalid, Problem
from canut.pay.ledger import store, words
from canut.pay.ledger.model import Move, Void
from canut.pay.ledger.rules import GROUP_MAX, problems_of

#: SQLSTATE of ledger_guard.sql: a debit dated before the account had the money
DIP = "LE001"
#: times a group is posted again because another with one of its keys was quicker
TRIES = 5

_encode = msgspec.json.Encoder().encode


def post(conn: SyncConn, moves: Sequence[Move], now_ms: int, *, by: int | None = None) -> list[int]:
    """Post a group; the id of the transfer of each move, in order. Durable when the transaction of
    `conn` commits (its own, if none is open).

    Moves whose key was posted before with the same contents are what they were; the others are
    posted, all or none. `by` is the account of the person who does it; None: the program.

    Post one group in a transaction: it holds its accounts until the end, in one order, and a second
    one could meet another's in a circle.

    Raises `Invalid` with every problem of every move (`row` counts moves from 1), or `Conflict` if
    nothing is wrong but keys that were posted with other contents. Nothing is posted then.
    """
    problems = problems_of(moves)
    if problems:
        raise _refused(problems)
    body = _encode(list(moves)).decode()
    for tried in range(1, TRIES + 1):
        try:
            with conn.transaction():
                return _post(conn, body, now_ms, by)
        except store.QUICKER:
            if tried == TRIES:
                raise
        except psycopg.Error as error:
            if error.sqlstate != DIP:
                raise
            facts = msgspec.json.decode(error.diag.message_detail or "[]")
            raise _refused(words.dips(moves, facts)) from error
    raise AssertionError("the last try returns or raises")


def _post(conn: SyncConn, body: str, now_ms: int, by: int | None) -> list[int]:
    ids, faults = store.post(conn, body, now_ms, by)
    if faults or ids is None:
        found = [words.problem(fault) for fault in faults or []]
        if all(fault["fault"] == "other_payload" for fault in faults or []):
            raise Conflict(
                "Keys were posted before with other contents; nothing was posted.", problems=found
            )
        raise _refused(found)
    return ids


def void_expired(conn: SyncConn, now_ms: int, limit: int = GROUP_MAX) -> int:
    """Void the holds whose time is over; how many. Called again and again by the engine."""
    overdue = store.overdue(conn, now_ms, limit)
    if overdue:
        moves = [Void(f"expire:{hold}", hold, why="expired") for hold in overdue]
        post(conn, moves, now_ms)
    return len(overdue)


def _refused(problems: list[Problem]) -> CanutError:
    return Invalid("Nothing was posted.", problems=problems)
