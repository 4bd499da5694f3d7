"""When to try again, and after how long. Pure: chance is an argument."""

from email.utils import parsedate_to_datetime

from msgspec import Struct

#: refused now, may be taken a moment later
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Retry(Struct, frozen=True):
    """How patient a client is."""

    #: attempts, the first one included
    attempts: int = 5
    #: seconds before the second attempt; doubles each time
    base_s: float = 0.25
    #: longest wait, in seconds
    wait_max_s: float = 30.0

    def wait_s(self, attempt: int, chance: float, retry_after: str | None, now_s: float) -> float:
        """Seconds to wait after this attempt (from 1) failed; `chance` in 0..1 spreads clients
        that failed together. What the server asked for comes first."""
        asked = retry_after_s(retry_after, now_s)
        if asked is not None:
            return min(asked, self.wait_max_s)
        full = min(self.base_s * 2 ** (attempt - 1), self.wait_max_s)
        return float(full * (0.5 + chance / 2))


def retry_after_s(header: str | None, now_s: float) -> float | None:
    """Seconds that a Retry-After header (RFC 9110, section 10.2.3) asks to wait, or None."""
    if not header:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now_s)
    except ValueError:
        return None
