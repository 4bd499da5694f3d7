"""Has the mean of a stream changed? An adaptive window that is kept as a few numbers.

ADWIN (Bifet & Gavalda, "Learning from time-changing data with adaptive windowing", SDM 2007), fed
with blocks of values instead of single ones, so that a block costs what a value would, and with a
state that can be written down: an engine that is killed loses nothing.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

#: values in a block: looked at once it is full
BLOCK = 32
#: blocks of one size before the two oldest of them become one of twice the size
KEPT = 5


class Window(Struct):
    """What is remembered of a signal: blocks, the oldest first; about 5 log2(n / 160) of them."""

    #: values in each block: BLOCK times a power of two
    n: list[int] = []
    #: their sums and sums of squares
    total: list[float] = []
    square: list[float] = []

    def add(self, values: ArrayLike) -> None:
        """A new block: `BLOCK` values between 0 and 1."""
        told = np.asarray(values, np.float64)
        if len(told) != BLOCK:
            raise ValueError(f"a block has {BLOCK} values")
        self.n.append(BLOCK)
        self.total.append(float(told.sum()))
        self.square.append(float(told @ told))
        size = BLOCK
        while self.n.count(size) > KEPT:
            first = self.n.index(size)
            self.n[first : first + 2] = [2 * size]
            self.total[first : first + 2] = [sum(self.total[first : first + 2])]
            self.square[first : first + 2] = [sum(self.square[first : first + 2])]
            size *= 2

    def changed(self, delta: float) -> tuple[float, float] | None:
        """Mean before and since, if it has changed: what came before is forgotten then. `delta` is
        the sensitivity; see `canut.agents.arena.drift` for what it comes to."""
        place = self._cut(delta)
        if place is None:
            return None
        before = sum(self.total[:place]) / sum(self.n[:place])
        del self.n[:place], self.total[:place], self.square[:place]
        return before, sum(self.total) / sum(self.n)

    def _cut(self, delta: float) -> int | None:
        """Before which block the mean changed most plainly; None where nowhere."""
        if len(self.n) < 2:
            return None
        n, total = np.array(self.n, np.float64), np.array(self.total)
        size, mean = n.sum(), total.sum() / n.sum()
        variance = max(sum(self.square) / size - mean**2, 0.0)
        first = np.cumsum(n)[:-1]
        second = size - first
        apart: NDArray[np.float64] = np.abs(
            np.cumsum(total)[:-1] / first - (total.sum() - np.cumsum(total)[:-1]) / second
        )
        share = 1 / first + 1 / second
        bar = np.log(2 * np.log(size) / delta)
        over = apart - np.sqrt(2 * share * variance * bar) - 2 / 3 * share * bar
        best = int(np.argmax(over))
        return best + 1 if over[best] > 0 else None
