"""From values to places: axes that begin and end on round numbers."""

import math
from collections.abc import Iterable, Sequence

from msgspec import Struct

from canut.insight.charts.model import Axis, Unit

#: marks on an axis, about
TICKS = 4
#: smallest difference that is shown
LEAST = 1e-9
_DECIMAL = (1.0, 2.0, 2.5, 5.0, 10.0)
_MINUTE, _HOUR, _DAY = 60_000.0, 3_600_000.0, 86_400_000.0
#: round steps of time, in milliseconds; beyond the last, multiples of it
_TIMES = (
    *(1000.0, 2000.0, 5000.0, 10_000.0, 15_000.0, 30_000.0, _MINUTE, 2 * _MINUTE, 5 * _MINUTE),
    *(10 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR),
    *(_DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 28 * _DAY, 91 * _DAY, 182 * _DAY, 364 * _DAY),
)


class Scale(Struct, frozen=True):
    """An axis between two places; what lies outside is drawn at its end."""

    low: float
    high: float
    start: float
    end: float
    ticks: list[float]
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value."""
        share = (self._bent(value) - self._bent(self.low)) / (
            self._bent(self.high) - self._bent(self.low)
        )
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def _bent(self, value: float) -> float:
        return math.log10(max(value, self.low)) if self.log else value


def finite(values: Iterable[float]) -> list[float]:
    """What can be drawn."""
    return [value for value in values if math.isfinite(value) and abs(value) < 1e300]


def fit(axis: Axis, values: Iterable[float], start: float, end: float, *, tight: bool) -> Scale:
    """A scale that holds the values and the ends of the axis; tight: it ends where they do."""
    held = finite(values)
    if axis.log:
        held = [value for value in held if value > 0]
    low = axis.low if axis.low is not None else min(held, default=0.0)
    high = axis.high if axis.high is not None else max(held, default=1.0)
    if axis.log:
        low = low if low > 0 else 1.0
        return _log(low, max(high, low * 10), start, end)
    if not high - low > max(abs(low) * 1e-9, LEAST):
        # one value: it gets room on both sides, but none below nothing
        half = abs(low) / 2 if abs(low) > LEAST else 0.5
        low, high = low - half, low + half
        low = max(low, 0.0) if min(held, default=0.0) >= 0 else low
    step = _step((high - low) / TICKS, axis.unit)
    if axis.unit == "count":
        step = float(math.ceil(step))
    if not tight:
        low = low if axis.low is not None else math.floor(low / step + 1e-9) * step
        high = high if axis.high is not None else math.ceil(high / step - 1e-9) * step
        high = high if high > low else low + step
    return Scale(low, high, start, end, _between(low, high, step))


def _log(low: float, high: float, start: float, end: float) -> Scale:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first < 2:
        fine = [part * 10.0**n for n in range(first - 1, last + 1) for part in (1, 2, 5)]
        held = [tick for tick in fine if low <= tick <= high]
        return Scale(low, high, start, end, held, log=True)
    jump = max(1, math.ceil((last - first + 1) / (TICKS + 1)))
    # a power of ten that is the end but for rounding is at the end
    held = [min(max(10.0**n, low), high) for n in range(first, last + 1, jump)]
    return Scale(low, high, start, end, held, log=True)


def _step(least: float, unit: Unit) -> float:
    """The first round step that is no smaller."""
    if unit in ("duration", "day") and least >= _TIMES[0]:
        known: Sequence[float] = _TIMES if unit == "duration" else _TIMES[_TIMES.index(_DAY) :]
        found = next((step for step in known if step >= least), None)
        return found or math.ceil(least / known[-1]) * known[-1]
    power = 10.0 ** math.floor(math.log10(least))
    step = next(part * power for part in _DECIMAL if part * power >= least * (1 - 1e-9))
    return max(step, 1.0) if unit.startswith("money") else step


def _between(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [min(max(n * step, low), high) for n in range(first, min(last, first + 12) + 1)]
