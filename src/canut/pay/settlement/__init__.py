"""Settlement: at the end of a period everybody has reached the floor, and has a slip that says
how."""

from canut.pay.settlement.model import LineGroup, Period, Settled, Slip, SlipLine, SlipSummary
from canut.pay.settlement.reading import list_periods, list_slips, read_slip
from canut.pay.settlement.settling import settle_next, settle_until
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
    "read_slip",
    "settle_next",
    "settle_until",
]
