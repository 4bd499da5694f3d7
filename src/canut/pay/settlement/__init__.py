"""Settlement: at the end of a period everybody has reached the floor, and has a slip that says
how."""

from canut.pay.settlement.model import LineGroup, Period, Settled, Slip, SlipLine, SlipSummary
from canut.pay.settlement.reading import list_periods, list_slips, read_slip, sums_of
from canut.pay.settlement.settling import (
    next_period,
    settle_next,
    settle_until,
    waits_for_count,
)
from canut.pay.settlement.slip_words import grouped

__all__ = [
    "LineGroup",
    "Period",
    "Settled",
    "Slip",
    "SlipLine",
    "SlipSummary",
    "grouped",
    "list_periods",
    "list_slips",
    "next_period",
    "read_slip",
    "settle_next",
    "settle_until",
    "sums_of",
    "waits_for_count",
]
