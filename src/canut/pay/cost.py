"""What one answer may come to, all told. Pure."""

from canut.pay.ledger.currency import DIGITS
from canut.pay.policy.model import Policy, share_of
from canut.pay.tariff import owed_for_time

#: a task paid by the hour is covered for so many times its assumed time, within its lease
PILOT_MOST = 3
#: share of claims that may be gold (db/functions/claim.sql), which is paid like other work
GOLD_MOST = 0.3


def usual_minor(price_minor: int | None, floor_minor: int, task_ms: int) -> int:
    """The pay that one answer comes to as a rule: its price, or what its usual time pays while it
    is paid by the hour."""
    return owed_for_time(floor_minor, task_ms) if price_minor is None else price_minor


def base_minor(price_minor: int | None, floor_minor: int, assumed_ms: int, lease_ms: int) -> int:
    """The pay that is set aside for one answer: its price, or what an hour's pay makes of a long
    pilot task."""
    if price_minor is not None:
        return price_minor
    return owed_for_time(floor_minor, min(lease_ms, PILOT_MOST * assumed_ms))


def with_charges(pay_minor: int, policy: Policy) -> int:
    """Pay with contributions of the dearest jurisdiction and the fee, each rounded up."""
    social = share_of(pay_minor, policy.social_most)
    return pay_minor + social + share_of(pay_minor, policy.fee)


def answers_most(max_answers: int) -> int:
    """Answers that a task may come to: as many as are asked, an expert's, and the gold that is
    claimed beside them."""
    return -(-(max_answers + 1) * 10 // round(10 * (1 - GOLD_MOST)))


def minor_of_micro(micro: int, currency: str) -> int:
    """Micro-units (millionths of the currency) as minor units, rounded up."""
    return -(-micro // micro_of_minor(1, currency))


def micro_of_minor(minor: int, currency: str) -> int:
    """Minor units as micro-units."""
    each: int = 10 ** (6 - DIGITS[currency])
    return minor * each
