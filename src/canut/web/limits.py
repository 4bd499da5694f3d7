"""Token buckets: how often a principal, an address or an account may do something.

Kept per process, O(1) per request, in bounded memory: with several web processes a limit holds
for each of them.
"""

import time
from collections.abc import Callable

from canut.errors import TooMany
from canut.web.i18n import N_

#: buckets kept, at most; the one that was touched longest ago goes first
BUCKETS_MAX = 100_000
#: seconds after which a client that has too many at once may ask again
AGAIN_S = 10
TOO_MANY_AT_ONCE = N_("Too many imports and exports at once.")


class Limit:
    """A bucket of `burst` tokens per key, refilled at `per_s` tokens per second."""

    def __init__(
        self,
        per_s: float,
        burst: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        buckets_max: int = BUCKETS_MAX,
    ):
        self.per_s = per_s
        self.burst = burst
        self._clock = clock
        self._buckets_max = buckets_max
        #: key -> (tokens left, when that was so in seconds); in the order of last use
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> float:
        """Take a token. Returns 0, or the seconds until there is one (and takes none)."""
        return self._take(key, 1.0)

    def wait(self, key: str) -> float:
        """Seconds until there is a token, without taking it."""
        return self._take(key, 0.0)

    def forget(self, key: str) -> None:
        """Fill the bucket up again."""
        self._buckets.pop(key, None)

    def check(self, key: str, message: str) -> None:
        """Take a token. Raises `TooMany` with this message if there is none."""
        wait_s = self.take(key)
        if wait_s:
            raise TooMany(message, retry_after_s=max(1, round(wait_s + 0.5)))

    def _take(self, key: str, tokens: float) -> float:
        if self.per_s <= 0:
            return 0.0
        now = self._clock()
        left, at = self._buckets.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_s)
        short = 1.0 - left
        self._buckets[key] = (left - tokens if short <= 0 else left, now)
        if len(self._buckets) > self._buckets_max:
            del self._buckets[next(iter(self._buckets))]
        return max(0.0, short) / self.per_s

    def __len__(self) -> int:
        return len(self._buckets)


class Busy:
    """How many long requests (imports, exports) each client may have served at once: each holds a
    thread and a connection to the database for as long as the client likes."""

    def __init__(self, at_once: int):
        self.at_once = at_once
        self._running: dict[int, int] = {}

    def enter(self, client_id: int) -> Callable[[], None]:
        """One more of this client; call what is returned when it is done, once or more. Raises
        `TooMany`."""
        running = self._running.get(client_id, 0)
        if running >= self.at_once:
            raise TooMany(TOO_MANY_AT_ONCE, retry_after_s=AGAIN_S)
        self._running[client_id] = running + 1
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._running[client_id] -= 1
                if not self._running[client_id]:
                    del self._running[client_id]

        return leave

    def __len__(self) -> int:
        return sum(self._running.values())
