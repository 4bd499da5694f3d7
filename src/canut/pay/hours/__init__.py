"""Hours that are paid beside tasks: training, panel duty, and waiting that the platform caused."""

from canut.pay.hours.model import KINDS, Hours, PaidHours, Waiting
from canut.pay.hours.verbs import (
    decide_hours,
    list_hours,
    note_waiting,
    own_hours,
    record_hours,
    state_hours,
    unpaid_ms,
)

__all__ = [
    "KINDS",
    "Hours",
    "PaidHours",
    "Waiting",
    "decide_hours",
    "list_hours",
    "note_waiting",
    "own_hours",
    "record_hours",
    "state_hours",
    "unpaid_ms",
]
