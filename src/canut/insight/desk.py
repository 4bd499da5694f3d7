"""A contributor's home: what is open to them and why, their week, what they are told."""

from msgspec import Struct

from canut.db.pool import Pool
from canut.insight import store_desk as store
from canut.insight.operations import Titles
from canut.insight.operations_model import DAY_MS
from canut.insight.store_desk import Door, Me, Told, Why
from canut.insight.store_operations import titles as read_titles

TOLD_SHOWN = 8


class Day(Struct, frozen=True):
    """A day of the week that ends today, UTC."""

    #: when it began
    at_ms: int
    answers: int
    #: time at work, as the task screen measured it
    active_ms: int


class Desk(Struct, frozen=True):
    """What a contributor finds at home."""

    me: Me
    #: by batch, what it asks for
    why: dict[int, Why]
    #: work that is closed, by step, with what it asks for
    closed: list[Door]
    #: seven days, today last
    week: list[Day]
    told: list[Told]
    titles: Titles

    @property
    def unread(self) -> int:
        """How many they have not seen."""
        return sum(one.at_ms > self.me.told_seen_ms for one in self.told)


async def read_desk(pool: Pool, contributor_id: int, batches: list[int], now_ms: int) -> Desk:
    """The home of a contributor to whom these batches are open."""
    today = now_ms // DAY_MS
    from_ms = (today - 6) * DAY_MS
    async with pool.connection() as conn:
        me = await store.me(conn, contributor_id)
        doors = await store.doors(conn, contributor_id)
        why = await store.why(conn, contributor_id, batches)
        answered = await store.answered(conn, contributor_id, from_ms)
        active = await store.active(conn, contributor_id, from_ms, now_ms)
        told = await store.told(conn, contributor_id, TOLD_SHOWN)
        closed = [one for one in doors if not one.open]
        named = {(one.process_id, one.slug) for one in closed}
        named |= {(one.process_id, one.slug) for one in told if one.process_id is not None}
        titles = await read_titles(conn, sorted(named))
    week = [
        Day(day * DAY_MS, answered.get(day, 0), active.get(day, 0))
        for day in range(today - 6, today + 1)
    ]
    return Desk(me, why, closed, week, told, titles)
