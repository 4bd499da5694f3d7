"""The SQL of licences and of the blind answers they rest on."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.db.rows import of
from canut.quality.model import BlindAnswer, Licence, LicencePlace
from canut.truth.designs import PPM

Sync = Connection[Any]

_LICENCE = """
select l.id, l.contributor_id, l.process_id, l.step_slug, l.version,
       coalesce(l.root, l.id) as root,
       coalesce((select r.version from licence r where r.id = l.root), l.version) as root_version,
       coalesce((select r.started_ms from licence r where r.id = l.root), l.started_ms)
           as root_started_ms,
       l.state, l.basis, l.error_max, l.delta, l.threshold, l.rungs, l.seed, l.stream_ppm,
       l.finding, l.standing, l.flagged_ms, l.started_ms, l.granted_ms, l.ended_ms, l.reason,
       l.stream_floor_ppm, l.canary_ppm
from licence l
"""

# open licences of agents among these contributors, for deciding
OPEN_OF_AGENTS = (
    _LICENCE
    + """join contributor c on c.id = l.contributor_id and c.kind = 'agent'
where l.process_id = %s and l.step_slug = %s and l.contributor_id = any (%s)
  and l.ended_ms is null
order by l.contributor_id"""
)

# a licence, held against other engines that review it
LOCKED = _LICENCE + "where l.id = %s for update of l"

ONE = _LICENCE + "where l.id = %s"

HISTORY = (
    _LICENCE
    + """where l.process_id = %s and l.step_slug = %s and l.id < %s
order by l.id desc limit %s"""
)

# what is open at a step: those somebody must look at first
OPEN = (
    _LICENCE
    + """where l.process_id = %s and l.step_slug = %s and l.ended_ms is null
order by l.flagged_ms nulls last, l.id desc limit %s"""
)

# every version of a contributor at a step
VERSIONS = (
    _LICENCE
    + """where l.contributor_id = %s and l.process_id = %s and l.step_slug = %s
order by l.version desc limit %s"""
)

OF_CONTRIBUTOR = _LICENCE + "where l.contributor_id = %s order by l.id desc limit %s"

# end what is open, whatever it is; one contributor at a step has one open licence
END = """
update licence set state = 'ended', ended_ms = %(now)s, reason = %(reason)s, ended_by = %(by)s
where contributor_id = %(contributor)s and process_id = %(process)s and step_slug = %(step)s
  and ended_ms is null
returning id"""

BEGIN = """
insert into licence (contributor_id, process_id, step_slug, version, root, state, basis, error_max,
    delta, threshold, rungs, seed, stream_ppm, finding, started_ms, granted_ms, stream_floor_ppm,
    canary_ppm)
select %(contributor)s, %(process)s, %(step)s,
    1 + %(skipped)s + coalesce((select max(version) from licence
        where contributor_id = %(contributor)s
        and process_id = %(process)s and step_slug = %(step)s), 0),
    %(root)s, %(state)s, %(basis)s, %(error_max)s, %(delta)s, %(threshold)s, %(rungs)s,
    %(seed)s, %(ppm)s, %(finding)s, %(now)s, %(granted)s, %(floor)s, %(canary)s
returning id"""

NOTE = """
update licence set rungs = %s, finding = %s, standing = %s,
    stream_ppm = coalesce(%s, stream_ppm), reviewed_ms = %s
where id = %s"""

# open licences with evidence that came in since the last look, and those that may set their rungs
DUE = """
select l.id from licence l
where l.ended_ms is null and l.stream_ppm > 0 and exists (
    select from blind_answer b
    where b.root = coalesce(l.root, l.id) and b.settled_ms >= l.reviewed_ms)
