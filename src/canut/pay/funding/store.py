"""The SQL of funding."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.funding.model import BatchFunds, StepCover

FUNDED = """
insert into batch_pay (batch_id, currency, funded_ms) values (%(batch)s, %(currency)s, %(now)s)
on conflict (batch_id) do update set short_ms = null"""

AGREED = """
insert into batch_step_pay (batch_step_id, batch_id, tariff_id, price_minor, unit_minor,
                            answers_most)
select step, %(batch)s, tariff, price, unit, most
from unnest(%(steps)s::bigint[], %(tariffs)s::bigint[], %(prices)s::bigint[],
            %(units)s::bigint[], %(most)s::int[]) as u (step, tariff, price, unit, most)
on conflict (batch_step_id) do nothing"""

# steps without a tariff are not bounded by money; those with one begin at nothing
BEGIN = """
update batch_step s
set funded_to = case when p.batch_step_id is null then 9223372036854775807 else s.funded_to end
from batch_step x left join batch_step_pay p on p.batch_step_id = x.id
where x.id = s.id and s.batch_id = %s"""

# batches with money whose work may go on, and those with audits to be answered; locked, so that
# one engine at a time lets tasks go
OPEN = """
select p.batch_id from batch_pay p join batch b on b.id = p.batch_id
where (b.state in ('running', 'paused') or exists (
        select from batch_step_pay q join task t on t.batch_step_id = q.batch_step_id
        where q.batch_id = p.batch_id and t.open and t.kind = 'audit'))
  and (%(batch)s::bigint is null or p.batch_id = %(batch)s)
order by p.batch_id
for update of p skip locked"""

# the steps of these batches with what is claimed of them; live claims and the inbox are read once,
# whatever the number of batches
STEPS = """
with live as (
    select a.batch_step_id, count(*) as n from assignment a
    join contributor c on c.id = a.contributor_id and c.kind = 'person'
    where a.state = 'claimed' group by a.batch_step_id
), waiting as (
    select i.batch_step_id, count(*) as n from inbox i
    join contributor c on c.id = i.contributor_id and c.kind = 'person'
    group by i.batch_step_id
)
select p.batch_id, p.batch_step_id, p.unit_minor, p.answers_most, p.released, s.n_tasks,
       s.n_decided, coalesce(live.n, 0) as live,
       coalesce(waiting.n, 0)
           + (select count(*) from worked w
              join contributor c on c.id = w.contributor_id and c.kind = 'person'
              where w.batch_step_id = s.id)
           + (select count(*) from earning e where e.batch_step_id = s.id and e.sheet_id is null)
           as pending,
       coalesce((select sum(t.slots) from task t
                 where t.batch_step_id = s.id and t.open and t.kind = 'audit'), 0)::bigint as audits
from batch_step_pay p
join batch_step s on s.id = p.batch_step_id
left join live on live.batch_step_id = s.id
left join waiting on waiting.batch_step_id = s.id
where p.batch_id = any (%s)
order by p.batch_id, s.position"""

ESCROW = """
select a.owner_id, a.credits - a.debits - a.debits_pending
from batch_pay p
join ledger_account a on a.kind = 'batch_escrow' and a.owner_id = p.batch_id
    and a.currency = p.currency
where p.batch_id = any (%s)"""

# the next tasks in order; nobody had any of them
RELEASE = """
with next as (
    select t.id from task t
    where t.batch_step_id = %(step)s and not t.expert and not t.doubtful and t.kind = 'work'
      and t.open and t.id > (select funded_to from batch_step where id = %(step)s)
    order by t.id limit %(n)s
), counted as (
    update batch_step_pay set released = released + (select count(*) from next)
    where batch_step_id = %(step)s
)
update batch_step set funded_to = greatest(funded_to, (select max(id) from next))
where id = %(step)s and exists (select from next)"""

HOLD = """
update batch_step s
set held = %(hold)s, open = not %(hold)s and b.state = 'running' and (s.open or s.held)
from batch b where b.id = s.batch_id and s.batch_id = %(batch)s and s.held <> %(hold)s"""

SHORT = """
update batch_pay set short_ms = %(now)s where batch_id = %(batch)s and short_ms is null
returning batch_id"""
NOT_SHORT = "update batch_pay set short_ms = null where batch_id = %s and short_ms is not null"

# whether a transfer was posted by this call, not by one before with the same key
FIRST_TIME = """
select not exists (select from audit_log where subject = 'transfer' and subject_id = %s
                   and action = %s)"""

NAMES = "select id, client_id, key, name from batch where id = any (%s)"

FUNDS = """
select p.batch_id, p.currency, p.funded_ms, p.short_ms,
       coalesce(e.credits - e.debits - e.debits_pending, 0) as escrow_minor,
       coalesce(r.credits - r.debits - r.debits_pending, 0) as reserve_minor,
       coalesce(e.debits_pending, 0) as held_minor,
       coalesce(e.debits, 0) as pay_minor,
       sum(s.n_tasks)::bigint as n_tasks, sum(q.released)::bigint as released,
       sum(s.n_decided)::bigint as n_decided
