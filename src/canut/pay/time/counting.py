"""The engine's part: reported times become agreed time, many tasks at a time."""

from canut.db.pool import SyncConn
from canut.pay.active_time import Interval, Lease, active, total_ms, union, without
from canut.pay.time import store

#: tasks counted in one transaction
TASKS_MAX = 5000


def count_time(conn: SyncConn, now_ms: int, limit: int = TASKS_MAX) -> int:
    """Count what devices reported of up to `limit` tasks that have ended; how many were counted.

    Of a contributor, tasks are taken in the order in which they ended, and a millisecond goes to
    the first that had it. Counted again (a packet that came late), a task may get more, never what
    another has. Killed at any moment, the next call goes on; two engines never count at once.
    """
    with conn.transaction():
        if not store.alone(conn):
            return 0
        rows = store.fresh(conn, limit, now_ms)
        if not rows:
            return 0
        taken = store.taken(conn, rows)
        store.count(conn, [_counted(row, taken) for row in rows])
    return len(rows)


def _counted(row: store.FreshTime, taken: dict[int, list[Interval]]) -> store.Counted:
    others = taken.get(row.contributor_id, [])
    lease = Lease(row.claimed_ms, row.ended_ms)
    own = without(active(row.spans, row.idle_ms, lease), others)
    taken[row.contributor_id] = union([*others, *own])
    return store.Counted(row, own, total_ms(own))
