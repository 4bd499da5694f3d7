"""What can be said of a group of moves without the books: a pure look at each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from canut.errors import Problem
from canut.pay.ledger.currency import DIGITS
from canut.pay.ledger.flows import FLOWS
from canut.pay.ledger.model import Move, Reverse, Transfer

#: moves of one group: it is one statement, and holds its accounts until it is done
GROUP_MAX = 50_000
KEY_CHARS_MAX = 200
TEXT_CHARS_MAX = 500
#: far above any sum of money, far below what a 64-bit sum of sums holds
AMOUNT_MAX = 10**15


def problems_of(moves: Sequence[Move]) -> list[Problem]:
    """Everything wrong with the moves as they stand, by row (from 1)."""
    if not 0 < len(moves) <= GROUP_MAX:
        return [Problem(f"{len(moves):,} moves", f"a group has from 1 to {GROUP_MAX:,}")]
    keys = Counter(move.key for move in moves)
    targets = Counter(_target(move) for move in moves if not isinstance(move, Transfer))
    found = []
    for row, move in enumerate(moves, 1):
        faults = [*_texts(move), *_amount(move)]
        if keys[move.key] > 1:
            faults.append(("key", f"{move.key!r} is the key of several moves", "each has its own"))
        if isinstance(move, Transfer):
            faults += _transfer(move)
        elif targets[_target(move)] > 1:
            text = f"several moves resolve transfer {move.transfer}"
            faults.append(("transfer", text, "only one can"))
        found += [Problem(message, mend, row=row, field=field) for field, message, mend in faults]
    return found


#: field, what is wrong, how to mend it
_Fault = tuple[str, str, str]


def _target(move: Move) -> tuple[bool, int]:
    return isinstance(move, Reverse), move.debit if isinstance(move, Transfer) else move.transfer


def _texts(move: Move) -> Iterator[_Fault]:
    limits = {"key": KEY_CHARS_MAX, "why": TEXT_CHARS_MAX, "reference": TEXT_CHARS_MAX}
    for field, most in limits.items():
        text = getattr(move, field)
        if len(text) > most:
            yield field, f"{len(text)} characters", f"write at most {most}"
        elif "\0" in text:
            yield field, "holds a null character", "write text"
    if not move.key:
        yield "key", "is empty", "name what this is, so that it is posted once"
    if isinstance(move, Reverse) and not move.why.strip():
        yield "why", "is empty", "say what was wrong"
    if move.at_ms is not None and not (_whole(move.at_ms) and move.at_ms > 0):
        yield "at_ms", f"{move.at_ms!r} is no date", "give milliseconds since 1970, UTC"


def _amount(move: Move) -> Iterator[_Fault]:
    amount = getattr(move, "amount", None)
    if amount is None and not isinstance(move, Transfer):
        return
    if not _whole(amount):
        yield "amount", f"{amount!r} is no whole number", "give minor units of the currency"
    elif amount <= 0:
        yield "amount", f"{amount} is not above 0", "swap the accounts to go the other way"
    elif amount > AMOUNT_MAX:
        yield "amount", f"{amount} is too much", f"give at most {AMOUNT_MAX:,}"


def _transfer(move: Transfer) -> Iterator[_Fault]:
    if move.kind not in FLOWS:
        yield "kind", f"{move.kind!r} is no kind of transfer", f"use one of {', '.join(FLOWS)}"
    if move.currency not in DIGITS:
        yield "currency", f"{move.currency!r} is no currency", "use a code of ISO 4217"
    if move.debit == move.credit:
        yield "credit", f"both accounts are {move.debit}", "name two accounts"
    if move.expires_ms is not None and not (move.pending and _whole(move.expires_ms)):
        yield "expires_ms", "only a hold expires, at a date", "set pending, or leave it out"


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
