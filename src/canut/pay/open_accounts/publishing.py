"""Publishing months: each once, when nothing can be dated into it any more."""

from canut.db.pool import Conn, SyncConn
from canut.pay.open_accounts import store
from canut.pay.open_accounts.model import OpenMonth, month_of, shown

#: months that are read at once: ten years
MONTHS_MAX = 120


def publish_months(conn: SyncConn, now_ms: int) -> int:
    """Publish every month whose books are closed and whose pay periods are settled; how many. Each
    in a transaction of its own; again: nothing. `conn` is in autocommit mode."""
    done = 0
    while True:
        with conn.transaction():
            if not store.alone(conn):
                return done
            begins = store.begins(conn)
            if begins is None:
                return done
            from_ms, until_ms = month_of(begins)
            if until_ms > store.closed(conn):
                return done
            moved = store.moved(conn, from_ms, until_ms)
            shares = shown(moved, store.hours(conn, from_ms, until_ms))
            store.publish(conn, OpenMonth(from_ms, until_ms, now_ms, shares))
        done += 1


async def read_months(conn: Conn) -> list[OpenMonth]:
    """What was published, newest first."""
    return await store.months(conn, MONTHS_MAX)
