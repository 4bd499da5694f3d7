"""What work pays, for whoever chooses it: facts to be shown before a task is accepted."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from canut.db.pool import Conn
from canut.pay.tariff import hourly_minor
from canut.pay.tariffs import store_facts as store

#: task: a price for each; hour: by agreed time; voluntary: nothing
Way: TypeAlias = Literal["task", "hour", "voluntary"]


class StepPay(Struct, frozen=True):
    """What a step of a batch pays. Minor units; of voluntary work all is None."""

    batch_id: int
    batch_step_id: int
    way: Way
    currency: str | None = None
    #: of a task; None by the hour
    price_minor: int | None = None
    #: what an hour brings on the mean, by what was measured; by the hour the floor
    hourly_minor: float | None = None
    #: what an hour brings at least, with the top-up
    floor_minor: int | None = None
    #: how long a task takes, and how many were measured; 0: it is assumed
    task_ms: float | None = None
    n_tasks: int = 0
    #: it waits for its money: nothing can be claimed yet
    waits: bool = False


async def read_step_pay(conn: Conn, batches: Sequence[int]) -> dict[int, list[StepPay]]:
    """Batch -> what each of its steps pays, in their order. A step that has no tariff is voluntary
    work, and is to be called so wherever it is offered."""
    found: dict[int, list[StepPay]] = {batch: [] for batch in batches}
    for row in await store.steps(conn, batches):
        found[row.batch_id].append(as_pay(row))
    return found


def as_pay(row: store.StepRow) -> StepPay:
    """The facts of a row."""
    if row.currency is None or row.floor_minor is None or row.assumed_ms is None:
        return StepPay(row.batch_id, row.batch_step_id, "voluntary", waits=row.held)
    task_ms = row.mean_ms or float(row.assumed_ms)
    price = row.price_minor
    hour = float(row.floor_minor) if price is None else hourly_minor(price, task_ms)
    return StepPay(
        batch_id=row.batch_id,
        batch_step_id=row.batch_step_id,
        way="hour" if price is None else "task",
        currency=row.currency,
        price_minor=price,
        hourly_minor=hour,
        floor_minor=row.floor_minor,
        task_ms=task_ms,
        n_tasks=row.n_tasks,
        waits=row.held,
    )