order by l.id"""

FLAG = "update licence set flagged_ms = %s, standing = %s where id = %s and flagged_ms is null"

# what the step promises, as its newest batch has it
TERMS = """
select error_max, delta, stream_share from batch_step
where process_id = %s and slug = %s order by id desc limit 1"""

RECORD = """
insert into blind_answer (root, licence_id, contributor_id, task_id, value, confidence)
select coalesce(l.root, l.id), l.id, l.contributor_id, u.task_id, u.value, u.confidence
from unnest(%s::bigint[], %s::bigint[], %s::jsonb[], %s::real[])
    with ordinality as u (licence_id, task_id, value, confidence, place)
join licence l on l.id = u.licence_id
order by u.place
on conflict do nothing"""

# answers that have no voice: they fell into a stream when they were first weighed
SHADOWED = "select task_id, contributor_id from blind_answer where task_id = any (%s)"

OPEN_BLIND = """
select id, licence_id, task_id, value::text from blind_answer
where task_id = any (%s) and wrong is null order by id for update"""

SETTLE = """
update blind_answer b set wrong = u.wrong, settled_ms = %s
from unnest(%s::bigint[], %s::boolean[]) as u (id, wrong) where b.id = u.id"""

SETTLE_OF = """
update blind_answer b set wrong = u.wrong, settled_ms = %s
from unnest(%s::bigint[], %s::boolean[]) as u (task_id, wrong)
where b.licence_id = %s and b.task_id = u.task_id and b.wrong is null"""

# nobody will decide these: the batch was cancelled, which says nothing about the answer
FORGET_CANCELLED = """
delete from blind_answer b using task t, batch_step s, batch
where b.wrong is null and b.root = %s and t.id = b.task_id and s.id = t.batch_step_id
  and batch.id = s.batch_id and batch.state = 'cancelled'"""

# what it passed on is evidence about its challenger, not about what it decides
EVIDENCE = """
select task_id, licence_id, confidence, wrong from blind_answer
where root = %s and value <> 'null' order by id"""


class Terms(Struct, frozen=True):
    """What a step asks of those who decide alone."""

    error_max: float
    delta: float
    stream_share: float


class OpenBlind(Struct, frozen=True):
    """A blind answer that waits for people's decision."""

    id: int
    licence_id: int
    task_id: int
    value: str


def open_of_agents(
    conn: Sync, process_id: int, step_slug: str, contributors: Sequence[int]
) -> list[Licence]:
    """Open licences of those of the contributors who are agents."""
    values = [process_id, step_slug, list(contributors)]
    return conn.cursor(row_factory=of(Licence)).execute(OPEN_OF_AGENTS, values).fetchall()


def locked(conn: Sync, licence_id: int) -> Licence | None:
    return conn.cursor(row_factory=of(Licence)).execute(LOCKED, [licence_id]).fetchone()


def one(conn: Sync, licence_id: int) -> Licence | None:
    """To look at, not to change."""
    return conn.cursor(row_factory=of(Licence)).execute(ONE, [licence_id]).fetchone()


def history(
    conn: Sync, process_id: int, step_slug: str, limit: int = 200, before: int = 2**63 - 1
) -> list[Licence]:
    """Every version at a step, the newest first."""
    values = [process_id, step_slug, before, limit]
    return conn.cursor(row_factory=of(Licence)).execute(HISTORY, values).fetchall()


def open_at(conn: Sync, process_id: int, step_slug: str, limit: int = 200) -> list[Licence]:
    """What is in force or being earned at a step, flagged ones first."""
    values = [process_id, step_slug, limit]
    return conn.cursor(row_factory=of(Licence)).execute(OPEN, values).fetchall()


def versions(conn: Sync, place: LicencePlace, limit: int = 200) -> list[Licence]:
    """Every version of a contributor at a step, the newest first."""
    values = [place.contributor_id, place.process_id, place.step_slug, limit]
    return conn.cursor(row_factory=of(Licence)).execute(VERSIONS, values).fetchall()


def of_contributor(conn: Sync, contributor_id: int, limit: int = 200) -> list[Licence]:
    """Every version of a contributor, the newest first."""
    cursor = conn.cursor(row_factory=of(Licence))
    return cursor.execute(OF_CONTRIBUTOR, [contributor_id, limit]).fetchall()


