"""What a language model costs and may cost: prices, the ledger row of a call, a budget that is
never overspent, limits on requests and tokens a minute.

Money is whole micro-units: millionths of the currency unit (1 EUR = 1,000,000), for a call may
cost less than a cent. A price per million tokens is then a whole number of micro-units too:
2.50 EUR per million tokens is 2,500,000.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

from msgspec import Struct

from canut.agents.llm.wire import Ask, Usage

#: tokens a server may add of its own around a request: template, names of roles, the tool
OVERHEAD_TOKENS = 200
_WINDOW_S = 60.0

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Prices(Struct, frozen=True):
    """Prices of a model, in micro-units per million tokens."""

    input: int = 0
    output: int = 0
    #: of input tokens the server had kept from before; None: the same as `input`
    kept: int | None = None

    def cost(self, usage: Usage) -> int:
        """Micro-units of one call, rounded up."""
        kept = self.input if self.kept is None else self.kept
        fresh = max(usage.tokens_in - usage.tokens_kept, 0)
        sum_ = fresh * self.input + usage.tokens_kept * kept + usage.tokens_out * self.output
        return -(-sum_ // 1_000_000)


class Charge(Struct, frozen=True):
    """One row of the cost ledger: a call that was made for an item, or saved by the cache."""

    #: key of the item it was made for
    item: int
    #: name of the model, as its endpoint calls it
    model: str
    tokens_in: int
    tokens_kept: int
    tokens_out: int
    #: what it cost, in micro-units
    cost: int
    #: "counted" by the server; "assumed" at its most where the server may have worked and did not
    #: say; "cache": nothing was asked
    basis: str
    latency_ms: int


def most(request: bytes, ask: Ask) -> Usage:
    """The most tokens that a request can come to: a token is at least one byte of text, so the
    whole request at a token a byte, and a reply of the full length."""
    return Usage(tokens_in=len(request) + OVERHEAD_TOKENS, tokens_out=ask.max_tokens)


class Spent(Exception):
    """A budget does not cover another call."""

    def __init__(self, kind: str = "ever"):
        """`kind`: which budget: ever, day, month or batch."""
        super().__init__(kind)
        self.kind = kind


class Budget:
    """Money that may be spent, in micro-units; None for no limit. What is on its way counts at
    its most. Belongs to one event loop."""

    def __init__(self, limit: int | None):
        self.limit = limit
        self.spent = 0
        self.reserved = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def afford(self, cost: int) -> None:
        """Set this much aside, if need be when calls on their way turn out cheaper than feared;
        raises `Spent` where even then it would not do."""
        while True:
            try:
                return self.reserve(cost)
            except Spent:
                if not self.reserved or self.spent + cost > (self.limit or 0):
                    raise
            woken = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken

    def reserve(self, cost: int) -> None:
        """Set this much aside; raises `Spent` where it would go over the limit."""
        if self.limit is not None and self.spent + self.reserved + cost > self.limit:
            raise Spent
        self.reserved += cost

    def settle(self, reserved: int, cost: int) -> None:
        """Give back what was set aside, and take what it came to."""
        self.reserved -= reserved
        self.spent += cost
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)
        self._waiting.clear()


class Pace:
    """At most so many requests and tokens in any minute; None for no limit.

    What was let through in the last minute is remembered one by one, so that no minute, wherever
    it begins, holds more: providers differ in where they begin it.
    """

    def __init__(
        self,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        clock: Clock = time.monotonic,
        sleep: Sleep = asyncio.sleep,
    ):
        self.requests = requests_per_minute
        self.tokens = tokens_per_minute
        self._clock = clock
        self._sleep = sleep
        self._passed: deque[tuple[float, int]] = deque()
        self._in_minute = 0
        self._not_before = 0.0
        self._turn = asyncio.Lock()

    def begin(self) -> None:
        """Begin in a new event loop; what passed in the last minute still counts."""
        self._turn = asyncio.Lock()

    def hold(self, seconds: float) -> None:
        """Let nobody through for this long: the server has asked for it."""
        self._not_before = max(self._not_before, self._clock() + seconds)

    async def wait(self, tokens: int) -> None:
        """Come back when a request of this many tokens may go. First come, first served."""
        async with self._turn:
            while (delay := self._delay(tokens)) > 0:
                await self._sleep(delay)
            self._passed.append((self._clock(), tokens))
            self._in_minute += tokens

    def _delay(self, tokens: int) -> float:
        now = self._clock()
        while self._passed and self._passed[0][0] <= now - _WINDOW_S:
            self._in_minute -= self._passed.popleft()[1]
        if now < self._not_before:
            return self._not_before - now
        many = self.requests is not None and len(self._passed) >= self.requests
        # A request larger than the limit could never go: it goes alone.
        large = self.tokens is not None and self._in_minute + tokens > self.tokens
        if self._passed and (many or large):
            return self._passed[0][0] + _WINDOW_S - now
        return 0.0
