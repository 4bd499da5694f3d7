"""The SQL of licences. The blind answers they rest on are in `store_blind`."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.db.rows import of
from canut.quality.model import Licence, LicencePlace
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
       l.stream_floor_ppm, l.canary_ppm, l.slices
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
    canary_ppm, slices)
select %(contributor)s, %(process)s, %(step)s,
    1 + %(skipped)s + coalesce((select max(version) from licence
        where contributor_id = %(contributor)s
        and process_id = %(process)s and step_slug = %(step)s), 0),
    %(root)s, %(state)s, %(basis)s, %(error_max)s, %(delta)s, %(threshold)s, %(rungs)s,
    %(seed)s, %(ppm)s, %(finding)s, %(now)s, %(granted)s, %(floor)s, %(canary)s,
    %(slices)s
returning id"""

NOTE = """
update licence set rungs = %s, finding = %s, standing = %s, slices = %s,
    stream_ppm = coalesce(%s, stream_ppm), reviewed_ms = %s
where id = %s"""

# open licences with evidence that came in since the last look, and those that may set their rungs
DUE = """
select l.id from licence l
where l.ended_ms is null and l.stream_ppm > 0 and exists (
    select from blind_answer b
    where b.root = coalesce(l.root, l.id) and b.settled_ms >= l.reviewed_ms)
order by l.id"""

# a larger stream holds what the smaller one held: chance is that of the task
SET_FLOOR = """
update licence set stream_floor_ppm = %(floor)s, stream_ppm = greatest(stream_ppm, %(floor)s)
where id = %(licence)s"""
SET_CANARY = "update licence set canary_ppm = %s where id = %s"

FLAG = "update licence set flagged_ms = %s, standing = %s where id = %s and flagged_ms is null"

# what the step promises, as its newest batch has it
TERMS = """
select error_max, delta, stream_share, slices, slices_max from batch_step
where process_id = %s and slug = %s order by id desc limit 1"""

# tasks of the step in open batches that nobody has decided
LEFT = """
select coalesce(sum(n_tasks - n_decided), 0)::bigint from batch_step
where process_id = %s and slug = %s and open"""


class Terms(Struct, frozen=True):
    """What a step asks of those who decide alone."""

    error_max: float
    delta: float
    stream_share: float
    #: of an agent's licence: what parts it, and how many parts at most
    slices: str = ""
    slices_max: int = 8


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
        "slices": None,
        "now": now_ms,
        **_place(place),
        **values,
    }
    for column in ("rungs", "finding", "slices"):
        given[column] = _json(given[column])
    row = conn.execute(BEGIN, given).fetchone()
    assert row is not None
    return int(row[0])


def note(
    conn: Sync, licence_id: int, now_ms: int, found: tuple[Any, ...], stream_ppm: int | None
) -> None:
    """What the last review found: rungs, finding, standing, slices."""
    values = [*map(_json, found), stream_ppm, now_ms, licence_id]
    conn.execute(NOTE, values)


def set_floor(conn: Sync, licence_id: int, floor_ppm: int) -> None:
    """Its stream is at least this share from now on."""
    conn.execute(SET_FLOOR, {"licence": licence_id, "floor": floor_ppm})


def set_canary(conn: Sync, licence_id: int, canary_ppm: int) -> None:
    """It decides this share of its tasks alone."""
    conn.execute(SET_CANARY, [canary_ppm, licence_id])


def due(conn: Sync) -> list[int]:
    """Open licences whose evidence is newer than the last look at it."""
    return [row[0] for row in conn.execute(DUE)]


def flag(conn: Sync, licence_id: int, now_ms: int, standing: Any) -> None:
    """Evidence against a person, for a person to look at."""
    conn.execute(FLAG, [now_ms, _json(standing), licence_id])


def left(conn: Sync, process_id: int, step_slug: str) -> int:
    """Tasks of a step's open batches that are not decided yet."""
    row = conn.execute(LEFT, [process_id, step_slug]).fetchone()
    return int(row[0]) if row else 0


def terms(conn: Sync, process_id: int, step_slug: str) -> Terms | None:
    cursor = conn.cursor(row_factory=of(Terms))
    return cursor.execute(TERMS, [process_id, step_slug]).fetchone()


def _place(place: LicencePlace) -> dict[str, Any]:
    return {
        "contributor": place.contributor_id,
        "process": place.process_id,
        "step": place.step_slug,
    }


def _json(value: Any) -> Jsonb | None:
    return None if value is None else Jsonb(msgspec.to_builtins(value))
