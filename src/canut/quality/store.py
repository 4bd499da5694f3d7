"""The SQL of what steps know of their contributors."""

from typing import Any

from psycopg import Connection

# sums over decided tasks, for the contributors at hand
TRACK = """
select contributor_id, "right", judged from track
where process_id = %s and step_slug = %s and contributor_id = any (%s)"""

# add what was learned in one pass; ordered, so that two engines never wait in a circle
ADD = """
insert into track (process_id, step_slug, contributor_id, "right", judged)
select %s, %s, u.contributor_id, u.agreed, u.judged
from unnest(%s::bigint[], %s::float8[], %s::float8[]) as u (contributor_id, agreed, judged)
order by u.contributor_id
on conflict (process_id, step_slug, contributor_id) do update
set "right" = track."right" + excluded."right", judged = track.judged + excluded.judged"""


def read_track(
    conn: Connection[Any], process_id: int, step_slug: str, contributors: list[int]
) -> dict[int, tuple[float, float]]:
    """(right, judged) by contributor; those without a record are absent."""
    rows = conn.execute(TRACK, [process_id, step_slug, contributors])
    return {contributor: (right, judged) for contributor, right, judged in rows}


def add_track(
    conn: Connection[Any],
    process_id: int,
    step_slug: str,
    contributors: list[int],
    right: list[float],
    judged: list[float],
) -> None:
    """Add to the record of each contributor."""
    conn.execute(ADD, [process_id, step_slug, contributors, right, judged])
