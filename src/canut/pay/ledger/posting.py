"""Posting groups of moves: all of a group or nothing, each key once."""

from collections.abc import Sequence

import msgspec

from canut.db.pool import SyncConn
from canut.errors import CanutError, Conflict, Invalid, Problem
from canut.pay.ledger import store, words
from canut.pay.ledger.model import Move, Void
from canut.pay.ledger.rules import GROUP_MAX, problems_of

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
    try:
        ids, faults = store.post(conn, _encode(list(moves)).decode(), now_ms, by)
    except store.Dip as dip:
        raise _refused(words.dips(moves, dip.facts)) from dip
    if ids is None or faults:
        raise _refused([words.problem(f) for f in faults or []], faults or [])
    return ids


def void_expired(conn: SyncConn, now_ms: int, limit: int = GROUP_MAX) -> int:
    """Void the holds whose time is over; how many. Called again and again by the engine."""
    overdue = store.overdue(conn, now_ms, limit)
    if overdue:
        moves = [Void(f"expire:{hold}", hold, why="expired") for hold in overdue]
        post(conn, moves, now_ms)
    return len(overdue)


def _refused(problems: list[Problem], faults: Sequence[words.Facts] = ()) -> CanutError:
    if faults and all(fault["fault"] == "other_payload" for fault in faults):
        text = "Keys were posted before with other contents; nothing was posted."
        return Conflict(text, problems=problems)
    return Invalid("Nothing was posted.", problems=problems)
