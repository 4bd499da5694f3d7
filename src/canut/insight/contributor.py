"""A contributor as operators see them: record, licences, pace, history, and what was done."""

from typing import Any

import numpy as np
from msgspec import Struct

from canut.db.pool import Conn, Pool
from canut.errors import NotFound
from canut.insight import store_contributor as store
from canut.insight.operations import Titles
from canut.insight.store_contributor import (
    Alike,
    Answered,
    Held,
    Person,
    Record,
    Timed,
)
from canut.insight.store_operations import titles as read_titles
from canut.pay.tariff import pace
from canut.people.model import Principal
from canut.people.store import Asked, Note, find_audit, list_notes
from canut.people.store.log import Entry
from canut.work.tasks import Steps

#: the last answers, entries of the log and tasks with a time that are looked at
ANSWERS, ENTRIES, TIMED = 15, 12, 300


class Pace(Struct, frozen=True):
    """How long somebody takes at a step, over their last tasks there."""

    process_id: int
    slug: str
    tasks: int
    #: milliseconds, the middle one
    middle_ms: float
    #: times what others took for the same tasks; None: nobody else had them
    ratio: float | None


class Said(Struct, frozen=True):
    """An answer, in words once it has its question."""

    answered: Answered
    question: Any


class ContributorSight(Struct, frozen=True):
    """Everything about one contributor."""

    person: Person
    records: list[Record]
    licences: list[Held]
    paces: list[Pace]
    alike: list[Alike]
    history: list[Said]
    log: list[Entry]
    notes: list[Note]
    titles: Titles


async def read_contributor(
    pool: Pool, steps: Steps, who: Principal, contributor_id: int
) -> ContributorSight:
    """For operators. Their own answers are not shown to them: among them is gold. Raises
    `NotFound`."""
    async with pool.connection() as conn:
        person = await store.person(conn, contributor_id)
        if person is None:
            raise NotFound("There is no such contributor.")
        own = who.contributor_id == contributor_id
        records = await store.records(conn, contributor_id)
        licences = await store.licences(conn, contributor_id)
        paces = await _paces(conn, contributor_id)
        answered = [] if own else await store.answered(conn, contributor_id, ANSWERS)
        asked = Asked(subject="contributor", subject_id=str(contributor_id))
        log = await find_audit(conn, who, asked, limit=ENTRIES)
        notes = [] if own else await list_notes(conn, contributor_id)
        alike = await store.alike(conn, contributor_id)
        named = {(one.process_id, one.slug) for one in records}
        named |= {(one.process_id, one.slug) for one in licences}
        named |= {(one.process_id, one.slug) for one in paces}
        named |= {(one.process_id, one.slug) for one in alike}
        titles = await read_titles(conn, sorted(named))
    history = [Said(one, (await steps.load(pool, one.batch_step_id)).question) for one in answered]
    return ContributorSight(person, records, licences, paces, alike, history, log, notes, titles)


async def _paces(conn: Conn, contributor_id: int) -> list[Pace]:
    """By step, those with most tasks first."""
    timed = await store.timed(conn, contributor_id, TIMED)
    found: dict[tuple[int, str], list[Timed]] = {}
    for one in timed:
        found.setdefault((one.process_id, one.slug), []).append(one)
    made = [_pace(place, some, contributor_id) for place, some in found.items()]
    return sorted(made, key=lambda one: -one.tasks)


def _pace(place: tuple[int, str], some: list[Timed], contributor_id: int) -> Pace:
    own = [one.active_ms for one in some if one.contributor_id == contributor_id]
    ratios = pace(
        np.array([one.contributor_id for one in some], np.int64),
        np.array([one.task_id for one in some], np.int64),
        np.array([one.active_ms for one in some], np.int64),
    )
    middle = float(np.median(own)) if own else 0.0
    return Pace(*place, len(own), middle, ratios.get(contributor_id))
