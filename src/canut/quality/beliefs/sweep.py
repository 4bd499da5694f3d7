"""Sweeps: all answers of a step are fitted anew, and what it knows is put in order.

Passes go on meanwhile. A sweep reads one snapshot: answers, decisions, and the counts that passes
made of them. What it writes is the difference between its own counts and those of the snapshot, in
whole units, so that what passes have added since stays added. What is in the database afterwards,
were there no passes, follows from the answers alone, whatever was there before.
"""

import logging
from collections.abc import Callable

import msgspec
import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.quality.beliefs import store as store_beliefs
from canut.quality.beliefs import store_columns, store_sweep
from canut.quality.beliefs.collecting import Reading, again, checked, collected
from canut.quality.beliefs.fitting import Counted, calibrate, count
from canut.quality.beliefs.model import (
    UNIT,
    Calibration,
    Fitted,
    Parameters,
    StepPlace,
    classes_of,
    options_hash,
)
from canut.quality.beliefs.store_sweep import Asked, Pair
from canut.quality.beliefs.unlabelled import calibration_of_others
from canut.questions.base import Question
from canut.questions.registry import load_question
from canut.truth.posterior import Known
from canut.truth.votes import Int64

log = logging.getLogger("canut.quality")

#: answers that a step must have gained since its last sweep
MORE_MIN = 200
#: lists of options of a step that are swept: those of the newest batches
LISTS_MAX = 20
#: answers to gold that are read, the newest
GOLD_MAX = 200_000
#: rows of counts written in one statement
ROWS_AT_ONCE = 20_000


class Swept(Struct, frozen=True):
    """What a sweep did."""

    answers: int
    skill: float
    parameters: Parameters
    pairs: list[Pair]
    #: tasks that its counts may decide
    again: int


class _List(Struct):
    """A list of options, and what was found of it."""

    options: str
    classes: list[str]
    asked: list[Asked]
    #: (contributor, said) -> what to add to its counts, by truth
    change: dict[tuple[int, int], Int64] = {}
    fitted: Fitted | None = None
    calibration: Calibration = Calibration()
    pairs: list[Pair] = []
    again: list[int] = []


def sweep_due(conn: SyncConn, now_ms: int, go_on: Callable[[], None] = lambda: None) -> int:
    """Sweep every step that has grown by a fifth since its last sweep; returns how many.

    `conn` commits by itself; `go_on` is called now and then, and may raise to stop.
    """
    done = 0
    for place in store_sweep.due(conn, MORE_MIN):
        try:
            done += sweep(conn, place, now_ms, go_on) is not None
        except (ArithmeticError, LookupError, TypeError, ValueError, CanutError):
            # a question type that fails stops its own step, not the others
            log.exception("step %s of process %d was not swept", place.step_slug, place.process_id)
    return done


def sweep(
    conn: SyncConn, place: StepPlace, now_ms: int, go_on: Callable[[], None] = lambda: None
) -> Swept | None:
    """Put what a step knows in order; None where another engine does so this moment."""
    if not store_sweep.try_lock(conn, place):
        return None
    try:
        with conn.transaction():
            conn.execute("set transaction isolation level repeatable read, read only")
            asked = store_sweep.asked(conn, place)
            lists, other = _lists(conn, asked)
            skill = store_sweep.usual_skill(conn, place)
            for one in lists:
                _fit(conn, place, one, go_on)
            calibration = _pooled([one.calibration for one in lists])
            if other is not None:
                calibration = calibration_of_others(conn, place, other, GOLD_MAX)
        parameters = Parameters(
            fitted={one.options: one.fitted for one in lists if one.fitted is not None},
            calibration=calibration,
        )
        n_answers = sum(step.n_answers for step in asked)
        with conn.transaction():
            swept = _write(conn, place, lists, Swept(n_answers, skill, parameters, [], 0), now_ms)
    finally:
        if not conn.broken:
            store_sweep.unlock(conn, place)
    log.info(
        "swept step %s of process %d: %d answers, %d pairs alike, %d tasks to weigh again",
        *(place.step_slug, place.process_id, n_answers, len(swept.pairs), swept.again),
    )
    return swept


