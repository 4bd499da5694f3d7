"""Tariffs of steps: from a pilot paid by the hour to a price that measured time carries."""

from canut.pay.tariffs.facts import StepPay, read_step_pay
from canut.pay.tariffs.model import Tariff
from canut.pay.tariffs.review import Reviewed, review_tariffs
from canut.pay.tariffs.verbs import (
    find_step,
    history,
    list_tariffs,
    measured,
    set_tariff,
    tariff_at,
)

__all__ = [
    "Reviewed",
    "StepPay",
    "Tariff",
    "find_step",
    "history",
    "list_tariffs",
    "measured",
    "read_step_pay",
    "review_tariffs",
    "set_tariff",
    "tariff_at",
]
