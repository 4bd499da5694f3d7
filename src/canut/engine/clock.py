"""The clock of the engine."""

import time


def now_ms() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // 1_000_000
