"""The SQL of what steps know of their contributors: one round trip a question, sets only."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from psycopg import Connection

from canut.quality.beliefs.model import Parameters, StepModel, StepPlace
from canut.truth.votes import Int64

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

# of everybody (0) and of the contributors at hand; binary, where each row is as long as the others:
# thousands of arrays are read in the time that text takes for a hundred
CONFUSIONS = """
copy (
    select contributor_id, said, truth from confusion
    where process_id = %s and step_slug = %s and options = %s and contributor_id = any (%s)
) to stdout (format binary)"""
COPY_HEADER, COPY_TRAILER = 19, 2

# Add rows [contributor, said, truth...]; all truths are one array, for the same reason. Ordered, so
# that no two engines wait in a circle; whole numbers, so that the order does not matter.
ADD_CONFUSIONS = """
with given as materialized (select %s::bigint[] as truth, %s::int as classes)
insert into confusion as c (process_id, step_slug, options, contributor_id, said, truth)
select %s, %s, %s, u.contributor, u.said,
       given.truth[(u.place - 1) * given.classes + 1 : u.place * given.classes]
from given, unnest(%s::bigint[], %s::int2[]) with ordinality as u (contributor, said, place)
order by u.contributor, u.said
on conflict (process_id, step_slug, options, contributor_id, said) do update
set truth = (
    select array_agg(was + more) from unnest(c.truth, excluded.truth) as u (was, more))"""


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
    conn: Sync, place: StepPlace, options: str, contributors: Sequence[int], n_classes: int
) -> tuple[Int64, Int64, Int64]:
    """Contributor, said, and counts by truth (n, n_classes), of each row; 0 is everybody."""
    everybody = [0, *contributors]
    with conn.cursor().copy(
        CONFUSIONS, [place.process_id, place.step_slug, options, everybody]
    ) as copy:
        data = b"".join(copy)
    dtype = _row(n_classes)
    rows = np.frombuffer(data[COPY_HEADER:-COPY_TRAILER], dtype)
    truth = rows["truth"]["n"].astype(np.int64)
    return rows["who"].astype(np.int64), rows["said"].astype(np.int64), truth


def _row(n_classes: int) -> np.dtype[Any]:
    """A row of CONFUSIONS: a count of fields, then length and value of each; an array begins with
    its dimensions, flags, type, size and lower bound, and has a length before each element."""
    element = np.dtype([("length", ">i4"), ("n", ">i8")])
    return np.dtype(
        [
            ("fields", ">i2"),
            ("who_length", ">i4"),
            ("who", ">i8"),
            ("said_length", ">i4"),
            ("said", ">i2"),
            ("truth_length", ">i4"),
            ("dimensions", ">i4", 5),
            ("truth", element, n_classes),
        ]
    )


def add_confusions(
    conn: Sync,
    place: StepPlace,
    options: str,
    contributors: Sequence[int],
    said: Sequence[int],
    truth: Int64,
) -> None:
    """Add counts by truth (n, n_classes) of (contributor, said) to what is there."""
    values = [place.process_id, place.step_slug, options, _array(contributors), _array(said)]
    flat = _array(truth.ravel().tolist())
    conn.execute(ADD_CONFUSIONS, [flat, truth.shape[1], *values])


def _array(numbers: Sequence[int]) -> str:
    """As PostgreSQL reads an array: faster than the driver, which looks at each value."""
    return "{" + ",".join(map(str, numbers)) + "}"
