"""The calls about what a contributor earned, and how long it took."""

from urllib.parse import quote

from canut.sdk import values as v
from canut.sdk.call import Call, get


def pay(*, before_ms: int | None = None, limit: int = 50) -> Call[v.Pay]:
    """What you earned: sums, and the latest answers before a moment."""
    query = {"before_ms": before_ms, "limit": limit}
    return get("pay", v.Pay, query)


def times(*, before_ms: int | None = None, limit: int = 50) -> Call[v.TimesOfTasks]:
    """Your tasks that ended before a moment, with the time they took."""
    query = {"before_ms": before_ms, "limit": limit}
    return get("times", v.TimesOfTasks, query)


def state_time(task: str, time_ms: int, reason: str) -> Call[v.TimeReview]:
    """Say that a task took another time; a person decides."""
    body = v.StateTime(time_ms, reason)
    return Call(method="PUT", path=f"times/{quote(task)}", body=body, reply=v.TimeReview)
