"""The SQL of what steps know of their contributors: one round trip a question, sets only."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from canut.quality.beliefs_model import Parameters, StepModel, StepPlace

Sync = Connection[Any]

# of each contributor at hand: record, family
RECORDS = """
select c.id, coalesce(t."right", 0), coalesce(t.judged, 0), coalesce(t.gold_right, 0),
       coalesce(t.gold_judged, 0), c.family
from contributor c
left join track t on t.process_id = %s and t.step_slug = %s and t.contributor_id = c.id
where c.id = any (%s)"""
MODEL = """
select version, skill, parameters::text from step_model where process_id = %s and step_slug = %s"""

# pairs of contributors at hand who err together
ALIKE = """
select one, other, share from alike
where process_id = %s and step_slug = %s and one = any (%s) and other = any (%s)"""

# of everybody (0) and of the contributors at hand
CONFUSIONS = """
select contributor_id, said, truth from confusion
where process_id = %s and step_slug = %s and options = %s and contributor_id = any (%s)"""

# Add rows [contributor, said, truth...]. Everybody's are their sums. Ordered, so that no two
# engines wait in a circle; whole numbers, so that the order does not matter.
ADD_CONFUSIONS = """
insert into confusion as c (process_id, step_slug, options, contributor_id, said, truth)
select %s, %s, %s, u.contributor, u.said, u.truth::bigint[]
from unnest(%s::bigint[], %s::int2[], %s::text[]) as u (contributor, said, truth)
order by u.contributor, u.said
on conflict (process_id, step_slug, options, contributor_id, said) do update
set truth = (
    select array_agg(was.n + more.n order by place)
    from unnest(c.truth) with ordinality as was (n, place)
    join unnest(excluded.truth) with ordinality as more (n, place) using (place))"""


class Record(Struct, frozen=True):
    """A contributor at a step: by agreement with decisions, and by gold."""

    right: float = 0.0
    judged: float = 0.0
    gold_right: float = 0.0
    gold_judged: float = 0.0
    #: agents of one model family are one voice
    family: str | None = None


def records(conn: Sync, place: StepPlace, contributors: list[int]) -> dict[int, Record]:
    """By contributor; those nobody knows are absent."""
    rows = conn.execute(RECORDS, [place.process_id, place.step_slug, contributors])
    return {row[0]: Record(*row[1:]) for row in rows}


def model(conn: Sync, place: StepPlace) -> StepModel:
    """What the last sweep found; what is believed of any step before the first."""
    row = conn.execute(MODEL, [place.process_id, place.step_slug]).fetchone()
    if row is None:
        return StepModel()
    return StepModel(row[0], row[1], msgspec.json.decode(row[2], type=Parameters))


def alike(conn: Sync, place: StepPlace, contributors: list[int]) -> list[tuple[int, int, float]]:
    """(one, other, how far they are one voice)."""
    values = [place.process_id, place.step_slug, contributors, contributors]
    return conn.execute(ALIKE, values).fetchall()


def confusions(
    conn: Sync, place: StepPlace, options: str, contributors: Sequence[int]
) -> list[tuple[int, int, list[int]]]:
    """(contributor, said, counts by truth); 0 is everybody."""
    values = [place.process_id, place.step_slug, options, [0, *contributors]]
    return conn.execute(CONFUSIONS, values).fetchall()


def add_confusions(
    conn: Sync,
    place: StepPlace,
    options: str,
    rows: Sequence[tuple[int, int, Sequence[int]]],
) -> None:
    """Add (contributor, said, counts by truth) to what is there."""
    contributors = [row[0] for row in rows]
    said = [row[1] for row in rows]
    truth = ["{" + ",".join(map(str, row[2])) + "}" for row in rows]
    conn.execute(
        ADD_CONFUSIONS,
        [place.process_id, place.step_slug, options, contributors, said, truth],
    )
