"""The SQL of figures. Everything here reads; nothing takes a lock that work would wait for."""

from canut.db.pool import Conn
from canut.db.rows import of
from canut.insight.model import BatchShare, Overview, Queue, Told, Worker

# overview: one row in one round trip; counts come from the engine's sums or from partial indexes
# over the few rows that are live, never from a scan of items or answers
OVERVIEW = """
select
    (select count(*) from batch where state = 'running') as running,
    (select count(*) from batch where state = 'paused') as paused,
    (select count(*) from batch where state = 'delivered') as delivered,
    (select coalesce(sum(n_tasks - n_decided), 0)::bigint from batch_step where open) as tasks_left,
    (select count(*) from batch_step s join task t
        on t.batch_step_id = s.id and t.expert and t.open where s.open) as tasks_escalated,
    live.tasks as tasks_live, live.people as people_at_work, live.simulated as simulated_at_work,
    waiting.n as inbox, waiting.oldest as inbox_oldest_ms,
    hooks.failed as webhooks_failed, hooks.waiting as webhooks_waiting,
    pg_database_size(current_database()) as database_bytes, now_ms() as at_ms
from (
    select count(*) as tasks,
           count(distinct a.contributor_id) filter (where not c.simulated) as people,
           count(distinct a.contributor_id) filter (where c.simulated) as simulated
    from assignment a join contributor c on c.id = a.contributor_id
    where a.state = 'claimed'
) live,
(select count(*) as n, min(greatest(submitted_ms, after_ms)) as oldest from inbox) waiting,
(select count(*) filter (where state = 'failed') as failed,
        count(*) filter (where state = 'waiting') as waiting from webhook_delivery) hooks"""

# the open queues, those with most left first
QUEUES = """
select b.id as batch_id, b.name as batch_name, c.name as client_name,
       step.definition -> 'title' as title, s.n_tasks, s.n_decided, s.n_answers, s.n_escalated,
       b.priority
from batch_step s
join batch b on b.id = s.batch_id
join client c on c.id = b.client_id
join step on step.id = s.step_id
where s.open and s.n_tasks > s.n_decided
order by b.priority desc, s.n_tasks - s.n_decided desc, s.id
limit 50"""

# a page of contributors, by id, with what they hold and how often decisions agreed with them
WORKERS = """
select c.id, c.name, c.kind, c.simulated, c.state, c.skills, c.family,
       (select count(*) from assignment a
        where a.contributor_id = c.id and a.state = 'claimed') as n_live,
       coalesce(t.judged, 0) as judged, coalesce(t."right", 0) as "right"
from contributor c
left join (
    select contributor_id, sum(judged) as judged, sum("right") as "right"
    from track group by contributor_id
) t on t.contributor_id = c.id
where c.id > %(after)s order by c.id limit %(limit)s"""

# of these batches; a step's tasks are made as the step before it is decided, so that what is
# wanted in the end is items times steps
SHARES = """
select b.id as batch_id, (b.n_items * count(*))::bigint as wanted,
       sum(s.n_decided)::bigint as decided, sum(s.n_answers)::bigint as answers
from batch b join batch_step s on s.batch_id = b.id
where b.id = any (%s) group by b.id, b.n_items"""

# the last deliveries of these clients' webhooks
DELIVERIES = """
select d.id, w.url, d.event_type, d.state, d.attempts, d.last_status, d.last_error, d.created_ms,
       d.ended_ms
from webhook w join webhook_delivery d on d.webhook_id = w.id
where w.client_id = any (%s) order by d.id desc limit 50"""

ACCOUNT_NAMES = "select id, name from account where id = any (%s)"


async def overview(conn: Conn) -> Overview:
    """The figures of now."""
    cursor = await conn.cursor(row_factory=of(Overview)).execute(OVERVIEW.encode())
    row: Overview | None = await cursor.fetchone()
    assert row is not None
    return row


async def queues(conn: Conn) -> list[Queue]:
    """The open queues, at most 50."""
    cursor = await conn.cursor(row_factory=of(Queue)).execute(QUEUES.encode())
    return await cursor.fetchall()


async def workers(conn: Conn, after: int, limit: int) -> list[Worker]:
    """A page of contributors."""
    values = {"after": after, "limit": limit}
    cursor = await conn.cursor(row_factory=of(Worker)).execute(WORKERS.encode(), values)
    return await cursor.fetchall()


async def shares(conn: Conn, batch_ids: list[int]) -> list[BatchShare]:
    """How far these batches are."""
    cursor = await conn.cursor(row_factory=of(BatchShare)).execute(SHARES.encode(), [batch_ids])
    return await cursor.fetchall()


async def account_names(conn: Conn, ids: list[int]) -> dict[int, str]:
    """Names of these accounts."""
    return dict(await (await conn.execute(ACCOUNT_NAMES, [ids])).fetchall())


async def deliveries(conn: Conn, clients: list[int]) -> list[Told]:
    """The last 50, newest first."""
    cursor = await conn.cursor(row_factory=of(Told)).execute(DELIVERIES.encode(), [clients])
    return await cursor.fetchall()
