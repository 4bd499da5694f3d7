"""The engine's part: lets tasks go as far as money covers them, and says where it does not."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.pay.funding import store
from canut.pay.funding.model import Plan, plan


class Covered(Struct, frozen=True):
    """What a look at the money of batches did."""

    #: tasks that may be claimed now
    released: int
    #: batches whose money has run out just now: their clients are to be told
    short: list[store.BatchName]


def cover_batches(conn: SyncConn, now_ms: int, batch_id: int | None = None) -> Covered:
    """Hold the money of each batch (or of one) against what is claimed of it, and let as many tasks
    go as the rest covers. A batch whose money has run out waits, with what was earned in it safe.

    In one transaction; whoever is told of `short` must be told in it too.
    """
    released, short = 0, []
    with conn.transaction():
        batches = store.open_batches(conn, batch_id)
        if not batches:
            return Covered(0, [])
        found = store.steps(conn, batches)
        money = store.escrow(conn, batches)
        for batch in batches:
            planned = plan(money.get(batch, 0), found.get(batch, []))
            released += sum(planned.release.values())
            if _do(conn, batch, planned, now_ms):
                short.append(batch)
        return Covered(released, store.names(conn, short) if short else [])


def _do(conn: SyncConn, batch_id: int, planned: Plan, now_ms: int) -> bool:
    for step, n in planned.release.items():
        store.release(conn, step, n)
    store.hold(conn, batch_id, planned.hold)
    return store.short(conn, batch_id, now_ms if planned.short else None)
