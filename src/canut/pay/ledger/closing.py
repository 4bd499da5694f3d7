"""Closing periods: what is closed stays as it is."""

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid
from canut.pay.ledger import store


def close_period(conn: SyncConn, until_ms: int, now_ms: int, *, by: int | None = None) -> int:
    """Close every date before `until_ms`: nothing may be dated there any more. Waits for groups
    that are being posted. Returns how many accounts the period moved. Again with the same date,
    nothing changes. Raises `Invalid` for a date to come, `Conflict` if a later date is closed."""
    if not 0 < until_ms <= now_ms:
        raise Invalid("Only what is past can be closed.", mend="name a date that has come")
    with conn.transaction():
        moved = store.close(conn, until_ms, now_ms, by)
    if moved is None:
        raise Conflict("A later period is closed already.", mend="close a later date")
    return moved


def closed_until(conn: SyncConn) -> int:
    """Every date before this is closed; 0: none is."""
    return store.closed(conn)
