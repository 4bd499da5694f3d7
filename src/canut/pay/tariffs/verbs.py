"""Setting and reading tariffs."""

from typing import Any

from canut.db.pool import SyncConn
from canut.errors import Invalid, NotFound, Problem
from canut.pay.active_time import IDLE_MS
from canut.pay.ledger.currency import DIGITS, written
from canut.pay.policy import policy_at
from canut.pay.policy.model import is_jurisdiction
from canut.pay.tariff import REPRICE_AT, Price, Times, price
from canut.pay.tariffs import store
from canut.pay.tariffs.model import StepName, Tariff
from canut.people.model import Principal
from canut.people.store.log import audit_sync

#: bounds of what a person may say of a step: an hour a task, ten minutes of thinking
ASSUMED_MS_MAX = 3_600_000
IDLE_MS_MAX = 600_000
PRICE_MAX = 1_000_000
HISTORY_MAX = 100


def tariff_at(conn: SyncConn, process_id: int, step_slug: str, at_ms: int) -> Tariff | None:
    """What a step pays at a moment; None: its work is voluntary."""
    return store.at(conn, process_id, step_slug, at_ms)


def list_tariffs(conn: SyncConn, at_ms: int) -> list[Tariff]:
    """What every step that pays pays at a moment."""
    return store.now(conn, at_ms)


def history(conn: SyncConn, step: StepName) -> list[Tariff]:
    """The tariffs of a step, newest first (at most HISTORY_MAX)."""
    return store.history(conn, step.process_id, step.slug, HISTORY_MAX)


def find_step(conn: SyncConn, process: str, step: str, client: str | None = None) -> StepName:
    """A step of a process of the library, or of a client's own. Raises `NotFound`."""
    found = store.step(conn, process, step, client)
    if found is None:
        raise NotFound(f"There is no step {step} of {process}.", mend="see canut process list")
    return found


def measured(conn: SyncConn, step: StepName) -> Times:
    """Agreed times of the step's answered tasks, the newest first."""
    return store.times(conn, step.process_id, step.slug)


def set_tariff(
    conn: SyncConn,
    by: Principal,
    step: StepName,
    now_ms: int,
    *,
    currency: str,
    why: str,
    jurisdiction: str | None = None,
    assumed_ms: int | None = None,
    idle_ms: int | None = None,
    price_minor: int | None = None,
    voluntary: bool = False,
) -> Tariff:
    """Let a step pay, from now on and for new batches: by the hour while nothing is measured, else
    the price of the formula, or `price_minor` where a person gives more. `voluntary` ends it.

    `assumed_ms` is how long a task is thought to take; what is left out is as it was. Raises
    `Invalid` for a price below the formula's, and `NotFound` where there is no floor.
    """
    _check(currency, jurisdiction, assumed_ms, idle_ms, price_minor, why)
    before = store.at(conn, step.process_id, step.slug, now_ms)
    policy = policy_at(conn, now_ms)
    place = jurisdiction or (before.jurisdiction if before else policy.home)
    floor = policy.floor(place, currency)
    if assumed_ms is None and before is None and not voluntary:
        text = "nobody knows yet how long a task takes"
        raise Invalid(text.capitalize() + ".", problems=[Problem(text, "say it", field="assumed")])
    values: dict[str, Any] = {
        **_step(step),
        "currency": currency,
        "jurisdiction": place,
        "floor": floor,
        "assumed": assumed_ms or (before.assumed_ms if before else 1),
        "idle": idle_ms if idle_ms is not None else (before.idle_ms if before else IDLE_MS),
        "by": by.account_id,
        "why": why.strip(),
        "now": now_ms,
    }
    found = None if voluntary else _price(store.times(conn, step.process_id, step.slug), floor)
    values |= rests_on(found, price_minor)
    _check_price(found, price_minor, currency)
    if voluntary:
        values |= {"stage": "voluntary", "price": None}
    with conn.transaction():
        made = store.add(conn, values)
        detail = {"process": step.process, "step": step.slug, "stage": values["stage"]}
        audit_sync(conn, by, "set.tariff", "tariff", made, {**detail, "price": values["price"]})
    return store.by_id(conn, made)


def rests_on(found: Price | None, price_minor: int | None = None) -> dict[str, Any]:
    """The columns that say what a price is and rests on; None: it is paid by the hour."""
    if found is None:
        return {
            **dict.fromkeys(("price", "mean", "upper")),
            **{"stage": "pilot", "tasks": 0, "people": 0, "seed": 0},
        }
    return {
        "stage": "measured",
        "price": max(found.minor, price_minor or 0),
        "mean": found.mean_ms,
        "upper": found.upper_ms,
        "tasks": found.tasks,
        "people": found.contributors,
        "seed": found.tasks,
    }


def _price(times: Times, floor_minor: int) -> Price | None:
    """By the formula, where enough was measured to look at a price the first time. The seed is the
    number of tasks: whoever has the times gets the same price."""
    tasks = len(times.active_ms)
    return price(times, floor_minor, seed=tasks) if tasks >= REPRICE_AT[0] else None


def _check_price(found: Price | None, price_minor: int | None, currency: str) -> None:
    if price_minor is None:
        return
    if found is None:
        text = "nothing is measured yet, so the work is paid by the hour"
        raise Invalid("There is no price yet.", problems=[Problem(text, field="price")])
    if price_minor < found.minor:
        least = written(found.minor, currency)
        text = f"{written(price_minor, currency)} is less than the time of a task is worth"
        problem = Problem(text, f"give at least {least}", field="price")
        raise Invalid("This price is too low.", problems=[problem])


def _step(step: StepName) -> dict[str, Any]:
    return {"process": step.process_id, "step": step.slug}


def _check(
    currency: str,
    jurisdiction: str | None,
    assumed_ms: int | None,
    idle_ms: int | None,
    price_minor: int | None,
    why: str,
) -> None:
    found = []
    if currency not in DIGITS:
        found.append(Problem(f"{currency!r} is no currency", "use ISO 4217", field="currency"))
    if jurisdiction is not None and not is_jurisdiction(jurisdiction):
        mend = 'write it as "FR" or "US-CA"'
        found.append(Problem(f"{jurisdiction!r} is no jurisdiction", mend, field="jurisdiction"))
    bounds = (
        ("assumed", assumed_ms, 1, ASSUMED_MS_MAX),
        ("idle", idle_ms, 0, IDLE_MS_MAX),
        ("price", price_minor, 1, PRICE_MAX),
    )
    for field, value, least, most in bounds:
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            mend = f"give a whole number from {least} to {most:,}"
            found.append(Problem(f"{value!r} cannot be", mend, field=field))
    if not why.strip():
        found.append(Problem("is empty", "say why", field="why"))
    if found:
        raise Invalid("This cannot be a tariff.", problems=found)