def end(
    conn: Sync, place: LicencePlace, now_ms: int, reason: str, by: int | None = None
) -> int | None:
    """End the open licence there is; its id, or None."""
    values = _place(place) | {"now": now_ms, "reason": reason, "by": by}
    row = conn.execute(END, values).fetchone()
    return int(row[0]) if row else None


def begin(conn: Sync, place: LicencePlace, now_ms: int, values: dict[str, Any]) -> int:
    """A new version; the one before must have ended. `values` are the columns of BEGIN."""
    given: dict[str, Any] = {"threshold": None, "rungs": None, "seed": "", "ppm": 0, "basis": ""}
    given |= {
        "finding": None,
        "root": None,
        "granted": None,
        "skipped": 0,
        "floor": 0,
        "canary": PPM,
        "now": now_ms,
        **_place(place),
        **values,
    }
    given["rungs"] = _json(given["rungs"])
    given["finding"] = _json(given["finding"])
    row = conn.execute(BEGIN, given).fetchone()
    assert row is not None
    return int(row[0])


def note(
    conn: Sync, licence_id: int, now_ms: int, found: tuple[Any, Any, Any], stream_ppm: int | None
) -> None:
    """What the last review found: rungs, finding, standing."""
    values = [*map(_json, found), stream_ppm, now_ms, licence_id]
    conn.execute(NOTE, values)


def due(conn: Sync) -> list[int]:
    """Open licences whose evidence is newer than the last look at it."""
    return [row[0] for row in conn.execute(DUE)]


def flag(conn: Sync, licence_id: int, now_ms: int, standing: Any) -> None:
    """Evidence against a person, for a person to look at."""
    conn.execute(FLAG, [now_ms, _json(standing), licence_id])


def terms(conn: Sync, process_id: int, step_slug: str) -> Terms | None:
    cursor = conn.cursor(row_factory=of(Terms))
    return cursor.execute(TERMS, [process_id, step_slug]).fetchone()


def record(conn: Sync, rows: Sequence[tuple[int, int, Any, float]]) -> None:
    """(licence, task, value, confidence) of answers that fell into a stream, in their order; value
    None where it passed the task on."""
    licences, tasks, values, confidences = zip(*rows, strict=True)
    encode = msgspec.json.Encoder().encode
    encoded = [encode(value).decode() for value in values]
    conn.execute(RECORD, [list(licences), list(tasks), encoded, list(confidences)])


def shadowed(conn: Sync, tasks: Sequence[int]) -> set[tuple[int, int]]:
    """(task, contributor) of answers that people's decision judges, so that they have no voice."""
    return set(conn.execute(SHADOWED, [list(tasks)]).fetchall())


def open_blind(conn: Sync, tasks: Sequence[int]) -> list[OpenBlind]:
    """Blind answers to these tasks that wait for their decision."""
    cursor = conn.cursor(row_factory=of(OpenBlind))
    return cursor.execute(OPEN_BLIND, [list(tasks)]).fetchall()


def settle(conn: Sync, ids: Sequence[int], wrong: Sequence[bool], now_ms: int) -> None:
    conn.execute(SETTLE, [now_ms, list(ids), list(wrong)])


def settle_of(conn: Sync, licence_id: int, wrong: Mapping[int, bool], now_ms: int) -> None:
    """Task -> whether what was recorded of it under this licence was wrong."""
    conn.execute(SETTLE_OF, [now_ms, list(wrong), list(wrong.values()), licence_id])


def evidence(conn: Sync, root: int) -> list[BlindAnswer]:
    """All blind answers since a root began, in their order."""
    conn.execute(FORGET_CANCELLED, [root])
    return conn.cursor(row_factory=of(BlindAnswer)).execute(EVIDENCE, [root]).fetchall()


def _place(place: LicencePlace) -> dict[str, Any]:
    return {
        "contributor": place.contributor_id,
        "process": place.process_id,
        "step": place.step_slug,
    }


def _json(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(msgspec.to_builtins(value))
