"""The SQL of accrual."""

from collections.abc import Sequence

from msgspec import Struct

from canut.db.pool import Conn, SyncConn
from canut.db.rows import all_of, of
from canut.pay.accrual.model import Charged, Due, Earned, Earning, PayNow, Sheet, Work

#: first key of the advisory lock that lets one engine accrue at a time
LOCK = 8
TRY_LOCK = "select pg_try_advisory_xact_lock(%s, 0)"

# answers that the engine has weighed, taken off the list. One that was taken back meanwhile is
# dropped: when it is given again it is listed again. Programs are not paid.
TAKE = """
with taken as (
    delete from worked where ctid = any (array(
        select ctid from worked limit %s for update skip locked))
    returning task_id, contributor_id, batch_step_id
)
select t.task_id, t.contributor_id, t.batch_step_id, nullif(w.agreed_ms, 0) as agreed_ms,
       p.price_minor, f.floor_minor, f.assumed_ms
from taken t
join contributor c on c.id = t.contributor_id and c.kind = 'person'
join answer a on a.task_id = t.task_id and a.contributor_id = t.contributor_id
join batch_step_pay p on p.batch_step_id = t.batch_step_id
join tariff f on f.id = p.tariff_id
left join work_time w on w.task_id = t.task_id and w.contributor_id = t.contributor_id
where not exists (select from inbox i
                  where i.task_id = t.task_id and i.contributor_id = t.contributor_id)
order by t.task_id, t.contributor_id"""

EARN = """
insert into earning (task_id, contributor_id, cause, batch_step_id, amount_minor, basis, paid_ms,
                     earned_ms)
select task, who, 'work', step, amount, basis, ms, %(now)s
from unnest(%(tasks)s::bigint[], %(who)s::bigint[], %(steps)s::bigint[], %(amounts)s::bigint[],
            %(bases)s::text[], %(ms)s::bigint[]) as u (task, who, step, amount, basis, ms)
on conflict do nothing"""

# tasks that were paid by the hour, of which a person decided that they took longer
CORRECT = """
insert into earning (task_id, contributor_id, cause, batch_step_id, amount_minor, basis, paid_ms,
                     earned_ms)
select r.task_id, r.contributor_id, 'time:' || r.id, r.batch_step_id,
       ceil(t.floor_minor * r.agreed_ms / 3600000.0)::bigint - paid.amount, 'hour',
       r.agreed_ms - paid.ms, %(now)s
from time_review r
join batch_step_pay p on p.batch_step_id = r.batch_step_id
join tariff t on t.id = p.tariff_id
cross join lateral (
    select sum(e.amount_minor) as amount, sum(e.paid_ms) as ms from earning e
    where e.task_id = r.task_id and e.contributor_id = r.contributor_id
    having bool_and(e.basis <> 'price')
) paid
where r.decided_ms > %(now)s - %(since)s and paid.ms < r.agreed_ms
  and ceil(t.floor_minor * r.agreed_ms / 3600000.0) > paid.amount
on conflict do nothing"""

# earnings that are on no sheet yet, by batch and contributor
DUE = """
select p.batch_id, e.contributor_id, b.currency, c.jurisdiction, b.funded_ms,
       sum(e.amount_minor)::bigint as amount_minor
from earning e
join batch_step_pay p on p.batch_step_id = e.batch_step_id
join batch_pay b on b.batch_id = p.batch_id
join contributor c on c.id = e.contributor_id
where e.sheet_id is null
group by p.batch_id, e.contributor_id, b.currency, c.jurisdiction, b.funded_ms
order by p.batch_id, e.contributor_id limit %s"""

SHEETS = """
insert into pay_sheet (batch_id, contributor_id, currency, jurisdiction, pay_minor, social_minor,
                       fee_minor, coop_minor, made_ms, accept_ms)
select batch, who, currency, place, pay, social, fee, coop, %(now)s, %(accept)s
from unnest(%(batches)s::bigint[], %(who)s::bigint[], %(currencies)s::text[], %(places)s::text[],
            %(pay)s::bigint[], %(social)s::bigint[], %(fee)s::bigint[], %(coop)s::bigint[])
    with ordinality as u (batch, who, currency, place, pay, social, fee, coop, place_in)
order by place_in
returning id"""

