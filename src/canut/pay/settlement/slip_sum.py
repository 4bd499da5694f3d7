"""The sum on a pay slip, step by step, so that whoever has the slip can do it again. Pure."""

from msgspec import Struct

from canut.pay.settlement.model import Slip
from canut.pay.settlement.slip_texts import TEXTS, Locale
from canut.pay.settlement.slip_words import seconds, shown


class Step(Struct, frozen=True):
    """A step of the sum; what it does not have is None."""

    words: str
    minor: int | None = None
    ms: int | None = None
    n_tasks: int | None = None
    #: what the slip comes to
    strong: bool = False


def steps(slip: Slip, locale: Locale) -> list[Step]:
    """From agreed time to the pay of the period."""
    text, one = TEXTS[locale], slip.summary
    floor = shown(one.floor_minor, one.currency, locale)
    time = seconds(one.agreed_ms, locale)
    found = [
        Step(text["sum_time"], ms=one.agreed_ms, n_tasks=one.n_tasks),
        Step(text["sum_floor"].format(place=one.jurisdiction), one.floor_minor),
        Step(text["sum_owed"].format(floor=floor, time=time), one.owed_minor),
        Step(text["sum_pay"], one.qualifying_minor),
    ]
    if one.number > 1:
        found.append(Step(text["sum_before"], one.before_minor))
    found.append(Step(text["sum_topup"], one.topup_minor))
    if one.before_hours_ms:
        words = text["sum_before_hours"]
        found.append(Step(words, one.before_hours_minor, ms=one.before_hours_ms))
    if one.hours_ms:
        words = text["sum_hours"].format(floor=floor, time=seconds(one.hours_ms, locale))
        found.append(Step(words, one.hours_minor, ms=one.hours_ms))
    found += [
        Step(text["sum_deductions"], 0),
        Step(text["sum_total"], one.total_minor, strong=True),
    ]
    if one.hourly_minor is not None:
        found.append(Step(text["sum_hourly"], one.hourly_minor))
    return found
