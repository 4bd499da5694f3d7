"""Reading time: a contributor's own, task by task, and sums for a period."""

from canut.db.pool import Conn, SyncConn
from canut.pay.reading import EVER
from canut.pay.time import store, store_reviews
from canut.pay.time.model import Review, TaskTime, TimeSum

PAGE_MAX = 200


async def read_times(
    conn: Conn, contributor_id: int, *, before_ms: int = EVER, limit: int = 50
) -> list[TaskTime]:
    """The contributor's tasks that ended before a moment, newest first, with their times; tasks of
    which nothing was reported are among them, with none."""
    return await store.times(conn, contributor_id, before_ms, max(1, min(limit, PAGE_MAX)))


def time_between(
    conn: SyncConn, from_ms: int, until_ms: int, contributor_id: int | None = None
) -> list[TimeSum]:
    """Agreed time of each contributor (or of one), of all clients together, in tasks that ended
    from `from_ms` on and before `until_ms`. The floor of a period is owed for this."""
    return store.between(conn, from_ms, until_ms, contributor_id)


def list_reviews(
    conn: SyncConn,
    *,
    contributor_id: int | None = None,
    open_only: bool = True,
    after: int = 0,
    limit: int = 100,
) -> list[Review]:
    """Statements about time, oldest first, from the one behind `after` on."""
    values = {
        "who": contributor_id,
        "open": open_only,
        "after": after,
        "limit": max(1, min(limit, PAGE_MAX)),
    }
    return store_reviews.reviews(conn, values)