ON_SHEETS = """
update earning e set sheet_id = u.sheet
from unnest(%(sheets)s::bigint[], %(batches)s::bigint[], %(who)s::bigint[])
    as u (sheet, batch, who)
join batch_step_pay p on p.batch_id = u.batch
where e.batch_step_id = p.batch_step_id and e.contributor_id = u.who and e.sheet_id is null"""

HOLDS = """
update pay_sheet s set holds = u.ids::bigint[]
from unnest(%(sheets)s::bigint[], %(holds)s::text[]) as u (sheet, ids) where s.id = u.sheet"""

TO_ACCEPT = """
select id, holds from pay_sheet
where accepted_ms is null and accept_ms <= %s
order by accept_ms, id limit %s for update skip locked"""
ACCEPTED = "update pay_sheet set accepted_ms = %s where id = any (%s)"
ACCEPT_BATCH = """
update pay_sheet set accept_ms = %(now)s
where batch_id = %(batch)s and accepted_ms is null and accept_ms > %(now)s returning id"""

# what language models have cost each batch that has money, and what of it was posted
AI = """
select p.batch_id, p.currency, sum(l.cost_micro)::bigint as micro,
       coalesce(max(d.posted_minor), 0)::bigint as posted
from llm_spend l
join batch_pay p on p.batch_id::text = l.of and p.currency = l.currency
left join batch_ai d on d.batch_id = p.batch_id
where l.kind = 'batch'
group by p.batch_id, p.currency order by p.batch_id"""
AI_POSTED = """
insert into batch_ai (batch_id, posted_minor) values (%s, %s)
on conflict (batch_id) do update set posted_minor = excluded.posted_minor"""

_SHEET = """
select s.id, s.batch_id, s.contributor_id, s.currency, s.jurisdiction, s.pay_minor, s.social_minor,
       s.fee_minor, s.coop_minor, s.made_ms, s.accept_ms, s.accepted_ms
from pay_sheet s
"""
SHEETS_OF = _SHEET + "where s.contributor_id = %s and s.id < %s order by s.id desc limit %s"

EARNINGS = """
select e.task_id, e.batch_step_id, e.cause, e.amount_minor, b.currency, e.basis, e.paid_ms,
       e.earned_ms, s.accept_ms, s.accepted_ms
from earning e
join batch_step_pay p on p.batch_step_id = e.batch_step_id
join batch_pay b on b.batch_id = p.batch_id
left join pay_sheet s on s.id = e.sheet_id
where e.contributor_id = %(who)s and e.earned_ms < %(before)s
order by e.earned_ms desc, e.task_id, e.cause
fetch first (%(limit)s) rows with ties"""

NOW = """
select currency, sum(fresh)::bigint as fresh_minor, sum(held)::bigint as held_minor,
       sum(payable)::bigint as payable_minor
from (
    select b.currency, e.amount_minor as fresh, 0 as held, 0 as payable
    from earning e
    join batch_step_pay p on p.batch_step_id = e.batch_step_id
    join batch_pay b on b.batch_id = p.batch_id
    where e.contributor_id = %(who)s and e.sheet_id is null
    union all
    select currency, 0, credits_pending, credits - debits - debits_pending
    from ledger_account where kind = 'contributor_payable' and owner_id = %(who)s
) one
group by currency order by currency"""

# what answers earned, by contributor, on the day they earned it; of all clients
BETWEEN = """
select e.contributor_id, b.currency, sum(e.amount_minor)::bigint as pay_minor
from earning e
join batch_step_pay p on p.batch_step_id = e.batch_step_id
join batch_pay b on b.batch_id = p.batch_id
where e.earned_ms >= %(from)s and e.earned_ms < %(until)s
  and (%(who)s::bigint is null or e.contributor_id = %(who)s)
group by e.contributor_id, b.currency order by e.contributor_id, b.currency"""


class AiDue(Struct, frozen=True):
    """What language models have cost a batch."""

    batch_id: int
    currency: str
    micro: int
    #: of it, in minor units
    posted: int


class ToAccept(Struct, frozen=True):
    """A sheet whose days are over."""

    id: int
    holds: list[int]


