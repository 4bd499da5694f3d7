"""The SQL of operators' pages. Everything here reads, but the pulse; counts come from the engine's
sums, from partial indexes over the few rows that are live, or stop at a bound."""

from collections.abc import Sequence
from typing import Any, TypeVar

from canut.db.pool import Conn, SyncConn
from canut.db.rows import of
from canut.insight.operations_model import (
    COUNTED_MAX,
    Able,
    Beat,
    Failed,
    Health,
    Marked,
    Now,
    Queue,
    Waiting,
)

T = TypeVar("T")

# one row in one round trip
NOW = """
select
    batches.running, batches.paused, batches.delivered,
    (select coalesce(sum(n_tasks - n_decided), 0)::bigint from batch_step where open) as tasks_left,
    live.tasks as tasks_live, live.people as people_at_work, live.simulated as simulated_at_work,
    live.agents as agents_at_work,
    waiting.n as inbox, waiting.oldest as inbox_oldest_ms,
    (select count(*) from webhook_delivery where state = 'failed') as webhooks_failed,
    (select count(*) from webhook_delivery where state = 'waiting') as webhooks_waiting,
    (select count(*) from licence where flagged_ms is not null and ended_ms is null)
        as licences_flagged,
    now_ms() as at_ms
from (
    select count(*) filter (where state = 'running') as running,
           count(*) filter (where state = 'paused') as paused,
           count(*) filter (where state = 'delivered') as delivered from batch
) batches, (
    select count(*) as tasks,
           count(distinct a.contributor_id)
               filter (where c.kind = 'person' and not c.simulated) as people,
           count(distinct a.contributor_id) filter (where c.simulated) as simulated,
           count(distinct a.contributor_id)
               filter (where c.kind = 'agent' and not c.simulated) as agents
    from assignment a join contributor c on c.id = a.contributor_id
    where a.state = 'claimed'
) live,
(select count(*) as n, min(greatest(submitted_ms, after_ms)) as oldest from inbox) waiting"""

HEALTH = """
select current_setting('server_version') as version,
       pg_database_size(current_database()) as size,
       (select count(*) from pg_stat_activity where datname = current_database()) as connections,
       current_setting('max_connections')::int as connections_max,
       (select count(*) from migration) as migrations,
       (select max(applied_ms) from migration) as migrated_ms,
       (select at_ms from audit_log where action = 'backup.database' order by id desc limit 1)
           as backup_ms"""

# once a minute; two engines in one minute write one row
TAKE_PULSE = """
insert into pulse (at_ms, answers, decided, tasks_left, inbox, lag_ms, at_work)
select now_ms() / 60000 * 60000, s.answers, s.decided, s.tasks_left, w.n, w.lag_ms, l.people
from (
    select coalesce(sum(n_answers), 0)::bigint as answers,
           coalesce(sum(n_decided), 0)::bigint as decided,
           coalesce(sum(n_tasks - n_decided) filter (where open), 0)::bigint as tasks_left
    from batch_step
) s, (
    select count(*) as n,
           greatest(now_ms() - coalesce(min(greatest(submitted_ms, after_ms)), now_ms()), 0)
               as lag_ms
    from inbox
) w, (
    select count(distinct a.contributor_id) as people
    from assignment a join contributor c on c.id = a.contributor_id and c.kind = 'person'
    where a.state = 'claimed'
) l
on conflict do nothing"""
FORGET_PULSE = "delete from pulse where at_ms < now_ms() - %s"

# by hour; the counts ever at the last look of each
PULSE = """
select at_ms / 3600000 as hour, max(answers) as answers, max(decided) as decided,
       percentile_cont(0.5) within group (order by tasks_left) as tasks_left,
       percentile_cont(0.5) within group (order by inbox) as inbox,
       percentile_cont(0.5) within group (order by lag_ms) as lag_ms,
       percentile_cont(0.5) within group (order by at_work) as at_work,
       max(at_ms) as at_ms
from pulse where at_ms >= now_ms() - %s group by 1 order by 1"""

# the kinds of one step's open tasks stand side by side in one index
_KIND = f"""
    select count(*) as n from (
        select from task t
        where t.batch_step_id = s.id and t.open and t.kind = 'work'
          and t.expert = %s and t.doubtful = %s
        limit {COUNTED_MAX}
    ) counted"""  # noqa: S608 - a bound of ours
QUEUES = f"""
select s.id as batch_step_id, s.batch_id, b.name as batch_name, c.name as client_name,
       s.process_id, s.slug, b.priority, b.created_ms, s.expert_skill, s.skills, s.licence,
       s.n_tasks, s.n_decided, s.n_answers, coalesce(live.n, 0) as live,
       wavering.n as doubtful, called.n + wavered.n as expert
from batch_step s
join batch b on b.id = s.batch_id
join client c on c.id = b.client_id
left join (
    select batch_step_id, count(*) as n from assignment where state = 'claimed' group by 1
) live on live.batch_step_id = s.id
cross join lateral ({_KIND % ("false", "true")}) wavering
cross join lateral ({_KIND % ("true", "false")}) called
cross join lateral ({_KIND % ("true", "true")}) wavered
"""  # noqa: S608
OPEN_QUEUES = f"""{QUEUES}
where s.open and s.n_tasks > s.n_decided
order by b.priority desc, b.id, s.position limit 1000"""
BATCH_QUEUES = f"{QUEUES} where s.batch_id = %s order by s.position"

