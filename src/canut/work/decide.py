"""Deciding: from fresh answers to decisions, in vectorised batches per step.

What to believe is `Question.aggregate`'s (and through it `canut.truth`'s) to say; here is only
what follows from it: decide, ask one more, or escalate to an expert.
"""

from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.quality.store import add_track, read_track
from canut.questions.base import Answers, Beliefs, Track
from canut.truth.stopping import NextStep, next_step
from canut.work import store, store_decide
from canut.work.model import LoadedStep
from canut.work.store_decide import FreshTask, NewDecision, StepRules
from canut.work.tasks import Steps


class Pass(Struct):
    """What one pass of the engine did."""

    answers: int = 0
    decided: int = 0
    escalated: int = 0
    #: batches that are complete: id, client_id, key, name, n_items
    delivered: list[dict[str, Any]] = []
    #: steps that could not be decided, with the error; their answers are back in the inbox
    failed: dict[int, str] = {}


class Weighed(Struct, frozen=True):
    """The answers to the fresh tasks of one step, and what they say."""

    tasks: list[FreshTask]
    #: contributor ids, position = index in `answers.contributor`
    contributors: list[int]
    answers: Answers
    #: whether each answer was an expert's, to settle its task
    expert: list[bool]
    beliefs: Beliefs
    track: Track

    @property
    def n_answers(self) -> np.ndarray[Any, Any]:
        """Answers of each task."""
        return np.bincount(self.answers.task, minlength=len(self.tasks))


def decide_fresh(conn: SyncConn, steps: Steps, now_ms: int, limit: int) -> Pass:
    """Weigh up to `limit` fresh answers and act on what they say. Call inside a transaction."""
    fresh = store_decide.take_fresh(conn, limit)
    done = Pass(answers=sum(task.n_fresh for task in fresh))
    by_step: dict[int, list[FreshTask]] = {}
    for task in fresh:
        by_step.setdefault(task.batch_step_id, []).append(task)
    rules = store_decide.rules(conn, list(by_step))
    # in the order of ids, as all who lock rows of batch_step
    for batch_step_id in sorted(by_step):
        tasks = by_step[batch_step_id]
        try:
            with conn.transaction():
                step = _step(conn, steps, batch_step_id)
                _decide_step(conn, step, rules[batch_step_id], tasks, now_ms, done)
        except (ArithmeticError, LookupError, TypeError, ValueError, CanutError) as error:
            # a question type that fails stops its own step, not the others; its answers wait
            store_decide.put_back(conn, tasks, now_ms)
            done.failed[batch_step_id] = repr(error)
    if done.decided:
        batches = sorted({rule.batch_id for rule in rules.values()})
        done.delivered = store_decide.deliver(conn, batches, now_ms)
    return done


def _decide_step(
    conn: SyncConn,
    step: LoadedStep,
    rules: StepRules,
    tasks: list[FreshTask],
    now_ms: int,
    done: Pass,
) -> None:
    decisions: list[NewDecision] = []
    escalated: list[int] = []
    undecided = [task for task in tasks if not task.decided]
    if undecided:
        weighed = weigh(conn, step, undecided)
        settled = _settled_by_expert(weighed)
        agreement = _agreement(step, weighed, settled)
        evidence = _evidence(weighed, agreement)
        decisions, ask, escalated = judge(weighed, rules, settled, evidence)
        if decisions:
            store_decide.decide(conn, step.batch_step_id, decisions, now_ms)
            _learn(conn, step, weighed, agreement, decisions)
            _go_on(conn, rules, decisions)
        if ask or escalated:
            expert = [False] * len(ask) + [True] * len(escalated)
            store_decide.ask(conn, ask + escalated, expert)
    n_fresh = sum(task.n_fresh for task in tasks)
    store_decide.count(conn, step.batch_step_id, n_fresh, len(decisions), len(escalated))
    done.decided += len(decisions)
    done.escalated += len(escalated)


def weigh(conn: SyncConn, step: LoadedStep, tasks: list[FreshTask]) -> Weighed:
    """Read every answer to these tasks and let the question type say what they mean."""
    rows = store_decide.answers(conn, [task.task_id for task in tasks])
    task_index = {task.task_id: i for i, task in enumerate(tasks)}
    contributors = sorted({row[1] for row in rows})
    contributor_index = {contributor: i for i, contributor in enumerate(contributors)}
    decode = msgspec.json.Decoder().decode
    answers = Answers(
        task=np.fromiter((task_index[row[0]] for row in rows), np.int32, len(rows)),
        contributor=np.fromiter((contributor_index[row[1]] for row in rows), np.int32, len(rows)),
        value=[decode(row[2]) for row in rows],
        n_tasks=len(tasks),
    )
    known = read_track(conn, step.process_id, step.definition.slug, contributors)
    record = np.array([known.get(c, (0.0, 0.0)) for c in contributors]).reshape(-1, 2)
    track = Track(right=record[:, 0], judged=record[:, 1])
    beliefs = step.question.aggregate(answers, track)
    return Weighed(tasks, contributors, answers, [row[3] for row in rows], beliefs, track)


