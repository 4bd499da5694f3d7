"""A batch that pays, for tests: a tariff, people, money, answers with times."""

from typing import Any

import psycopg
from msgspec import Struct

from canut.pay.accrual import accrue
from canut.pay.funding import BatchFunds, deposit, fund
from canut.pay.quotes import Offer, make_quote
from canut.pay.tariffs import Tariff, find_step, set_tariff
from canut.pay.tariffs.model import StepName
from canut.pay.time import count_time
from canut.people.store import COMMAND_LINE
from canut.processes.store import find_version
from canut.work.decide import decide_fresh
from canut.work.intake import add_items, one_block, open_batch
from canut.work.tasks import Steps
from tests import factories as make

NOW = make.NOW
SECOND = 1000


class Paid(Struct):
    """A batch of which the step pays."""

    work: make.Work
    step: StepName
    tariff: Tariff

    @property
    def batch_step(self) -> int:
        return self.work.batch_steps[0]


def paid(
    conn: psycopg.Connection,
    *,
    items: int = 3,
    assumed_ms: int = 30_000,
    now: int = NOW,
    **step: Any,
) -> Paid:
    """A batch whose step is in its pilot, opened after its tariff was set."""
    values = {"min_answers": 1, "max_answers": 1} | step
    first = make.work(conn, make.step(**values), items=1)
    slug = make.one(conn, "select slug from process where id = %s", first.process_id)
    client = make.one(conn, "select slug from client where id = %s", first.client_id)
    name = find_step(conn, slug, "colour", client)
    tariff = set_tariff(
        conn, COMMAND_LINE, name, now - 1, currency="EUR", assumed_ms=assumed_ms, why="a pilot"
    )
    return Paid(again(conn, first, items), name, tariff)


def again(conn: psycopg.Connection, first: make.Work, items: int) -> make.Work:
    """Another batch of the same process."""
    batch = make.one(
        conn,
        """insert into batch (client_id, process_version_id, key, name, n_items, created_ms)
        select client_id, process_version_id, 'k' || clock_timestamp()::text, 'Batch', %s, %s
        from batch where id = %s returning id""",
        *(items, NOW, first.batch_id),
    )
    step = make.one(
        conn,
        """insert into batch_step (batch_id, step_id, position, process_id, slug, lease_ms,
            min_answers, max_answers, target, gold_share, audit_share, n_tasks)
        select %s, step_id, position, process_id, slug, lease_ms, min_answers, max_answers, target,
            0, 0, %s
        from batch_step where id = %s returning id""",
        *(batch, items, first.batch_steps[0]),
    )
    rows = conn.execute(
        """insert into item (batch_id, key, payload)
        select %s, n::text, '{"title": "x"}' from generate_series(1, %s) n returning id""",
        [batch, items],
    ).fetchall()
    ids = [row[0] for row in rows]
    tasks = conn.execute(
        """insert into task (batch_step_id, item_id, wanted, slots)
        select %s, i, s.min_answers, s.min_answers
        from unnest(%s::bigint[]) i join batch_step s on s.id = %s order by i returning id""",
        [step, ids, step],
    ).fetchall()
    return make.Work(
        first.client_id,
        first.process_id,
        first.version_id,
        batch,
        [step],
        ids,
        [t[0] for t in tasks],
    )


def funded(conn: psycopg.Connection, one: Paid, now: int = NOW) -> tuple[Offer, BatchFunds]:
    """Quoted, paid in and agreed."""
    offer = make_quote(conn, COMMAND_LINE, one.work.batch_id, now)
    total = offer.quote.total_minor
    deposit(conn, COMMAND_LINE, one.work.client_id, total, "EUR", f"wire {offer.id}", now)
    return offer, fund(conn, COMMAND_LINE, offer.id, now)


def work_on(
    conn: psycopg.Connection, one: Paid, who: int, count: int, took_ms: int, now: int = NOW
) -> list[int]:
    """Claim tasks, and answer them one after the other on the task screen."""
    tasks = make.claim(conn, who, count, one.work.batch_id, now)
    at = now
    for task in tasks:
        made = conn.execute(
            """select finish_task(%s, %s, %s, 'answer', '"red"', 0, null, null, '',
                                  %s::int8multirange, null, %s)""",
            [who, task, one.batch_step, f"{{[{at},{at + took_ms})}}", at + took_ms],
        ).fetchone()
        assert made == ("accepted",)
        at += took_ms
    return tasks


def engine(conn: psycopg.Connection, now: int = NOW) -> int:
    """What an engine does in a minute: decide, count times, pay."""
    decide_fresh(conn, Steps(), now, 10_000)
    while count_time(conn, now):
        pass
    return accrue(conn, now)


def sums(conn: psycopg.Connection) -> dict[str, tuple[int, int, int]]:
    """Kind of account -> what it has, what is held to leave it, and to come."""
    rows = conn.execute(
        """select kind, sum(credits - debits)::bigint, sum(debits_pending)::bigint,
                  sum(credits_pending)::bigint
           from ledger_account group by kind"""
    )
    return {kind: tuple(rest) for kind, *rest in rows}


def paid_batches(conn: psycopg.Connection, client: int) -> dict[str, int]:
    """A batch of the client's that is funded, one that waits for money, and a payment by card that
    is not finished, by name."""
    step = find_step(conn, "search/relevance", "relevance", None)
    now = make.one(conn, "select now_ms()")
    set_tariff(conn, COMMAND_LINE, step, now, currency="EUR", assumed_ms=20_000, why="a pilot")
    version = find_version(conn, None, "search/relevance")
    assert version is not None
    made = {}
    deposit(conn, COMMAND_LINE, client, 5_000, "EUR", "E2E-8841", now)
    for key, items in (("funded", 5), ("waiting", 900)):
        batch = open_batch(conn, client, key, version.id, now, name=f"Queries, {key}")
        rows = ({"query": f"lamp {n}", "product": "Ondelaine lamp"} for n in range(items))
        add_items(conn, batch, one_block(rows))
        made[key] = batch.id
        offer = make_quote(conn, COMMAND_LINE, batch.id, now)
        if key == "funded":
            fund(conn, COMMAND_LINE, offer.id, now)
    made["payment"] = make.one(
        conn,
        """insert into payment (client_id, provider, currency, amount, key, state, session, url,
            begun_ms, changed_ms)
        values (%s, 'stripe', 'EUR', 5000, 'k', 'open', 'cs_1', 'https://pay.example', 0, 0)
        returning id""",
        client,
    )
    return made
