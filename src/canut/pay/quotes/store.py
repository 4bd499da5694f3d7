"""The SQL of quotes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg.types.json import Jsonb

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.quotes.model import Quote
from canut.processes.model import StepDefinition

DAYS = 14
DAY_MS = 86_400_000

BATCH = """
select b.id, b.client_id, b.state, b.n_items, b.deadline_ms, b.created_ms,
       p.currency, p.funded_ms, p.short_ms is not null as short,
       b.n_items - coalesce((select min(s.n_decided) from batch_step s
                             where s.batch_id = b.id), 0) as undecided,
       coalesce((select sum((q.quote ->> 'items')::int) from quote q
                 where q.batch_id = b.id and q.agreed_ms is not null), 0) as agreed_items
from batch b left join batch_pay p on p.batch_id = b.id where b.id = %s"""
# the next quote of it is agreed to when this one is done
LOCK_BATCH = "select 1 from batch where id = %s for no key update"
# a quote of it that was agreed to after this one was made
SUPERSEDED = """
select exists (select from quote q join quote other on other.batch_id = q.batch_id
               where q.id = %s and (other.agreed_ms > q.made_ms or other.id > q.id)
                 and other.agreed_ms is not null)"""

# what is known of each step of a batch
STEPS = """
select s.id as batch_step_id, s.process_id, s.slug, s.lease_ms, s.min_answers, s.max_answers,
       s.target, s.gold_share, s.audit_share, s.audits_max, s.panel,
       tariff_now(s.process_id, s.slug, %(now)s) as tariff_id,
       (select m.skill from step_model m
        where m.process_id = s.process_id and m.step_slug = s.slug) as skill,
       (select count(*) from contributor c
        where c.kind = 'person' and c.state = 'active' and s.skills <@ c.skills
          and (not s.licence or exists (
              select from licence l where l.contributor_id = c.id and l.process_id = s.process_id
                and l.step_slug = s.slug and l.state = 'in_force'))) as people
from batch_step s where s.batch_id = %(batch)s order by s.position"""

# the same of a step that is only thought of: of the client's own process, or else the library's
PLANNED = """
select p.id, tariff_now(p.id, %(step)s, %(now)s),
       (select m.skill from step_model m where m.process_id = p.id and m.step_slug = %(step)s),
       (select count(*) from contributor c
        where c.kind = 'person' and c.state = 'active' and %(skills)s::text[] <@ c.skills
          and (not %(licence)s or exists (
              select from licence l where l.contributor_id = c.id and l.process_id = p.id
                and l.step_slug = %(step)s and l.state = 'in_force')))
from process p
where p.slug = %(process)s and (p.client_id is null or p.client_id = %(client)s)
order by p.client_id nulls last limit 1"""

# of its decided tasks, as the engine has counted them, here and in the same step of other batches
HISTORY = """
select sum(n_answers)::float / nullif(sum(n_decided), 0) as answers, coalesce(sum(n_decided), 0)
from batch_step where process_id = %s and slug = %s"""

# answers a day of its last active days
DAILY = """
select (w.ended_ms / %(day)s) as day, count(*) as n
from batch_step s join work_time w on w.batch_step_id = s.id and w.answered
where s.process_id = %(process)s and s.slug = %(step)s and w.ended_ms >= %(since)s
group by 1 having count(*) > 0 order by 1"""

# what language models have cost for each task they predicted at the step, in this currency
AI = """
select coalesce(sum(l.cost_micro), 0)::bigint, coalesce(sum(l.calls + l.cached), 0)::bigint
from agent a join llm_spend l on l.agent_id = a.id and l.kind = 'ever' and l.currency = %(currency)s
where a.process_id = %(process)s and a.step_slug = %(step)s and a.state = 'active'"""

ADD = """
insert into quote (batch_id, currency, total_minor, quote, made_ms)
values (%s, %s, %s, %s, %s) returning id"""

_OFFER = "select id, batch_id, currency, total_minor, quote, made_ms, agreed_ms from quote q\n"
OFFER = _OFFER + "where q.id = %s"
OFFERS = _OFFER + "where q.batch_id = %s order by q.id desc limit 50"
# the last of each batch of a client, while it is not agreed to
OPEN = """
select q.id, q.batch_id, q.currency, q.total_minor, q.quote, q.made_ms, q.agreed_ms
from batch b cross join lateral (
    select * from quote where batch_id = b.id order by id desc limit 1) q