# what steps are called, each definition read once: it may hold ten thousand classes
TITLES = """
select u.process_id, u.slug, coalesce(v.definition -> 'title', to_jsonb(p.slug)) as process,
       coalesce(v.step -> 'title', to_jsonb(u.slug)) as title
from unnest(%s::bigint[], %s::text[]) as u (process_id, slug)
join process p on p.id = u.process_id
left join lateral (
    select v.definition, s.definition as step
    from process_version v join step s on s.process_version_id = v.id and s.slug = u.slug
    where v.process_id = p.id order by v.adapted, v.number desc limit 1
) v on true"""

FAILED = """
select d.id, c.name as client_name, w.url, d.event_type, d.attempts, d.last_status, d.last_error,
       d.ended_ms, w.disabled_ms is not null as disabled
from webhook_delivery d
join webhook w on w.id = d.webhook_id join client c on c.id = w.client_id
where d.state = 'failed' order by d.id desc limit %s"""

# an index of skills would serve nobody else; contributors are some thousands
ABLE = """
select s.id as batch_step_id,
       count(*) filter (where c.kind = 'person' and s.skills <@ c.skills and held.it) as people,
       count(*) filter (where c.kind = 'agent' and s.skills <@ c.skills and held.it) as agents,
       count(*) filter (where s.expert_skill = any (c.skills)) as experts
from batch_step s
join contributor c on c.state = 'active'
cross join lateral (
    select not s.licence or exists (
        select from licence l
        where l.contributor_id = c.id and l.process_id = s.process_id and l.step_slug = s.slug
          and l.ended_ms is null and (l.state = 'in_force' or c.kind = 'agent')) as it
) held
where s.id = any (%s) group by s.id"""

# the oldest first; since the last answer, for that is what called the expert
WAITING = """
with next as materialized (
    select t.id, t.item_id, s.id as step
    from batch_step s
    cross join (values (false), (true)) as kind (doubtful)
    cross join lateral (
        select id, item_id from task
        where batch_step_id = s.id and expert = true and doubtful = kind.doubtful and open
          and task.kind = 'work' and id > %(after)s
        order by id limit %(limit)s
    ) t
    where s.open order by t.id limit %(limit)s
)
select t.id as task_id, s.batch_id, b.name as batch_name, i.key, s.process_id, s.slug,
       s.expert_skill, said.n as answers, said.last as since_ms
from next t
join batch_step s on s.id = t.step
join batch b on b.id = s.batch_id
join item i on i.batch_id = s.batch_id and i.id = t.item_id
cross join lateral (
    select count(*) as n, max(submitted_ms) as last from answer a where a.task_id = t.id
) said
order by t.id"""

# what was said of checks, newest first
MARKED = """
select r.kind, r.reason, r.note, r.made_ms, t.kind as check, s.process_id, s.slug,
       g.id as gold_id, g.state = 'active' as gold_active,
       case t.kind when 'audit' then s.batch_id end as batch_id, i.key
from remark r
join task t on t.id = r.task_id and t.kind <> 'work'
join batch_step s on s.id = r.batch_step_id
left join gold g on t.kind = 'gold' and g.id = -t.item_id
left join item i on t.kind = 'audit' and i.batch_id = s.batch_id and i.id = t.item_id
where (%(batch)s::bigint is null or s.batch_id = %(batch)s)
order by r.made_ms desc limit %(limit)s"""


async def now(conn: Conn) -> Now:
    """The figures of this moment."""
    [found] = await rows(conn, Now, NOW)
    return found


async def health(conn: Conn) -> Health:
    """The database, as it sees itself."""
    [found] = await rows(conn, Health, HEALTH)
    return found


def take_pulse(conn: SyncConn, keep_ms: int) -> None:
    """Write down what is now, and forget what is older."""
    conn.execute(TAKE_PULSE)
    conn.execute(FORGET_PULSE, [keep_ms])


async def pulse(conn: Conn, span_ms: int) -> list[Beat]:
    """By hour, oldest first."""
    return await rows(conn, Beat, PULSE, [span_ms])


async def queues(conn: Conn) -> list[Queue]:
    """The open queues, at most 1000, the most urgent first."""
    return await rows(conn, Queue, OPEN_QUEUES)


async def batch_queues(conn: Conn, batch_id: int) -> list[Queue]:
    """Every step of a batch, open or not."""
    return await rows(conn, Queue, BATCH_QUEUES, [batch_id])


async def titles(
    conn: Conn, places: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], tuple[Any, Any]]:
    """(process id, step) -> what the process and its step are called."""
    given = [[one[0] for one in places], [one[1] for one in places]]
    found = await (await conn.execute(TITLES, given)).fetchall()
    return {(process, slug): (name, title) for process, slug, name, title in found}


async def failed(conn: Conn, limit: int) -> list[Failed]:
    """Events that could not be told, the newest first."""
    return await rows(conn, Failed, FAILED, [limit])


async def able(conn: Conn, batch_steps: Sequence[int]) -> dict[int, Able]:
    """Who could answer there, by step of a batch; steps where nobody could are left out."""
    found = await rows(conn, Able, ABLE, [list(batch_steps)])
    return {one.batch_step_id: one for one in found}


async def waiting(conn: Conn, after: int, limit: int) -> list[Waiting]:
    """Tasks that wait for an expert, the oldest first, above the id `after`."""
    return await rows(conn, Waiting, WAITING, {"after": after, "limit": limit})


async def marked(conn: Conn, batch_id: int | None, limit: int) -> list[Marked]:
    """Remarks on checks, of one batch or of all."""
    return await rows(conn, Marked, MARKED, {"batch": batch_id, "limit": limit})


async def rows(conn: Conn, struct: type[T], sql: str, values: Any = None) -> list[T]:
    """Every row of a statement, as `struct`."""
    cursor = await conn.cursor(row_factory=of(struct)).execute(sql.encode(), values)
    found: list[T] = await cursor.fetchall()
    return found
