"""Pay as jobs: money is held against work every moment, and what was done is paid every minute."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from canut.channels import webhooks
from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.pay.accrual import accept_due, accrue, post_ai
from canut.pay.funding import cover_batches
from canut.pay.ledger import void_expired
from canut.pay.ledger.currency import written
from canut.pay.money.invoicing import collect_vat
from canut.pay.money.refunds import release_due
from canut.pay.open_accounts import publish_months
from canut.pay.settlement import settle_next
from canut.pay.tariffs import review_tariffs
from canut.pay.time import count_time
from canut.people.model import Principal

log = logging.getLogger("canut.engine")

#: passes of one kind in one job: another engine may go on with the rest
PASSES_MAX = 50
#: who does what nobody asked for, as the audit log has it
ENGINE = Principal(name="engine", roles=frozenset({"operator"}))


def cover(conn: SyncConn, now_ms: int) -> int:
    """Let tasks go as far as money covers them; clients whose batch has run out are told in the
    transaction that finds it, once. How many tasks may be claimed now. `conn` is in autocommit
    mode."""
    with conn.transaction():
        covered = cover_batches(conn, now_ms)
        for batch in covered.short:
            payload = {"batch": batch.id, "key": batch.key, "name": batch.name, "since_ms": now_ms}
            event = f"{webhooks.BATCH_SHORT}:{batch.id}:{now_ms}"
            webhooks.enqueue(conn, batch.client_id, webhooks.BATCH_SHORT, event, payload, now_ms)
    for batch in covered.short:
        log.warning("batch %d waits for money", batch.id)
    return covered.released


def settle(conn: SyncConn, now_ms: Callable[[], int]) -> int:
    """Count times, pay what was answered, look at prices, let go of what was held long enough, and
    settle the pay period that is over; how many things were done. Each in transactions of its own:
    one that fails keeps no other back, and killed at any moment, the next call goes on."""
    parts: tuple[Callable[[SyncConn, int], int], ...] = (
        count_time,
        accrue,
        _review,
        accept_due,
        void_expired,
        post_ai,
        settle_next,
    )
    done = 0
    for part in parts:
        with _going_on(part.__name__):
            done += _all(conn, part, now_ms)
    return done


def square(conn: SyncConn, now_ms: int) -> int:
    """Give what finished batches did not use back to their clients, take the tax of invoices from
    deposits that have enough by now, publish months that are closed; how many of all. Each in a
    transaction of its own, and again: nothing. `conn` is in autocommit mode."""
    done = 0
    with _going_on("release_due"):
        done += len(release_due(conn, ENGINE, now_ms))
    with _going_on("collect_vat"):
        done += len(collect_vat(conn, ENGINE, now_ms))
    with _going_on("publish_months"):
        done += publish_months(conn, now_ms)
    return done


@contextmanager
def _going_on(part: str) -> Iterator[None]:
    """A part that cannot go on keeps no other back."""
    try:
        yield
    except CanutError:
        log.exception("%s cannot go on", part)


def _all(conn: SyncConn, part: Callable[[SyncConn, int], int], now_ms: Callable[[], int]) -> int:
    done = 0
    for _ in range(PASSES_MAX):
        now = part(conn, now_ms())
        done += now
        if not now:
            break
    return done


def _review(conn: SyncConn, now_ms: int) -> int:
    found = review_tariffs(conn, now_ms)
    for one in found:
        price = one.now.price_minor
        log.info(
            "step %s pays %s a task, by %d tasks; %s more for %d answers",
            one.now.step_slug,
            written(price, one.now.currency) if price else "by the hour",
            one.now.n_tasks,
            written(one.owed_minor, one.now.currency),
            one.answers,
        )
    return len(found)