where b.id = any(%s) and b.client_id = %s and q.agreed_ms is null"""
AGREE = "update quote set agreed_ms = %s, account_id = %s where id = %s and agreed_ms is null"


class BatchFacts(Struct, frozen=True):
    """A batch that is quoted."""

    id: int
    client_id: int
    state: str
    n_items: int
    deadline_ms: int | None
    created_ms: int
    #: of money it has; None: none yet
    currency: str | None
    #: when it was first agreed to, by whose rules it pays the fee; None: not yet
    funded_ms: int | None
    #: it ran out of money
    short: bool
    undecided: int
    #: items that quotes were agreed to for
    agreed_items: int


class StepRow(Struct, frozen=True):
    """A step of it."""

    batch_step_id: int
    process_id: int
    slug: str
    lease_ms: int
    min_answers: int
    max_answers: int
    target: float
    gold_share: float
    audit_share: float
    audits_max: int
    panel: int
    tariff_id: int | None
    skill: float | None
    people: int


class OfferRow(Struct, frozen=True):
    """A quote as it is kept."""

    id: int
    batch_id: int
    currency: str
    total_minor: int
    quote: dict[str, Any]
    made_ms: int
    agreed_ms: int | None


def batch(conn: SyncConn, batch_id: int) -> BatchFacts | None:
    with conn.cursor(row_factory=of(BatchFacts)) as cursor:
        found: BatchFacts | None = cursor.execute(BATCH, [batch_id]).fetchone()
    return found


def steps(conn: SyncConn, batch_id: int, now_ms: int) -> list[StepRow]:
    with conn.cursor(row_factory=of(StepRow)) as cursor:
        values = {"batch": batch_id, "now": now_ms}
        found: list[StepRow] = cursor.execute(STEPS, values).fetchall()
    return found


def planned(
    conn: SyncConn, client_id: int, process: str, step: StepDefinition, now_ms: int
) -> tuple[int, int | None, float | None, int] | None:
    """Process, tariff, skill and people of a step of a process of this name; None: there is no such
    process."""
    values = {"client": client_id, "process": process, "step": step.slug, "now": now_ms}
    values |= {"skills": list(step.skills), "licence": step.licence}
    found: tuple[int, int | None, float | None, int] | None = conn.execute(
        PLANNED, values
    ).fetchone()
    return found


def answers(conn: SyncConn, process_id: int, slug: str) -> tuple[float | None, int]:
    """Answers for each decided task, and how many were decided."""
    row = conn.execute(HISTORY, [process_id, slug]).fetchone()
    return (None, 0) if row is None else (row[0], int(row[1]))


def daily(conn: SyncConn, process_id: int, slug: str, now_ms: int) -> list[int]:
    """Answers of each day of the last DAYS on which there were any."""
    values = {
        "process": process_id,
        "step": slug,
        "day": DAY_MS,
        "since": now_ms - DAYS * DAY_MS,
    }
    return [n for _, n in conn.execute(DAILY, values)]


def ai(conn: SyncConn, process_id: int, slug: str, currency: str) -> tuple[int, int]:
    """Micro-units, and the predictions they were for."""
    values = {"process": process_id, "step": slug, "currency": currency}
    row = conn.execute(AI, values).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def add(conn: SyncConn, batch_id: int, quote: Quote, now_ms: int) -> int:
    values = [
        batch_id,
        quote.currency,
        quote.total_minor,
        Jsonb(msgspec.to_builtins(quote)),
        now_ms,
    ]
    row = conn.execute(ADD, values).fetchone()
    assert row is not None
    return int(row[0])


def offer(conn: SyncConn, quote_id: int, *, lock: bool = False) -> OfferRow | None:
    with conn.cursor(row_factory=of(OfferRow)) as cursor:
        sql = OFFER + " for update" if lock else OFFER
        found: OfferRow | None = cursor.execute(sql, [quote_id]).fetchone()
    return found


def offers(conn: SyncConn, batch_id: int) -> list[OfferRow]:
    with conn.cursor(row_factory=of(OfferRow)) as cursor:
        found: list[OfferRow] = cursor.execute(OFFERS, [batch_id]).fetchall()
    return found


def open_offers(conn: SyncConn, client_id: int, batches: Sequence[int]) -> list[OfferRow]:
    with conn.cursor(row_factory=of(OfferRow)) as cursor:
        found: list[OfferRow] = cursor.execute(OPEN, [[*batches], client_id]).fetchall()
    return found


def lock_batch(conn: SyncConn, batch_id: int) -> None:
    """Until the transaction ends, nobody else agrees to a quote of it."""
    conn.execute(LOCK_BATCH, [batch_id])


def superseded(conn: SyncConn, quote_id: int) -> bool:
    row = conn.execute(SUPERSEDED, [quote_id]).fetchone()
    return bool(row and row[0])


def agree(conn: SyncConn, quote_id: int, account_id: int | None, now_ms: int) -> None:
    conn.execute(AGREE, [now_ms, account_id, quote_id])
