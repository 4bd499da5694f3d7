"""The SQL of how versions of a process did. Everything here reads, and only the asker's clients'
batches are counted."""

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from canut.db.rows import of
from canut.questions.base import Localised

Async = AsyncConnection[Any]

# processes of these clients (null: of every client) and of the library, each with its newest
# version and what the clients' batches of it came to
PROCESSES = """
select p.id as process_id, p.client_id is not null as own, p.slug, v.id as version_id, v.number,
       v.definition -> 'title' as title, v.definition -> 'description' as description,
       coalesce(b.batches, 0) as batches, coalesce(b.items, 0) as items
from process p
cross join lateral (
    select id, number, definition from process_version
    where process_id = p.id and not adapted order by number desc limit 1) v
left join lateral (
    select count(*) as batches, sum(b.n_items)::bigint as items
    from process_version w join batch b on b.process_version_id = w.id
    where w.process_id = p.id
      and (%(clients)s::bigint[] is null or b.client_id = any (%(clients)s))) b on true
where (p.client_id is null or %(clients)s::bigint[] is null or p.client_id = any (%(clients)s))
  and (%(process)s::bigint is null or p.id = %(process)s)
order by p.client_id nulls last, b.batches desc nulls last, p.slug limit 500"""

# by version: the counts of its batches, and how far answers agreed with what was decided, from the
# last decisions of each step of a batch (evidence: [model, [contributor, agreement, ...], ...])
VERSIONS = """
select v.id as version_id, v.number, v.adapted, v.created_ms, v.definition -> 'title' as title,
       coalesce(c.batches, 0) as batches, coalesce(c.items, 0) as items,
       coalesce(s.answers, 0) as answers, coalesce(s.decided, 0) as decided,
       coalesce(s.tasks, 0) as tasks, coalesce(s.escalated, 0) as escalated,
       g.agreement, coalesce(g.sampled, 0) as sampled
from process_version v
left join lateral (
    select count(*) as batches, sum(n_items)::bigint as items from batch b
    where b.process_version_id = v.id
      and (%(clients)s::bigint[] is null or b.client_id = any (%(clients)s))) c on true
left join lateral (
    select sum(s.n_answers)::bigint as answers, sum(s.n_decided)::bigint as decided,
           sum(s.n_tasks)::bigint as tasks, sum(s.n_escalated)::bigint as escalated
    from batch b join batch_step s on s.batch_id = b.id
    where b.process_version_id = v.id
      and (%(clients)s::bigint[] is null or b.client_id = any (%(clients)s))) s on true
left join lateral (
    select avg((e.heard ->> 1)::float8) as agreement, count(*) as sampled
    from batch b join batch_step t on t.batch_id = b.id
    cross join lateral (
        select evidence from decision d where d.batch_step_id = t.id
        order by d.item_id desc limit %(sample)s) d
    cross join lateral jsonb_path_query(d.evidence, '$[1 to last]') e (heard)
    where b.process_version_id = v.id
      and (%(clients)s::bigint[] is null or b.client_id = any (%(clients)s))) g on true
where v.process_id = %(process)s and (not v.adapted or c.batches > 0)
order by v.number desc limit 100"""

# batches that ran it, with their last certificate, if there is any
BATCHES = """
select b.id as batch_id, b.name, b.state, b.n_items as items, b.created_ms, v.number,
       s.decided, s.tasks, k.bound, k.proved
from process_version v
join batch b on b.process_version_id = v.id
cross join lateral (
    select sum(n_decided)::bigint as decided, sum(n_tasks)::bigint as tasks
    from batch_step where batch_id = b.id) s
left join lateral (
    select max((c.statement ->> 'bound')::float8) as bound,
           bool_and((c.statement ->> 'proved')::boolean) as proved
    from batch_step t join frame f on f.batch_step_id = t.id
    cross join lateral (
        select statement from certificate where frame_id = f.id order by number desc limit 1) c
    where t.batch_id = b.id) k on true
where v.process_id = %(process)s
  and (%(clients)s::bigint[] is null or b.client_id = any (%(clients)s))
order by b.id desc limit %(limit)s"""

#: decisions of a step of a batch whose agreement is looked at
SAMPLE = 500


class ProcessLine(Struct, frozen=True):
    """A process in a list."""

    process_id: int
    #: a client's own; else of the library that all share
    own: bool
    slug: str
    #: its newest version
    version_id: int
    number: int
    title: Localised
    description: Localised
    batches: int
    items: int


class VersionLine(Struct, frozen=True):
    """A version, and what the batches that ran it came to."""

    version_id: int
    number: int
    #: made for one batch
    adapted: bool
    created_ms: int
    title: Localised
    batches: int
    items: int
    answers: int
    decided: int
    tasks: int
    escalated: int
    #: mean share to which answers agree with the decision; None where nothing is decided
    agreement: float | None
    #: answers that this is the mean of
    sampled: int


class BatchOf(Struct, frozen=True):
    """A batch that ran a process."""

    batch_id: int
    name: str
    state: str
    items: int
    created_ms: int
    #: of its version
    number: int
    decided: int
    tasks: int
    #: share of wrong decisions, at most, by its last certificate
    bound: float | None
    proved: bool | None


async def processes(
    conn: Async, clients: list[int] | None, process_id: int | None = None
) -> list[ProcessLine]:
    values = {"clients": clients, "process": process_id}
    cursor = await conn.cursor(row_factory=of(ProcessLine)).execute(PROCESSES, values)
    found: list[ProcessLine] = await cursor.fetchall()
    return found


async def versions(conn: Async, clients: list[int] | None, process_id: int) -> list[VersionLine]:
    values = {"clients": clients, "process": process_id, "sample": SAMPLE}
    cursor = await conn.cursor(row_factory=of(VersionLine)).execute(VERSIONS, values)
    found: list[VersionLine] = await cursor.fetchall()
    return found


async def batches(
    conn: Async, clients: list[int] | None, process_id: int, limit: int
) -> list[BatchOf]:
    values = {"clients": clients, "process": process_id, "limit": limit}
    cursor = await conn.cursor(row_factory=of(BatchOf)).execute(BATCHES, values)
    found: list[BatchOf] = await cursor.fetchall()
    return found
