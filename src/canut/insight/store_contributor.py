"""The SQL of a contributor's page. Everything here reads."""

from typing import Any

from msgspec import Struct

from canut.db.pool import Conn
from canut.insight.store_operations import rows

PERSON = """
select c.id, c.kind, c.name, c.account_id, a.email, a.disabled_ms, c.simulated, c.state,
       c.state_reason, c.state_ms, coalesce(s.name, '') as state_by, c.skills, c.family,
       c.created_ms,
       (select count(*) from assignment l
        where l.contributor_id = c.id and l.state = 'claimed') as n_live,
       (select max(submitted_ms) from answer w where w.contributor_id = c.id) as last_ms
from contributor c
left join account a on a.id = c.account_id
left join account s on s.id = c.state_by
where c.id = %s"""

# the key of track begins with the process: one lookup for each step there is
RECORDS = """
select k.process_id, k.step_slug as slug, k.judged, k."right", k.gold_judged, k.gold_right
from (select distinct process_id, slug from batch_step) s
join track k on k.process_id = s.process_id and k.step_slug = s.slug and k.contributor_id = %s
order by k.judged desc"""

LICENCES = """
select id, process_id, step_slug as slug, version, state, granted_ms, ended_ms, flagged_ms
from licence where contributor_id = %s order by ended_ms is not null, id desc limit 50"""

ALIKE = """
select a.process_id, a.step_slug as slug, c.id as other, c.name, c.simulated, a.common,
       a.same_wrong, a.chance, a.p_value
from alike a
join contributor c on c.id = case when a.one = %(who)s then a.other else a.one end
where %(who)s in (a.one, a.other) order by a.p_value limit 20"""

# the last tasks with a time, and what others took for the same ones
TIMED = """
select s.process_id, s.slug, other.contributor_id, other.task_id, other.active_ms
from (
    select task_id, batch_step_id from activity
    where contributor_id = %s and active_ms > 0 order by sent_ms desc limit %s
) own
join batch_step s on s.id = own.batch_step_id
join activity other on other.task_id = own.task_id and other.active_ms > 0"""

ANSWERED = """
select a.task_id, a.value, a.submitted_ms, a.expert, t.kind, t.batch_step_id, s.batch_id,
       b.name as batch_name, s.slug, i.key, d.task_id is not null as decided, x.active_ms
from (
    select task_id, contributor_id, value, submitted_ms, expert from answer
    where contributor_id = %s order by submitted_ms desc limit %s
) a
join task t on t.id = a.task_id
join batch_step s on s.id = t.batch_step_id
join batch b on b.id = s.batch_id
left join item i on i.batch_id = s.batch_id and i.id = t.item_id
left join decision d on d.task_id = a.task_id
left join activity x on x.task_id = a.task_id and x.contributor_id = a.contributor_id
order by a.submitted_ms desc"""


class Person(Struct, frozen=True):
    """Who it is."""

    id: int
    kind: str
    name: str
    account_id: int | None
    email: str | None
    disabled_ms: int | None
    simulated: bool
    state: str
    #: why they were paused or resumed last, when, and by whom
    state_reason: str
    state_ms: int | None
    state_by: str
    skills: list[str]
    family: str | None
    created_ms: int
    #: tasks in hand
    n_live: int
    #: the last answer
    last_ms: int | None


class Record(Struct, frozen=True):
    """How often somebody was right at a step, in expectation."""

    process_id: int
    slug: str
    judged: float
    right: float
    gold_judged: float
    gold_right: float


class Held(Struct, frozen=True):
    """A licence."""

    id: int
    process_id: int
    slug: str
    version: int
    state: str
    granted_ms: int | None
    ended_ms: int | None
    flagged_ms: int | None


class Alike(Struct, frozen=True):
    """Somebody who gave the same wrong answers more often than chance would."""

    process_id: int
    slug: str
    other: int
    name: str
    simulated: bool
    common: int
    same_wrong: float
    chance: float
    p_value: float


class Timed(Struct, frozen=True):
    """What somebody took for a task."""

    process_id: int
    slug: str
    contributor_id: int
    task_id: int
    active_ms: int


class Answered(Struct, frozen=True):
    """An answer, and of what."""

    task_id: int
    value: Any
    submitted_ms: int
    expert: bool
    #: work, gold or audit
    kind: str
    batch_step_id: int
    batch_id: int
    batch_name: str
    slug: str
    #: None for gold
    key: str | None
    decided: bool
    #: None: not measured
    active_ms: int | None


async def person(conn: Conn, contributor_id: int) -> Person | None:
    """Who it is."""
    found = await rows(conn, Person, PERSON, [contributor_id])
    return found[0] if found else None


async def records(conn: Conn, contributor_id: int) -> list[Record]:
    """By step, those with most behind them first."""
    return await rows(conn, Record, RECORDS, [contributor_id])


async def licences(conn: Conn, contributor_id: int) -> list[Held]:
    """Those that are open first."""
    return await rows(conn, Held, LICENCES, [contributor_id])


async def alike(conn: Conn, contributor_id: int) -> list[Alike]:
    """As the last sweep found them."""
    return await rows(conn, Alike, ALIKE, {"who": contributor_id})


async def timed(conn: Conn, contributor_id: int, limit: int) -> list[Timed]:
    """The last tasks, with everybody's times for them."""
    return await rows(conn, Timed, TIMED, [contributor_id, limit])


async def answered(conn: Conn, contributor_id: int, limit: int) -> list[Answered]:
    """The last answers, newest first."""
    return await rows(conn, Answered, ANSWERED, [contributor_id, limit])
