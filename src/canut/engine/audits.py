"""Audits as a job: close lists, draw rounds, settle disputes, state what is proved."""

import logging
from collections.abc import Callable
from typing import Any

from canut.channels import webhooks
from canut.channels.store import audit
from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.people.model import Principal
from canut.quality.audits import store_disputes, store_frames
from canut.quality.audits.disputes import Settled
from canut.quality.audits.draws import close_frames
from canut.quality.audits.rounds import go_on, settle_disputes

log = logging.getLogger("canut.engine")

#: who settles disputes, in the audit log
ENGINE = Principal(name="engine")
#: batches, lists and steps looked at in one job
PER_JOB = 200
#: what a question type that is broken may raise: it stops its own audits, not the others
BROKEN = (ArithmeticError, LookupError, TypeError, ValueError, CanutError)


def advance(conn: SyncConn, now_ms: Callable[[], int]) -> int:
    """Do what there is to do about audits, each thing in a transaction of its own; how many things
    were done. `conn` is in autocommit mode; killed at any moment, the next call goes on."""
    parts: list[tuple[Callable[[SyncConn, int], list[int]], Callable[[SyncConn, int, int], bool]]]
    parts = [
        (store_frames.unframed, close_frames),
        (store_disputes.due, _settle),
        (store_frames.ready, go_on),
    ]
    done = 0
    for find, act in parts:
        for one in find(conn, PER_JOB):
            try:
                with conn.transaction():
                    done += act(conn, one, now_ms())
            except BROKEN:
                log.exception("%s cannot go on with %d", act.__name__, one)
    return done


def _settle(conn: SyncConn, batch_step_id: int, now_ms: int) -> bool:
    """Whoever disputed is told in the transaction that settles: once, and whatever happens."""
    settled = settle_disputes(conn, batch_step_id, now_ms)
    for one in settled:
        detail: dict[str, Any] = {"outcome": one.outcome, "item": one.key, "step": one.step}
        audit(conn, ENGINE, "settle.dispute", "dispute", one.id, detail, one.client_id)
        event = f"{webhooks.DISPUTE_SETTLED}:{one.id}"
        payload = _payload(one, now_ms)
        webhooks.enqueue(conn, one.client_id, webhooks.DISPUTE_SETTLED, event, payload, now_ms)
    return bool(settled)


def _payload(one: Settled, now_ms: int) -> dict[str, Any]:
    return {
        "dispute": one.id,
        "batch": one.batch_id,
        "key": one.key,
        "step": one.step,
        "outcome": one.outcome,
        "was": one.was,
        "value": one.value,
        "settled_ms": now_ms,
    }
