"""When periods end, what is missing to the floor, and whose money it is. Pure."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from canut.pay.ledger import split
from canut.pay.policy.model import DAY_MS, Policy, Rule, in_force, share_of
from canut.pay.settlement.model import NewSlip, Unpaid, Worked
from canut.pay.tariff import owed_for_time, top_up

#: rules whose beginning ends a period, so that one floor holds for all of it
ENDING = frozenset({"floor", "home", "period_days"})
#: 5 January 1970, a Monday
MONDAY_MS = 4 * DAY_MS


class Part(Struct, frozen=True):
    """What is to be paid of a slip, from one batch; None: hours, from the co-op."""

    slip: Unpaid
    batch_id: int | None
    #: from the reserve of the batch, and what the co-op stands in for
    own_minor: int
    coop_minor: int
    #: contributions on it
    own_social_minor: int
    coop_social_minor: int


def week_of(at_ms: int) -> int:
    """The Monday, 00:00 UTC, at or before a moment."""
    return at_ms - (at_ms - MONDAY_MS) % (7 * DAY_MS)


def period_end(rules: Sequence[Rule], from_ms: int) -> int:
    """Where the period that begins at `from_ms` ends: after the days that hold then, or where a new
    floor begins, if that is earlier."""
    regular = from_ms + in_force(list(rules), from_ms).period_ms
    new = [rule.from_ms for rule in rules if rule.name in ENDING and rule.from_ms > from_ms]
    return min([regular, *new])


def floor_of(policy: Policy, jurisdiction: str | None, currency: str) -> int:
    """The floor of whoever works in `currency`: of their place, or where that has none in this
    currency, the highest there is in it. Work of a step with a tariff always has one."""
    own = policy.floors.get((jurisdiction or policy.home, currency))
    return own or max(floor for (_, of), floor in policy.floors.items() if of == currency)


def reckon(worked: Worked, policy: Policy) -> NewSlip:
    """What is missing to the floor. Hours that are paid as such are beside it."""
    floor = floor_of(policy, worked.jurisdiction, worked.currency)
    brought = worked.qualifying_minor + worked.before_minor
    return NewSlip(
        worked,
        worked.jurisdiction or policy.home,
        floor,
        top_up(floor, worked.agreed_ms, brought),
        owed_for_time(floor, worked.hours_ms),
    )


def shared_out(slips: Sequence[Unpaid], reserves: dict[int, int], policy: Policy) -> Iterator[Part]:
    """Who pays what of each slip: its batches by the time that was worked in them, to the cent, as
    far as their reserves (batch -> minor units) go; the co-op the rest, and the hours. Never the
    contributor."""
    left = dict(reserves)
    for slip in slips:
        share = policy.social_share(slip.jurisdiction)
        parts = split(slip.topup_minor, slip.times) if slip.topup_minor else []
        for batch, amount in zip(slip.batches, parts, strict=bool(parts)):
            own = min(amount, left.get(batch, 0))
            social = share_of(amount, share)
            own_social = min(social, left.get(batch, 0) - own)
            left[batch] = left.get(batch, 0) - own - own_social
            if amount:
                yield Part(slip, batch, own, amount - own, own_social, social - own_social)
        if slip.hours_minor:
            social = share_of(slip.hours_minor, share)
            yield Part(slip, None, 0, slip.hours_minor, 0, social)
