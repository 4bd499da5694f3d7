"""What a contributor does: claim, answer, give back. One round trip to the database each."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

from canut.db.pool import Pool
from canut.db.secret import read_secret
from canut.errors import CanutError, Conflict, Expired, Invalid, NotFound, Problem
from canut.work import store
from canut.work.model import (
    ClaimedTask,
    Given,
    LoadedStep,
    OpenBatch,
    Outcome,
    Submitted,
    TaskRef,
)
from canut.work.names import TaskNames

#: tasks one claim may take
CLAIM_MAX = 50
#: tasks a contributor may hold at once
LIVE_MAX = 100
#: steps a process keeps ready; a taxonomy of 10,000 classes is some megabytes
STEPS_MAX = 200


class Steps:
    """Steps of batches, loaded once and kept: they never change."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, LoadedStep] = OrderedDict()

    def kept(self, batch_step_id: int) -> LoadedStep | None:
        """The step if it is at hand."""
        step = self._kept.get(batch_step_id)
        if step is not None:
            self._kept.move_to_end(batch_step_id)
        return step

    def keep(self, step: LoadedStep) -> LoadedStep:
        self._kept[step.batch_step_id] = step
        if len(self._kept) > STEPS_MAX:
            self._kept.popitem(last=False)
        return step

    async def load(self, pool: Pool, batch_step_id: int) -> LoadedStep:
        """The step, from the database the first time. Raises `NotFound`."""
        step = self.kept(batch_step_id)
        if step is not None:
            return step
        async with pool.connection() as conn:
            found = await store.read_step(conn, batch_step_id)
        if found is None:
            raise NotFound(f"There is no step {batch_step_id}.")
        return self.keep(found)


async def load_names(pool: Pool) -> TaskNames:
    """The names of this database's tasks. They never change: load them once."""
    async with pool.connection() as conn:
        return TaskNames(await read_secret(conn, "task_names"))


async def claim(
    pool: Pool,
    steps: Steps,
    names: TaskNames,
    contributor_id: int,
    now_ms: int,
    *,
    count: int = 1,
    batch_id: int | None = None,
) -> list[ClaimedTask]:
    """Up to `count` tasks this contributor has never had; fewer or none if there are no more.

    In the order of their names, which says nothing: by number, those made later would stand last.
    Raises `Invalid` for a count outside 1..CLAIM_MAX.
    """
    if not 1 <= count <= CLAIM_MAX:
        raise Invalid(f"A claim takes 1 to {CLAIM_MAX} tasks, not {count}.")
    async with pool.connection() as conn:
        rows = await store.claim_tasks(conn, contributor_id, count, now_ms, batch_id, LIVE_MAX)
    claimed = [await _claimed(pool, steps, names, row) for row in rows]
    return sorted(claimed, key=lambda task: (not task.expert, task.name))


async def live(
    pool: Pool, steps: Steps, names: TaskNames, contributor_id: int, now_ms: int
) -> list[ClaimedTask]:
    """The tasks this contributor holds, the first due first; as `claim` gave them where that is
    the same."""
    async with pool.connection() as conn:
        rows = await store.live_tasks(conn, contributor_id, now_ms)
    held = [await _claimed(pool, steps, names, row) for row in rows]
    return sorted(held, key=lambda task: (task.deadline_ms, not task.expert, task.name))


async def submit(
    pool: Pool,
    steps: Steps,
    names: TaskNames,
    contributor_id: int,
    now_ms: int,
    answers: Sequence[Given],
) -> list[tuple[TaskRef, Outcome]]:
    """Hand in raw answers to tasks held; outcomes in the same order.

    Nothing is stored unless every answer is valid: raises `Invalid` with a problem per wrong
    field, its `row` the place of the answer (from 1). Safe to repeat.
    """
    checked = await _checked(pool, steps, names, answers)
    async with pool.connection() as conn:
        outcomes = await store.submit_answers(conn, contributor_id, checked, now_ms)
    return [(answer.ref, cast(Outcome, outcomes[answer.ref.task_id])) for answer in checked]


async def submit_one(
    pool: Pool,
    steps: Steps,
    names: TaskNames,
    contributor_id: int,
    now_ms: int,
    task: str,
    value: Any,
) -> None:
    """Hand in one answer; an outcome other than accepted is raised as an error."""
    [(_, outcome)] = await submit(pool, steps, names, contributor_id, now_ms, [Given(task, value)])
    if outcome != "accepted":
        raise refusal(outcome)


async def give_back(
    pool: Pool, names: TaskNames, contributor_id: int, now_ms: int, task: str
) -> None:
    """Return a task; it costs the contributor nothing. Raises `NotFound` if it is not held."""
    ref = names.read(task)
    async with pool.connection() as conn:
        held = await store.return_task(conn, contributor_id, ref.task_id, ref.batch_step_id, now_ms)
    if not held:
        raise NotFound("You do not hold this task.", mend="claim another one")


async def open_batches(pool: Pool, contributor_id: int) -> list[OpenBatch]:
    """What this contributor could work on now, the most urgent first (at most 100)."""
    async with pool.connection() as conn:
        return await store.open_batches(conn, contributor_id)


def refusal(outcome: str) -> CanutError:
    """Why an answer was not taken, as an error for its contributor."""
    if outcome == "conflict":
        return Conflict("You answered this task before, differently; that answer stands.")
    if outcome == "expired":
        return Expired(
            "The time for this task ended and others have answered it.", mend="claim another one"
        )
    if outcome == "returned":
        return Conflict("You gave this task back.", mend="claim another one")
    return NotFound("You do not hold this task.", mend="claim another one")


async def _checked(
    pool: Pool, steps: Steps, names: TaskNames, answers: Sequence[Given]
) -> list[Submitted]:
    if not 1 <= len(answers) <= LIVE_MAX:
        raise Invalid(f"Hand in 1 to {LIVE_MAX} answers at a time, not {len(answers)}.")
    checked: list[Submitted] = []
    problems: list[Problem] = []
    seen: set[int] = set()
    for row, given in enumerate(answers, start=1):
        try:
            ref = names.read(given.task)
            if ref.task_id in seen:
                raise Invalid(f"Task {given.task} is there twice.", mend="send one answer a task")
            seen.add(ref.task_id)
            step = steps.kept(ref.batch_step_id) or await steps.load(pool, ref.batch_step_id)
            value = step.question.normalise(given.value)
            checked.append(Submitted(ref, value, given.confidence))
        except (Invalid, NotFound) as error:
            found = error.problems or [Problem(error.message, mend=error.mend)]
            problems += [Problem(p.message, p.mend, row=row, field=p.field) for p in found]
    if problems:
        raise Invalid("The answer is not valid.", problems=problems)
    return checked


async def _claimed(pool: Pool, steps: Steps, names: TaskNames, row: tuple[Any, ...]) -> ClaimedTask:
    task_id, batch_step_id, step_id, batch_id, deadline_ms, expert, payload = row
    step = steps.kept(batch_step_id) or await steps.load(pool, batch_step_id)
    ref = TaskRef(batch_step_id, task_id)
    item = step.visible(payload)
    return ClaimedTask(ref, names.name(ref), step_id, batch_id, deadline_ms, expert, item)
