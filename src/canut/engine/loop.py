"""The engine: looks for fresh answers, decides, expires leases. As many as you like may run."""

import contextlib
import logging
import threading
import time
from typing import Any

from canut.channels import webhooks
from canut.db.pool import UNREACHABLE, SyncConn, connect
from canut.engine.clock import now_ms
from canut.errors import Unavailable
from canut.work.decide import Pass, decide_fresh
from canut.work.store import expire_assignments
from canut.work.tasks import Steps

log = logging.getLogger("canut.engine")

#: answers weighed in one pass: enough to be vectorised, few enough to commit in a blink
ANSWERS_PER_PASS = 4000
#: leases ended in one statement
LEASES_PER_PASS = 5000
#: seconds between looks for leases that ended
EXPIRE_EVERY_S = 1.0
#: seconds before an engine tries again after the database went away
RETRY_S = 1.0


def run(url: str, idle_s: float, stop: threading.Event) -> None:
    """Decide until `stop` is set; survives the database going away and coming back."""
    away = False
    while not stop.is_set():
        try:
            with connect(url, autocommit=True) as conn:
                away = False
                _work(conn, idle_s, stop)
        except (*UNREACHABLE, Unavailable) as error:
            if not away:
                log.warning("the database is away, trying until it is back: %s", error)
            away = True
            stop.wait(RETRY_S)


def _work(conn: SyncConn, idle_s: float, stop: threading.Event) -> None:
    steps = Steps()
    expired_at = 0.0
    while not stop.is_set():
        if time.monotonic() - expired_at >= EXPIRE_EVERY_S:
            expire_assignments(conn, now_ms(), LEASES_PER_PASS)
            expired_at = time.monotonic()
        done = one_pass(conn, steps, now_ms())
        if done.failed:
            stop.wait(RETRY_S)
        elif done.answers < ANSWERS_PER_PASS:
            stop.wait(idle_s)


def one_pass(conn: SyncConn, steps: Steps, at_ms: int) -> Pass:
    """Weigh what is fresh, once; batches that this completes are announced in the same
    transaction, so that no delivery goes unannounced and none twice."""
    with conn.transaction():
        done = decide_fresh(conn, steps, at_ms, ANSWERS_PER_PASS)
        for batch in done.delivered:
            payload = {
                "batch": batch["id"],
                "key": batch["key"],
                "name": batch["name"],
                "items": batch["n_items"],
                "delivered_ms": at_ms,
            }
            event = f"batch.delivered:{batch['id']}:{at_ms}"
            webhooks.enqueue(
                conn, batch["client_id"], webhooks.BATCH_DELIVERED, event, payload, at_ms
            )
    for batch_step_id, error in done.failed.items():
        log.error("step %d cannot be decided: %s", batch_step_id, error)
    if done.answers:
        log.debug(
            "answers %d, decided %d, escalated %d", done.answers, done.decided, done.escalated
        )
    return done


@contextlib.contextmanager
def in_thread(url: str, idle_s: float) -> Any:
    """An engine in a thread of this process, for tests and the demo's single run."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(url, idle_s, stop), name="engine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)
