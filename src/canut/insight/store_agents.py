"""The SQL of pages about agents: what they decided of the newest work, and what people gave for it.
Reads only."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Sync = Connection[Any]

#: batches of a step that are looked at, the newest, and items of each: all where it has no more,
#: else so many at equal distances
BATCHES, PROBES = 8, 1000

# the newest batches with decisions at the steps where agents stand, each with what was decided of
# its items at equal distances; index look-ups, however large a batch is
LATELY = """
with place as (
    select distinct process_id, step_slug from agent
    where %(process)s::bigint is null or (process_id, step_slug) = (%(process)s, %(step)s)
), lately as (
    select p.process_id, p.step_slug, s.id, s.n_decided, s.batch_id
    from place p cross join lateral (
        select s.id, s.n_decided, s.batch_id from batch_step s
        where s.process_id = p.process_id and s.slug = p.step_slug and s.n_decided > 0
        order by s.id desc limit %(batches)s
    ) s
)
select l.process_id, l.step_slug, l.n_decided, count(*) as seen,
       count(*) filter (where d.method = 'licence') as alone,
       coalesce(sum(said.n) filter (where d.method = 'licence'), 0)::bigint as beside,
       coalesce(sum(said.n) filter (where d.method <> 'licence'), 0)::bigint as instead,
       coalesce(sum(d.confidence) filter (where d.method <> 'licence'), 0)::float8 as belief
from lately l
cross join lateral (
    select min(i.id) as first, max(i.id) as last from item i where i.batch_id = l.batch_id) i
cross join lateral generate_series(
    i.first, i.last, greatest(1, (i.last - i.first + 1) / %(probes)s)) as probe (item_id)
join decision d on d.batch_step_id = l.id and d.item_id = probe.item_id
cross join lateral (
    select count(*) as n from answer a join contributor c on c.id = a.contributor_id
    where a.task_id = d.task_id and c.kind = 'person'
) said
group by l.process_id, l.step_slug, l.id, l.n_decided"""

# every step that there is, as it is called now: where an agent could be put
PLACES = """
select distinct p.id as process_id, s.slug as step_slug
from process p join process_version v on v.process_id = p.id
join step s on s.process_version_id = v.id order by 1, 2"""

# what was decided of a batch, by its items at equal distances, and what each of these agents did
# of it: it decided alone where it held a licence to do so at that moment
ALONE = """
with seen as materialized (
    select s.process_id, s.slug, s.n_decided, d.task_id, d.decided_ms, d.method = 'licence' as alone
    from batch_step s
    cross join lateral (
        select min(i.id) as first, max(i.id) as last from item i where i.batch_id = s.batch_id) i
    cross join lateral generate_series(
        i.first, i.last, greatest(1, (i.last - i.first + 1) / %(probes)s)) as probe (item_id)
    join decision d on d.batch_step_id = s.id and d.item_id = probe.item_id
    where s.batch_id = %(batch)s
)
select slug as step_slug, null::bigint as agent_id, n_decided, count(*) as seen,
       count(*) filter (where alone) as alone
from seen group by slug, n_decided
union all
select s.slug, a.contributor_id, s.n_decided, count(*),
       count(*) filter (where s.alone and exists (
           select from licence l
           where l.contributor_id = a.contributor_id and l.process_id = s.process_id
             and l.step_slug = s.slug and l.threshold is not null
             and l.granted_ms <= s.decided_ms
             and (l.ended_ms is null or l.ended_ms > s.decided_ms)))
from seen s join answer a on a.task_id = s.task_id and a.contributor_id = any (%(agents)s)
group by s.slug, s.n_decided, a.contributor_id"""

# what people said blind of answers to items of one batch that these agents may decide alone now:
# evidence of the version that is licensed, from its threshold on
BLIND = """
select s.slug as step_slug, l.contributor_id as agent_id, count(*) as answers,
       count(*) filter (where b.wrong) as wrong
from batch_step s
join licence l on l.process_id = s.process_id and l.step_slug = s.slug and l.ended_ms is null
    and l.threshold is not null and l.contributor_id = any (%(agents)s)
join blind_answer b on b.root = coalesce(l.root, l.id) and b.wrong is not null
    and b.value <> 'null' and b.confidence >= l.threshold::real
join task t on t.id = b.task_id and t.batch_step_id = s.id
where s.batch_id = %(batch)s
group by s.slug, l.contributor_id"""

# the steps of a batch, and whose their process is: null for the library
STEPS_OF = """
select s.process_id, s.slug, p.client_id from batch_step s
join process p on p.id = s.process_id where s.batch_id = %s order by s.position"""

ASKED = "select exists (select from agent where id = %s and looked_n < 0)"


class Lately(Struct, frozen=True):
    """What was decided of some items of a batch at a step."""

    process_id: int
    step_slug: str
    #: decided in the whole batch
    n_decided: int
    #: decisions looked at, and how many of them an agent took alone
    seen: int
    alone: int
    #: answers of people to what an agent decided alone, and to the rest
    beside: int
    instead: int
    #: sum of the confidences of the rest
    belief: float


class Part(Struct, frozen=True):
    """What an agent did of a batch."""

    step_slug: str
    #: None: of all agents together
    agent_id: int | None
    #: decided in the whole batch
    n_decided: int
    #: decisions looked at (that it had answered), and how many of them it took alone
    seen: int
    alone: int


class Blind(Struct, frozen=True):
    """What people said blind of answers in a batch that an agent may decide alone."""

    step_slug: str
    agent_id: int
    answers: int
    wrong: int


def lately(conn: Sync, place: tuple[int, str] | None = None) -> list[Lately]:
    """Of the newest batches at each step with agents, or at one."""
    process, step = place or (None, None)
    values = {"process": process, "step": step, "batches": BATCHES, "probes": PROBES}
    return conn.cursor(row_factory=of(Lately)).execute(LATELY, values).fetchall()


def places(conn: Sync) -> list[tuple[int, str]]:
    """(process, step) of all there are."""
    return conn.execute(PLACES).fetchall()


def steps_of(conn: Sync, batch_id: int) -> list[tuple[int, str, int | None]]:
    """(process, step, its client or None) of a batch, in their order."""
    return conn.execute(STEPS_OF, [batch_id]).fetchall()


def alone(conn: Sync, batch_id: int, agents: Sequence[int]) -> list[Part]:
    """What these agents did of a batch."""
    values = {"batch": batch_id, "agents": list(agents), "probes": PROBES}
    return conn.cursor(row_factory=of(Part)).execute(ALONE, values).fetchall()


def blind(conn: Sync, batch_id: int, agents: Sequence[int]) -> list[Blind]:
    """What people said blind of answers in a batch that they may decide alone."""
    values = {"batch": batch_id, "agents": list(agents)}
    return conn.cursor(row_factory=of(Blind)).execute(BLIND, values).fetchall()


def lesson_asked(conn: Sync, agent_id: int) -> bool:
    """Whether a person has asked for a lesson that was not given yet."""
    row = conn.execute(ASKED, [agent_id]).fetchone()
    return bool(row and row[0])
