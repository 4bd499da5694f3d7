"""One language model behind HTTP: asked patiently, within limits, and not again for what is kept.

Nothing here judges an answer. A call ends in a `Said`: a reply, or a fault in words; only what
would fail for every item (a wrong key, an unknown model) is raised.
"""

import asyncio
import hashlib
import random
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Self

import httpx
import msgspec
from msgspec import Struct

from canut.agents.llm.books import Books
from canut.agents.llm.budget import Charge, Clock, Prices, Sleep, Spent, most
from canut.agents.llm.wire import (
    MODES,
    Ask,
    Endpoint,
    Garbled,
    Mode,
    Reply,
    Usage,
    body,
    detail,
    headers,
    parse,
    retry_after,
)
from canut.errors import Unavailable

#: the server could not, and may be able to later
_LATER = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
#: the server does not take this way of asking for a schema
_OTHERWISE = frozenset({400, 415, 422, 501})
#: faults that another try would not mend
_FINAL = frozenset({"refused", "length", "budget", "error"})
#: items in a row to which a server gives nothing, after which it is given up
IN_VAIN_MAX = 10
#: largest reply that is read, in bytes
_REPLY_BYTES_MAX = 4_000_000


class Limits(Struct, frozen=True):
    """How hard a model may be worked, and how long one waits for it."""

    #: calls on their way at once
    concurrency: int = 8
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    #: seconds a call may take
    timeout_s: float = 60.0
    #: tries of one call, the first included
    tries: int = 5
    #: first pause after a failure; doubled each time, and drawn between half and all of it
    backoff_s: float = 0.5
    #: longest pause; a server that asks for a longer one is given up for this item
    backoff_max_s: float = 60.0


class Fault(Struct, frozen=True):
    """Why a call gave nothing to judge."""

    #: "busy", "late", "lost", "garbled", "refused", "length", "budget", "error"
    code: str
    #: what the server said, where it said something
    detail: str = ""


class Said(Struct, frozen=True):
    """How a call ended: exactly one of `reply` and `fault` is there."""

    reply: Reply | None
    fault: Fault | None
    charges: tuple[Charge, ...]


