"""The books of a language model: replies that were paid for, money, and how fast it may be asked.

A client looks into them before each call and writes into them after it. Here are what books are,
and those that live as long as a process; `canut.agents.llm.store` has those of an installation,
which all engines share.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from canut.agents.llm.budget import Budget, Charge, Pace
from canut.agents.llm.wire import Usage


class Books(Protocol):
    """What is known before a call, and kept after it. Used in one event loop at a time."""

    def opened(self) -> AbstractContextManager[None]:
        """Open them for calls of one event loop."""

    def get(self, key: str) -> bytes | None:
        """The reply under this key (SHA-256, 64 characters), or None."""

    def put(self, key: str, reply: bytes) -> None:
        """Keep a reply; the same key always comes with a reply to the same question."""

    async def afford(self, item: int, most: Usage, cost: int) -> int:
        """Set aside what a call for this item may come to, in tokens and micro-units; its number.
        Raises `Spent` where a budget does not cover it."""

    def settle(self, call: int, charge: Charge | None) -> None:
        """What the call came to; None: the server never got it, and it cost nothing."""

    def saved(self, charge: Charge) -> None:
        """Nothing was asked: the reply was there."""

    async def turn(self, tokens: int) -> None:
        """Come back when a request of this many tokens may go."""

    def hold(self, seconds: float) -> None:
        """Let no request go for this long: the server has asked for it."""


class MemoryBooks:
    """Books that live as long as the process."""

    def __init__(self, budget: Budget | None = None, pace: Pace | None = None):
        self.budget = budget or Budget(None)
        self.pace = pace or Pace(None, None)
        self.kept: dict[str, bytes] = {}
        self._reserved: dict[int, int] = {}
        self._calls = 0

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Open them for calls of one event loop."""
        self.pace.begin()
        yield

    def get(self, key: str) -> bytes | None:
        """The reply under this key, or None."""
        return self.kept.get(key)

    def put(self, key: str, reply: bytes) -> None:
        """Keep a reply."""
        self.kept[key] = reply

    async def afford(self, item: int, most: Usage, cost: int) -> int:
        """Set aside what a call may come to; its number. Raises `Spent`."""
        await self.budget.afford(cost)
        self._calls += 1
        self._reserved[self._calls] = cost
        return self._calls

    def settle(self, call: int, charge: Charge | None) -> None:
        """What the call came to."""
        self.budget.settle(self._reserved.pop(call), charge.cost if charge else 0)

    def saved(self, charge: Charge) -> None:
        """Nothing was asked."""

    async def turn(self, tokens: int) -> None:
        """Come back when a request of this many tokens may go."""
        await self.pace.wait(tokens)

    def hold(self, seconds: float) -> None:
        """Let no request go for this long."""
        self.pace.hold(seconds)