class PaySum(Struct, frozen=True):
    """What a contributor's answers earned between two moments."""

    contributor_id: int
    currency: str
    pay_minor: int


def alone(conn: SyncConn) -> bool:
    """Whether no other engine accrues just now; until the transaction ends, none will."""
    row = conn.execute(TRY_LOCK, [LOCK]).fetchone()
    return bool(row and row[0])


def take(conn: SyncConn, limit: int) -> list[Work]:
    return all_of(conn, Work, TAKE, [limit])


def earn(conn: SyncConn, found: Sequence[Earned], now_ms: int) -> None:
    values = {
        "tasks": [one.work.task_id for one in found],
        "who": [one.work.contributor_id for one in found],
        "steps": [one.work.batch_step_id for one in found],
        "amounts": [one.amount_minor for one in found],
        "bases": [one.basis for one in found],
        "ms": [one.paid_ms for one in found],
        "now": now_ms,
    }
    conn.execute(EARN, values)


def correct(conn: SyncConn, since_ms: int, now_ms: int) -> int:
    return conn.execute(CORRECT, {"since": since_ms, "now": now_ms}).rowcount


def due(conn: SyncConn, limit: int) -> list[Due]:
    return all_of(conn, Due, DUE, [limit])


def make_sheets(conn: SyncConn, found: Sequence[Charged], accept_ms: int, now_ms: int) -> list[int]:
    """Their numbers, in order; the earnings are on them."""
    values = {
        "batches": [one.due.batch_id for one in found],
        "who": [one.due.contributor_id for one in found],
        "currencies": [one.due.currency for one in found],
        "places": [one.jurisdiction for one in found],
        "pay": [one.due.amount_minor for one in found],
        "social": [one.social_minor for one in found],
        "fee": [one.fee_minor for one in found],
        "coop": [one.coop_minor for one in found],
        "now": now_ms,
        "accept": accept_ms,
    }
    made = [row[0] for row in conn.execute(SHEETS, values)]
    conn.execute(ON_SHEETS, {"sheets": made, **{k: values[k] for k in ("batches", "who")}})
    return made


def keep_holds(conn: SyncConn, holds: dict[int, list[int]]) -> None:
    written = ["{" + ",".join(map(str, ids)) + "}" for ids in holds.values()]
    conn.execute(HOLDS, {"sheets": list(holds), "holds": written})


def to_accept(conn: SyncConn, now_ms: int, limit: int) -> list[ToAccept]:
    return all_of(conn, ToAccept, TO_ACCEPT, [now_ms, limit])


def accepted(conn: SyncConn, sheets: list[int], now_ms: int) -> None:
    conn.execute(ACCEPTED, [now_ms, sheets])


def accept_batch(conn: SyncConn, batch_id: int, now_ms: int) -> int:
    return conn.execute(ACCEPT_BATCH, {"batch": batch_id, "now": now_ms}).rowcount


def ai_due(conn: SyncConn) -> list[AiDue]:
    return all_of(conn, AiDue, AI)


def ai_posted(conn: SyncConn, batch_id: int, minor: int) -> None:
    conn.execute(AI_POSTED, [batch_id, minor])


def between(
    conn: SyncConn, from_ms: int, until_ms: int, contributor_id: int | None
) -> list[PaySum]:
    values = {"from": from_ms, "until": until_ms, "who": contributor_id}
    return all_of(conn, PaySum, BETWEEN, values)


async def sheets_of(conn: Conn, who: int, before: int, limit: int) -> list[Sheet]:
    async with conn.cursor(row_factory=of(Sheet)) as cursor:
        found: list[Sheet] = await (
            await cursor.execute(SHEETS_OF, [who, before, limit])
        ).fetchall()
    return found


async def earnings(conn: Conn, who: int, before_ms: int, limit: int) -> list[Earning]:
    values = {"who": who, "before": before_ms, "limit": limit}
    async with conn.cursor(row_factory=of(Earning)) as cursor:
        found: list[Earning] = await (await cursor.execute(EARNINGS, values)).fetchall()
    return found


async def pay_now(conn: Conn, who: int) -> list[PayNow]:
    async with conn.cursor(row_factory=of(PayNow)) as cursor:
        found: list[PayNow] = await (await cursor.execute(NOW, {"who": who})).fetchall()
    return found