def judge(
    weighed: Weighed,
    rules: StepRules,
    settled: dict[int, tuple[Any, float]],
    evidence: list[list[tuple[int, float]]],
) -> tuple[list[NewDecision], list[int], list[int]]:
    """(decisions, tasks that need one more answer, tasks for an expert)."""
    n_answers = weighed.n_answers
    steps = next_step(
        weighed.beliefs.confidence, n_answers, rules.min_answers, rules.max_answers, rules.target
    )
    decisions: list[NewDecision] = []
    ask: list[int] = []
    escalate: list[int] = []
    for i, task in enumerate(weighed.tasks):
        value, confidence = weighed.beliefs.value[i], float(weighed.beliefs.confidence[i])
        if i in settled:
            value, confidence = settled[i]
            method = "expert"
        elif task.expert:
            # escalated, and no expert has answered yet: one is asked already
            continue
        elif steps[i] == NextStep.DECIDE:
            method = "answers"
        elif n_answers[i] < task.wanted:
            # somebody else is at it
            continue
        elif steps[i] == NextStep.ASK:
            ask.append(task.task_id)
            continue
        elif rules.expert_skill is not None:
            escalate.append(task.task_id)
            continue
        else:
            method = "exhausted"
        n = int(n_answers[i])
        decisions.append(
            NewDecision(task.task_id, task.item_id, value, confidence, method, n, evidence[i])
        )
    return decisions, ask, escalate


def _settled_by_expert(weighed: Weighed) -> dict[int, tuple[Any, float]]:
    """Value and confidence of tasks that an expert answered: the expert's word stands. The
    confidence is the expert's own record, backed off to 0.9 as for one with ten answers."""
    settled: dict[int, tuple[Any, float]] = {}
    for row in np.flatnonzero(weighed.expert).tolist():
        j = int(weighed.answers.contributor[row])
        trust = (weighed.track.right[j] + 9.0) / (weighed.track.judged[j] + 10.0)
        settled[int(weighed.answers.task[row])] = (weighed.answers.value[row], float(trust))
    return settled


def _agreement(
    step: LoadedStep, weighed: Weighed, settled: dict[int, tuple[Any, float]]
) -> list[float]:
    """How far each answer agrees with the belief of its task (the probability that it is right);
    where an expert settled the task, with the expert's answer, as far as that is trusted."""
    agreement: list[float] = weighed.beliefs.agreement.tolist()
    if settled:
        for row, task in enumerate(weighed.answers.task.tolist()):
            if task in settled:
                value, trust = settled[task]
                agreement[row] = trust * step.question.agree(weighed.answers.value[row], value)
    return agreement


def _evidence(weighed: Weighed, agreement: list[float]) -> list[list[tuple[int, float]]]:
    evidence: list[list[tuple[int, float]]] = [[] for _ in weighed.tasks]
    tasks, contributors = weighed.answers.task.tolist(), weighed.answers.contributor.tolist()
    for task, j, agreed in zip(tasks, contributors, agreement, strict=True):
        evidence[task].append((weighed.contributors[j], round(agreed, 3)))
    return evidence


def _learn(
    conn: SyncConn,
    step: LoadedStep,
    weighed: Weighed,
    agreement: list[float],
    decisions: list[NewDecision],
) -> None:
    """Add to the contributors' record. A lone answer always agrees with itself and teaches
    nothing, nor does an expert's word agreeing with the decision it made."""
    teaching = {d.task_id for d in decisions if d.n_answers > 1}
    decided = np.array([task.task_id in teaching for task in weighed.tasks])
    counts = decided[weighed.answers.task] & ~np.array(weighed.expert, bool)
    who = weighed.answers.contributor[counts]
    n = len(weighed.contributors)
    judged = np.bincount(who, minlength=n)
    right = np.bincount(who, np.asarray(agreement)[counts], minlength=n)
    seen = np.flatnonzero(judged).tolist()
    if seen:
        add_track(
            conn,
            step.process_id,
            step.definition.slug,
            [weighed.contributors[j] for j in seen],
            right[seen].tolist(),
            judged[seen].astype(float).tolist(),
        )


def _go_on(conn: SyncConn, rules: StepRules, decisions: list[NewDecision]) -> None:
    """Tasks of the next step for what was decided at this one."""
    if rules.next_step_id is None or rules.next_min_answers is None:
        return
    items = [decision.item_id for decision in decisions]
    new = store_decide.go_on(conn, rules.next_step_id, rules.next_min_answers, items)
    store_decide.count_tasks(conn, rules.next_step_id, new)


def _step(conn: SyncConn, steps: Steps, batch_step_id: int) -> LoadedStep:
    step = steps.kept(batch_step_id)
    if step is None:
        step = store.read_step_sync(conn, batch_step_id)
        if step is None:
            raise LookupError(f"batch_step {batch_step_id} is gone")
        steps.keep(step)
    return step
