"""The SQL of language models: calls and what they cost, budgets, replies, and who may ask when."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.agents.llm.budget import Charge, Spent
from canut.agents.llm.models import Model
from canut.agents.llm.wire import Usage
from canut.db.rows import of

Sync = Connection[Any]
#: opens a connection that commits by itself
Connect = Callable[[], AbstractContextManager[Sync]]

AFFORD = """
select call_id, spent from llm_afford(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
SETTLE = "select llm_settle(%s, %s, %s, %s, %s, %s, %s)"
SAVED = "select llm_saved(%s, %s, %s, %s, %s, %s)"
TURN = "select llm_turn_at(%s, %s, %s, %s, %s)"
HOLD = """
insert into llm_place as p (place, not_before_ms) values (%s, %s)
on conflict (place) do update set not_before_ms = greatest(p.not_before_ms, excluded.not_before_ms)
"""
REPLY = "select reply from llm_reply where key = %s"
# what another engine has kept meanwhile is a reply to the same question
KEEP = "insert into llm_reply (key, reply, at_ms) values (%s, %s, %s) on conflict do nothing"

SPENT = """
select s.kind, s.of, s.currency, s.calls, s.cached, s.tokens_in, s.tokens_out, s.cost_micro
from llm_spend s join llm_periods('', null, %(now)s) p on p.kind = s.kind and p.of = s.of
where s.agent_id = %(agent)s and s.kind in ('ever', 'month', 'day') order by s.kind"""
BATCHES = """
select s.kind, s.of, s.currency, s.calls, s.cached, s.tokens_in, s.tokens_out, s.cost_micro
from llm_spend s where s.agent_id = %s and s.kind = 'batch' order by s.of::bigint desc limit %s"""
CALLS = """
select id, version, task_id, batch_id, model, tokens_in, tokens_kept, tokens_out, cost_micro,
       currency, basis, latency_ms, at_ms
from llm_call where agent_id = %s order by id desc limit %s"""

# scores of answers that people have judged blind, of versions told the same, before any of them
# could be evidence for the version that is being made
JUDGED = """
select (p.evidence ->> 'score')::float8, not b.wrong
from blind_answer b
join licence l on l.id = b.licence_id
join agent_version v on v.agent_id = b.contributor_id and v.hash = l.basis
join agent_prediction p on p.version_id = v.id and p.task_id = b.task_id
where b.contributor_id = %(agent)s and b.wrong is not null and p.evidence ? 'score'
  and v.version ->> 'schema' = %(schema)s and v.version ->> 'prompt' = %(prompt)s
order by b.id desc limit %(most)s"""


class Spend(Struct, frozen=True):
    """What an agent has spent on calls in a period, or on a batch."""

    #: "ever", "day", "month", "batch"
    kind: str
    #: "", "2026-11-22", "2026-11" (of UTC), or the number of the batch
    of: str
    currency: str
    #: paid calls, and those that were saved because the reply was there
    calls: int
    cached: int
    tokens_in: int
    tokens_out: int
    cost_micro: int


class Call(Struct, frozen=True):
    """A row of the ledger: a call, or one that was saved."""

    id: int
    #: hash of the version that asked
    version: str
    #: None: a question of an exam
    task_id: int | None
    batch_id: int | None
    model: str
    tokens_in: int
    tokens_kept: int
    tokens_out: int
    cost_micro: int
    currency: str
    #: "counted", "assumed", "cache"
    basis: str
    latency_ms: int
    at_ms: int


class StoredBooks:
    """The books of one version of an agent in the database, shared by all engines
    (`canut.agents.llm.books.Books`).

    Several calls wait for the same connection in turn, for as long as a statement takes: a
    thousandth of what a model takes.
    """

    def __init__(
        self,
        connect: Connect,
        agent_id: int,
        version: str,
        model: Model,
        *,
        wall: Callable[[], float] = time.time,
    ):
        """`wall` is Unix time, in seconds."""
        self._connect, self._agent, self._version, self._model = connect, agent_id, version, model
        self._place = f"{model.endpoint.url} {model.endpoint.model}"
        self._wall = wall
        self._conn: Sync | None = None
        self._open: set[int] = set()
        self._waiting: list[asyncio.Future[None]] = []

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Open them for calls of one event loop."""
        self._open.clear()
        self._waiting.clear()
        with self._connect() as conn:
            self._conn = conn
            try:
                yield
            finally:
                self._conn = None

    def get(self, key: str) -> bytes | None:
        """The reply under this key, or None."""
        row = self._run(REPLY, [key])
        return bytes(row[0]) if row else None

    def put(self, key: str, reply: bytes) -> None:
        """Keep a reply."""
        self._db.execute(KEEP, [key, reply, self._now_ms()])

    async def afford(self, item: int, most: Usage, cost: int) -> int:
        """Set aside what a call may come to; its number. Where a budget does not cover it now, but
        may when calls on their way here turn out cheaper than feared, wait for these. Raises
        `Spent`."""
        limits = self._model.budgets
        while True:
            row = self._run(
                AFFORD,
                [
                    *(self._agent, self._version, item, self._model.endpoint.model),
                    *(self._model.currency, most.tokens_in, most.tokens_out, cost),
                    *(limits.ever, limits.day, limits.month, limits.batch, self._now_ms()),
                ],
            )
            assert row is not None
            if row[0] is not None:
                self._open.add(row[0])
                return int(row[0])
            if not self._open:
                raise Spent(row[1])
            woken = asyncio.get_running_loop().create_future()
            self._waiting.append(woken)
            await woken

    def settle(self, call: int, charge: Charge | None) -> None:
        """What the call came to; None: nothing."""
        told: list[Any] = [None] * 6
        if charge:
            told = [charge.tokens_in, charge.tokens_kept, charge.tokens_out]
            told += [charge.cost, charge.basis, charge.latency_ms]
        self._db.execute(SETTLE, [call, *told])
        self._open.discard(call)
        for woken in self._waiting:
            if not woken.done():
                woken.set_result(None)
        self._waiting.clear()

    def saved(self, charge: Charge) -> None:
        """Nothing was asked: the reply was there."""
        model = self._model
        row = [self._agent, self._version, charge.item, model.endpoint.model, model.currency]
        self._db.execute(SAVED, [*row, self._now_ms()])

    async def turn(self, tokens: int) -> None:
        """Come back when a request of this many tokens may go, of all engines together."""
        limits = self._model.limits
        wanted = [self._place, limits.requests_per_minute, limits.tokens_per_minute, tokens]
        while row := self._run(TURN, [*wanted, self._now_ms()]):
            if not row[0]:
                return
            await asyncio.sleep(row[0] / 1000)

    def hold(self, seconds: float) -> None:
        """Let no request go for this long, from any engine."""
        self._db.execute(HOLD, [self._place, self._now_ms() + round(seconds * 1000)])

    @property
    def _db(self) -> Sync:
        assert self._conn is not None, "the books are closed"
        return self._conn

    def _run(self, sql: str, values: list[Any]) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(sql, values).fetchone()
        return row

    def _now_ms(self) -> int:
        return int(self._wall() * 1000)


def spent(conn: Sync, agent_id: int, now_ms: int) -> list[Spend]:
    """What an agent has spent ever, this month and today; nothing where it has not."""
    cursor = conn.cursor(row_factory=of(Spend))
    return cursor.execute(SPENT, {"agent": agent_id, "now": now_ms}).fetchall()


def spent_on_batches(conn: Sync, agent_id: int, limit: int = 50) -> list[Spend]:
    """What it has spent on batches, the newest first."""
    return conn.cursor(row_factory=of(Spend)).execute(BATCHES, [agent_id, limit]).fetchall()


def calls(conn: Sync, agent_id: int, limit: int = 100) -> list[Call]:
    """The newest rows of the ledger, the last first."""
    return conn.cursor(row_factory=of(Call)).execute(CALLS, [agent_id, limit]).fetchall()


def judged(
    conn: Sync, agent_id: int, schema: str, prompt: str, most: int
) -> list[tuple[float, bool]]:
    """(score, right) of the newest blind answers of an agent, under versions that were asked the
    same in the same words."""
    values = {"agent": agent_id, "schema": schema, "prompt": prompt, "most": most}
    return conn.execute(JUDGED, values).fetchall()
