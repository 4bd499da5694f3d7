"""The SQL of open accounts."""

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from canut.db.pool import Conn, SyncConn
from canut.db.rows import all_of
from canut.pay.open_accounts.model import Hours, Moved, OpenMonth

#: first key of the advisory lock that lets one engine publish at a time
LOCK = 10
TRY_LOCK = "select pg_try_advisory_xact_lock(%s, 0)"

# where the next month begins: behind the last one, or with the first pay period
BEGINS = """
select coalesce((select max(until_ms) from open_month), (select min(from_ms) from pay_period))"""

# no transfer can be dated before, and every slip of a period that ended before is paid
CLOSED = """
select least(
    (select coalesce(max(until_ms), 0) from ledger_period),
    (select coalesce(max(until_ms), 0) from pay_period where settled_ms is not null))"""

# What moved between the money of batches, the co-op's own, and those who were paid from it. Each
# transfer is seen from both sides, so that one that takes another back counts against it.
MOVED = """
with side as (
    select t.currency, t.kind, d.kind as near, c.kind as far, c.owner_id as who, t.amount
    from ledger_transfer t
    join ledger_account d on d.id = t.debit_account
    join ledger_account c on c.id = t.credit_account
    where t.at_ms >= %(from)s and t.at_ms < %(until)s and t.mode in ('posted', 'post')
    union all
    select t.currency, t.kind, c.kind, d.kind, d.owner_id, -t.amount
    from ledger_transfer t
    join ledger_account d on d.id = t.debit_account
    join ledger_account c on c.id = t.credit_account
    where t.at_ms >= %(from)s and t.at_ms < %(until)s and t.mode in ('posted', 'post')
), flow as (
    select side.*, near <> 'coop_fee' as of_client,
           far = 'contributor_payable' and amount > 0 and not p.simulated as earned
    from side left join contributor p on far = 'contributor_payable' and p.id = who
    where near in ('batch_escrow', 'topup_reserve')
       or (near = 'coop_fee' and far = 'contributor_payable' and side.kind in ('hourly', 'topup'))
)
select currency,
       count(distinct who) filter (where earned and of_client) as paid,
       count(distinct who) filter (where earned and not of_client) as coop_paid,
       count(distinct who) filter (where earned and kind = 'topup') as topped_up,
       coalesce(sum(amount) filter (where of_client
           and far in ('contributor_payable', 'disputed')), 0)::bigint as pay_minor,
       coalesce(sum(amount) filter (where not of_client), 0)::bigint as coop_minor,
       coalesce(sum(amount) filter (where kind = 'topup'), 0)::bigint as topup_minor,
       coalesce(sum(amount) filter (where far = 'social_payable'), 0)::bigint as social_minor,
       coalesce(sum(amount) filter (where far = 'ai_payable'), 0)::bigint as ai_minor,
       coalesce(sum(amount) filter (where far = 'coop_fee'), 0)::bigint as fee_minor
from flow where far in ('contributor_payable', 'disputed', 'social_payable', 'ai_payable',
                        'coop_fee')
group by currency order by currency"""

# Pay and time of each contributor in the periods that ended in the month: the newest slip of a
# period has all that is known of its tasks; of top-ups and hours each slip has its own.
# The hour is of people where there are any: what programs earn is nobody's pay.
HOURS = """
with period as (
    select s.contributor_id, s.currency,
           (array_agg(s.qualifying_minor order by s.period_id desc))[1]
               + sum(s.topup_minor + s.hours_minor) as minor,
           (array_agg(s.agreed_ms order by s.period_id desc))[1] + sum(s.hours_ms) as ms
    from pay_slip s
    join pay_period o on o.id = s.of_period and o.until_ms > %(from)s and o.until_ms <= %(until)s
    group by s.contributor_id, s.currency, s.of_period
), person as (
    select contributor_id, currency, sum(minor) as minor, sum(ms) as ms
    from period group by contributor_id, currency
), known as (
    select p.*, c.simulated, c.simulated = bool_and(c.simulated) over (partition by p.currency)
               and p.ms > 0 as counts
    from person p join contributor c on c.id = p.contributor_id
)
select currency, count(*) as contributors,
       count(*) filter (where simulated) as simulated,
       count(*) filter (where counts) as timed,
       floor(percentile_cont(0.5) within group (
           order by minor * 3600000 / ms) filter (where counts))::bigint as hourly_minor
from known group by currency"""

PUBLISH = """
insert into open_month (from_ms, until_ms, published_ms, shares)
values (%(from)s, %(until)s, %(now)s, %(shares)s)"""

MONTHS = """
select from_ms, until_ms, published_ms, shares from open_month order by from_ms desc limit %s"""


def alone(conn: SyncConn) -> bool:
    """Whether nobody else publishes until the transaction ends."""
    row = conn.execute(TRY_LOCK, [LOCK]).fetchone()
    return bool(row and row[0])


def begins(conn: SyncConn) -> int | None:
    row = conn.execute(BEGINS).fetchone()
    return row[0] if row else None


def closed(conn: SyncConn) -> int:
    row = conn.execute(CLOSED).fetchone()
    return int(row[0]) if row else 0


def moved(conn: SyncConn, from_ms: int, until_ms: int) -> list[Moved]:
    return all_of(conn, Moved, MOVED, {"from": from_ms, "until": until_ms})


def hours(conn: SyncConn, from_ms: int, until_ms: int) -> list[Hours]:
    return all_of(conn, Hours, HOURS, {"from": from_ms, "until": until_ms})


def publish(conn: SyncConn, month: OpenMonth) -> None:
    shares = Jsonb(msgspec.to_builtins(month.shares))
    values = {"from": month.from_ms, "until": month.until_ms, "now": month.published_ms}
    conn.execute(PUBLISH, values | {"shares": shares})


async def months(conn: Conn, limit: int) -> list[OpenMonth]:
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(MONTHS, [limit])
        return msgspec.convert(await cursor.fetchall(), list[OpenMonth])
