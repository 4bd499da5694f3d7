"""Which line of a statement says what of which payout. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from canut.errors import Problem
from canut.pay.ledger.currency import written
from canut.pay.payouts.camt import BankLine
from canut.pay.payouts.model import PayoutState

_PAYOUT = re.compile(r"CANUT-PAYOUT-(\d{1,18})")
_RUN = re.compile(r"CANUT-RUN-(\d{1,18})")

#: codes of ISO 20022 for what comes back, as a contributor reads them
REASONS = {
    "AC01": "the account number is wrong",
    "AC03": "the account number is wrong",
    "AC04": "the account is closed",
    "AC06": "the account is blocked",
    "AG01": "the account takes no transfers",
    "AM04": "there was not enough money",
    "BE04": "the address is missing or wrong",
    "BE05": "the name is not that of the account",
    "CUST": "the sender asked for it back",
    "MD07": "the holder of the account has died",
    "MS02": "the receiver refused it",
    "MS03": "the bank gave no reason",
    "RC01": "the bank is not known",
    "RR04": "the bank has a legal reason",
}


class Sent(Struct):
    """A payout as far as matching needs it; its state moves on line by line."""

    id: int
    amount: int
    currency: str
    state: PayoutState
    run_id: int | None
    #: it pays whoever reads the statement
    own: bool = False


class Match(Struct):
    """What a statement says of payouts."""

    #: the money has left the bank
    settled: list[int] = []
    #: it came back: payout and reason
    bounced: list[tuple[int, str]] = []
    #: lines of ours that cannot be so; a person looks
    faults: list[Problem] = []
    #: lines done by this statement when it was read before
    again: int = 0
    #: lines that are not of payouts
    others: int = 0


def payout_of(line: BankLine) -> int | None:
    """The payout that a line names."""
    found = _PAYOUT.fullmatch(line.reference)
    return int(found[1]) if found else None


def run_of(line: BankLine) -> int | None:
    """The run that a line names as a whole."""
    found = None if line.reference else _RUN.fullmatch(line.group)
    return int(found[1]) if found else None


def match(
    lines: Sequence[BankLine],
    payouts: Mapping[int, Sent],
    settled: Iterable[int] = (),
    bounced: Iterable[int] = (),
) -> Match:
    """Look at each line, what leaves before what comes back. `settled` and `bounced` are payouts
    that the same statement moved when it was read before. `payouts` are changed."""
    found = Match()
    before = {True: set(settled), False: set(bounced)}
    for line in sorted(lines, key=lambda one: not one.leaves):
        payout, run = payout_of(line), run_of(line)
        if payout is not None:
            _one(found, line, payout, payouts.get(payout), before[line.leaves])
        elif run is not None:
            _whole(found, line, run, payouts, before[True])
        else:
            found.others += 1
    return found


def _one(found: Match, line: BankLine, id_: int, sent: Sent | None, before: set[int]) -> None:
    if id_ in before:
        before.discard(id_)
        found.again += 1
    elif sent is None:
        text, mend = f"there is no payout {id_}", "look it up at the bank"
        _fault(found, line, text, mend)
    elif (sent.amount, sent.currency) != (line.amount, line.currency):
        text = (
            f"payout {id_} is of {written(sent.amount, sent.currency)}, the line of"
            f" {written(line.amount, line.currency)}"
        )
        mend = "ask the bank about the difference; nothing was changed"
        _fault(found, line, text, mend)
    elif line.leaves and sent.state == "approved":
        sent.state = "paid"
        found.settled.append(id_)
    elif not line.leaves and sent.state == "paid" and sent.own:
        text = f"payout {id_} comes back, and pays you"
        mend = "somebody else reads this statement again"
        _fault(found, line, text, mend)
    elif not line.leaves and sent.state == "paid":
        sent.state = "failed"
        found.bounced.append((id_, line.reason or "MS03"))
    elif not line.leaves and sent.state == "approved":
        text = f"payout {id_} comes back, and was not seen leaving"
        mend = "read the statement before, then this one again"
        _fault(found, line, text, mend)
    else:
        way = "left" if line.leaves else "came back"
        text, mend = f"payout {id_} {way}, and is {sent.state}", "ask the bank; nothing was changed"
        _fault(found, line, text, mend)


def _whole(
    found: Match, line: BankLine, run: int, payouts: Mapping[int, Sent], before: set[int]
) -> None:
    """A run that the bank booked as one line: whole, or without what was given back."""
    of_run = [sent for sent in payouts.values() if sent.run_id == run]
    back = [sent for sent in of_run if sent.state == "failed" and sent.id not in before]
    done = [sent for sent in of_run if sent.id in before]
    open_ = [sent for sent in of_run if sent.state == "approved"]
    for ours in (done, open_):
        if not _fits(line, ours) and not (ours and _fits(line, [*ours, *back])):
            continue
        for sent in open_ if ours is open_ else []:
            sent.state = "paid"
            found.settled.append(sent.id)
        found.again += ours is done
        for sent in [] if _fits(line, ours) else back:
            text = f"payout {sent.id} was given back, and left with run {run}"
            mend = "ask the bank and whoever it pays: they may have the money twice"
            _fault(found, line, text, mend)
        return
    if _fits(line, of_run):
        text, mend = f"payouts of run {run} were settled before", "ask the bank"
        _fault(found, line, text, mend)
        return
    total = sum(sent.amount for sent in of_run)
    of = f"of {written(total, of_run[0].currency)}" if of_run else "not known"
    text = f"run {run} is {of}, the line of {written(line.amount, line.currency)}"
    mend = "ask the bank for the single payments"
    _fault(found, line, text, mend)


def _fits(line: BankLine, payouts: Sequence[Sent]) -> bool:
    """Whether a line is these payouts, leaving."""
    total = sum(sent.amount for sent in payouts)
    same = {sent.currency for sent in payouts} == {line.currency}
    return line.leaves and same and total == line.amount


def _fault(found: Match, line: BankLine, message: str, mend: str) -> None:
    found.faults.append(Problem(message, mend, row=line.row, field=line.reference or line.group))
