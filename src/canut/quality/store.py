"""The SQL of what steps know of their contributors."""

from typing import Any

from psycopg import Connection

# add what was learned in one pass; ordered, so that two engines never wait in a circle
ADD = """
insert into track (process_id, step_slug, contributor_id, "right", judged)
select %s, %s, u.contributor_id, u.agreed, u.judged
from unnest(%s::bigint[], %s::float8[], %s::float8[]) as u (contributor_id, agreed, judged)
order by u.contributor_id
on conflict (process_id, step_slug, contributor_id) do update
set "right" = track."right" + excluded."right", judged = track.judged + excluded.judged"""


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
