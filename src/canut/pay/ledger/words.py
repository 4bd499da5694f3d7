"""What the books found wrong, in words: the faults of `ledger_post` (db/functions/ledger.sql)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from canut.errors import Problem
from canut.pay.ledger.currency import written
from canut.pay.ledger.model import Move, Transfer

Facts = dict[str, Any]

#: fault -> field, message and mend, from the facts that the database gave
_WORDS: dict[str, Callable[[Facts], tuple[str, str, str]]] = {
    "other_payload": lambda f: (
        "key",
        f"{f['key']!r} was posted before with other contents",
        "use another key, or the same contents",
    ),
    "unknown_transfer": lambda f: (
        "transfer",
        f"there is no transfer {f['transfer']}",
        "name one that was posted",
    ),
    "unknown_account": lambda f: (
        f["field"],
        f"there is no account {f['account']}",
        "open it first",
    ),
    "currency": lambda f: (
        "currency",
        f"{f['field']} account {f['account']} is in {f['of']}, not {f['currency']}",
        "both accounts have the currency of the transfer",
    ),
    "flow": lambda f: (
        "kind",
        f"{f['kind']} may not go from {f['from']} to {f['to']}",
        "see the table of flows",
    ),
    "closed": lambda f: (
        "at_ms",
        f"{_day(f['at_ms'])} is in a period that is closed",
        f"date it {_day(f['until_ms'])} or later",
    ),
    "not_pending": lambda f: (
        "transfer",
        f"transfer {f['transfer']} is no hold",
        "only a pending transfer is posted or voided",
    ),
    "resolved": lambda f: (
        "transfer",
        f"hold {f['transfer']} was posted or voided before",
        "a hold resolves once",
    ),
    "expired": lambda f: ("transfer", f"hold {f['transfer']} has expired", "make a new one"),
    "more_than_held": lambda f: (
        "amount",
        f"hold {f['transfer']} is of {written(f['held'], f['currency'])}",
        "post that much at most",
    ),
    "not_posted": lambda f: (
        "transfer",
        f"transfer {f['transfer']} moved nothing, or is a reversal itself",
        "reverse what was posted; void a hold",
    ),
    "reversed": lambda f: (
        "transfer",
        f"transfer {f['transfer']} was reversed before",
        "a transfer is taken back once",
    ),
    "short": lambda f: (
        "amount",
        f"{f['kind']} account {f['account']} has {written(f['available'], f['currency'])},"
        f" and the moves up to this one ask for {written(f['asked'], f['currency'])}",
        "bring money there first",
    ),
}


def problem(fault: Facts) -> Problem:
    """A fault that the database names, for a person."""
    field, message, mend = _WORDS[fault["fault"]](fault)
    return Problem(message, mend, row=fault["place"], field=field)


def dips(moves: Sequence[Move], found: Sequence[Facts]) -> list[Problem]:
    """The moves that would have left an account short at a date of the past."""
    low = {fact["account"]: fact for fact in found}
    return [
        Problem(
            f"account {move.debit} did not have it on {_day(low[move.debit]['at_ms'])} yet",
            "date it later",
            row=row,
            field="at_ms",
        )
        for row, move in enumerate(moves, 1)
        if isinstance(move, Transfer) and move.debit in low
    ] or [
        Problem(f"account {a} would have been short on {_day(f['at_ms'])}") for a, f in low.items()
    ]


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
