"""A contributor's own pay: task by task, by period and year, and what the present period is at.

Among the tasks are checks. They are paid like work, and nothing here may tell them from it, not
even the order: tasks of one moment are in the order of their names (see `own_answers`).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.insight import store_own_pay as store
from canut.insight.own_pay_model import (
    Held,
    OwnTask,
    Present,
    TaskLine,
    TaskPage,
    TaskPay,
    Week,
)
from canut.insight.store_own_answers import sync_titles
from canut.pay.policy import list_rules
from canut.pay.policy.model import Rule, in_force
from canut.pay.settlement import list_periods
from canut.pay.settlement.rules import floor_of, period_end, week_of
from canut.pay.time.model import Review
from canut.work.model import TaskRef
from canut.work.names import TaskNames

#: tasks on a page, and statements about time
PAGE, STATEMENTS = 50, 20


def read_task_pay(
    conn: SyncConn, names: TaskNames, contributor_id: int, before: str = ""
) -> TaskPage:
    """The tasks that ended before the one of the name `before`, newest first; the newest for "".
    Raises `Invalid` for what is no task, `NotFound` for one that they did not end."""
    at_ms = store.LATEST
    if before:
        at_ms = _ended(conn, names, contributor_id, before).ended_ms
    found = {
        names.name(TaskRef(one.batch_step_id, one.task_id)): one
        for one in store.page(conn, contributor_id, at_ms, PAGE + 1)
    }
    order = sorted((-one.ended_ms, name) for name, one in found.items())
    if before:
        order = [place for place in order if place > (-at_ms, before)]
    shown = [(name, found[name]) for _, name in order[:PAGE]]
    return TaskPage(_lines(conn, shown), shown[-1][0] if len(order) > PAGE else None)


def read_own_task(conn: SyncConn, names: TaskNames, contributor_id: int, task: str) -> OwnTask:
    """One of them. Raises `Invalid` for what is no task, `NotFound` for one that they did not
    end."""
    found = _ended(conn, names, contributor_id, task)
    [line] = _lines(conn, [(task, found)])
    who = contributor_id
    return OwnTask(
        line=line,
        claimed_ms=store.claimed_ms(conn, who, found.task_id),
        causes=tuple(store.causes(conn, who, found.task_id)),
        statements=tuple(store.statements(conn, who, found.task_id, STATEMENTS)),
    )


def read_pay_of(
    conn: SyncConn, names: TaskNames, contributor_id: int, tasks: Iterable[str]
) -> dict[str, TaskPay]:
    """Name of a task -> what it paid, for those that they ended."""
    refs = {names.read(name).task_id: name for name in tasks}
    return {refs[one.task_id]: one for one in store.these(conn, contributor_id, list(refs))}


def read_statements(
    conn: SyncConn, names: TaskNames, contributor_id: int
) -> list[tuple[str, Review]]:
    """The last times that they stated, newest first, with the names of their tasks."""
    found = store.statements(conn, contributor_id, None, STATEMENTS)
    return [(names.name(TaskRef(one.batch_step_id, one.task_id)), one) for one in found]


def read_present(conn: SyncConn, contributor_id: int, now_ms: int) -> list[Present]:
    """The period that goes on, by currency: as far as it is known, and by the floor of now."""
    rules = list_rules(conn)
    last = list_periods(conn, limit=1)
    from_ms = _begins(rules, last[0].until_ms if last else week_of(now_ms), now_ms)
    sums = store.so_far(conn, contributor_id, from_ms)
    if not sums:
        return []
    policy, place = in_force(rules, now_ms), store.jurisdiction(conn, contributor_id)
    return [
        Present(
            from_ms=from_ms,
            until_ms=period_end(rules, from_ms),
            currency=one.currency,
            n_tasks=one.n_tasks,
            counting=one.counting,
            agreed_ms=one.agreed_ms,
            pay_minor=one.pay_minor,
            floor_minor=floor_of(policy, place, one.currency),
        )
        for one in sums
    ]


def read_years(conn: SyncConn, contributor_id: int) -> list[int]:
    """The years in which periods ended of which they have slips, newest first."""
    ends = store.ends(conn, contributor_id)
    return sorted({_year(end) for end in ends}, reverse=True)


def read_weeks(conn: SyncConn, contributor_id: int, year: int) -> list[Week]:
    """The periods that ended in a year, newest first. One that ends with the year is of it."""
    first, after = (_new_year(one) for one in (year, year + 1))
    return store.weeks(conn, contributor_id, first, after)


def read_held(conn: SyncConn, contributor_id: int) -> dict[str, Held]:
    """Currency -> when what is held is theirs."""
    return {one.currency: one for one in store.held(conn, contributor_id)}


def _begins(rules: list[Rule], from_ms: int, now_ms: int) -> int:
    """When the present period began: those before it may wait to be settled."""
    while (end := period_end(rules, from_ms)) <= now_ms:
        from_ms = end
    return from_ms


def _ended(conn: SyncConn, names: TaskNames, contributor_id: int, task: str) -> TaskPay:
    ref = names.read(task)
    found = store.these(conn, contributor_id, [ref.task_id])
    if not found or found[0].batch_step_id != ref.batch_step_id:
        raise NotFound("You have ended no such task.", mend="use the name the claim gave")
    return found[0]


def _lines(conn: SyncConn, found: Sequence[tuple[str, TaskPay]]) -> tuple[TaskLine, ...]:
    titles = sync_titles(conn, sorted({pay.batch_step_id for _, pay in found}))
    return tuple(TaskLine(name, titles[pay.batch_step_id], pay) for name, pay in found)


def _new_year(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)


def _year(end_ms: int) -> int:
    # a period holds the millisecond before its end
    return datetime.fromtimestamp((end_ms - 1) / 1000, UTC).year
