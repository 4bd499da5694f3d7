"""Handing a file over, whole: the process, the batch, its items and the audit log, as one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from msgspec import Struct

from canut.channels import store
from canut.people.model import Principal
from canut.processes.model import ItemShape
from canut.work.batches import choose_version
from canut.work.intake import Block, IntakeReport, OnError, Progress, add_items, open_batch
from canut.work.model import Batch


class Order(Struct, frozen=True):
    """What a client asks for when it hands a file over."""

    client_id: int
    #: slug of the process
    process: str
    #: the client's own name for the batch
    key: str
    name: str = ""
    priority: int = 0
    deadline_ms: int | None = None
    #: the client's own classes, in the place of the process's
    options: Sequence[dict[str, Any]] | None = None
    #: the step they are for, where several steps are choices
    step: str = ""


#: opens the rows once the shape of the items is known
Opener = Callable[[ItemShape], AbstractContextManager[Iterator[Block]]]


def submit(
    conn: store.Conn,
    who: Principal,
    order: Order,
    opener: Opener,
    now_ms: int,
    *,
    on_error: OnError = "stop",
    progress: Callable[[Progress], None] = lambda progress: None,
    on_problem: Callable[[Any], None] = lambda problem: None,
) -> tuple[Batch, IntakeReport]:
    """Import a file into the batch it is for, made if need be: everything, or nothing, not even
    an empty batch. Raises as `choose_version`, `open_batch`, the opener and `add_items`."""
    with conn.transaction():
        version = choose_version(
            conn,
            order.client_id,
            order.key,
            order.process,
            now_ms,
            options=order.options,
            step=order.step,
        )
        batch = open_batch(
            conn,
            order.client_id,
            order.key,
            version.id,
            now_ms,
            name=order.name,
            priority=order.priority,
            deadline_ms=order.deadline_ms,
        )
        with opener(version.definition.item) as blocks:
            report = add(
                conn,
                who,
                batch,
                blocks,
                on_error=on_error,
                progress=progress,
                on_problem=on_problem,
            )
    return batch, report


def add(
    conn: store.Conn,
    who: Principal,
    batch: Batch,
    blocks: Iterable[Block],
    *,
    on_error: OnError = "stop",
    progress: Callable[[Progress], None] = lambda progress: None,
    on_problem: Callable[[Any], None] = lambda problem: None,
) -> IntakeReport:
    """Add items to a batch, with what the audit log says of it, as one. Raises as `add_items`."""
    with conn.transaction():
        report = add_items(
            conn, batch, blocks, on_error=on_error, progress=progress, on_problem=on_problem
        )
        detail = {"key": batch.key, "added": report.added, "rejected": report.rejected}
        store.audit(conn, who, "submit.batch", "batch", batch.id, detail, batch.client_id)
    return report
