"""Settlement: at the end of a period everybody has reached the floor, and has a slip that says
how."""

from canut.pay.settlement.model import Period, Settled, Slip, SlipLine, SlipSummary
from canut.pay.settlement.reading import list_periods, list_slips, read_slip
from canut.pay.settlement.settling import settle_next, settle_until

__all__ = [
    "Period",
    "Settled",
    "Slip",
    "SlipLine",
    "SlipSummary",
    "list_periods",
    "list_slips",
    "read_slip",
    "settle_next",
    "settle_until",
]
