"""Prices follow what is measured: up at once and for what was done, down for new batches only."""

from msgspec import Struct, structs

from canut.db.pool import SyncConn
from canut.pay.cost import base_minor, with_charges
from canut.pay.policy import list_rules, policy_at
from canut.pay.policy.model import in_force
from canut.pay.tariff import REPRICE_AT, price, reprice_due
from canut.pay.tariffs import store
from canut.pay.tariffs.model import Tariff
from canut.pay.tariffs.verbs import rests_on


class Reviewed(Struct, frozen=True):
    """A price that was looked at again."""

    was: Tariff
    now: Tariff
    #: answers for which more is owed, and how much together
    answers: int
    owed_minor: int


def review_tariffs(conn: SyncConn, now_ms: int) -> list[Reviewed]:
    """Look at the price of every step whose measured tasks have passed a mark (30, 100, 300) since
    its last price, or whose floor has changed. Each in a transaction of its own; safe to repeat.

    A higher price holds at once in batches that run, and what is owed on answers that were paid
    less becomes earnings; a lower one holds for batches that are quoted from now on.
    """
    found = []
    for tariff in store.now(conn, now_ms):
        with conn.transaction():
            reviewed = _review(conn, tariff, now_ms)
        if reviewed is not None:
            found.append(reviewed)
    return found


def _review(conn: SyncConn, seen: Tariff, now_ms: int) -> Reviewed | None:
    if not store.alone(conn, seen.process_id):
        return None
    # another engine may have been quicker
    tariff = store.at(conn, seen.process_id, seen.step_slug, now_ms)
    if tariff is None:
        return None
    floor = policy_at(conn, now_ms).floor(tariff.jurisdiction, tariff.currency)
    moved = floor != tariff.floor_minor
    if tariff.n_tasks >= REPRICE_AT[-1] and not moved:
        return None
    times = store.times(conn, tariff.process_id, tariff.step_slug)
    measured = len(times.active_ms)
    enough = measured >= REPRICE_AT[0]
    if not moved and not (enough and reprice_due(measured, tariff.n_tasks)):
        return None
    basis = rests_on(price(times, floor, seed=measured) if enough else None)
    why = "the floor has changed" if moved else f"{measured} tasks measured"
    values = {
        "process": tariff.process_id,
        "step": tariff.step_slug,
        "currency": tariff.currency,
        "jurisdiction": tariff.jurisdiction,
        "floor": floor,
        "idle": tariff.idle_ms,
        "assumed": tariff.assumed_ms,
        **basis,
        "by": None,
        "why": why,
        "now": now_ms,
    }
    made = store.by_id(conn, store.add(conn, values))
    answers, owed = _raise(conn, made, now_ms)
    return Reviewed(tariff, made, answers, owed)


def _raise(conn: SyncConn, tariff: Tariff, now_ms: int) -> tuple[int, int]:
    """Let running batches pay the new price where it is higher; what is owed by it."""
    if tariff.price_minor is None:
        return 0, 0
    running = store.running(conn, tariff)
    if not running:
        return 0, 0
    rules = list_rules(conn)
    today = in_force(rules, now_ms)
    units = []
    for one in running:
        # the fee is the one that was agreed
        agreed = structs.replace(today, fee=in_force(rules, one.funded_ms).fee)
        base = base_minor(tariff.price_minor, tariff.floor_minor, tariff.assumed_ms, one.lease_ms)
        units.append(with_charges(base, agreed))
    return store.raise_price(conn, tariff, [one.batch_step_id for one in running], units, now_ms)
