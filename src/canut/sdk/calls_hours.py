"""The calls about hours that are paid beside tasks; see `canut.sdk.calls`."""

from canut.sdk import values as v
from canut.sdk.call import Call, get, post
from canut.sdk.values.hours import HoursKind


def hours(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.PaidHours]]:
    """Your hours beside tasks, newest first, with what was decided."""
    return get("hours", v.Page[v.PaidHours], {"limit": limit, "cursor": cursor})


def state(
    kind: HoursKind,
    from_ms: int,
    until_ms: int,
    time_ms: int,
    reason: str,
    *,
    currency: str | None = None,
) -> Call[v.PaidHours]:
    """State hours of yours: `time_ms` between two moments. A person decides. Safe to repeat."""
    body = v.NewHours(kind, from_ms, until_ms, time_ms, reason, currency)
    return post("hours", v.PaidHours, body)


def waiting(
    *, all: bool = False, limit: int = 50, cursor: str | None = None
) -> Call[v.Page[v.WaitingHours]]:
    """Everybody's hours that wait for a decision, oldest first; or all (operators, stewards)."""
    query = {"all": all or None, "limit": limit, "cursor": cursor}
    return get("hours/waiting", v.Page[v.WaitingHours], query)


def record(
    contributor: int,
    kind: HoursKind,
    from_ms: int,
    until_ms: int,
    time_ms: int,
    reason: str,
    *,
    currency: str | None = None,
) -> Call[v.PaidHours]:
    """Record hours of a contributor, agreed at once (operators, stewards). Safe to repeat."""
    body = v.NewHours(kind, from_ms, until_ms, time_ms, reason, currency)
    return post(f"contributors/{contributor}/hours", v.PaidHours, body)


def decide(id: int, time_ms: int, why: str) -> Call[v.PaidHours]:
    """Decide how much of stated hours is paid (operators, stewards)."""
    return post(f"hours/{id}/decide", v.PaidHours, v.HoursDecision(time_ms, why))
