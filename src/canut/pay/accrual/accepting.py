"""What is held becomes theirs: after five days of silence, or when the client says so."""

import logging
from collections.abc import Sequence

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.pay.accrual import store
from canut.pay.ledger import Move, Post, post
from canut.people.model import Principal
from canut.people.store.log import audit_sync

log = logging.getLogger("canut.engine")

#: sheets accepted in one transaction
SHEETS_MAX = 5000


def accept_due(conn: SyncConn, now_ms: int, limit: int = SHEETS_MAX) -> int:
    """Post the holds of sheets whose days are over; how many sheets. Killed at any moment, the next
    call goes on: what is accepted is posted, in one transaction.

    A sheet of which the books refuse a hold (somebody has voided it) stays held and is named in the
    log; it keeps no other back."""
    with conn.transaction():
        sheets = store.to_accept(conn, now_ms, limit)
        done = sheets if _posted(conn, sheets, now_ms) else []
        if len(done) < len(sheets):
            done = [sheet for sheet in sheets if _posted(conn, [sheet], now_ms)]
            stuck = sorted({sheet.id for sheet in sheets} - {sheet.id for sheet in done})
            log.error("sheets %s cannot be accepted: a person must look", stuck)
        store.accepted(conn, [sheet.id for sheet in done], now_ms)
    return len(done)


def _posted(conn: SyncConn, sheets: Sequence[store.ToAccept], now_ms: int) -> bool:
    """All of them, or none where the books refuse one."""
    moves: list[Move] = [
        Post(f"accept:{hold}", hold, why=f"sheet {sheet.id}")
        for sheet in sheets
        for hold in sheet.holds
    ]
    try:
        with conn.transaction():
            if moves:
                post(conn, moves, now_ms)
    except CanutError:
        return False
    return True


def accept_batch(conn: SyncConn, by: Principal, batch_id: int, client_id: int, now_ms: int) -> int:
    """Accept what was earned in a batch before its days are over; how many sheets. Whoever asks
    must be allowed to see the batch: check that first. The engine posts it."""
    with conn.transaction():
        sheets = store.accept_batch(conn, batch_id, now_ms)
        detail = {"sheets": sheets}
        audit_sync(conn, by, "accept.work", "batch", batch_id, detail, client_id=client_id)
    return sheets
