"""Hosted models end. Which steps need a challenger, and by when, for the change to be proved.

Dates come from the operator (`shutdown` of a model, in TOML): makers announce them on pages that
no program should guess at. Pure: today is an argument.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

#: days a challenger needs, unless the caller knows better: its duel, its exam, its canary
LEAD_DAYS = 60


class Due(Struct, frozen=True):
    """A step whose model ends."""

    #: the step, as the caller names it
    step: str
    #: name of its model
    model: str
    #: the day from which the model is gone
    shutdown: date
    #: the last day on which a challenger run can begin and still end before that
    begin_by: date
    #: "later": there is time; "now": begin; "late": it may not end in time; "gone": the model is
    state: Literal["later", "now", "late", "gone"]


def due(
    shutdowns: Mapping[str, date],
    steps: Mapping[str, str],
    today: date,
    *,
    lead_days: int = LEAD_DAYS,
    notice_days: int = 30,
) -> list[Due]:
    """The steps whose model has an announced end, the most pressing first.

    `shutdowns`: model -> day from which it is gone; `steps`: step -> model it uses. A challenger
    run takes `lead_days`; it is called for ("now") `notice_days` before the last day on which it
    can begin. Raises ValueError for a negative number of days.
    """
    if lead_days < 0 or notice_days < 0:
        raise ValueError("days cannot be negative")
    found = []
    for step, model in steps.items():
        shutdown = shutdowns.get(model)
        if shutdown is not None:
            begin_by = shutdown - timedelta(days=lead_days)
            found.append(
                Due(step, model, shutdown, begin_by, _state(shutdown, begin_by, today, notice_days))
            )
    return sorted(found, key=lambda one: (one.begin_by, one.step))


def _state(
    shutdown: date, begin_by: date, today: date, notice_days: int
) -> Literal["later", "now", "late", "gone"]:
    if today >= shutdown:
        return "gone"
    if today > begin_by:
        return "late"
    return "now" if today >= begin_by - timedelta(days=notice_days) else "later"
