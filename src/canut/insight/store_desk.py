"""The SQL of a contributor's home. Everything here reads."""

from typing import Any

from msgspec import Struct

from canut.db.pool import Conn
from canut.insight.store_operations import rows

ME = """
select c.kind, c.state, c.state_reason, c.state_ms, c.skills, c.told_seen_ms,
       coalesce(s.name, '') as state_by, coalesce(s.email, '') as state_email
from contributor c left join account s on s.id = c.state_by where c.id = %s"""

# the open steps, with what they ask for that this contributor has not; no names of batches or
# clients: what is closed to somebody is not theirs to know
STEPS = """
select s.process_id, s.slug, s.skills, s.licence,
       array(select skill from unnest(s.skills) skill where skill <> all (me.skills)
             order by skill) as missing,
       not s.licence or exists (
           select from licence l
           where l.contributor_id = me.id and l.process_id = s.process_id and l.step_slug = s.slug
             and l.ended_ms is null and (l.state = 'in_force' or me.kind = 'agent')) as licensed,
       coalesce(s.expert_skill = any (me.skills), false) as expert,
       sum(greatest(s.n_tasks - s.n_decided, 0))::bigint as n_left
from contributor me
join batch_step s on s.open
where me.id = %s
group by me.id, me.skills, me.kind, s.process_id, s.slug, s.skills, s.licence, s.expert_skill
having sum(greatest(s.n_tasks - s.n_decided, 0)) > 0
order by n_left desc limit 200"""

# why batches are open, whether their steps are or only audits are left: they must look alike
WHY = """
select s.batch_id,
       coalesce(array_agg(distinct skill) filter (where skill is not null), '{}') as skills,
       bool_or(s.licence) as licence
from contributor me
join batch_step s on s.skills <@ me.skills
left join unnest(s.skills) skill on true
where me.id = %s and s.batch_id = any (%s) group by s.batch_id"""

# answers of each of the last seven days, UTC; and the time at work of each, where what two tasks
# report for the same moment counts once
ANSWERED = """
select submitted_ms / 86400000 as day, count(*) as n from answer
where contributor_id = %s and submitted_ms >= %s group by 1"""
ACTIVE = """
with at_work as (
    select unnest(range_agg(intervals)) as one from activity
    where contributor_id = %(who)s and sent_ms >= %(from)s
)
select day, sum(upper(part) - lower(part))::bigint
from (
    select day, one * int8range(day * 86400000, (day + 1) * 86400000) as part
    from at_work cross join generate_series(%(from)s / 86400000, %(to)s / 86400000) day
) cut where not isempty(part) group by day"""

# what became of exams and licences, and what operators wrote, newest first
TOLD = """
(select ended_ms as at_ms, 'exam.' || state as kind, process_id, step_slug as slug, id as of,
        '' as body, '' as name
 from exam where contributor_id = %(who)s and state <> 'running'
 order by ended_ms desc limit %(limit)s)
union all
(select e.at_ms, 'licence.' || e.kind, e.process_id, e.step_slug, e.id, '', ''
 from (
    select id, process_id, step_slug, granted_ms as at_ms, 'granted' as kind from licence
    where contributor_id = %(who)s and granted_ms is not null
    union all
    select id, process_id, step_slug, flagged_ms, 'flagged' from licence
    where contributor_id = %(who)s and flagged_ms is not null
    union all
    select id, process_id, step_slug, ended_ms, 'ended' from licence
    where contributor_id = %(who)s and ended_ms is not null
 ) e order by e.at_ms desc limit %(limit)s)
union all
(select n.made_ms, 'note', null, '', n.id, n.body, coalesce(a.name, '')
 from contributor_note n left join account a on a.id = n.account_id
 where n.contributor_id = %(who)s and n.told order by n.id desc limit %(limit)s)
union all
(select l.at_ms, coalesce('state.' || (l.detail ->> 'state'), l.action), null,
        coalesce(l.detail ->> 'skill', ''), l.id,
        coalesce(l.detail ->> 'reason', ''), coalesce(a.name, '')
 from audit_log l left join account a on a.id = l.account_id
 where l.subject = 'contributor' and l.subject_id = %(who)s::bigint::text
   and (l.action in ('grant.skill', 'revoke.skill')
        or l.action = 'change.contributor' and l.detail ? 'state')
 order by l.id desc limit %(limit)s)
order by at_ms desc limit %(limit)s"""


class Me(Struct, frozen=True):
    """The contributor, as the home needs it."""

    kind: str
    state: str
    state_reason: str
    state_ms: int | None
    skills: list[str]
    told_seen_ms: int
    state_by: str
    state_email: str


class Door(Struct, frozen=True):
    """Work at a step, and what it asks for."""

    process_id: int
    slug: str
    skills: list[str]
    licence: bool
    #: skills that this contributor has not
    missing: list[str]
    #: no licence is asked for, or they hold it
    licensed: bool
    #: they have the skill of its experts
    expert: bool
    n_left: int

    @property
    def open(self) -> bool:
        """Whether they may work there."""
        return self.licensed and (not self.missing or self.expert)


class Why(Struct, frozen=True):
    """What a batch asks for, and this contributor has."""

    batch_id: int
    skills: list[str]
    licence: bool


class Told(Struct, frozen=True):
    """Something a contributor is told."""

    at_ms: int
    #: exam.passed, licence.flagged, note, grant.skill, state.paused, ...
    kind: str
    process_id: int | None
    #: the step; of a skill, its name
    slug: str
    of: int
    #: an operator's words
    body: str
    #: who wrote or did it; empty: nobody in person
    name: str


async def me(conn: Conn, contributor_id: int) -> Me:
    """Who asks."""
    [found] = await rows(conn, Me, ME, [contributor_id])
    return found


async def doors(conn: Conn, contributor_id: int) -> list[Door]:
    """The open work, whoever it is open to."""
    return await rows(conn, Door, STEPS, [contributor_id])


async def why(conn: Conn, contributor_id: int, batches: list[int]) -> dict[int, Why]:
    """What these batches ask for, by batch."""
    found = await rows(conn, Why, WHY, [contributor_id, batches])
    return {one.batch_id: one for one in found}


async def answered(conn: Conn, contributor_id: int, from_ms: int) -> dict[int, int]:
    """Answers by day (days since 1970, UTC)."""
    values = [contributor_id, from_ms]
    return dict(await (await conn.execute(ANSWERED, values)).fetchall())


async def active(conn: Conn, contributor_id: int, from_ms: int, to_ms: int) -> dict[int, int]:
    """Milliseconds at work by day."""
    values: dict[str, Any] = {"who": contributor_id, "from": from_ms, "to": to_ms}
    return dict(await (await conn.execute(ACTIVE, values)).fetchall())


async def told(conn: Conn, contributor_id: int, limit: int) -> list[Told]:
    """What they were told, newest first."""
    return await rows(conn, Told, TOLD, {"who": contributor_id, "limit": limit})
