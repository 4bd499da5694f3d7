"""What a person does on the task screen: end a task, in one of three ways, and take it back."""

from typing import Any

from msgspec import Struct

from canut.db.pool import Pool
from canut.errors import Conflict, NotFound
from canut.work import store_screen
from canut.work.model import TaskRef
from canut.work.names import TaskNames
from canut.work.remarks import Remark, check_remark
from canut.work.screen_model import Act, Finished, Span
from canut.work.tasks import Steps, refusal

#: a task that was taken back is in hand for so long at least
AGAIN_MS = 120_000
#: remarks listed at once
REMARKS_MAX = 500


class Handed(Struct, frozen=True):
    """A task ended on the task screen, not checked yet."""

    #: name of the task
    task: str
    act: Act
    #: raw answer
    value: Any = None
    #: of a remark
    kind: str = ""
    reason: str = ""
    note: str = ""
    spans: tuple[Span, ...] = ()
    acted_ms: int | None = None


async def finish(
    pool: Pool,
    steps: Steps,
    names: TaskNames,
    contributor_id: int,
    now_ms: int,
    handed: Handed,
    *,
    undo_ms: int,
) -> str:
    """End a task in hand: "accepted" for an answer, "returned" for one given back.

    An answer can be taken back for `undo_ms`, and is counted after. Safe to repeat. Raises
    `Invalid` for an answer or a remark that is not of the shape asked for, `Conflict`, `Expired`
    or `NotFound` where it is not, or no longer, this contributor's to end.
    """
    ref = names.read(handed.task)
    done = await _checked(pool, steps, ref, handed)
    async with pool.connection() as conn:
        outcome = await store_screen.finish(conn, contributor_id, done, now_ms + undo_ms, now_ms)
    if outcome != ("accepted" if handed.act == "answer" else "returned"):
        raise _refusal(outcome)
    return outcome


async def withdraw(
    pool: Pool, names: TaskNames, contributor_id: int, now_ms: int, task: str, acted_ms: int | None
) -> None:
    """Take an answer back that was not counted yet; the task is in hand again.

    `acted_ms` is when, by the contributor's clock. Safe to repeat. Raises `Conflict` where the
    answer stands, `NotFound` where there is none.
    """
    ref = names.read(task)
    acted = now_ms if acted_ms is None else acted_ms
    async with pool.connection() as conn:
        outcome = await store_screen.withdraw(conn, contributor_id, ref, AGAIN_MS, acted, now_ms)
    if outcome == "decided":
        raise Conflict("This task is decided already; your answer stands.")
    if outcome == "counted":
        raise Conflict("This answer is counted already; it stands.")
    if outcome == "unknown":
        raise NotFound("There is no answer to take back.")


async def read_remarks(pool: Pool, batch_id: int) -> list[Remark]:
    """What contributors said of the tasks of a batch, newest first (at most REMARKS_MAX). Whoever
    asks must be allowed to see the batch: check that first."""
    async with pool.connection() as conn:
        return await store_screen.remarks(conn, batch_id, REMARKS_MAX)


async def _checked(pool: Pool, steps: Steps, ref: TaskRef, handed: Handed) -> Finished:
    spans, acted = handed.spans, handed.acted_ms
    if handed.act == "answer":
        step = steps.kept(ref.batch_step_id) or await steps.load(pool, ref.batch_step_id)
        value = step.question.normalise(handed.value)
        return Finished(ref, "answer", value, spans=spans, acted_ms=acted)
    if handed.act == "remark":
        note = check_remark(handed.kind, handed.reason, handed.note)
        return Finished(
            ref,
            "remark",
            kind=handed.kind,
            reason=handed.reason,
            note=note,
            spans=spans,
            acted_ms=acted,
        )
    return Finished(ref, "skip", spans=spans, acted_ms=acted)


def _refusal(outcome: str) -> Exception:
    if outcome == "withdrawn":
        return Conflict("You took this answer back.")
    return refusal(outcome)
