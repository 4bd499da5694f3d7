"""Time: what of the time that devices report is agreed, and what contributors say of it."""

from canut.pay.time.counting import count_time
from canut.pay.time.model import Review, TaskTime, TimeSum
from canut.pay.time.reading import list_reviews, read_times, time_between
from canut.pay.time.reviews import decide_review, state_time

__all__ = [
    "Review",
    "TaskTime",
    "TimeSum",
    "count_time",
    "decide_review",
    "list_reviews",
    "read_times",
    "state_time",
    "time_between",
]
