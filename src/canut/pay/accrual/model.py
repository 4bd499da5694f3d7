"""What answers earn, and the sheets that hold it. Minor units, milliseconds UTC."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from canut.pay.ledger import split
from canut.pay.tariff import owed_for_time

#: price: by the task; hour: by agreed time; assumed: by the hour, though nothing was measured
Basis: TypeAlias = Literal["price", "hour", "assumed"]


class Work(Struct, frozen=True):
    """An answer that earns something."""

    task_id: int
    contributor_id: int
    batch_step_id: int
    #: agreed time; None: nothing was measured
    agreed_ms: int | None
    #: of its tariff: price of a task (None: by the hour), floor, and time of a task as assumed
    price_minor: int | None
    floor_minor: int
    assumed_ms: int


class Earned(Struct, frozen=True):
    """What it earned."""

    work: Work
    amount_minor: int
    basis: Basis
    paid_ms: int


def earned(work: Sequence[Work]) -> list[Earned]:
    """What each answer earns. By the hour, a contributor's answers at a step are added up before
    they are rounded up, and the cents are shared out again by time."""
    found = [
        Earned(one, one.price_minor, "price", 0) for one in work if one.price_minor is not None
    ]
    groups: dict[tuple[int, int], list[Work]] = {}
    for one in work:
        if one.price_minor is None:
            groups.setdefault((one.batch_step_id, one.contributor_id), []).append(one)
    for group in groups.values():
        times = [one.agreed_ms or one.assumed_ms for one in group]
        amounts = split(owed_for_time(group[0].floor_minor, sum(times)), times)
        for one, ms, amount in zip(group, times, amounts, strict=True):
            found.append(Earned(one, amount, "hour" if one.agreed_ms else "assumed", ms))
    return found


class Due(Struct, frozen=True):
    """What a sheet is made of: fresh earnings of one contributor in one batch."""

    batch_id: int
    contributor_id: int
    currency: str
    jurisdiction: str | None
    funded_ms: int
    amount_minor: int


class Charged(Struct, frozen=True):
    """A sheet's amounts."""

    due: Due
    jurisdiction: str
    social_minor: int
    fee_minor: int
    #: of the pay, and of the contributions: what the co-op stands in for
    coop_minor: int
    coop_social_minor: int


def charged(
    due: Due, jurisdiction: str, social_minor: int, fee_minor: int, available: int
) -> Charged:
    """A sheet against what its batch has left: pay comes first, then contributions, then the fee.
    Where the batch has too little the co-op pays the rest, and goes without its fee."""
    pay = due.amount_minor
    own = min(pay, max(available, 0))
    left = max(available, 0) - own
    social = min(social_minor, left)
    fee = min(fee_minor, left - social)
    return Charged(due, jurisdiction, social_minor, fee, pay - own, social_minor - social)


class Sheet(Struct, frozen=True):
    """What a contributor earned in a batch since the sheet before it."""

    id: int
    batch_id: int
    contributor_id: int
    currency: str
    jurisdiction: str
    pay_minor: int
    social_minor: int
    fee_minor: int
    #: of the pay: what the co-op stood in for
    coop_minor: int
    made_ms: int
    #: theirs from then on, where nobody objects
    accept_ms: int
    #: when it became theirs; None: not yet
    accepted_ms: int | None


class Earning(Struct, frozen=True):
    """What one answer earned, for one cause."""

    task_id: int
    batch_step_id: int
    #: work; reprice:<tariff>: its price was raised; time:<review>: its time was corrected
    cause: str
    amount_minor: int
    currency: str
    basis: Basis
    #: time that was paid by the hour; 0 by the task
    paid_ms: int
    earned_ms: int
    #: when it is or was theirs; None: it is not on a sheet yet
    accept_ms: int | None
    accepted_ms: int | None


class PayNow(Struct, frozen=True):
    """What a contributor has earned, in one currency."""

    currency: str
    #: earned, and not on a sheet yet
    fresh_minor: int
    #: held for them until it is accepted
    held_minor: int
    #: theirs, and not paid out
    payable_minor: int
