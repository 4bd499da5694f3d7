"""Open accounts: what work brought and cost, month by month, for everybody to read."""

from canut.pay.open_accounts.model import HOURLY_STEP, PEOPLE_MIN, Figures, OpenMonth, Share
from canut.pay.open_accounts.publishing import publish_months, read_months

__all__ = [
    "HOURLY_STEP",
    "PEOPLE_MIN",
    "Figures",
    "OpenMonth",
    "Share",
    "publish_months",
    "read_months",
]