from batch_pay p
join batch_step_pay q on q.batch_id = p.batch_id
join batch_step s on s.id = q.batch_step_id
left join ledger_account e on e.kind = 'batch_escrow' and e.owner_id = p.batch_id
    and e.currency = p.currency
left join ledger_account r on r.kind = 'topup_reserve' and r.owner_id = p.batch_id
    and r.currency = p.currency
where p.batch_id = %s
group by p.batch_id, e.id, r.id"""


class CoverRow(Struct, frozen=True):
    """A step of a funded batch."""

    batch_id: int
    batch_step_id: int
    unit_minor: int
    answers_most: int
    released: int
    n_tasks: int
    n_decided: int
    live: int
    pending: int
    audits: int

    def step(self) -> StepCover:
        """Without its batch."""
        return StepCover(
            batch_step_id=self.batch_step_id,
            unit_minor=self.unit_minor,
            answers_most=self.answers_most,
            n_tasks=self.n_tasks,
            released=self.released,
            n_decided=self.n_decided,
            live=self.live,
            pending=self.pending,
            audits=self.audits,
        )


class BatchName(Struct, frozen=True):
    """Whose batch it is, and what it is called."""

    id: int
    client_id: int
    key: str
    name: str


def begin(
    conn: SyncConn, batch_id: int, currency: str, now_ms: int, agreed: dict[str, Any]
) -> None:
    """Write down that a batch has money, and what its steps pay."""
    values = {"batch": batch_id, "currency": currency, "now": now_ms}
    conn.execute(FUNDED, values)
    conn.execute(AGREED, agreed | {"batch": batch_id})
    conn.execute(BEGIN, [batch_id])
    conn.execute(HOLD, {"hold": False, "batch": batch_id})


def open_batches(conn: SyncConn, batch_id: int | None) -> list[int]:
    """Locked until the transaction ends; those that another engine has are left out."""
    return [row[0] for row in conn.execute(OPEN, {"batch": batch_id})]


def steps(conn: SyncConn, batches: Sequence[int]) -> dict[int, list[StepCover]]:
    with conn.cursor(row_factory=of(CoverRow)) as cursor:
        rows: list[CoverRow] = cursor.execute(STEPS, [list(batches)]).fetchall()
    found: dict[int, list[StepCover]] = {}
    for row in rows:
        found.setdefault(row.batch_id, []).append(row.step())
    return found


def escrow(conn: SyncConn, batches: Sequence[int]) -> dict[int, int]:
    """Batch -> what may still be taken from its escrow."""
    return dict(conn.execute(ESCROW, [list(batches)]).fetchall())


def release(conn: SyncConn, batch_step_id: int, n: int) -> None:
    conn.execute(RELEASE, {"step": batch_step_id, "n": n})


def hold(conn: SyncConn, batch_id: int, held: bool) -> None:
    conn.execute(HOLD, {"hold": held, "batch": batch_id})


def short(conn: SyncConn, batch_id: int, now_ms: int | None) -> bool:
    """Whether it is short since now (None: it is not short)."""
    if now_ms is None:
        conn.execute(NOT_SHORT, [batch_id])
        return False
    values = {"batch": batch_id, "now": now_ms}
    return conn.execute(SHORT, values).fetchone() is not None


def names(conn: SyncConn, batches: Sequence[int]) -> list[BatchName]:
    with conn.cursor(row_factory=of(BatchName)) as cursor:
        found: list[BatchName] = cursor.execute(NAMES, [list(batches)]).fetchall()
    return found


def first_time(conn: SyncConn, transfer: int, action: str) -> bool:
    """Whether the audit log does not have this of the transfer yet."""
    row = conn.execute(FIRST_TIME, [str(transfer), action]).fetchone()
    return bool(row and row[0])


def funds(conn: SyncConn, batch_id: int) -> BatchFunds | None:
    with conn.cursor(row_factory=of(BatchFunds)) as cursor:
        found: BatchFunds | None = cursor.execute(FUNDS, [batch_id]).fetchone()
    return found
