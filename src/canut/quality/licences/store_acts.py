"""The SQL of what people did about licences; the audit log is the record of it."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Sync = Connection[Any]

KIND = "select kind from contributor where id = %s"

HAS_STEP = """
select exists (
    select from process_version v join step s on s.process_version_id = v.id
    where v.process_id = %s and s.slug = %s)"""

# what people did about these licences, and with which evidence before them
ACTS = """
select e.subject_id::bigint as licence_id, e.action, e.at_ms, coalesce(a.name, '') as name,
       e.detail ->> 'cause' as cause, coalesce(e.detail ->> 'reason', '') as reason,
       e.detail -> 'evidence' as evidence
from audit_log e left join account a on a.id = e.account_id
where e.subject = 'licence' and e.subject_id = any (%s)
  and e.action in ('grant.licence', 'keep.licence', 'end.licence')
order by e.id"""

# whom to write to about a decision: operators who did not take it come first
CONTACTS = """
select a.name, a.email from account a
where a.disabled_ms is null and exists (select from account_role r where r.account_id = a.id)
order by a.id = any (%s), a.id limit 3"""

ENDERS = """
select distinct ended_by from licence where contributor_id = %s and ended_by is not null"""

# steps whose work an agent could answer now, and so earn a licence on
EARNABLE = """
select distinct s.process_id, s.slug as step_slug
from contributor c join batch_step s on s.open and s.skills <@ c.skills
where c.id = %(contributor)s and c.kind = 'agent' and not exists (
    select from licence l
    where l.contributor_id = c.id and l.process_id = s.process_id and l.step_slug = s.slug
      and l.ended_ms is null and l.basis <> '')
order by s.process_id, s.slug limit 200"""

# what steps are called now
TITLES = """
select p.id as process_id, u.slug as step_slug, p.slug as process_slug, p.client_id,
       coalesce(v.definition -> 'title', to_jsonb(p.slug)) as title,
       coalesce(v.step -> 'title', to_jsonb(u.slug)) as step_title,
       coalesce(c.name, '') as client_name
from unnest(%s::bigint[], %s::text[]) as u (process_id, slug)
join process p on p.id = u.process_id
left join client c on c.id = p.client_id
left join lateral (
    select v.definition, s.definition as step
    from process_version v join step s on s.process_version_id = v.id and s.slug = u.slug
    where v.process_id = p.id order by v.adapted, v.number desc limit 1
) v on true"""

NAMES = "select id, name, kind, simulated from contributor where id = any (%s)"


class Act(Struct, frozen=True):
    """What a person did about a licence."""

    licence_id: int
    #: grant.licence, keep.licence, end.licence
    action: str
    at_ms: int
    #: who; empty: the command line
    name: str
    cause: str | None
    reason: str
    #: what they had before them
    evidence: dict[str, Any] | None


class Contact(Struct, frozen=True):
    """Somebody to write to."""

    name: str
    email: str


class StepTitle(Struct, frozen=True):
    """What a step of a process is called."""

    process_id: int
    step_slug: str
    process_slug: str
    #: whose process it is; None: of the library
    client_id: int | None
    title: Any
    step_title: Any
    #: what that client is called; "" for the library's
    client_name: str = ""


class Holder(Struct, frozen=True):
    """Who holds a licence."""

    id: int
    name: str
    kind: str
    simulated: bool


def kind(conn: Sync, contributor_id: int) -> str | None:
    """person or agent; None: nobody."""
    row = conn.execute(KIND, [contributor_id]).fetchone()
    return row[0] if row else None


def has_step(conn: Sync, process_id: int, step_slug: str) -> bool:
    row = conn.execute(HAS_STEP, [process_id, step_slug]).fetchone()
    return row is not None and bool(row[0])


def acts(conn: Sync, licences: Sequence[int]) -> list[Act]:
    """In their order."""
    ids = [str(id) for id in licences]
    return conn.cursor(row_factory=of(Act)).execute(ACTS, [ids]).fetchall()


def contacts(conn: Sync, last: Sequence[int]) -> list[Contact]:
    """Operators and stewards, at most three, those with the accounts `last` at the end."""
    return conn.cursor(row_factory=of(Contact)).execute(CONTACTS, [list(last)]).fetchall()


def enders(conn: Sync, contributor_id: int) -> list[int]:
    """The accounts that ended licences of a contributor."""
    return [row[0] for row in conn.execute(ENDERS, [contributor_id])]


def earnable(conn: Sync, contributor_id: int) -> list[tuple[int, str]]:
    """(process, step) where an agent could begin to earn a licence; none for people."""
    return conn.execute(EARNABLE, {"contributor": contributor_id}).fetchall()


def titles(conn: Sync, places: Sequence[tuple[int, str]]) -> dict[tuple[int, str], StepTitle]:
    """What these steps are called."""
    values = [[place[0] for place in places], [place[1] for place in places]]
    rows = conn.cursor(row_factory=of(StepTitle)).execute(TITLES, values).fetchall()
    return {(row.process_id, row.step_slug): row for row in rows}


def holders(conn: Sync, contributors: Sequence[int]) -> dict[int, Holder]:
    """By contributor."""
    rows = conn.cursor(row_factory=of(Holder)).execute(NAMES, [list(contributors)]).fetchall()
    return {row.id: row for row in rows}