class Client:
    """A model that can be asked, inside of `async with client`; again and again, in one event loop
    at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        prices: Prices,
        limits: Limits,
        books: Books,
        *,
        chance: Callable[[], float] = random.random,
        clock: Clock = time.monotonic,
        wall: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
        ledger: Callable[[Charge], None] | None = None,
    ):
        self.endpoint = endpoint
        self.prices = prices
        self.limits = limits
        self.books = books
        self._chance, self._clock, self._wall, self._sleep = chance, clock, wall, sleep
        self._ledger = ledger or (lambda charge: None)
        self._mode = 0
        self._in_vain = 0
        self._open = ExitStack()

    async def __aenter__(self) -> Self:
        self._open.enter_context(self.books.opened())
        self._in_vain = 0
        self._places = asyncio.Semaphore(self.limits.concurrency)
        # Redirects are not followed: the key and the item go where the operator said, only. Nor
        # does a proxy or a .netrc of the environment come between.
        timeout = self.limits.timeout_s
        self._http = httpx.AsyncClient(
            timeout=timeout, follow_redirects=False, trust_env=False, verify=_tls()
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.close()
        await self._http.aclose()

    @property
    def given_up(self) -> bool:
        """Whether the server gave nothing to several items in a row, and is left alone."""
        return self._in_vain >= IN_VAIN_MAX

    def key(self, ask: Ask) -> str:
        """SHA-256 of all that decides the reply: where, which model, what is asked, the sample.
        Not the mode, which is how the same thing is asked for."""
        place = [self.endpoint.dialect, self.endpoint.url, self.endpoint.model]
        asked = msgspec.json.encode([place, self.endpoint.logprobs, ask], order="sorted")
        return hashlib.sha256(asked).hexdigest()

    async def ask(self, ask: Ask, item: int = 0) -> Said:
        """Ask once, and again while it makes sense. `item` is written into the ledger rows.

        Raises `Unavailable` where no item could be answered: wrong key, unknown model or address.
        Where the server gave nothing to several items in a row, it is left alone until the next
        `async with`: thousands of items are not to wait for it one by one.
        """
        key = self.key(ask)
        kept = self.books.get(key)
        if kept is not None:
            return self._kept(msgspec.json.decode(kept, type=Reply), item)
        async with self._places:
            if self.given_up:
                return Said(None, Fault("busy", "it was given up for this run"), ())
            said = await self._insist(ask, item, key)
        in_vain = said.fault is not None and said.fault.code in ("busy", "late", "lost")
        self._in_vain = self._in_vain + 1 if in_vain else 0
        return said

    def _kept(self, reply: Reply, item: int) -> Said:
        charge = Charge(item, self.endpoint.model, 0, 0, 0, 0, "cache", 0)
        self.books.saved(charge)
        self._ledger(charge)
        ended = self._ended(reply)
        if isinstance(ended, Reply):
            return Said(reply, None, (charge,))
        return Said(None, ended[0], (charge,))

    async def _insist(self, ask: Ask, item: int, key: str) -> Said:
        charges: list[Charge] = []
        pause = self.limits.backoff_s
        fault = Fault("busy")
        mode, left = self._mode, self.limits.tries
        while left:
            outcome = await self._once(ask, item, key, MODES[self.endpoint.dialect][mode], charges)
            if isinstance(outcome, Reply):
                # Kept only now: a refusal may have been about this item, not about the mode.
                self._mode = max(mode, self._mode)
                return Said(outcome, None, tuple(charges))
            if outcome is None:
                mode += 1
                continue
            fault, wanted_s = outcome
            left -= 1
            wait = max(wanted_s, pause * (0.5 + self._chance() / 2))
            if fault.code in _FINAL or not left or wait > self.limits.backoff_max_s:
                break
            pause = min(pause * 2, self.limits.backoff_max_s)
            await self._sleep(wait)
        return Said(None, fault, tuple(charges))

    async def _once(
        self, ask: Ask, item: int, key: str, mode: Mode, charges: list[Charge]
    ) -> Reply | tuple[Fault, float] | None:
        """One try: the reply; or what is wrong and for how long the server wants peace; or None
        where it does not take this mode."""
        request = msgspec.json.encode(body(self.endpoint, ask, mode))
        bound = most(request, ask)
        reserved = self.prices.cost(bound)
        try:
            call = await self.books.afford(item, bound, reserved)
        except Spent as spent:
            return Fault("budget", spent.kind), 0.0
        # Until it is known that nothing was charged, the most is: cancelled calls too.
        usage, basis, begun = bound, "assumed", 0.0
        sent = False
        try:
            await self.books.turn(len(request) // 4 + ask.max_tokens)
            begun, sent = self._clock(), True
            status, answered, data = await self._post(request)
            if status != 200:
                sent = False
                return self._judge(status, answered, data, mode)
            reply = parse(self.endpoint, data)
            if reply.usage is not None:
                usage, basis = reply.usage, "counted"
            # Whatever it is worth, it was paid for: the same question gets the same reply.
            self.books.put(key, msgspec.json.encode(reply))
            return self._ended(reply)
        except httpx.ConnectError:
            sent = False
            return Fault("lost", "no connection"), 0.0
        except (httpx.TimeoutException, TimeoutError):
            return Fault("late"), 0.0
        except (httpx.TransportError, httpx.DecodingError):
            return Fault("lost", "the connection broke"), 0.0
        except Garbled as error:
            return Fault("garbled", str(error)), 0.0
        finally:
            self._settle(item, call, usage if sent else None, basis, begun, charges)

    def _settle(
        self,
        item: int,
        call: int,
        usage: Usage | None,
        basis: str,
        begun: float,
        charges: list[Charge],
    ) -> None:
        if usage is None:
            self.books.settle(call, None)
            return
        counts = (usage.tokens_in, usage.tokens_kept, usage.tokens_out)
        latency_ms = round((self._clock() - begun) * 1000)
        cost = self.prices.cost(usage)
        charge = Charge(item, self.endpoint.model, *counts, cost, basis, latency_ms)
        self.books.settle(call, charge)
        charges.append(charge)
        self._ledger(charge)

    async def _post(self, request: bytes) -> tuple[int, httpx.Headers, bytes]:
        """Send a request; the whole reply within the time allowed, not only its next byte."""
        address = self.endpoint.address
        sent = {"content-type": "application/json", **headers(self.endpoint)}
        async with asyncio.timeout(self.limits.timeout_s):
            async with self._http.stream("POST", address, content=request, headers=sent) as got:
                data = bytearray()
                async for chunk in got.aiter_bytes():
                    data += chunk
                    if len(data) > _REPLY_BYTES_MAX:
                        raise Garbled(f"is larger than {_REPLY_BYTES_MAX:,} bytes")
                return got.status_code, got.headers, bytes(data)

    def _ended(self, reply: Reply) -> Reply | tuple[Fault, float]:
        """A reply that was cut off or refused has nothing to judge."""
        if reply.end == "done":
            return reply
        said = self.endpoint.key.hide(reply.text)[:300] if reply.end == "refused" else ""
        return Fault(reply.end, said), 0.0

    def _judge(
        self, status: int, answered: httpx.Headers, data: bytes, mode: Mode
    ) -> tuple[Fault, float] | None:
        said = detail(self.endpoint, data)
        if status in _LATER:
            wanted_s = retry_after(answered.get("retry-after", ""), self._wall())
            if wanted_s <= self.limits.backoff_max_s:
                self.books.hold(wanted_s)
            return Fault("busy", f"{status}: {said}"), wanted_s
        if status in _OTHERWISE and mode != MODES[self.endpoint.dialect][-1]:
            return None
        if status in _OTHERWISE or status == 413:
            return Fault("error", f"{status}: {said}"), 0.0
        host, model = self.endpoint.host, self.endpoint.model
        if status in (401, 403):
            raise Unavailable(
                f"{host} refuses the key of the model {model!r} ({status}).",
                mend="check the key in the environment variable that the model names",
            )
        raise Unavailable(
            f"{host} does not answer for the model {model!r} ({status}): {said}",
            mend="check the address and the name of the model",
        )


@cache
def _tls() -> ssl.SSLContext:
    """Certificates that are trusted; reading them takes as long as many calls."""
    return httpx.create_ssl_context(trust_env=False)