def _lists(conn: SyncConn, asked: list[Asked]) -> tuple[list[_List], Question | None]:
    """The lists of options in use, the newest first; and the newest question where confusions are
    not counted at all."""
    found: dict[str, _List] = {}
    known: dict[int, list[str] | None] = {}
    newest: Question | None = None
    for step in asked:
        if step.step_id not in known:
            if len(known) >= LISTS_MAX:
                continue
            question = load_question(store_sweep.question(conn, step.step_id))
            newest = newest or question
            known[step.step_id] = classes_of(question)
        classes = known[step.step_id]
        if classes:
            options = options_hash(classes)
            found.setdefault(options, _List(options, classes, [])).asked.append(step)
    return list(found.values()), None if found else newest


def _fit(conn: SyncConn, place: StepPlace, one: _List, go_on: Callable[[], None]) -> None:
    """Everything that follows from the answers between the options of one list."""
    steps = [step.batch_step_id for step in one.asked]
    before = store_sweep.all_confusions(conn, place, one.options)
    index = {value: i for i, value in enumerate(one.classes)}
    columns = store_columns.answers(conn, steps, one.classes, go_on)
    gold = store_sweep.gold(conn, place, GOLD_MAX)
    reading = Reading(
        columns=columns,
        index=index,
        gold=[row for row in gold if _value(row[2]) in index and _value(row[3]) in index],
        settled={task: _value(value) for task, value in store_sweep.settled(conn, steps)},
        audited={task: _value(value) for task, value, _ in store_sweep.audited(conn, steps)},
        families=store_sweep.families(
            conn, sorted({*columns.contributor_id.tolist(), *(row[1] for row in gold)})
        ),
    )
    if not len(columns.task) and not reading.gold:
        return
    answers, contributors = collected(reading)
    go_on()
    counted = count(answers)
    go_on()
    one.change = _changes(counted, contributors, before)
    work = counted.work / UNIT
    stack, one.calibration = calibrate(checked(reading, answers, counted), Known(work, work.sum(0)))
    one.fitted = Fitted.of(stack) if stack else None
    one.pairs = [
        Pair(contributors[p.one], contributors[p.other], *msgspec.structs.astuple(p)[2:])
        for p in counted.together
    ]
    total = (counted.work + counted.gold) / UNIT
    one.again = again(reading, answers, counted, Known(total, total.sum(0), stack), one.asked)


def _changes(
    counted: Counted, contributors: list[int], before: dict[tuple[int, int], list[int]]
) -> dict[tuple[int, int], Int64]:
    """What to add to the counts that are there, so that they become these."""
    total = counted.work + counted.gold
    now: dict[tuple[int, int], Int64] = {}
    for j, k in np.argwhere(total.any(2)).tolist():
        now[contributors[j], k] = total[j, k]
    everybody = total.sum(0)
    for k in np.flatnonzero(everybody.any(1)).tolist():
        now[0, k] = everybody[k]
    change: dict[tuple[int, int], Int64] = {}
    none = np.zeros(total.shape[2], np.int64)
    for key in sorted({*now, *before}):
        more = now.get(key, none) - np.array(before.get(key, none), np.int64)
        if more.any():
            change[key] = more
    return change


def _write(
    conn: SyncConn, place: StepPlace, lists: list[_List], found: Swept, now_ms: int
) -> Swept:
    pairs: dict[tuple[int, int], Pair] = {}
    for one in lists:
        keys = list(one.change)
        for begin in range(0, len(keys), ROWS_AT_ONCE):
            part = keys[begin : begin + ROWS_AT_ONCE]
            who, said = [key[0] for key in part], [key[1] for key in part]
            more = np.array([one.change[key] for key in part])
            store_beliefs.add_confusions(conn, place, one.options, who, said, more)
        for pair in one.pairs:
            pairs.setdefault((pair.one, pair.other), pair)
    store_sweep.replace_alike(conn, place, list(pairs.values()), now_ms)
    store_sweep.save(conn, place, found.skill, found.parameters, found.answers, now_ms)
    again_ids = sorted({task for one in lists for task in one.again})
    if again_ids:
        store_sweep.weigh_again(conn, again_ids, now_ms)
    return msgspec.structs.replace(found, pairs=list(pairs.values()), again=len(again_ids))


def _pooled(calibrations: list[Calibration]) -> Calibration:
    """That of the list with the most evidence."""
    return max(calibrations, key=lambda one: one.n, default=Calibration())


def _value(encoded: str) -> str:
    value: str = msgspec.json.decode(encoded)
    return value
