"""What is held becomes theirs: after five days of silence, or when the client says so."""

from canut.db.pool import SyncConn
from canut.pay.accrual import store
from canut.pay.ledger import Move, Post, post
from canut.people.model import Principal
from canut.people.store.log import audit_sync

#: sheets accepted in one transaction
SHEETS_MAX = 5000


def accept_due(conn: SyncConn, now_ms: int, limit: int = SHEETS_MAX) -> int:
    """Post the holds of sheets whose days are over; how many sheets. Killed at any moment, the next
    call goes on: what is accepted is posted, in one transaction."""
    with conn.transaction():
        sheets = store.to_accept(conn, now_ms, limit)
        moves: list[Move] = [
            Post(f"accept:{hold}", hold, why=f"sheet {sheet.id}")
            for sheet in sheets
            for hold in sheet.holds
        ]
        if moves:
            post(conn, moves, now_ms)
        store.accepted(conn, [sheet.id for sheet in sheets], now_ms)
    return len(sheets)


def accept_batch(conn: SyncConn, by: Principal, batch_id: int, client_id: int, now_ms: int) -> int:
    """Accept what was earned in a batch before its days are over; how many sheets. Whoever asks
    must be allowed to see the batch: check that first. The engine posts it."""
    with conn.transaction():
        sheets = store.accept_batch(conn, batch_id, now_ms)
        detail = {"sheets": sheets}
        audit_sync(conn, by, "accept.work", "batch", batch_id, detail, client_id=client_id)
    return sheets
