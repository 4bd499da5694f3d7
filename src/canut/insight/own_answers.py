"""What a contributor answered, newest first; the same of all answers, whatever became of them.

Among them are answers to checks. Nothing here may differ between those and work: not what is told
of an answer, and not the order. Answers of one moment are in the order of their tasks' names, for
the order of the tasks' numbers would tell which tasks were made last.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from canut.db.pool import Pool
from canut.errors import NotFound
from canut.insight import store_own_answers as store
from canut.insight.model import AskedAnswers, Given, Titles
from canut.insight.store_operations import titles as read_names
from canut.questions.base import Question
from canut.work.model import TaskRef
from canut.work.names import TaskNames
from canut.work.tasks import Steps

#: answers on a page
PAGE = 50


class OwnLine(Struct, frozen=True):
    """An answer in the list."""

    #: the task's public name
    task: str
    titles: Titles
    question: Question
    value: Any
    submitted_ms: int
    #: time at work, as the task screen measured it; None: not measured
    active_ms: int | None


class OwnPage(Struct, frozen=True):
    """A page of the list; `older` is `before` of the next one, None on the last."""

    lines: tuple[OwnLine, ...]
    older: str | None


async def read_own_answers(
    pool: Pool,
    steps: Steps,
    names: TaskNames,
    contributor_id: int,
    before: str = "",
    asked: AskedAnswers | None = None,
) -> OwnPage:
    """The answers given before the one to the task of the name `before`; the newest for "".
    Raises `Invalid` for what is no task, `NotFound` for one that the contributor did not answer."""
    given = await _given(pool, names, contributor_id, before, asked or AskedAnswers())
    found = {names.name(TaskRef(one.batch_step_id, one.task_id)): one for one in given}
    order = sorted((-one.submitted_ms, name) for name, one in found.items())
    if before in found:
        order = [place for place in order if place > (-found[before].submitted_ms, before)]
    page = [(name, found[name]) for _, name in order[:PAGE]]
    titles = await read_titles(pool, {one.batch_step_id for _, one in page})
    lines = [
        OwnLine(
            task=name,
            titles=titles[one.batch_step_id],
            question=(await steps.load(pool, one.batch_step_id)).question,
            value=one.value,
            submitted_ms=one.submitted_ms,
            active_ms=one.active_ms,
        )
        for name, one in page
    ]
    return OwnPage(tuple(lines), page[-1][0] if len(order) > PAGE else None)


async def read_titles(pool: Pool, batch_steps: Iterable[int]) -> dict[int, Titles]:
    """How the work of these steps of batches is called, without the batch."""
    async with pool.connection() as conn:
        return {one.batch_step_id: one for one in await store.titles(conn, sorted(batch_steps))}


async def _given(
    pool: Pool, names: TaskNames, contributor_id: int, before: str, asked: AskedAnswers
) -> list[Given]:
    """More than a page of answers, where there are so many, from the moment of `before` on."""
    task = names.read(before).task_id if before else None
    latest = store.LATEST if asked.until_ms is None else asked.until_ms - 1
    async with pool.connection() as conn:
        at_ms = await store.submitted_ms(conn, contributor_id, task) if task else latest
        if at_ms is None:
            raise NotFound("You gave no answer to this task.", mend="use the name the claim gave")
        return await store.given(conn, contributor_id, min(at_ms, latest), PAGE + 1, asked)


async def read_worked(pool: Pool, contributor_id: int) -> dict[tuple[int, str], Any]:
    """(process id, step) where they ever worked -> what process and step are called."""
    async with pool.connection() as conn:
        places = await store.worked(conn, contributor_id)
        return {**await read_names(conn, places)}
